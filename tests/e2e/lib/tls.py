"""Certificates made on the spot, and a server that uses them."""
import os
import shutil
import tempfile

from lib.clients import needs, run
from lib.server import PASSWORD, Server
from lib.web import Web


def make_certificates(folder, name="one"):
    """A CA and a server certificate; (ca, certificate, key)"""
    needs("openssl")
    ca, ca_key, key, request, certificate, extension = (
        os.path.join(folder, f"{name}-{part}") for part in ("ca.crt", "ca.key", "key", "csr", "crt", "ext"))
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    run(["openssl", "req", "-x509", *new_key, "-keyout", ca_key, "-out", ca, "-days", "2", "-subj", f"/CN=ca {name}",
         "-addext", "basicConstraints=critical,CA:TRUE"], folder)
    run(["openssl", "req", *new_key, "-keyout", key, "-out", request, "-subj", "/CN=localhost"], folder)
    with open(extension, "w") as file:
        file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    run(["openssl", "x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "2",
         "-extfile", extension, "-out", certificate], folder)
    return ca, certificate, key


class Secure(Server):
    ca = certificate = None

    def web(self, user="admin", password=PASSWORD, token=None):
        return Web(self.url, user=user, password=password, token=token, ca=self.ca, certificate=self.certificate)


def secure_server(settings=None):
    """A generator for fixtures: one server with a fresh certificate."""
    folder = tempfile.mkdtemp(prefix="wharfage-tls-")
    ca, certificate, key = make_certificates(folder)
    server = Secure(os.path.join(folder, "server"),
                    {"server.tls_certificate": certificate, "server.tls_key": key, **(settings or {})},
                    scheme="https", start=False)
    server.ca = ca
    try:
        with server.start():
            yield server
    finally:
        shutil.rmtree(folder)
