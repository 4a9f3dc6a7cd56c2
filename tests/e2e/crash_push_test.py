#!/usr/bin/env python3
"""kill -9 while images are being pushed: what was acknowledged is there and whole, what was not is garbage."""
import http.client
import threading

from lib import oci
from lib.runner import equal, main, wait_for
from lib.server import Server

WRITERS = 4
ROUNDS = 3


class Writer(threading.Thread):
    """Pushes one new image after another until the server goes away; remembers what was acknowledged."""

    def __init__(self, server, number, round_):
        super().__init__()
        self.web, self.number, self.round = server.web(), number, round_
        self.acknowledged = {}
        self.fault = None

    def run(self):
        count = 0
        try:
            while True:
                count += 1
                seed = (self.round * WRITERS + self.number) * 100_000 + count
                image = oci.small_image(seed, 20_000)
                oci.push(self.web, f"crash/w{self.number}", image, f"r{self.round}-{count}")
                self.acknowledged[f"r{self.round}-{count}"] = image.digest
        except (OSError, http.client.HTTPException):
            pass  # the kill
        except AssertionError as fault:
            self.fault = fault


def all_tags(web, repository):
    reply = web.get(f"/v2/{repository}/tags/list")
    return reply.json()["tags"] if reply.status == 200 else []


def test_acknowledged_pushes_survive_kill(folder):
    server = Server(folder)
    acknowledged = [{} for _ in range(WRITERS)]
    for round_ in range(ROUNDS):
        writers = [Writer(server, n, round_) for n in range(WRITERS)]
        for writer in writers:
            writer.start()
        wait_for("some pushes", lambda: sum(len(w.acknowledged) for w in writers) >= 12 + 5 * round_)
        server.kill()
        for writer in writers:
            writer.join(120)
            assert writer.fault is None, writer.fault
            acknowledged[writer.number].update(writer.acknowledged)
        server.start()
        for number, pushed in enumerate(acknowledged):
            tags = all_tags(server.web(), f"crash/w{number}")
            lost = set(pushed) - set(tags)
            assert not lost, f"round {round_}: acknowledged and lost: {sorted(lost)}"
            for tag in tags:  # also what was stored without its acknowledgement having been read
                oci.pull(server.web(), f"crash/w{number}", tag)
            for tag, digest in pushed.items():
                equal(server.web().head(f"/v2/crash/w{number}/manifests/{tag}").headers["Docker-Content-Digest"], digest)
    server.stop()


def test_an_upload_goes_on_after_a_kill(folder):
    server = Server(folder)
    web, data = server.web(), oci.noise(1_500_000)
    location = web.post("/v2/crash/upload/blobs/uploads/").headers["Location"]
    first = web.patch(location, data[:1_000_000], {"Content-Type": "application/octet-stream"})
    equal(first.status, 202)
    server.kill()
    server.start()
    status = web.get(first.headers["Location"])
    if status.status == 204:  # resumable: then it must be right
        have = int(status.headers["Range"].split("-")[1]) + 1
        assert have <= 1_000_000, have
        rest = web.patch(status.headers["Location"], data[have:], {"Content-Range": f"{have}-{len(data) - 1}"})
        equal(rest.status, 202)
        location = rest.headers["Location"]
        name = oci.digest(data)
        equal(web.put(location + ("&" if "?" in location else "?") + f"digest={name}").status, 201)
        equal(web.get(f"/v2/crash/upload/blobs/{name}").body, data)
    else:
        equal((status.status, status.code()), (404, "BLOB_UPLOAD_UNKNOWN"))
    server.stop()


if __name__ == "__main__":
    main()
