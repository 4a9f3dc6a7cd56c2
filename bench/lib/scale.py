"""What must not grow with what is stored: pages, deletes, start; and reclaiming while pushes go on."""
import os
import shutil
import sqlite3
import subprocess
import threading
import time

from lib import drive, stores
from lib.drive import Seat
from lib.pulls import KIB
from lib.servers import Wharfage

SMALL = 1_000


def large(bench):
    return 100_000 if bench.quick else 1_000_000


def store(bench, count):
    """A filled data folder: `count` tags in big/tags, a tenth (at most 10^5) in big/deletes, `count` repositories."""
    def fill(filler):
        filler.tags("big", "tags", count)
        filler.tags("big", "deletes", min(count, 100_000))
        filler.repositories("many", count)
    bench.say(f"  (filling a store with {count:,} tags and repositories, or taking the one that was kept)")
    return stores.filled(f"scale-{count}", fill)


def copied(source, folder):
    data = os.path.join(folder, "wharfage", "data")
    subprocess.run(["cp", "-a", "--reflink=auto", source, data], check=True)


def pages(bench):
    """A page of 100 tags and of 100 repositories, in a small store and in a large one, first and last."""
    for count in (SMALL, large(bench)):
        source = store(bench, count)
        with bench.folder_for("pages") as folder:
            server = bench.wharfage(folder)
            copied(source, folder)
            with bench.started(server):
                seat = Seat(server.name, server, server.push_headers)
                for where, last in (("first", 0), ("late", count - 150)):
                    for scenario, path in (("tag page", f"/v2/big/tags0000000/tags/list?n=100&last=t{last:07d}"),
                                           ("catalog page", f"/v2/_catalog?n=100&last=many/r{last:07d}")):
                        bench.compare(f"{scenario}, {where}, of {count:,}", [seat],
                                      lambda s: drive.wrk(s, path, 8, bench.seconds / 2))


def peer_tags(bench):
    """docker-registry with 10^4 tags: link files written as it writes them."""
    count = 10_000
    with bench.folder_for("peer-tags") as folder, bench.started(bench.docker_registry(folder)) as (peer,):
        seat = Seat(peer.name, peer)
        said = drive.load_raw(seat, "push", operations=4, repository="big/deletes")
        assert said["ops"] == 4, said
        root = os.path.join(peer.data, "docker/registry/v2/repositories/big/deletes/_manifests")
        digests = [open(f"{root}/tags/t-0-{i}/current/link").read() for i in range(4)]
        for i in range(count):
            digest = digests[i % 4]
            base = f"{root}/tags/t{i:07d}"
            index = f"{base}/index/sha256/{digest[7:]}"
            os.makedirs(index)
            os.makedirs(base + "/current")
            for path in (base + "/current/link", index + "/link"):
                with open(path, "w") as file:
                    file.write(digest)
        bench.compare(f"tag page, first, of {count:,}", [seat], lambda s: drive.wrk(
            s, "/v2/big/deletes/tags/list?n=100", 8, bench.seconds / 2), 1)
        bench.compare(f"delete by digest of {count:,} tags", [seat], lambda s: drive.load(
            s, "fetch", method="DELETE", path=f"/v2/big/deletes/manifests/{digests[0]}", operations=1), 1)


def deletes(bench):
    """Deleting manifests by digest, one after the other, from a repository with 10^5 tags; then start-up."""
    source = store(bench, large(bench))
    with bench.folder_for("deletes") as folder:
        server = bench.wharfage(folder)
        copied(source, folder)
        db = sqlite3.connect(os.path.join(server.data, "wharfage.db"))
        digests = [row[0] for row in db.execute(
            "SELECT m.digest FROM manifests m JOIN repositories r ON r.id = m.repository_id "
            "WHERE r.full_name = 'big/deletes0000000' LIMIT 300")]
        db.close()
        paths = os.path.join(folder, "paths")
        with open(paths, "w") as file:
            file.writelines(f"/v2/big/deletes0000000/manifests/{digest}\n" for digest in digests)
        with bench.started(server):
            seat = Seat(server.name, server, server.push_headers)
            bench.compare("delete by digest of 100,000 tags", [seat], lambda s: drive.load(
                s, "fetch", method="DELETE", paths=paths, operations=len(digests)), 1)
        starts = []
        for _ in range(5):
            since = time.monotonic()
            server.start()
            starts.append((time.monotonic() - since) * 1000)
            server.stop()
        bench.fact(f"start with {large(bench):,} tags", drive.median(starts), "ms")


def collect(bench):
    """A repository of 250,000 manifests, each with a layer of its own, is deleted and reclaimed while 16 clients push."""
    count = 25_000 if bench.quick else 250_000
    bench.say(f"  (filling a store with {count:,} manifests and layers)")
    source = stores.filled("collect", lambda filler: filler.artifacts("big", "gone", count), keep=False)
    shutil.move(source, os.path.join(bench.folder, "collect-data"))
    with bench.folder_for("collect") as folder:
        server = Wharfage(os.path.join(folder, "wharfage"),
                          {"storage.collect_interval_s": 1, "storage.unreferenced_for_s": 5, "registry.delete_grace_s": 0})
        shutil.move(os.path.join(bench.folder, "collect-data"), server.data)
        with bench.started(server):
            reclaim(bench, server, count)


def reclaim(bench, server, count):
    alone = 4 if bench.quick else 15
    pushing = Pushing(server)
    os.sync()  # what the store was filled with would be written beside the pushes
    with pushing:
        time.sleep(alone)
    before = pushing.rate()
    gone = Gone(server, "gone0000000")
    cpu, since = server.cpu(), time.monotonic()
    repo = server.alibaba("GetRepository", RepoNamespaceName="big", RepoName="gone0000000")["RepoId"]
    with pushing:
        server.alibaba("DeleteRepository", RepoId=repo)
        left = gone.wait(30 if bench.quick else 150)
        took = time.monotonic() - since
    cpu, beside = server.cpu() - cpu, pushing.rate()
    with pushing:
        time.sleep(alone)
    after = pushing.rate()
    bench.fact(f"reclaiming {count:,} manifests", took if left == 0 else float("inf"), "s")
    if left:
        bench.fact("reclaiming: manifests and layers left when we stopped waiting", left)
        bench.fact("reclaiming: manifests and layers gone per second", (2 * count - left) / took, "/s")
    bench.fact("pushes just before reclaiming", before, "/s")
    bench.fact("pushes while reclaiming", beside, "/s")
    bench.fact("pushes just after reclaiming", after, "/s")
    bench.fact("pushes without reclaiming", (before + after) / 2, "/s")
    bench.fact("failed pushes", pushing.failed)
    bench.fact("CPU while reclaiming and pushing", cpu, "s")


class Pushing:
    """16 clients that push 1 KiB artifacts as long as the context lasts. The disk is not equally fast all the time, so what
    is measured with them is compared with pushes just before and just after."""

    def __init__(self, server):
        self.seat = Seat(server.name, server, server.push_headers)
        self.seed, self.failed = 1, 0

    def __enter__(self):
        self.said, self.over = [], threading.Event()
        self.thread = threading.Thread(target=self.push)
        self.thread.start()

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def push(self):
        while not self.over.is_set():
            said = drive.load_raw(self.seat, "push", sizes=KIB, connections=16, seed=self.seed, repository="bench/live",
                                  images=3_000, operations=3_000, seconds=2)
            self.seed += 1
            self.failed += said["failed"]
            self.said.append((said["ops"], said["seconds"]))

    def rate(self):
        return sum(ops for ops, _ in self.said) / sum(seconds for _, seconds in self.said)


class Gone:
    """What a repository holds alone, before it is deleted: its manifests and its layers. (Pushes that are cut off leave
    blobs of their own, which are reclaimed all the time.)"""

    def __init__(self, server, name):
        self.db = sqlite3.connect(f"file:{server.data}/wharfage.db?mode=ro", uri=True)
        self.repository = self.db.execute("SELECT id FROM repositories WHERE name = ?", (name,)).fetchone()[0]
        self.db.execute("CREATE TEMP TABLE layers (digest TEXT PRIMARY KEY)")
        self.db.execute("INSERT INTO layers SELECT l.digest FROM repository_blobs l WHERE l.repository_id = ? AND NOT EXISTS "
                        "(SELECT 1 FROM repository_blobs o WHERE o.digest = l.digest AND o.repository_id <> l.repository_id)",
                        (self.repository,))
        self.db.commit()

    def count(self, sql, *arguments):
        return self.db.execute(sql, arguments).fetchone()[0]

    def left(self):
        return (self.count("SELECT COUNT(*) FROM manifests WHERE repository_id = ?", self.repository)
                + self.count("SELECT COUNT(*) FROM layers JOIN blobs USING (digest)"))

    def wait(self, seconds):
        """How many of the manifests and of the layers' blobs are still there, 0 as soon as none is. Asks what is cheap first."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.5)
            if self.count("SELECT COUNT(*) FROM repositories WHERE id = ?", self.repository):
                continue
            if self.count("SELECT COUNT(*) FROM blobs WHERE state <> 0") < 1_000 and self.left() == 0:
                return 0
        return self.left()
