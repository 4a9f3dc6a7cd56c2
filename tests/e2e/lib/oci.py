"""Images made by hand and pushed by hand: the distribution protocol without a client in between."""
import gzip
import hashlib
import io
import json
import os
import random
import subprocess
import tarfile

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY = "application/vnd.oci.empty.v1+json"


def digest(data, algorithm="sha256"):
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def noise(size, seed=0):
    return random.Random(seed).randbytes(size)


def packed(value):
    return json.dumps(value, separators=(",", ":")).encode()


def layer(files):
    """{"path": bytes, "path/": None for a folder, "path": "target" for a link}
    -> (gzip bytes, digest of the unpacked tar)"""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name.rstrip("/"))
            if data is None:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
            elif isinstance(data, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, data
                tar.addfile(entry)
            else:
                entry.size = len(data)
                entry.mode = 0o755 if name.startswith(("bin/", "usr/bin/")) else 0o644
                tar.addfile(entry, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), 1, mtime=0), digest(buffer.getvalue())


class Image:
    """A manifest with its blobs, all in memory."""

    def __init__(self, layers, annotations=None, architecture="amd64", command=None):
        self.blobs = {}
        diff_ids = []
        entries = []
        for files in layers:
            data, diff_id = layer(files)
            diff_ids.append(diff_id)
            entries.append(self.keep(data, LAYER))
        config = {"architecture": architecture, "os": "linux",
                  "config": {"Cmd": command or ["/bin/sh"], "Env": ["PATH=/usr/bin:/bin"]},
                  "rootfs": {"type": "layers", "diff_ids": diff_ids},
                  "history": [{"created_by": f"layer {n}"} for n in range(len(layers))]}
        value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": self.keep(packed(config), CONFIG),
                 "layers": entries}
        if annotations:
            value["annotations"] = annotations
        self.manifest = packed(value)
        self.digest = digest(self.manifest)

    def keep(self, data, media_type):
        self.blobs[digest(data)] = data
        return {"mediaType": media_type, "digest": digest(data), "size": len(data)}

    def descriptor(self):
        return {"mediaType": MANIFEST, "digest": self.digest, "size": len(self.manifest)}

    def write_layout(self, folder, tag="latest"):
        """An OCI layout that skopeo, podman, buildah and oras read."""
        blobs = os.path.join(folder, "blobs/sha256")
        os.makedirs(blobs, exist_ok=True)
        for name, data in {**self.blobs, self.digest: self.manifest}.items():
            with open(os.path.join(blobs, name[7:]), "wb") as file:
                file.write(data)
        entry = {**self.descriptor(), "annotations": {"org.opencontainers.image.ref.name": tag}}
        with open(os.path.join(folder, "oci-layout"), "w") as file:
            json.dump({"imageLayoutVersion": "1.0.0"}, file)
        with open(os.path.join(folder, "index.json"), "w") as file:
            json.dump({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}, file)
        return folder


def small_image(seed=0, size=2000):
    return Image([{"etc/": None, "etc/name": b"image %d\n" % seed},
                  {"data/": None, "data/noise": noise(size, seed)}])


def busybox_image():
    """Enough of a system to run commands in: a static busybox from Debian."""
    with open("/bin/busybox", "rb") as file:
        program = file.read()
    files = {"bin/": None, "bin/busybox": program, "etc/": None, "tmp/": None, "root/": None,
             "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n"}
    applets = subprocess.run(["/bin/busybox", "--list"], text=True, capture_output=True, check=True).stdout.split()
    files.update({f"bin/{name}": "busybox" for name in applets if name != "busybox"})
    return Image([files])


def push_blob(web, repository, data):
    name = digest(data)
    begun = web.post(f"/v2/{repository}/blobs/uploads/")
    assert begun.status == 202, begun
    location = begun.headers["Location"]
    done = web.put(location + ("&" if "?" in location else "?") + "digest=" + name, data,
                   {"Content-Type": "application/octet-stream"})
    assert done.status == 201, done
    return name


def put_manifest(web, repository, reference, data, media_type=MANIFEST):
    return web.put(f"/v2/{repository}/manifests/{reference}", data, {"Content-Type": media_type})


def push(web, repository, image, reference="latest"):
    for data in image.blobs.values():
        push_blob(web, repository, data)
    done = put_manifest(web, repository, reference, image.manifest)
    assert done.status == 201, done
    return image.digest


def pull(web, repository, reference):
    """Fetches everything and checks every digest; the manifest."""
    got = web.get(f"/v2/{repository}/manifests/{reference}",
                  {"Accept": f"{MANIFEST}, {INDEX}, application/vnd.docker.distribution.manifest.v2+json"})
    assert got.status == 200, got
    assert digest(got.body) == got.headers["Docker-Content-Digest"], got
    value = got.json()
    for entry in [value["config"], *value["layers"]]:
        blob = web.get(f"/v2/{repository}/blobs/{entry['digest']}")
        assert blob.status == 200, blob
        assert digest(blob.body) == entry["digest"] and len(blob.body) == entry["size"], entry
    return value


def push_blob_sha512(web, repository, data):
    name = digest(data, "sha512")
    begun = web.post(f"/v2/{repository}/blobs/uploads/?digest-algorithm=sha512")
    assert begun.status == 202, begun
    location = begun.headers["Location"]
    done = web.put(location + ("&" if "?" in location else "?") + "digest=" + name, data)
    assert done.status == 201, done
    return name
