#!/usr/bin/env python3
"""TLS by certificate files."""
import os
import shutil
import signal
import socket
import ssl
import warnings

from lib import oci
from lib.clients import run
from lib.runner import equal, fixture, main, wait_for
from lib.server import PASSWORD, run_tool
from lib.tls import Secure, make_certificates, secure_server
from lib.web import Web


@fixture
def secure():
    yield from secure_server()


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


def curl(secure, folder, *words):
    """curl over HTTP/2; what it writes with -w: the version, the status"""
    done = run(["curl", "-sS", "--http2", "--cacert", secure.ca, "-u", f"admin:{PASSWORD}", "-w",
                "%{http_version} %{http_code}\\n", *words], folder)
    return done.stdout.split()


def test_http2_push_pull_and_ranges(secure, folder):
    data = oci.noise(100_000_000)
    name = oci.digest(data)
    source, target = os.path.join(folder, "blob"), os.path.join(folder, "pulled")
    with open(source, "wb") as file:
        file.write(data)
    location = secure.web().post("/v2/team/h2/blobs/uploads/").headers["Location"]
    if "://" not in location:
        location = secure.url + location
    separator = "&" if "?" in location else "?"
    equal(curl(secure, folder, "-o", "/dev/null", "-T", source, f"{location}{separator}digest={name}"), ["2", "201"])
    blob = f"{secure.url}/v2/team/h2/blobs/{name}"
    equal(curl(secure, folder, "-o", target, blob), ["2", "200"])
    with open(target, "rb") as file:
        assert file.read() == data, "another blob came back"
    part = len(data) // 8
    words = ["-Z", "--parallel-max", "8"]
    for i in range(8):
        words += ["-r", f"{i * part}-{(i + 1) * part - 1}", "-o", f"{target}-{i}", blob]
        words += [] if i == 7 else ["--next", "-sS", "--http2", "--cacert", secure.ca, "-u", f"admin:{PASSWORD}",
                                    "-w", "%{http_version} %{http_code}\\n"]
    equal(curl(secure, folder, *words), ["2", "206"] * 8)
    for i in range(8):
        with open(f"{target}-{i}", "rb") as file:
            assert file.read() == data[i * part:(i + 1) * part], f"range {i} differs"
    equal(curl(secure, folder, "-I", "-o", "/dev/null", blob), ["2", "200"])
    equal(curl(secure, folder, "-o", "/dev/null", secure.url + "/v2/team/h2/manifests/none"), ["2", "404"])


def metric(server, name):
    text = server.web(user=None).get("/metrics").body.decode()
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(name + " "))


def test_expiry_is_told(secure, folder):
    words = ["openssl", "x509", "-noout", "-enddate", "-in", secure.settings["server.tls_certificate"]]
    end = ssl.cert_time_to_seconds(run(words, folder).stdout.strip().split("=", 1)[1])
    equal(metric(secure, "wharfage_tls_certificate_expires_seconds"), end)
    equal(metric(secure, "wharfage_tls_reload_failed"), 0)
    checks = secure.web(user=None).get("/readyz?verbose").json()["checks"]
    equal(checks["certificate"]["status"], "warning", "two days before the end")


def test_changed_files_are_taken_without_a_signal_and_bad_ones_are_told(secure, folder):
    ca, certificate, key = make_certificates(folder, "three")
    shutil.copy(certificate, secure.settings["server.tls_certificate"])
    wait_for("the failure", lambda: metric(secure, "wharfage_tls_reload_failed") == 1, 60)
    shutil.copy(key, secure.settings["server.tls_key"])
    wait_for("the new certificate", lambda: trusts(secure, ca), 60)
    secure.ca = ca
    equal(metric(secure, "wharfage_tls_reload_failed"), 0)


def test_client_certificates(folder):
    ca, certificate, key = make_certificates(folder, "server")
    staff, badge, badge_key = make_certificates(folder, "staff")
    settings = {"server.tls_certificate": certificate, "server.tls_key": key, "tls.client_ca_file": staff}
    curl = ["curl", "-sS", "--cacert", ca, "-o", os.path.join(folder, "answer"), "-w", "%{http_code}"]
    shown = ["--cert", badge, "--key", badge_key]
    for mode, without in (("require", None), ("optional", "200")):
        server = Secure(os.path.join(folder, mode), {**settings, "tls.client_mode": mode}, scheme="https", start=False)
        server.ca, server.certificate = ca, (badge, badge_key)
        with server.start():
            equal(run([*curl, *shown, server.url + "/livez"], folder).stdout, "200")
            bare = run([*curl, server.url + "/livez"], folder, check=False)
            equal(bare.stdout if bare.returncode == 0 else None, without, f"without a certificate, {mode}")
            wrong = run([*curl, "--cert", certificate, "--key", key, server.url + "/livez"], folder, check=False)
            assert wrong.returncode != 0, wrong
            wait_for("the log line", lambda: '"certificate":"CN=localhost"' in server.log(), 30)


def test_export_and_import_show_a_client_certificate(folder):
    ca, certificate, key = make_certificates(folder, "server")
    staff, badge, badge_key = make_certificates(folder, "staff")
    server = Secure(os.path.join(folder, "one"), {
        "server.tls_certificate": certificate, "server.tls_key": key, "tls.client_ca_file": staff},
                    scheme="https", start=False)
    server.ca, server.certificate = ca, (badge, badge_key)
    login = {"WHARFAGE_PASSWORD": PASSWORD}
    words = ["--server", server.url, "--user", "admin", "--ca", ca]
    shown = ["--cert", badge, "--key", badge_key]
    with server.start():
        oci.push(server.web(), "team/app", oci.small_image(1), "1")
        layout = os.path.join(folder, "layout")
        run_tool("export", *words, *shown, "--to", layout, "team/app", settings=login)
        run_tool("import", *words, *shown, layout, "copy/app", settings=login)
        oci.pull(server.web(), "copy/app", "1")
        for number, wrong in enumerate(([], ["--cert", badge, "--key", key], ["--cert", certificate, "--key", key])):
            equal(run_tool("export", *words, *wrong, "--to", f"{layout}{number}", "team/app", settings=login,
                           check=False).returncode, 1, wrong)
        equal(run_tool("export", *words, "--cert", badge, "--to", layout + "x", "team/app", settings=login,
                       check=False).returncode, 2, "a certificate without its key")


def trusts(server, ca):
    try:
        return Web(server.url, ca=ca).get("/livez").status == 200
    except ssl.SSLError:
        return False


def test_new_certificates_are_taken_on_sighup(secure, folder):
    ca, certificate, key = make_certificates(folder, "two")
    shutil.copy(certificate, secure.settings["server.tls_certificate"])
    shutil.copy(key, secure.settings["server.tls_key"])
    secure.process.send_signal(signal.SIGHUP)
    wait_for("the new certificate", lambda: trusts(secure, ca), 60)
    secure.ca = ca


if __name__ == "__main__":
    main()
