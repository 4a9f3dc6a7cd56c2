"""Writing: what zb and Harbor's set push, one large blob against what the machine allows, memory."""
import subprocess
import time

from lib import drive
from lib.drive import Seat
from lib.pulls import GIB, KIB, MIB

MIXED = [MIB] + [10 * MIB] * 7 + [MIB, 100 * MIB]  # zb: 20 % 1 MiB, 70 % 10 MiB, 10 % 100 MiB


def pair_of(bench, folder):
    return bench.wharfage(folder), bench.docker_registry(folder)


def seats_of(peers):
    return [Seat(peer.name, peer, peer.push_headers) for peer in peers]


def zb(bench):
    """zb's set: each push brings the same layer to a new repository, each pull is three HEADs and three GETs."""
    sizes = [("1 MiB", MIB, 60, 10), ("10 MiB", 10 * MIB, 20, 10), ("100 MiB", 100 * MIB, 4, 4), ("1 GiB", GIB, 1, 1),
             ("mixed", MIXED, 20, 10)]
    if bench.quick:
        sizes = [("1 MiB", MIB, 30, 10), ("100 MiB", 100 * MIB, 2, 2)]
    rounds = 1 if bench.quick else 2
    with bench.folder_for("zb") as folder:
        for name, size, pushes, connections in sizes:
            zb_size(bench, folder, name, size, pushes, connections, rounds)


def zb_size(bench, folder, name, size, pushes, connections, rounds):
    with bench.folder_for("zb-" + name.replace(" ", "")) as inside, bench.started(*pair_of(bench, inside)) as peers:
        seats = seats_of(peers)
        common = dict(sizes=size, sparse=True, same=True, many=True, connections=connections)
        seed = iter(range(1, 1000))
        for style in ("monolith", "streamed"):
            bench.compare(f"push {style} {name}", seats, lambda s: drive.load(
                s, "push", operations=pushes, streamed=style == "streamed", repository=f"zb/{style}", seed=next(seed),
                **common), rounds)
        images = max(connections, 10 if isinstance(size, list) else 1)
        for seat in seats:
            drive.load_raw(seat, "push", operations=images, repository="zb/pull", **common)
        accept = "Accept: application/vnd.oci.image.manifest.v1+json"
        pulling = [Seat(s.name, s.peer, (*s.headers, accept)) for s in seats]
        bench.compare(f"pull {name}", pulling, lambda s: drive.load(
            s, "pull", operations=pushes * (10 if size == MIB else 3), images=images, repository="zb/pull", **common),
            rounds)


def durable(bench):
    """One blob of 1 GiB with new content each time, against hashing and writing alone."""
    size = 256 * MIB if bench.quick else GIB
    scenario = "push one large blob, durable"
    with bench.folder_for("durable") as folder, bench.started(*pair_of(bench, folder)) as peers:
        samples = {name: [] for name in ("SHA-256 + write + sync", *(peer.name for peer in peers))}
        for turn in range(bench.rounds):
            samples["SHA-256 + write + sync"].append(drive.floor(folder, size))
            for seat in seats_of(peers):
                samples[seat.name].append(drive.load(seat, "push", operations=1, bare=True, sizes=size, seed=turn + 1))
        for name, rounds in samples.items():
            bench.add(scenario, name, rounds)


def small(bench):
    """Harbor's set: artifacts with one layer of 1 KiB, 32 clients, to one repository and to many."""
    count = 400 if bench.quick else 2000
    with bench.folder_for("small") as folder, bench.started(*pair_of(bench, folder)) as peers:
        seed = iter(range(1, 1000))
        for scenario, many in (("push 1 KiB artifacts, one repository", False),
                               ("push 1 KiB artifacts, many repositories", True)):
            bench.compare(scenario, seats_of(peers), lambda s: drive.load(
                s, "push", sizes=KIB, connections=32, operations=count if s.peer is peers[0] else count // 4, many=many,
                repository="harbor/" + ("many" if many else "one"), seed=next(seed)))
        listings(bench, peers)


def listings(bench, peers):
    ours, theirs = peers
    tags = "/v2/harbor/one/tags/list?n=100"
    bench.compare("list 100 tags (of thousands)", seats_of(peers), lambda s: drive.wrk(s, tags, 16, bench.seconds), 2)
    bench.compare("catalog page of 100 (of thousands)", seats_of(peers),
                  lambda s: drive.wrk(s, "/v2/_catalog?n=100", 8, bench.seconds), 2)
    cloud = ours.huawei()
    instance = cloud.call("GET", "/v2/{project}/instances")["instances"][0]["id"]
    path = f"/v2/{cloud.project}/instances/{instance}/namespaces/harbor/repositories/one/artifacts?limit=100"
    token = f"X-Auth-Token: {iam_token(ours, cloud)}"
    bench.compare("list 100 artifacts (SWR API)", [Seat(ours.name, ours, (token,))],
                  lambda s: drive.wrk(s, path, 16, bench.seconds), 2)


def iam_token(peer, cloud):
    import json
    import urllib.request

    from lib.servers import PASSWORD
    name = next(p["name"] for p in cloud.call("GET", "/v3/projects")["projects"])
    domain = json.loads(peer.get("/api/v1/instance", peer.push_headers))["domain_name"]
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": {
        "name": "admin", "password": PASSWORD, "domain": {"name": domain}}}}, "scope": {"project": {"name": name}}}}
    request = urllib.request.Request(f"http://127.0.0.1:{peer.port}/v3/auth/tokens", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return reply.headers["X-Subject-Token"]


def memory(bench):
    """At rest, and with 64 pulls and 64 pushes of 1 GiB at once; those are cut off after some seconds."""
    seconds, count = (3, 64) if bench.quick else (8, 64)
    for make in (bench.wharfage, bench.docker_registry):
        with bench.folder_for("memory") as folder, bench.started(make(folder)) as (peer,):
            time.sleep(1.5)
            bench.fact(f"memory idle, {peer.name}", peer.memory_mb("VmRSS"), "MB")
            seat = Seat(peer.name, peer, peer.push_headers)
            drive.load_raw(seat, "push", operations=1, sizes=GIB, repository="memory/one")
            layer = layer_digest(peer)
            peer.forget_peak()
            busy = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in (
                drive.load_command(seat, "fetch", path=f"/v2/memory/one/blobs/{layer}", connections=count,
                                   seconds=seconds),
                drive.load_command(seat, "push", operations=count, images=1, sizes=GIB, same=True, many=True, bare=True,
                                   repository="memory/push", connections=count, seconds=seconds))]
            for process in busy:
                process.wait()
            bench.fact(f"memory with 64 pulls and 64 pushes, {peer.name}", peer.memory_mb(), "MB")


def layer_digest(peer):
    import json

    from lib.pulls import ACCEPT
    manifest = peer.get("/v2/memory/one/manifests/t-0-0", (ACCEPT, *peer.push_headers))
    return json.loads(manifest)["layers"][0]["digest"]
