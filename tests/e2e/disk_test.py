#!/usr/bin/env python3
"""A full disk is a clear error: nothing acknowledged is lost, reads go on, and space that is freed is used again."""
import os
import shutil
import subprocess
import tempfile

from lib import oci
from lib.clients import is_root
from lib.runner import equal, fixture, main, need, wait_for
from lib.server import Server

SIZE_MIB = 96


@fixture
def small_disk():
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
    outside = tempfile.mkdtemp(prefix="wharfage-disk-log-")
    try:
        with Server(outside, start=False) as server:
            server.data = os.path.join(small_disk, "data")
            server.disk = small_disk
            server.settings = {"registry.delete_grace_s": 0}
            yield server.start("/livez")
    finally:
        shutil.rmtree(outside, ignore_errors=True)


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
    small_server.stop()
    small_server.settings = {"storage.collect_interval_s": 1, "storage.unreferenced_for_s": 0}
    small_server.start("/livez")  # it says itself that it is not ready: so little space is left
    free = os.statvfs(small_server.disk)
    wait_for("space to be reclaimed", lambda: os.statvfs(small_server.disk).f_bavail * free.f_frsize > 8_000_000)
    small_server.stop()
    small_server.settings = {}
    small_server.start("/livez")
    oci.push(web, "full/app", oci.small_image(900, 1_000_000), "again")
    for tag in tags[len(tags) // 2:]:
        oci.pull(web, "full/app", tag)


if __name__ == "__main__":
    main()
