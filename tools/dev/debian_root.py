#!/usr/bin/env python3
"""Makes an OCI layout `debian:12` from Debian's own packages, once per machine: no image is downloaded.

debian_root.py            prints the folder of the layout, making it first when it is not there
The packages come from the mirror this machine's apt already uses; the layout lies in the cache folder.
"""
import fcntl
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

RELEASE = "bookworm"
WITHOUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")


def cache_folder():
    base = os.environ.get("WHARFAGE_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "wharfage-dev")
    os.makedirs(base, exist_ok=True)
    return base


def apt_mirror(release=RELEASE):
    """The archive that apt takes `release`'s main section from."""
    rows = subprocess.run(["apt-get", "indextargets", "--format", "$(CREATED_BY) $(CODENAME) $(COMPONENT) $(REPO_URI)"],
                          text=True, capture_output=True, check=True).stdout.splitlines()
    found = [row.split()[3] for row in rows if row.startswith(f"Packages {release} main ")]
    if not found:
        raise SystemExit(f"apt knows no mirror of {release}: is this Debian 12, and has `apt-get update` run?")
    return found[0]


def bootstrap(tar):
    options = [f"--dpkgopt=path-exclude={path}" for path in WITHOUT]
    subprocess.run(["mmdebstrap", "--quiet", "--variant=essential", '--aptopt=Acquire::Languages "none"', *options,
                    RELEASE, tar, apt_mirror()], check=True, stdout=sys.stderr)


def store(folder, data):
    name = hashlib.sha256(data).hexdigest()
    with open(os.path.join(folder, "blobs/sha256", name), "wb") as file:
        file.write(data)
    return {"digest": f"sha256:{name}", "size": len(data)}


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def write_layout(folder, tar):
    os.makedirs(os.path.join(folder, "blobs/sha256"))
    kind = "application/vnd.oci.image"
    with open(tar, "rb") as file:
        data = file.read()
    layer = {"mediaType": f"{kind}.layer.v1.tar+gzip", **store(folder, gzip.compress(data, 6, mtime=0))}
    architecture = subprocess.run(["dpkg", "--print-architecture"], text=True, capture_output=True,
                                  check=True).stdout.strip()
    config = {"architecture": architecture, "os": "linux",
              "config": {"Cmd": ["bash"], "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},
              "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(data).hexdigest()]},
              "history": [{"created_by": f"debian {RELEASE} from packages"}]}
    manifest = {"schemaVersion": 2, "mediaType": f"{kind}.manifest.v1+json",
                "config": {"mediaType": f"{kind}.config.v1+json", **store(folder, compact(config))}, "layers": [layer]}
    entry = {"mediaType": f"{kind}.manifest.v1+json", **store(folder, compact(manifest)),
             "annotations": {"org.opencontainers.image.ref.name": "12"}}
    index = {"schemaVersion": 2, "mediaType": f"{kind}.index.v1+json", "manifests": [entry]}
    for name, value in (("oci-layout", {"imageLayoutVersion": "1.0.0"}), ("index.json", index)):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(compact(value))


def debian_layout():
    cache = cache_folder()
    target = os.path.join(cache, "debian-12")
    with open(target + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(os.path.join(target, "index.json")):
            work = tempfile.mkdtemp(dir=cache)
            try:
                tar = os.path.join(work, "root.tar")
                bootstrap(tar)
                write_layout(os.path.join(work, "layout"), tar)
                shutil.rmtree(target, ignore_errors=True)
                os.rename(os.path.join(work, "layout"), target)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    return target


if __name__ == "__main__":
    print(debian_layout())
