#!/usr/bin/env python3
"""Images out of and into an OCI image layout: with skopeo on the other side, with signatures along, and from
hostile hands."""
import hashlib
import io
import json
import os
import shutil
import tarfile

from lib import oci
from lib.clients import Skopeo
from lib.runner import equal, main
from lib.server import PASSWORD, Server, run_tool

LOGIN = {"WHARFAGE_PASSWORD": PASSWORD}


def tool(*words, check=True, settings=None):
    return run_tool(*words, settings=LOGIN if settings is None else settings, check=check)


def at(server):
    return ("--server", server.url, "--user", "admin")


def index_of(server, repository, tag, seeds):
    children = []
    for seed in seeds:
        image = oci.small_image(seed, 30_000)
        for data in image.blobs.values():
            oci.push_blob(server.web(), repository, data)
        equal(oci.put_manifest(server.web(), repository, image.digest, image.manifest).status, 201)
        children.append({**image.descriptor(), "platform": {"os": "linux", "architecture": f"a{seed}"}})
    data = oci.packed({"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": children})
    equal(oci.put_manifest(server.web(), repository, tag, data, oci.INDEX).status, 201)
    return oci.digest(data)


def attach(server, repository, subject, tag=None):
    """An artifact that refers to the image: under cosign's tag, or found by the referrers list alone."""
    image = oci.small_image(len(subject) + len(tag or ""), 500)
    value = json.loads(image.manifest)
    value["subject"] = subject
    value["artifactType"] = "application/vnd.example.note"
    image.manifest = oci.packed(value)
    image.digest = oci.digest(image.manifest)
    for data in image.blobs.values():
        oci.push_blob(server.web(), repository, data)
    equal(oci.put_manifest(server.web(), repository, tag or image.digest, image.manifest).status, 201)
    return image.digest


def digest_of(server, repository, tag):
    reply = server.web().head(f"/v2/{repository}/manifests/{tag}", {"Accept": f"{oci.INDEX}, {oci.MANIFEST}"})
    return reply.headers.get("Docker-Content-Digest") if reply.status == 200 else None


def referrers(server, repository, name):
    return {m["digest"] for m in server.web().get(f"/v2/{repository}/referrers/{name}").json()["manifests"]}


def fill(server):
    one = oci.small_image(1, 200_000)
    oci.push(server.web(), "team/app", one, "1.0")
    oci.push(server.web(), "team/app", oci.small_image(2, 1000), "2.0")
    many = index_of(server, "team/multi", "latest", (3, 4))
    signature = attach(server, "team/app", one.descriptor(), one.digest.replace(":", "-") + ".sig")
    note = attach(server, "team/app", one.descriptor())
    return one, many, signature, note


def check_all(server, one, many, signature, note):
    equal(digest_of(server, "team/app", "1.0"), one.digest)
    oci.pull(server.web(), "team/app", "1.0")
    oci.pull(server.web(), "team/app", "2.0")
    equal(digest_of(server, "team/multi", "latest"), many)
    for child in server.web().get(f"/v2/team/multi/manifests/{many}").json()["manifests"]:
        oci.pull(server.web(), "team/multi", child["digest"])
    equal(referrers(server, "team/app", one.digest), {signature, note})
    equal(digest_of(server, "team/app", one.digest.replace(":", "-") + ".sig"), signature)
    oci.pull(server.web(), "team/app", note)


def test_there_and_back(folder):
    """Out of a running server, into another running one and into a stopped one; as a folder and as a file."""
    with Server(os.path.join(folder, "one")) as first:
        things = fill(first)
        for number, name in enumerate(("layout", "layout.tar")):
            path = os.path.join(folder, name)
            tool("export", *at(first), "--to", path, "team/app", "team/multi:latest")
            with Server(os.path.join(folder, f"running{number}")) as other:
                tool("import", *at(other), path)
                check_all(other, *things)
                again = tool("import", *at(other), path)
                assert again.stdout.strip().endswith("0 bytes"), again.stdout  # what is there is not sent
        stopped = Server(os.path.join(folder, "stopped"), start=False)
        tool("import", "--data", stopped.data, os.path.join(folder, "layout.tar"))
        stopped.start()
        check_all(stopped, *things)
        refused = tool("export", "--data", stopped.data, "--to", os.path.join(folder, "x"), "team/app", check=False)
        equal(refused.returncode, 1)
        assert "--server" in refused.stderr, refused.stderr
        stopped.stop()
        tool("export", "--data", stopped.data, "--to", os.path.join(folder, "from-stopped"), "team/multi")


def test_skopeo_reads_what_we_write(folder):
    with Server(os.path.join(folder, "one")) as server:
        one, many, *_ = fill(server)
        layout, archive = os.path.join(folder, "layout"), os.path.join(folder, "layout.tar")
        tool("export", *at(server), "--to", layout, "team/app:1.0", "team/multi:latest")
        tool("export", *at(server), "--to", archive, "team/app:1.0")
        skopeo = Skopeo(folder)
        skopeo.copy(f"oci:{layout}:1.0", f"docker://{server.address}/back/app:folder")
        skopeo.copy(f"oci-archive:{archive}:1.0", f"docker://{server.address}/back/app:file")
        skopeo.copy(f"oci:{layout}:latest", f"docker://{server.address}/back/multi:latest", "--all")
        for tag in ("folder", "file"):
            equal(digest_of(server, "back/app", tag), one.digest, tag)
        equal(digest_of(server, "back/multi", "latest"), many)


def test_we_read_what_skopeo_writes(folder):
    with Server(os.path.join(folder, "one")) as server:
        one, many, *_ = fill(server)
        skopeo = Skopeo(folder)
        layout, archive = os.path.join(folder, "layout"), os.path.join(folder, "theirs.tar")
        skopeo.copy(f"docker://{server.address}/team/app:1.0", f"oci:{layout}:1.0")
        skopeo.copy(f"docker://{server.address}/team/multi:latest", f"oci:{layout}:many", "--all")
        skopeo.copy(f"docker://{server.address}/team/multi:latest", f"oci-archive:{archive}:many", "--all")
        nameless = tool("import", *at(server), layout, check=False)
        equal(nameless.returncode, 1)
        tool("import", *at(server), layout, "back/all")
        equal((digest_of(server, "back/all", "1.0"), digest_of(server, "back/all", "many")), (one.digest, many))
        tool("import", *at(server), archive, "back/file:chosen")
        equal(digest_of(server, "back/file", "chosen"), many)
        oci.pull(server.web(), "back/all", "1.0")


def rewrite(path, change):
    with open(path, "rb") as file:
        data = change(file.read())
    with open(path, "wb") as file:
        file.write(data)


def hostile_layouts(folder, good):
    """(name, path): each wrong in its own way."""
    def copy(name):
        path = os.path.join(folder, name)
        shutil.copytree(good, path)
        return path

    def blobs(path):
        base = os.path.join(path, "blobs/sha256")
        return sorted((os.path.join(base, name) for name in os.listdir(base)), key=os.path.getsize)

    def edit_index(path, change):
        file = os.path.join(path, "index.json")
        rewrite(file, lambda data: json.dumps(change(json.loads(data)) or None).encode())

    path = copy("wrong-bytes")
    rewrite(blobs(path)[-1], lambda data: data[:50] + bytes([data[50] ^ 1]) + data[51:])
    yield "wrong-bytes", path
    path = copy("longer")
    rewrite(blobs(path)[-1], lambda data: data + b"x")
    yield "longer", path
    path = copy("missing")
    os.remove(blobs(path)[-1])
    yield "missing", path
    path = copy("manifest")
    entry = json.load(open(os.path.join(path, "index.json")))["manifests"][0]
    rewrite(os.path.join(path, "blobs/sha256", entry["digest"][7:]), lambda data: data.replace(b"layer", b"lAyer"))
    yield "manifest", path
    path = copy("link")
    victim = blobs(path)[-1]
    shutil.move(victim, os.path.join(folder, "outside"))
    os.symlink(os.path.join(folder, "outside"), victim)
    yield "link", path
    path = copy("folder-link")
    shutil.move(os.path.join(path, "blobs"), os.path.join(folder, "blobs-outside"))
    os.symlink(os.path.join(folder, "blobs-outside"), os.path.join(path, "blobs"))
    yield "folder-link", path
    path = copy("pipe")
    victim = blobs(path)[-1]
    os.remove(victim)
    os.mkfifo(victim)
    yield "pipe", path
    path = copy("traversal")

    def climb(index):
        index["manifests"][0]["digest"] = "sha256:../../../../etc/passwd"
        return index
    edit_index(path, climb)
    yield "traversal", path
    path = copy("size")

    def grow(index):
        index["manifests"][0]["size"] += 1
        return index
    edit_index(path, grow)
    yield "size", path
    path = copy("tag")

    def name(index):
        index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] = "../../x"
        return index
    edit_index(path, name)
    yield "tag", path
    path = copy("no-index")
    os.remove(os.path.join(path, "index.json"))
    yield "no-index", path
    path = copy("deep")
    rewrite(os.path.join(path, "index.json"), lambda _: b"[" * 100_000)
    yield "deep", path

    yield "nothing", os.path.join(folder, "nowhere")
    for label, members in (("tar-link", [("blobs", None)]), ("tar-short", [])):
        path = os.path.join(folder, label + ".tar")
        with tarfile.open(path, "w") as tar:
            for file_name in ("oci-layout", "index.json"):
                tar.add(os.path.join(good, file_name), file_name)
            for file in blobs(good):
                where = "blobs/sha256/" + os.path.basename(file)
                if label == "tar-link":
                    entry = tarfile.TarInfo(where)
                    entry.type, entry.linkname = tarfile.SYMTYPE, file
                    tar.addfile(entry)
                else:
                    tar.add(file, where)
        if label == "tar-short":
            rewrite(path, lambda data: data[:30_000])
        yield label, path
    path = os.path.join(folder, "noise.tar")
    with open(path, "wb") as file:
        file.write(hashlib.sha256(b"").digest() * 1000)
    yield "noise", path
    path = os.path.join(folder, "huge.tar")
    with tarfile.open(path, "w") as tar:
        entry = tarfile.TarInfo("index.json")
        entry.size = 4
        tar.addfile(entry, io.BytesIO(b"{}{}"))
    rewrite(path, lambda data: data[:124] + b"77777777777\0" + data[136:])
    yield "huge", path


def test_hostile_layouts_are_refused(folder):
    with Server(os.path.join(folder, "one")) as server:
        image = oci.small_image(7, 60_000)
        good = image.write_layout(os.path.join(folder, "good"), "1.0")
        for name, path in hostile_layouts(folder, good):
            refused = tool("import", *at(server), path, f"bad/{name}:1.0" if name != "tag" else "bad/tag", check=False)
            equal(refused.returncode, 1, f"{name}: {refused.stdout}{refused.stderr}")
            equal(digest_of(server, f"bad/{name}", "1.0"), None, name)
        stopped = Server(os.path.join(folder, "stopped"), start=False)
        for name in ("wrong-bytes", "longer", "link"):
            refused = tool("import", "--data", stopped.data, os.path.join(folder, name), "bad/x:1.0", check=False)
            equal(refused.returncode, 1, name)
        tool("import", *at(server), good, "fine/app:1.0")
        equal(digest_of(server, "fine/app", "1.0"), image.digest)


def test_long_names_in_every_format_of_tar(folder):
    layout = os.path.join(folder, "layout")
    image = oci.small_image(5, 1000)
    manifest = json.loads(image.manifest)
    (config,) = [data for name, data in image.blobs.items() if name == manifest["config"]["digest"]]
    manifest["config"]["digest"] = oci.digest(config, "sha512")
    image.manifest = oci.packed(manifest)
    image.digest = oci.digest(image.manifest)
    files = {f"blobs/{name.replace(':', '/')}": data for name, data in image.blobs.items()}
    files[f"blobs/{oci.digest(config, 'sha512').replace(':', '/')}"] = config
    files[f"blobs/{image.digest.replace(':', '/')}"] = image.manifest
    files["oci-layout"] = b'{"imageLayoutVersion":"1.0.0"}'
    files["index.json"] = oci.packed({"schemaVersion": 2, "manifests": [image.descriptor()]})
    with Server(os.path.join(folder, "one")) as server:
        for number in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
            for before in ("", "./"):
                with tarfile.open(layout + ".tar", "w", format=number) as tar:
                    for name, data in files.items():
                        member = tarfile.TarInfo(before + name)
                        member.size = len(data)
                        tar.addfile(member, io.BytesIO(data))
                tool("import", *at(server), layout + ".tar", f"long/format{number}")
                equal(server.web().get(f"/v2/long/format{number}/manifests/{image.digest}").body, image.manifest)


def test_export_leaves_out_what_is_broken(folder):
    server = Server(os.path.join(folder, "one"))
    good, lying = oci.small_image(1, 50_000), oci.small_image(2, 50_000)
    oci.push(server.web(), "team/app", good, "good")
    oci.push(server.web(), "team/app", lying, "was-good")
    manifest = json.loads(lying.manifest)
    manifest["layers"][0]["size"] += 1
    equal(oci.put_manifest(server.web(), "team/app", "lying", oci.packed(manifest)).status, 201)
    for name, words in (("online.tar", at(server)), ("offline", ("--data", server.data))):
        if words[0] == "--data":
            server.stop()
        path = os.path.join(folder, name)
        done = tool("export", *words, "--to", path, "team/app", check=False)
        equal(done.returncode, 1, done.stderr)
        assert "team/app:lying is left out" in done.stderr and "1 of 3 images" in done.stderr, done.stderr
        alone = tool("export", *words, "--to", os.path.join(folder, "alone.tar"), "team/app:lying", check=False)
        equal((alone.returncode, os.path.exists(os.path.join(folder, "alone.tar"))), (1, False), alone.stderr)
        with Server(os.path.join(folder, "of-" + name)) as other:
            tool("import", *at(other), path)
            equal(other.web().get("/v2/team/app/tags/list").json()["tags"], ["good", "was-good"])
            oci.pull(other.web(), "team/app", "good")


def test_two_images_do_not_take_one_tag(folder):
    layout = os.path.join(folder, "layout")
    with Server(os.path.join(folder, "one")) as server:
        oci.push(server.web(), "team/a", oci.small_image(1), "1")
        oci.push(server.web(), "team/b", oci.small_image(2), "1")
        tool("export", *at(server), "--to", layout, "team/a", "team/b")
        refused = tool("import", *at(server), layout, "other/app", check=False)
        equal(refused.returncode, 1, refused)
        assert "other/app:1" in refused.stderr, refused.stderr
        equal(server.web().get("/v2/other/app/tags/list").status, 404, "nothing was pushed")
        tool("import", *at(server), layout)


def test_messages_name_what_is_wrong(folder):
    with Server(os.path.join(folder, "one")) as server:
        oci.push(server.web(), "team/app", oci.small_image(7), "1")
        unset = tool("export", *at(server), "--to", os.path.join(folder, "a"), "team/app", settings={}, check=False)
        equal(unset.returncode, 1)
        assert "WHARFAGE_PASSWORD is not set" in unset.stderr, unset.stderr
        for number, name in enumerate(("nope/x:1", "nope/x", "team/app:2")):
            none = tool("export", *at(server), "--to", os.path.join(folder, f"b{number}"), "team/app", name, check=False)
            equal(none.returncode, 1)
            assert name in none.stderr, none.stderr


def test_export_refuses(folder):
    with Server(os.path.join(folder, "one")) as server:
        image = oci.small_image(7)
        oci.push(server.web(), "team/app", image, "1.0")
        full = os.path.join(folder, "full")
        os.makedirs(full)
        open(os.path.join(full, "mine"), "w").close()
        for words in (("--to", full, "team/app"), ("--to", os.path.join(folder, "a"), "team/other:1"),
                      ("--to", os.path.join(folder, "b.tar"), "team/app:none"),
                      ("--to", os.path.join(folder, "c"), "TEAM/app")):
            equal(tool("export", *at(server), *words, check=False).returncode, 1, words)
        equal(os.listdir(full), ["mine"])
        assert not os.path.exists(os.path.join(folder, "b.tar"))  # no half of a layout is left
        wrong = tool("export", *at(server), "--to", os.path.join(folder, "d"), "team/app",
                     settings={"WHARFAGE_PASSWORD": "wrong"}, check=False)
        equal(wrong.returncode, 1)
        by_digest = os.path.join(folder, "by-digest")
        tool("export", *at(server), "--to", by_digest, f"team/app@{image.digest}")
        tool("import", *at(server), by_digest, "copy/app")
        oci.pull(server.web(), "copy/app", image.digest)


if __name__ == "__main__":
    main()
