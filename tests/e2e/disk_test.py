#!/usr/bin/env python3
"""A full disk is a clear error: nothing acknowledged is lost, reads go on, and space that is freed is used again."""
import os
import subprocess

from lib import oci
from lib.clients import is_root
from lib.runner import equal, fixture, main, need, wait_for
from lib.server import Server

SIZE_MIB = 96


@fixture
def small_disk():
    import tempfile
    need(is_root(), "mounting a small disk needs root")
    folder = tempfile.mkdtemp(prefix="wharfage-disk-")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tmpfs", folder], capture_output=True)
    if done.returncode:
        os.rmdir(folder)
        need(False, "this machine does not let us mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        os.rmdir(folder)


@fixture
def small_server(small_disk):
    with Server(small_disk, {"storage.collect_interval_s": 1, "storage.unreferenced_for_s": 0}) as server:
        yield server


def test_full_disk(small_server):
    web, kept = small_server.web(), {}
    refused = None
    for seed in range(200):
        image = oci.small_image(seed, 4_000_000)
        for data in image.blobs.values():
            location = web.post("/v2/full/app/blobs/uploads/")
            if location.status != 202:
                refused = location
                break
            where = location.headers["Location"]
            reply = web.put(where + ("&" if "?" in where else "?") + "digest=" + oci.digest(data), data)
            if reply.status != 201:
                refused = reply
                break
        if refused:
            break
        reply = oci.put_manifest(web, "full/app", f"v{seed}", image.manifest)
        if reply.status != 201:
            refused = reply
            break
        kept[f"v{seed}"] = image.digest
    assert refused is not None and kept, "the disk never filled up"
    equal(refused.status, 507, "status of a full disk")
    assert "disk" in refused.json()["errors"][0]["message"].lower() or \
        "space" in refused.json()["errors"][0]["message"].lower(), refused
    for tag, digest in kept.items():
        oci.pull(web, "full/app", tag)
        equal(web.head(f"/v2/full/app/manifests/{tag}").headers["Docker-Content-Digest"], digest)
    equal(web.get("/livez").status, 200)
    ready = web.get("/readyz?verbose")
    assert "disk" in ready.body.decode().lower(), ready

    tags = list(kept)
    for tag in tags[:len(tags) // 2]:
        equal(web.delete(f"/v2/full/app/manifests/{kept[tag]}").status, 202, "delete on a full disk")
    free = os.statvfs(small_server.folder)
    wait_for("space to be reclaimed", lambda: os.statvfs(small_server.folder).f_bavail * free.f_frsize > 8_000_000)
    wait_for("pushes to work again", lambda: can_push(web), 60, 0.5)
    for tag in tags[len(tags) // 2:]:
        oci.pull(web, "full/app", tag)


def can_push(web):
    try:
        oci.push(web, "full/app", oci.small_image(900, 1_000_000), "again")
        return True
    except AssertionError:
        return False


if __name__ == "__main__":
    main()
