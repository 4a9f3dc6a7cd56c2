#!/usr/bin/env python3
"""TLS by certificate files."""
import os
import socket
import ssl
import warnings

from lib import oci
from lib.clients import needs, run
from lib.runner import equal, fixture, main, wait_for
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
    ca = None

    def web(self, user="admin", password=PASSWORD, token=None):
        return Web(self.url, user=user, password=password, token=token, ca=self.ca)


@fixture
def secure():
    import shutil
    import tempfile
    folder = tempfile.mkdtemp(prefix="wharfage-tls-")
    ca, certificate, key = make_certificates(folder)
    server = Secure(os.path.join(folder, "server"), {"server.tls_certificate": certificate, "server.tls_key": key},
                    scheme="https", start=False)
    server.ca = ca
    try:
        with server.start():
            yield server
    finally:
        shutil.rmtree(folder)


def test_push_and_pull(secure):
    image = oci.small_image(1, 3_000_000)
    oci.push(secure.web(), "team/app", image)
    oci.pull(secure.web(), "team/app", "latest")


def test_challenge_names_https(secure):
    reply = secure.web(user=None).get("/v2/")
    equal(reply.status, 401)
    assert f'realm="{secure.url}/auth/token"' in reply.headers["WWW-Authenticate"], reply


def test_skopeo_with_the_authority(secure, folder):
    authority = os.path.join(folder, "authority")
    os.mkdir(authority)
    with open(secure.ca) as source, open(os.path.join(authority, "ca.crt"), "w") as target:
        target.write(source.read())
    layout = oci.small_image(2).write_layout(os.path.join(folder, "layout"))
    words = ["skopeo", "copy", "--insecure-policy", f"--dest-creds=admin:{PASSWORD}"]
    where = f"docker://{secure.address}/team/skopeo:v1"
    run([*words, f"--dest-cert-dir={authority}", f"oci:{layout}:latest", where], folder)
    refused = run([*words, f"oci:{layout}:latest", where], folder, check=False)
    assert refused.returncode != 0 and "x509" in refused.stderr, refused


def test_plain_http_and_old_versions_are_refused(secure):
    with socket.create_connection(("127.0.0.1", secure.port)) as plain:
        plain.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        plain.settimeout(60)
        try:
            answer = plain.recv(1000)
        except ConnectionError:
            answer = b""
        assert b"200 OK" not in answer, answer
    context = ssl.create_default_context(cafile=secure.ca)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that these versions are old is the point
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    try:
        with socket.create_connection(("127.0.0.1", secure.port)) as plain:
            context.wrap_socket(plain, server_hostname="localhost")
        raise AssertionError("TLS 1.1 was accepted")
    except (ssl.SSLError, ConnectionError):
        pass


def test_new_certificates_are_taken_on_sighup(secure, folder):
    import shutil
    import signal
    ca, certificate, key = make_certificates(folder, "two")
    shutil.copy(certificate, secure.settings["server.tls_certificate"])
    shutil.copy(key, secure.settings["server.tls_key"])
    secure.process.send_signal(signal.SIGHUP)

    def trusted():
        try:
            return Web(secure.url, ca=ca).get("/livez").status == 200
        except ssl.SSLError:
            return False
    wait_for("the new certificate", trusted, 60)
    secure.ca = ca


if __name__ == "__main__":
    main()
