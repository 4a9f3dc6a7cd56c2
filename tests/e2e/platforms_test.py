#!/usr/bin/env python3
"""Images for several platforms, charts and catalogs, by the clients that people use for them."""
import json
import os
import shutil

from lib import oci
from lib.clients import Containerd, Containers, Docker, Skopeo, prepared, run
from lib.runner import Skip, equal, fixture, main
from lib.server import PASSWORD

LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
CHART = "application/vnd.cncf.helm"


def image_for(architecture, seed):
    return oci.Image([{"etc/": None, "etc/name": f"{architecture} {seed}\n".encode()}], architecture=architecture)


def index_of(images):
    return oci.packed({"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": [
        {**image.descriptor(), "platform": {"os": "linux", "architecture": name}} for name, image in images.items()]})


@fixture
def multi(server):
    """team/multi:v1, an index of two platforms; (its address, {architecture: image}, its bytes)"""
    images = {name: image_for(name, "multi") for name in ("amd64", "arm64")}
    for image in images.values():
        oci.push(server.web(), "team/multi", image, image.digest)
    index = index_of(images)
    equal(oci.put_manifest(server.web(), "team/multi", "v1", index, oci.INDEX).status, 201)
    yield f"{server.address}/team/multi:v1", images, index


def architectures(server, repository, tag="v1"):
    """Of the index behind a tag, each child of which must be there and whole."""
    reply = server.web().get(f"/v2/{repository}/manifests/{tag}")
    equal(reply.status, 200)
    assert reply.headers["Content-Type"] in (oci.INDEX, LIST), reply.headers["Content-Type"]
    for child in reply.json()["manifests"]:
        oci.pull(server.web(), repository, child["digest"])
    return sorted(child["platform"]["architecture"] for child in reply.json()["manifests"])


def test_docker(server, multi, folder):
    address, images, _ = multi
    docker = Docker(folder, [server.address])
    try:
        docker("login", "-u", "admin", "--password-stdin", server.address, text_in=PASSWORD)
        for name, image in images.items():
            docker("pull", "--platform", f"linux/{name}", address)
            equal(docker("image", "inspect", "-f", "{{.Architecture}}", address).stdout.strip(), name)
            docker("tag", address, f"{server.address}/docker/multi:{name}")
            docker("push", f"{server.address}/docker/multi:{name}")
        parts = [f"{server.address}/docker/multi:{name}" for name in images]
        experimental = {"DOCKER_CLI_EXPERIMENTAL": "enabled"}
        docker("manifest", "create", "--insecure", f"{server.address}/docker/multi:v1", *parts, **experimental)
        docker("manifest", "push", "--insecure", f"{server.address}/docker/multi:v1", **experimental)
        equal(architectures(server, "docker/multi"), ["amd64", "arm64"])
        docker("pull", "--platform", "linux/arm64", f"{server.address}/docker/multi:v1")
    finally:
        docker.close()


def test_podman(server, multi, folder):
    address, images, _ = multi
    podman = Containers("podman", folder)
    podman.login(server.address)
    podman("manifest", "create", "list")
    for name in images:
        podman("pull", "--tls-verify=false", "--arch", name, address)
        equal(podman("image", "inspect", "-f", "{{.Architecture}}", address).stdout.strip(), name)
    podman("manifest", "add", "--tls-verify=false", "--all", "list", f"docker://{address}")
    podman("manifest", "push", "--tls-verify=false", "--all", "list", f"docker://{server.address}/podman/multi:v1")
    equal(architectures(server, "podman/multi"), ["amd64", "arm64"])


def test_search(server, multi, folder):
    podman = Containers("podman", folder)
    podman.login(server.address)
    found = podman("search", "--tls-verify=false", "--format", "{{.Name}}", f"{server.address}/multi").stdout.split()
    assert f"{server.address}/team/multi" in found, found
    tags = podman("search", "--tls-verify=false", "--list-tags", "--format", "{{.Tag}}", f"{server.address}/team/multi")
    assert "v1" in tags.stdout.split(), tags.stdout


def test_buildah(server, multi, folder):
    address, images, _ = multi
    buildah = Containers("buildah", folder)
    buildah.login(server.address)
    buildah("manifest", "create", "list")
    buildah("manifest", "add", "--tls-verify=false", "--all", "list", f"docker://{address}")
    buildah("manifest", "push", "--tls-verify=false", "--all", "list", f"docker://{server.address}/buildah/multi:v1")
    equal(architectures(server, "buildah/multi"), ["amd64", "arm64"])


def test_skopeo(server, multi, folder):
    address, images, index = multi
    skopeo = Skopeo(folder)
    skopeo.copy(f"docker://{address}", f"docker://{server.address}/skopeo/multi:v1", "--all")
    equal(server.web().get("/v2/skopeo/multi/manifests/v1").body, index)
    equal(architectures(server, "skopeo/multi"), ["amd64", "arm64"])
    skopeo.copy(f"docker://{address}", f"oci:{folder}/all:v1", "--all")
    skopeo.copy(f"oci:{folder}/all:v1", f"docker://{server.address}/skopeo/back:v1", "--all")
    equal(server.web().get("/v2/skopeo/back/manifests/v1").body, index)
    skopeo.copy(f"docker://{address}", f"docker://{server.address}/skopeo/one:v1", "--override-arch", "arm64")
    equal(server.web().head("/v2/skopeo/one/manifests/v1").headers["Docker-Content-Digest"], images["arm64"].digest)


def test_oras(server, multi, folder):
    address, images, index = multi
    oras = prepared("oras")
    login = ["--plain-http", "-u", "admin", "-p", PASSWORD]
    with open(os.path.join(folder, "note"), "w") as file:
        file.write("a note\n")
    run([oras, "attach", *login, "--artifact-type", "application/x.note", address, "note:text/plain"], folder)
    ends = [f"--{side}-{word}" for side in ("from", "to") for word in ("plain-http", "username=admin",
                                                                       f"password={PASSWORD}")]
    run([oras, "copy", "-r", *ends, address, f"{server.address}/oras/multi:v1"], folder)
    equal(server.web().get("/v2/oras/multi/manifests/v1").body, index)
    equal(architectures(server, "oras/multi"), ["amd64", "arm64"])
    referrers = server.web().get(f"/v2/oras/multi/referrers/{oci.digest(index)}").json()["manifests"]
    equal([d["artifactType"] for d in referrers], ["application/x.note"])
    run([oras, "manifest", "fetch", *login, "--platform", "linux/arm64", "-o", "one", address], folder)
    with open(os.path.join(folder, "one"), "rb") as file:
        equal(file.read(), images["arm64"].manifest)
    tags = [oras, "tag", *login, address, "v1.0", "v1.0.1"]
    run(tags, folder)
    equal(run([oras, "repo", "tags", *login, f"{server.address}/team/multi"], folder).stdout.split(),
          ["v1", "v1.0", "v1.0.1"])
    run([oras, "manifest", "delete", *login, "-f", f"{server.address}/oras/multi@{referrers[0]['digest']}"], folder)


def test_containerd(server, multi, folder):
    """With a login containerd asks for its token by POST."""
    address, images, index = multi
    ctr = Containerd(folder)
    try:
        refused = ctr.images("pull", "--snapshotter", "native", address, password="wrong", check=False)
        assert refused.returncode != 0, "a wrong password was accepted"
        ctr.images("pull", "--snapshotter", "native", "--all-platforms", address)
        copy = f"{server.address}/containerd/multi:v1"
        ctr("images", "tag", address, copy)
        ctr.images("push", copy)
        equal(server.web().get("/v2/containerd/multi/manifests/v1").body, index)
        equal(architectures(server, "containerd/multi"), ["amd64", "arm64"])
    finally:
        ctr.close()


def chart(folder):
    """A chart as `helm package` makes it."""
    data, _ = oci.layer({"thing/Chart.yaml": b"apiVersion: v2\nname: thing\nversion: 0.1.0\n",
                         "thing/templates/map.yaml": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: thing}\n"})
    with open(os.path.join(folder, "thing-0.1.0.tgz"), "wb") as file:
        file.write(data)
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump({"name": "thing", "version": "0.1.0", "apiVersion": "v2"}, file)
    return data


def test_helm(server, folder):
    if not shutil.which("helm"):
        raise Skip("Debian 12 has no helm; what it sends is sent by oras below")
    data = chart(folder)
    run(["helm", "registry", "login", server.address, "-u", "admin", "--password-stdin", "--plain-http"], folder,
        text_in=PASSWORD)
    run(["helm", "push", "thing-0.1.0.tgz", f"oci://{server.address}/charts", "--plain-http"], folder)
    os.mkdir(os.path.join(folder, "out"))
    run(["helm", "pull", f"oci://{server.address}/charts/thing", "--version", "0.1.0", "-d", "out", "--plain-http"], folder)
    with open(os.path.join(folder, "out/thing-0.1.0.tgz"), "rb") as file:
        equal(file.read(), data)


def test_a_chart_in_helm_s_form(server, folder):
    oras, data = prepared("oras"), chart(folder)
    login = ["--plain-http", "-u", "admin", "-p", PASSWORD]
    run([oras, "push", *login, f"{server.address}/charts/thing:0.1.0", "--config", f"config.json:{CHART}.config.v1+json",
         f"thing-0.1.0.tgz:{CHART}.chart.content.v1.tar+gzip"], folder)
    os.mkdir(os.path.join(folder, "out"))
    run([oras, "pull", *login, "-o", "out", f"{server.address}/charts/thing:0.1.0"], folder)
    with open(os.path.join(folder, "out/thing-0.1.0.tgz"), "rb") as file:
        equal(file.read(), data)


if __name__ == "__main__":
    main()
