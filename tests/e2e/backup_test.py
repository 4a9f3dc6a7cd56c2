#!/usr/bin/env python3
"""Backup of a running server, and what restore makes of it."""
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


def test_a_damaged_backup_is_refused(folder):
    server = Server(os.path.join(folder, "one"))
    fill(server, "kept/app", 2)
    copy = os.path.join(folder, "copy")
    run_tool("backup", "--data", server.data, copy)
    server.stop()
    blobs = [os.path.join(d, f) for d, _, names in os.walk(os.path.join(copy, "blobs")) for f in names if len(f) == 64]
    victim = max(blobs, key=os.path.getsize)
    with open(victim, "rb") as file:
        data = bytearray(file.read())
    data[len(data) // 2] ^= 1
    os.remove(victim)  # it may be a hard link to the original
    with open(victim, "wb") as file:
        file.write(data)
    target = os.path.join(folder, "target")
    refused = run_tool("restore", "--data", target, copy, check=False)
    equal(refused.returncode, 1)
    assert os.path.basename(victim) in refused.stderr + refused.stdout, refused
    assert not os.path.exists(target) or not os.listdir(target), os.listdir(target)
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
