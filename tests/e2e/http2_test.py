#!/usr/bin/env python3
"""Clients over TLS with HTTP/2 on offer: all of them work, and the request log tells what each has spoken."""
import json
import os

from lib import oci
from lib.clients import Containers, Docker, Skopeo, prepared, run
from lib.runner import equal, fixture, main, wait_for
from lib.server import PASSWORD
from lib.tls import secure_server

IMAGE = oci.busybox_image()


@fixture
def secure():
    yield from secure_server()


def requests(server, repository):
    """(protocol, method, status) of every request for a repository so far."""
    lines = (json.loads(line) for line in server.log().splitlines() if line.startswith("{"))
    return [(line["protocol"], line["method"], line["status"]) for line in lines
            if line.get("path", "").startswith(f"/v2/{repository}/")]


def spoken(server, repository):
    """The protocols a repository was pushed and pulled by."""
    def both():
        seen = requests(server, repository)
        pushed = any(method == "PUT" and status == 201 for _, method, status in seen)
        pulled = any(method == "GET" and status == 200 for _, method, status in seen)
        return pushed and pulled and seen
    return sorted({protocol for protocol, _, _ in wait_for(f"the log lines of {repository}", both, 30)})


def same_image(server, repository):
    """Clients may pack layers anew; what is inside may not change."""
    found = oci.pull(server.web(), repository, "v1")
    config = json.loads(server.web().get(f"/v2/{repository}/blobs/{found['config']['digest']}").body)
    wanted = json.loads(IMAGE.blobs[json.loads(IMAGE.manifest)["config"]["digest"]])
    equal(config["rootfs"], wanted["rootfs"])


def trusted(secure):
    return {"SSL_CERT_FILE": secure.ca}


def test_oras_speaks_http2(secure, folder):
    oras = prepared("oras")
    login = ["--ca-file", secure.ca, "-u", "admin", "-p", PASSWORD]
    for size in (10, 9_000_000):
        data, place = oci.noise(size), f"{secure.address}/oras/thing:v{size}"
        with open(os.path.join(folder, "note"), "wb") as file:
            file.write(data)
        run([oras, "push", *login, place, "note:application/x.note"], folder)
        run([oras, "pull", *login, "-o", "out", place], folder)
        with open(os.path.join(folder, "out/note"), "rb") as file:
            assert file.read() == data, "another file came back"
    equal(spoken(secure, "oras/thing"), ["HTTP/2"])


def test_cosign_speaks_http2(secure, folder):
    cosign = prepared("cosign")
    oci.push(secure.web(), "cosign/app", IMAGE, "v1")
    words = {**trusted(secure), "COSIGN_PASSWORD": "x", "DOCKER_CONFIG": folder}
    run([cosign, "login", "-u", "admin", "-p", PASSWORD, secure.address], folder, **words)
    run([cosign, "generate-key-pair"], folder, **words)
    run([cosign, "sign", "--yes", "--tlog-upload=false", "--key", "cosign.key",
         f"{secure.address}/cosign/app@{IMAGE.digest}"], folder, **words)
    run([cosign, "verify", "--insecure-ignore-tlog", "--key", "cosign.pub",
         f"{secure.address}/cosign/app@{IMAGE.digest}"], folder, **words)
    seen = {protocol for protocol, method, _ in requests(secure, "cosign/app") if method in ("HEAD", "PATCH")}
    assert "HTTP/2" in seen, seen


def test_skopeo(secure, folder):
    """Its transport is set up in a way for which Go leaves HTTP/2 out."""
    layout = IMAGE.write_layout(os.path.join(folder, "layout"), "v1")
    skopeo, place = Skopeo(folder, tls=True), f"docker://{secure.address}/skopeo/app:v1"
    skopeo.copy(f"oci:{layout}:v1", place, **trusted(secure))
    skopeo.copy(place, f"oci:{folder}/back:v1", **trusted(secure))
    equal(spoken(secure, "skopeo/app"), ["HTTP/1.1"])


def test_docker(secure, folder):
    """Likewise. The daemon is told not to look at the certificate: what it trusts lies outside this folder."""
    docker, place = Docker(folder, [secure.address]), f"{secure.address}/docker/app:v1"
    try:
        docker("login", "-u", "admin", "--password-stdin", secure.address, text_in=PASSWORD)
        oci.push(secure.web(), "docker/first", IMAGE, "v1")
        docker("pull", f"{secure.address}/docker/first:v1")
        docker("tag", f"{secure.address}/docker/first:v1", place)
        docker("push", place)
        docker("rmi", "-f", place, f"{secure.address}/docker/first:v1")
        docker("pull", place)
    finally:
        docker.close()
    same_image(secure, "docker/app")
    equal(spoken(secure, "docker/app"), ["HTTP/1.1"])


def test_podman(secure, folder):
    podman, place = Containers("podman", folder), f"{secure.address}/podman/app:v1"
    oci.push(secure.web(), "podman/first", IMAGE, "v1")
    podman("login", "-u", "admin", "--password-stdin", secure.address, text_in=PASSWORD, **trusted(secure))
    podman("pull", f"{secure.address}/podman/first:v1", **trusted(secure))
    podman("tag", f"{secure.address}/podman/first:v1", place)
    podman("push", place, **trusted(secure))
    podman("rmi", "-f", place)
    podman("pull", place, **trusted(secure))
    same_image(secure, "podman/app")


if __name__ == "__main__":
    main()
