"""Reading: manifests, blobs, ranges, tokens, TLS."""
import contextlib
import json
import os

from lib import drive
from lib.drive import Seat

ACCEPT = "Accept: application/vnd.oci.image.manifest.v1+json"
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


def blob_file(peer, digest):
    text = digest.split(":")[1]
    return os.path.join(peer.data, "blobs/sha256", text[:2], text)


class Shelf:
    """The same artifact on every server, in a public repository of ours."""

    def __init__(self, bench, folder, size, tls=None, **settings):
        self.ours, self.theirs = bench.wharfage(folder, **settings), bench.docker_registry(folder)
        self.plain = bench.nginx(folder, tls=tls)
        self.size = size

    def fill(self):
        self.ours.public_namespace("open")
        for peer in (self.ours, self.theirs):
            said = drive.load_raw(Seat("", peer, peer.push_headers), "push", repository="open/one", operations=1,
                                  sizes=self.size)
            assert said["ops"] == 1, said
        self.manifest = self.ours.get("/v2/open/one/manifests/t-0-0", (ACCEPT,))
        self.layer = json.loads(self.manifest)["layers"][0]["digest"]
        self.plain.put("manifest", self.manifest)
        self.plain.put("blob", blob_file(self.ours, self.layer))
        self.manifest_path = "/v2/open/one/manifests/t-0-0"
        self.blob_path = f"/v2/open/one/blobs/{self.layer}"


def manifests(bench):
    """Manifest by tag: GET and HEAD at 32 connections, with and without tokens."""
    with bench.folder_for("manifests") as folder:
        shelf = Shelf(bench, folder, KIB)
        guarded = bench.docker_registry(folder, share=shelf.theirs, tokens=True)
        with bench.started(shelf.ours, shelf.theirs, guarded, shelf.plain):
            shelf.fill()
            seats = [Seat("Wharfage, public", shelf.ours, (ACCEPT,)),
                     Seat("Wharfage, token", shelf.ours, (ACCEPT, *shelf.ours.token_headers("open/one"))),
                     Seat("docker-registry", shelf.theirs, (ACCEPT,)),
                     Seat("docker-registry, token", guarded, (ACCEPT, *guarded.token_headers("open/one"))),
                     Seat("nginx", shelf.plain, path="/manifest")]
            bench.compare("GET manifest", seats, lambda s: drive.wrk(s, shelf.manifest_path, 32, bench.seconds))
            bench.compare("HEAD manifest", seats, lambda s: drive.load(
                s, "fetch", method="HEAD", path=shelf.manifest_path, connections=32, seconds=bench.seconds))


def tokens(bench):
    """The token service, with a password that was checked before."""
    with bench.folder_for("tokens") as folder, bench.started(bench.wharfage(folder)) as (ours,):
        path = "/auth/token?service=wharfage&scope=repository:open/one:pull"
        bench.compare("issue a token", [Seat("Wharfage", ours, ours.push_headers)],
                      lambda s: drive.wrk(s, path, 32, bench.seconds))


def blobs(bench):
    """Blobs of 1 KiB, 1 MiB, 1 GiB, and ranges of 4 MiB."""
    for size, name, connections in ((KIB, "1 KiB", 32), (MIB, "1 MiB", 8), (GIB, "1 GiB", 2)):
        with bench.folder_for("blobs") as folder:
            shelf = Shelf(bench, folder, size)
            with bench.started(shelf.ours, shelf.theirs, shelf.plain):
                shelf.fill()
                seats = [Seat("Wharfage, public", shelf.ours), Seat("docker-registry", shelf.theirs),
                         Seat("nginx", shelf.plain, path="/blob")]
                fetch_blob(bench, f"GET blob {name}", seats, shelf, size, connections)
                if size == GIB:
                    bench.compare("GET range 4 MiB", seats, lambda s: drive.load(
                        s, "fetch", path=shelf.blob_path, range=4 * MIB, of=GIB, connections=8,
                        operations=256 if bench.quick else 1024))


def fetch_blob(bench, scenario, seats, shelf, size, connections):
    if size == KIB:
        return bench.compare(scenario, seats, lambda s: drive.wrk(s, shelf.blob_path, connections, bench.seconds))
    volume = (2 if bench.quick else 8) * GIB
    return bench.compare(scenario, seats, lambda s: drive.load(
        s, "fetch", path=shelf.blob_path, connections=connections, operations=max(connections, volume // size // 2)))


@contextlib.contextmanager
def secured(bench, folder, size):
    """The same artifact on every server, over TLS: the shelf, and docker-registry as it speaks TLS."""
    pair = bench.pair(folder)
    shelf = Shelf(bench, folder, size, tls=pair)
    with bench.started(shelf.ours, shelf.theirs, shelf.plain):
        shelf.fill()
    shelf.ours.settings.update({"server.tls_certificate": pair.certificate, "server.tls_key": pair.key})
    shelf.ours.scheme = "https"
    secret = bench.docker_registry(folder, share=shelf.theirs, tls=pair)
    with bench.started(shelf.ours, secret, shelf.plain):
        yield shelf, secret


def tls(bench):
    """Blobs over TLS, decrypted by wrk."""
    for size, name, connections in ((KIB, "1 KiB", 32), (MIB, "1 MiB", 8)):
        with bench.folder_for(f"tls-{size}") as folder, secured(bench, folder, size) as (shelf, secret):
            seats = [Seat("Wharfage, public", shelf.ours), Seat("docker-registry", secret),
                     Seat("nginx", shelf.plain, port=shelf.plain.tls_port, path="/blob")]
            bench.compare(f"TLS GET blob {name}", seats, lambda s: drive.wrk(
                s, shelf.blob_path, connections, bench.seconds, scheme="https"))


def http2(bench):
    """The same things over HTTP/1.1 and HTTP/2, both over TLS, by h2load."""
    ways = {"HTTP/1.1": {"http2": False, "connections": 32}, "HTTP/2": {"connections": 32},
            "HTTP/2, 8 connections of 10 streams": {"connections": 8, "streams": 10}}
    with bench.folder_for("http2-1") as folder, secured(bench, folder, KIB) as (shelf, secret):
        for what in ("manifest", "blob"):
            path = shelf.manifest_path if what == "manifest" else shelf.blob_path
            seats = [Seat("Wharfage, public", shelf.ours, (ACCEPT,)), Seat("docker-registry", secret, (ACCEPT,)),
                     Seat("nginx", shelf.plain, (ACCEPT,), port=shelf.plain.tls_port, path=f"/{what}")]
            label = "GET manifest" if what == "manifest" else "GET blob 1 KiB"
            for way, options in ways.items():
                bench.compare(f"{label}, {way}", seats, lambda s: drive.h2load(s, path, seconds=bench.seconds, **options))
    with bench.folder_for("http2-2") as folder, secured(bench, folder, MIB) as (shelf, secret):
        seats = [Seat("Wharfage, public", shelf.ours), Seat("docker-registry", secret),
                 Seat("nginx", shelf.plain, port=shelf.plain.tls_port, path="/blob")]
        for way in ("HTTP/1.1", "HTTP/2"):
            bench.compare(f"GET blob 1 MiB, {way}", seats, lambda s: drive.h2load(
                s, shelf.blob_path, 8, http2=way == "HTTP/2", seconds=bench.seconds))
