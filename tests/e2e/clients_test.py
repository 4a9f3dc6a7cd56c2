#!/usr/bin/env python3
"""docker 20.10, podman, skopeo, buildah and oras push and pull; each reads what another wrote."""
import json
import os

from lib import oci
from lib.clients import Containers, Docker, Skopeo, prepared, run
from lib.runner import equal, fixture, main
from lib.server import PASSWORD

IMAGE = oci.busybox_image()


@fixture
def published(server):
    """team/base:v1, pushed request by request."""
    oci.push(server.web(), "team/base", IMAGE, "v1")
    yield f"{server.address}/team/base:v1"


def config_of(web, repository, tag):
    manifest = oci.pull(web, repository, tag)
    return json.loads(web.get(f"/v2/{repository}/blobs/{manifest['config']['digest']}").body)


def same_content(server, repository, tag):
    """Clients may repack and rename types; what is inside the layers may not change."""
    wanted = config_of(server.web(), "team/base", "v1")["rootfs"]["diff_ids"]
    equal(config_of(server.web(), repository, tag)["rootfs"]["diff_ids"], wanted, "layers")


def test_docker(server, published, folder):
    docker = Docker(folder, [server.address])
    try:
        refused = docker("pull", published, check=False)
        assert refused.returncode != 0, "pulled without a login"
        wrong = docker("login", "-u", "admin", "--password-stdin", server.address, text_in="wrong-word", check=False)
        assert wrong.returncode != 0, "a wrong password was accepted"
        docker("login", "-u", "admin", "--password-stdin", server.address, text_in=PASSWORD)
        docker("pull", published)
        docker("tag", published, f"{server.address}/docker/copy:v1")
        docker("push", f"{server.address}/docker/copy:v1")
        same_content(server, "docker/copy", "v1")
        os.mkdir(os.path.join(folder, "context"))
        with open(os.path.join(folder, "context/Dockerfile"), "w") as file:
            file.write(f"FROM {published}\nCOPY Dockerfile /recipe\nENV MADE=here\n")
        docker("build", "-t", f"{server.address}/docker/built:v1", os.path.join(folder, "context"))
        docker("push", f"{server.address}/docker/built:v1")
        assert "MADE=here" in config_of(server.web(), "docker/built", "v1")["config"]["Env"]
        docker("rmi", "-f", f"{server.address}/docker/built:v1")
        docker("pull", f"{server.address}/docker/built:v1")
    finally:
        docker.close()


def test_podman(server, published, folder):
    podman = Containers("podman", folder)
    assert podman("pull", "--tls-verify=false", published, check=False).returncode != 0, "pulled without a login"
    podman.login(server.address)
    podman("pull", "--tls-verify=false", published)
    podman("tag", published, f"{server.address}/podman/copy:v1")
    podman("push", "--tls-verify=false", f"{server.address}/podman/copy:v1")
    same_content(server, "podman/copy", "v1")
    podman("push", "--tls-verify=false", "--format", "v2s2", published, f"{server.address}/podman/docker:v1")
    reply = server.web().get("/v2/podman/docker/manifests/v1")
    equal(reply.headers["Content-Type"], "application/vnd.docker.distribution.manifest.v2+json")
    found = podman("search", "--tls-verify=false", f"{server.address}/podman").stdout
    assert f"{server.address}/podman/copy" in found, found


def test_buildah(server, published, folder):
    buildah = Containers("buildah", folder)
    buildah.login(server.address)
    name = buildah("from", "--tls-verify=false", published).stdout.strip()
    buildah("config", "--label", "made=buildah", name)
    buildah("commit", "--rm", name, "made")
    buildah("push", "--tls-verify=false", "--digestfile", os.path.join(folder, "digest"), "made",
            f"docker://{server.address}/buildah/made:v1")
    with open(os.path.join(folder, "digest")) as file:
        digest = file.read().strip()
    head = server.web().head("/v2/buildah/made/manifests/v1")
    equal(head.headers["Docker-Content-Digest"], digest)
    equal(config_of(server.web(), "buildah/made", "v1")["config"]["Labels"]["made"], "buildah")


def test_skopeo(server, published, folder):
    skopeo = Skopeo(folder)
    skopeo.copy(f"docker://{published}", f"docker://{server.address}/skopeo/copy:v1")
    head = server.web().head("/v2/skopeo/copy/manifests/v1")
    equal(head.headers["Docker-Content-Digest"], IMAGE.digest)
    layout = IMAGE.write_layout(os.path.join(folder, "layout"), "v2")
    skopeo.copy(f"oci:{layout}:v2", f"docker://{server.address}/skopeo/copy:v2")
    skopeo.copy(f"docker://{server.address}/skopeo/copy:v2", f"oci:{folder}/back:v2")
    with open(os.path.join(folder, "back/index.json")) as file:
        equal(json.load(file)["manifests"][0]["digest"], IMAGE.digest)
    tags = json.loads(skopeo.inspect(f"docker://{server.address}/skopeo/copy:v1").stdout)["RepoTags"]
    equal(tags, ["v1", "v2"])
    assert skopeo.inspect(f"docker://{published}", user=None, check=False).returncode != 0
    run(["skopeo", "delete", "--tls-verify=false", f"--creds=admin:{PASSWORD}",
         f"docker://{server.address}/skopeo/copy:v1"], folder)
    equal(server.web().head("/v2/skopeo/copy/manifests/v1").status, 404)


def test_oras(server, published, folder):
    oras = prepared("oras")
    login = ["--plain-http", "-u", "admin", "-p", PASSWORD]
    with open(os.path.join(folder, "note.txt"), "w") as file:
        file.write("a note\n")
    run([oras, "push", *login, f"{server.address}/oras/thing:v1", "note.txt:text/plain"], folder)
    os.mkdir(os.path.join(folder, "out"))
    run([oras, "pull", *login, "-o", "out", f"{server.address}/oras/thing:v1"], folder)
    with open(os.path.join(folder, "out/note.txt")) as file:
        equal(file.read(), "a note\n")
    run([oras, "attach", *login, "--artifact-type", "application/x.note", published, "note.txt:text/plain"], folder)
    found = json.loads(run([oras, "discover", *login, "-o", "json", published], folder).stdout)
    equal([m["artifactType"] for m in found["manifests"]], ["application/x.note"])
    equal(server.web().head(f"/v2/team/base/manifests/{IMAGE.digest.replace(':', '-')}").status, 404,
          "a fallback tag although there is a referrers API")
    tags = run([oras, "repo", "tags", *login, f"{server.address}/team/base"], folder).stdout.split()
    equal(tags, ["v1"])


if __name__ == "__main__":
    main()
