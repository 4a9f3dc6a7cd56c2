"""Fills data folders with more than anybody would want to push: rows as src/registry/schema.cc has them, written into
the database of a server that was started once and stopped. What is filled is consistent: every digest is that of its
bytes, every reference has its row, every foreign key is checked. Filled folders are kept below build/bench/stores."""
import glob
import hashlib
import json
import os
import shutil
import sqlite3
import time

from lib import drive
from lib.servers import ROOT, Wharfage

STORES = os.path.join(ROOT, "build/bench/stores")
TAGS_PER_MANIFEST = 5
COUNTS = ("repositories", "tags", "accessory_tags", "manifests", "accessories", "pulls", "blobs", "bytes")


def fingerprint():
    """Of everything that decides what a filled store looks like."""
    sums = hashlib.sha256()
    for path in sorted(glob.glob(os.path.join(ROOT, "src/*/schema.cc"))) + [__file__]:
        with open(path, "rb") as file:
            sums.update(file.read())
    return sums.hexdigest()[:12]


def chunks(count, size=20_000):
    for first in range(0, count, size):
        yield range(first, min(count, first + size))


# As registry/policy_schema.cc counts what was there before it.
NAMESPACE_COUNTS = """
    INSERT INTO namespace_counts (namespace_id, repositories, tags, blobs, bytes)
    SELECT n.id, (SELECT COUNT(*) FROM repositories r WHERE r.namespace_id = n.id),
           (SELECT COUNT(*) FROM tags t JOIN repositories r ON r.id = t.repository_id
            WHERE r.namespace_id = n.id AND t.is_accessory = 0),
           (SELECT COUNT(DISTINCT l.digest) FROM repository_blobs l WHERE l.namespace_id = n.id),
           (SELECT COALESCE(SUM(b.size), 0) FROM blobs b
            WHERE b.digest IN (SELECT l.digest FROM repository_blobs l WHERE l.namespace_id = n.id))
    FROM namespaces n"""


class Filler:
    """Works on a stopped server's data folder that holds one pushed artifact in big/template."""

    def __init__(self, data):
        self.data = data
        self.db = sqlite3.connect(os.path.join(data, "wharfage.db"))
        for pragma in ("synchronous = OFF", "foreign_keys = OFF", "cache_size = -400000", "temp_store = MEMORY"):
            self.db.execute("PRAGMA " + pragma)
        self.now = int(time.time() * 1000)
        self.counts = {}
        self.template = json.loads(self.db.execute("SELECT bytes FROM manifest_bytes").fetchone()[0])
        self.blobs = [self.template["config"]["digest"], self.template["layers"][0]["digest"]]

    def one(self, sql, *arguments):
        return self.db.execute(sql, arguments).fetchone()[0]

    def reserve(self, kind, count):
        row = self.db.execute("SELECT next_id FROM id_blocks WHERE kind = ?", (kind,)).fetchone()
        first = row[0] if row else 1
        self.db.execute("INSERT INTO id_blocks VALUES (?, ?) ON CONFLICT (kind) DO UPDATE SET next_id = excluded.next_id",
                        (kind, first + count))
        return first

    def count(self, repository, **more):
        for key, value in more.items():
            for place in (repository, 0):
                self.counts.setdefault(place, dict.fromkeys(COUNTS, 0))[key] += value

    def repositories(self, namespace, count, prefix="r"):
        space = self.one("SELECT id FROM namespaces WHERE name = ?", namespace)
        first = self.reserve("repository", count)
        for part in chunks(count):
            self.db.executemany(
                "INSERT INTO repositories (id, public_id, namespace_id, full_name, name, summary, detail, is_public, "
                "immutable_tags, created_at, updated_at) VALUES (?, ?, ?, ?, ?, '', '', 1, 0, ?, ?)",
                ((first + i, f"crr-{prefix}{first + i:0{16 - len(prefix)}d}", space, f"{namespace}/{prefix}{i:07d}",
                  f"{prefix}{i:07d}", self.now, self.now) for i in part))
        self.counts.setdefault(0, dict.fromkeys(COUNTS, 0))["repositories"] += count
        return first

    def link(self, repository, blobs):
        self.db.executemany(
            "INSERT INTO repository_blobs (repository_id, digest, linked_at, namespace_id) "
            "VALUES (?1, ?2, ?3, (SELECT namespace_id FROM repositories WHERE id = ?1))",
            [(repository, blob, self.now) for blob in blobs])

    def tags(self, namespace, name, count):
        """A repository with `count` tags, five on each manifest; all manifests share one layer."""
        repository = self.repositories(namespace, 1, name)
        self.link(repository, self.blobs)
        manifests = max(1, count // TAGS_PER_MANIFEST)
        first = self.manifests(repository, manifests, lambda _: self.blobs[1])
        tag = self.reserve("tag", count)
        for part in chunks(count):
            self.db.executemany("INSERT INTO tags VALUES (?, ?, ?, ?, 0, ?, ?)",
                                ((tag + i, repository, f"t{i:07d}", first + i // TAGS_PER_MANIFEST % manifests, self.now,
                                  self.now) for i in part))
        self.count(repository, tags=count, manifests=manifests)
        return repository

    def manifests(self, repository, count, layer_of):
        first = self.reserve("manifest", count)
        value = json.loads(json.dumps(self.template))
        for part in chunks(count):
            rows, bodies, references = [], [], []
            for i in part:
                layer = value["layers"][0]["digest"] = layer_of(i)
                value["annotations"] = {"n": f"{repository}-{i}"}
                body = json.dumps(value, separators=(",", ":")).encode()
                total = len(body) + value["config"]["size"] + value["layers"][0]["size"]
                rows.append((first + i, repository, "sha256:" + hashlib.sha256(body).hexdigest(), value["mediaType"],
                             value["config"]["mediaType"], self.blobs[0], len(body), total, self.now + i))
                bodies.append((first + i, body))
                references += [(first + i, repository, blob) for blob in (self.blobs[0], layer)]
            self.db.executemany(
                "INSERT INTO manifests (id, repository_id, digest, media_type, artifact_type, config_digest, size, total_size, "
                "is_accessory, pushed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)", rows)
            self.db.executemany("INSERT INTO manifest_bytes VALUES (?, ?)", bodies)
            self.db.executemany("INSERT INTO manifest_blobs VALUES (?, ?, ?)", references)
        return first

    def artifacts(self, namespace, name, count):
        """A repository with `count` untagged manifests, each with a layer of its own, in a file of its own."""
        repository = self.repositories(namespace, 1, name)
        self.link(repository, self.blobs[:1])
        digests = []
        size = self.template["layers"][0]["size"]
        shelves = os.path.join(self.data, "blobs/sha256")
        for i in range(256):
            os.makedirs(os.path.join(shelves, f"{i:02x}"), exist_ok=True)
        for part in chunks(count):
            for i in part:
                body = f"layer {i} of {name}".encode().ljust(size, b".")
                text = hashlib.sha256(body).hexdigest()
                digests.append("sha256:" + text)
                file = os.open(f"{shelves}/{text[:2]}/{text}", os.O_CREAT | os.O_WRONLY, 0o600)
                os.write(file, body)
                os.close(file)
            fresh = digests[part.start:part.stop]
            self.db.executemany("INSERT INTO blobs VALUES (?, ?, 0, ?)", ((d, size, self.now) for d in fresh))
            self.link(repository, fresh)
        self.manifests(repository, count, lambda i: digests[i])
        self.count(repository, manifests=count)
        self.counts[0]["blobs"] += count
        self.counts[0]["bytes"] += count * size
        return repository

    def close(self):
        for repository, counts in self.counts.items():
            self.db.execute(
                f"INSERT INTO registry_counts VALUES (?{', ?' * len(COUNTS)}) ON CONFLICT (repository_id) DO UPDATE SET "
                + ", ".join(f"{c} = {c} + excluded.{c}" for c in COUNTS),
                (repository, *(counts[c] for c in COUNTS)))
        self.db.execute("DELETE FROM namespace_counts")
        self.db.execute(NAMESPACE_COUNTS)
        self.db.commit()
        broken = self.db.execute("PRAGMA foreign_key_check").fetchone()
        assert broken is None, f"the filled store refers to what is not there: {broken}"
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.db.close()


def begin(folder):
    """A data folder with the namespaces big and many and one artifact; its server is stopped."""
    server = Wharfage(folder).start()
    try:
        for name in ("big", "many"):
            server.public_namespace(name)
        said = drive.load_raw(drive.Seat("", server, server.push_headers), "push", repository="big/template", operations=1)
        assert said["ops"] == 1, said
    finally:
        server.stop()
    return server


def filled(name, fill, keep=True):
    """The path of a data folder that `fill(Filler)` has filled; made once per schema when it is to be kept."""
    path = os.path.join(STORES, f"{name}-{fingerprint()}")
    if keep and os.path.isdir(path):
        return os.path.join(path, "data")
    partial = path + ".partial"
    for old in [partial, *glob.glob(os.path.join(STORES, name + "-*"))]:
        shutil.rmtree(old, ignore_errors=True)
    begin(partial)
    filler = Filler(os.path.join(partial, "data"))
    fill(filler)
    filler.close()
    os.rename(partial, path)
    return os.path.join(path, "data")
