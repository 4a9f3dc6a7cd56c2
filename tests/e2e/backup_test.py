#!/usr/bin/env python3
"""Backup of a running server, and what restore makes of it."""
import json
import os
import resource
import signal
import subprocess
import threading

from lib import oci
from lib.runner import equal, main
from lib.server import BINARY, Server, environment, run_tool


def fill(server, repository, count, first=0):
    return {f"v{n}": oci.push(server.web(), repository, oci.small_image(first + n, 50_000), f"v{n}")
            for n in range(count)}


def check(server, repository, wanted):
    for tag, digest in wanted.items():
        head = server.web().head(f"/v2/{repository}/manifests/{tag}")
        equal((head.status, head.headers["Docker-Content-Digest"]), (200, digest), f"{repository}:{tag}")
    for tag in server.web().get(f"/v2/{repository}/tags/list").json()["tags"]:
        oci.pull(server.web(), repository, tag)


def test_backup_while_pushes_go_on(folder):
    server = Server(os.path.join(folder, "one"))
    before = fill(server, "kept/app", 8)
    done = threading.Event()
    fault = []

    def keep_pushing():
        number = 0
        try:
            while not done.is_set():
                number += 1
                oci.push(server.web(), "busy/app", oci.small_image(5000 + number, 30_000), f"n{number}")
        except Exception as error:  # noqa: BLE001
            fault.append(error)
    pusher = threading.Thread(target=keep_pushing)
    pusher.start()
    try:
        run_tool("backup", "--data", server.data, os.path.join(folder, "copy"))
    finally:
        done.set()
        pusher.join(120)
    assert not fault, fault
    server.stop()

    other = Server(os.path.join(folder, "two"), start=False)
    run_tool("restore", "--data", other.data, os.path.join(folder, "copy"))
    other.start()
    check(other, "kept/app", before)
    if other.web().get("/v2/busy/app/tags/list").status == 200:
        check(other, "busy/app", {})  # every tag that made it into the copy is whole
    fill(other, "new/app", 2, 9000)
    other.stop()


def layers_of(folder):
    """The blobs of a data folder or a backup, the largest first."""
    blobs = [os.path.join(d, f) for d, _, names in os.walk(os.path.join(folder, "blobs")) for f in names if len(f) == 64]
    return sorted(blobs, key=os.path.getsize, reverse=True)


def spoil(path):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    data[len(data) // 2] ^= 1
    os.remove(path)  # it may be a hard link to the original
    with open(path, "wb") as file:
        file.write(data)


def test_a_backup_of_a_store_that_lacks_blobs_says_so(folder):
    server = Server(os.path.join(folder, "one"))
    images = [oci.small_image(n, 50_000) for n in range(3)]
    for n, image in enumerate(images):
        oci.push(server.web(), "kept/app", image, f"v{n}")
    gone, short, lost = layers_of(server.data)[:3]
    os.remove(lost)
    run_tool("fsck", "--repair", "--data", server.data, check=False)
    known = run_tool("backup", "--data", server.data, os.path.join(folder, "known"))
    assert os.path.basename(lost) in known.stderr and "warning" in known.stderr, known.stderr
    assert server.data in known.stdout, known.stdout

    os.remove(gone)
    os.truncate(short, 10)
    copy = os.path.join(folder, "copy")
    lacking = run_tool("backup", "--data", server.data, copy, check=False)
    equal(lacking.returncode, 7, lacking)
    for blob in (gone, short, lost):
        assert os.path.basename(blob) in lacking.stderr, lacking.stderr
    server.stop()
    equal({name for name in os.listdir(copy) if name.endswith(("-wal", "-shm"))}, set())
    restored = run_tool("restore", "--data", os.path.join(folder, "other"), copy, check=False)
    equal(restored.returncode, 7, restored)
    for blob in (gone, short, lost):
        assert os.path.basename(blob) in restored.stderr, restored.stderr


def test_a_damaged_backup_is_restored_but_for_the_damage(folder):
    server = Server(os.path.join(folder, "one"))
    images = [oci.small_image(n, 50_000) for n in range(3)]
    for n, image in enumerate(images):
        oci.push(server.web(), "kept/app", image, f"v{n}")
    copy = os.path.join(folder, "copy")
    run_tool("backup", "--data", server.data, copy)
    server.stop()
    layers = [json.loads(image.manifest)["layers"][1]["digest"][7:] for image in images]
    for path in layers_of(copy):
        if os.path.basename(path) == layers[0]:
            spoil(path)
        if os.path.basename(path) == layers[1]:
            os.remove(path)

    other = Server(os.path.join(folder, "two"), start=False)
    restored = run_tool("restore", "--data", other.data, copy, check=False)
    equal(restored.returncode, 7, restored)
    for layer in layers[:2]:
        assert layer in restored.stderr, restored.stderr
    assert layers[2] not in restored.stderr, restored.stderr
    other.start()
    told = run_tool("fsck", "--data", other.data, check=False)
    equal(told.returncode, 7, told)
    equal([sum("blob_lost" in line and layer in line for line in told.stdout.splitlines()) for layer in layers],
          [1, 1, 0], told.stdout)
    assert "count_wrong" not in told.stdout and "blob_missing" not in told.stdout, told.stdout
    oci.pull(other.web(), "kept/app", "v2")
    for layer in layers[:2]:
        equal(other.web().head(f"/v2/kept/app/blobs/sha256:{layer}").status, 404)
    for n, image in enumerate(images):
        oci.push(other.web(), "kept/app", image, f"v{n}")
    check(other, "kept/app", {})
    run_tool("fsck", "--data", other.data)
    other.stop()
    server.start()
    check(server, "kept/app", {})
    server.stop()


def test_backup_and_restore_never_overwrite(folder):
    server = Server(os.path.join(folder, "one"))
    digests = fill(server, "kept/app", 1)
    copy = os.path.join(folder, "copy")
    run_tool("backup", "--data", server.data, copy)
    equal(run_tool("backup", "--data", server.data, copy, check=False).returncode, 1, "backup into a full folder")
    equal(run_tool("restore", "--data", server.data, copy, check=False).returncode, 1, "restore over a server's data")
    check(server, "kept/app", digests)
    server.stop()


def test_copies_into_one_folder_at_once_leave_one_whole_copy(folder):
    server = Server(os.path.join(folder, "one"))
    digests = fill(server, "kept/app", 2)
    for n in range(5):
        copy = os.path.join(folder, f"copy{n}")
        running = [subprocess.Popen([BINARY, "backup", "--data", server.data, copy], env=environment({}, folder),
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(4)]
        codes = [process.wait(timeout=120) for process in running]
        assert 0 in codes and set(codes) <= {0, 1}, codes
        assert not os.path.exists(os.path.join(copy, "unfinished")), os.listdir(copy)
    server.stop()
    other = Server(os.path.join(folder, "two"), start=False)
    run_tool("restore", "--data", other.data, copy)
    other.start()
    check(other, "kept/app", digests)
    other.stop()


def killed_in_a_large_file(folder, *words):
    """The command as it dies at its first file of more than 20 kB."""
    ended = subprocess.run([BINARY, *words], env=environment({}, folder), capture_output=True, timeout=120,
                           preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)))
    equal(ended.returncode, -signal.SIGXFSZ, ended.stderr)


def test_a_copy_that_was_killed_is_no_registry(folder):
    server = Server(os.path.join(folder, "one"))
    digests = fill(server, "kept/app", 2)
    copy, half = os.path.join(folder, "copy"), os.path.join(folder, "half")
    run_tool("backup", "--data", server.data, copy)
    killed_in_a_large_file(folder, "backup", "--data", server.data, half)
    server.stop()

    other = Server(os.path.join(folder, "two"), start=False)
    killed_in_a_large_file(folder, "restore", "--data", other.data, copy)
    for place in (other.data, half):
        refused = run_tool("serve", "--data", place, "--listen", "127.0.0.1:0", check=False)
        equal(refused.returncode, 1)
        assert "did not finish" in refused.stderr + refused.stdout, refused
        equal({name for name in os.listdir(place) if name in ("unfinished", "lock", "master.key")}, {"unfinished"})
    refused = run_tool("restore", "--data", os.path.join(folder, "three"), half, check=False)
    equal((refused.returncode, os.path.exists(os.path.join(folder, "three"))), (1, False), refused.stderr)

    run_tool("restore", "--data", other.data, copy)
    other.start()
    check(other, "kept/app", digests)
    run_tool("backup", "--data", other.data, half)
    other.stop()
    run_tool("restore", "--data", os.path.join(folder, "three"), half)


if __name__ == "__main__":
    main()
