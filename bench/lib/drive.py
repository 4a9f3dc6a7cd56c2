"""Runs a load client against a server and says what one operation cost."""
import dataclasses
import json
import os
import re
import statistics
import subprocess
import tempfile
import time

from lib.servers import ROOT

LOAD = os.path.join(ROOT, "build/bench/load")
FLOOR = os.path.join(ROOT, "build/bench/floor")
LUA = os.path.join(ROOT, "bench/lib/wrk.lua")


@dataclasses.dataclass
class Sample:
    """One round. Latencies in milliseconds, CPU in microseconds per operation."""
    ops: int
    rate: float
    cpu: float
    p50: float
    p99: float
    bytes: int
    seconds: float
    failed: int = 0


@dataclasses.dataclass
class Seat:
    """A server as one kind of client meets it."""
    name: str
    peer: object
    headers: tuple = ()
    port: int = 0
    path: str = ""  # where it differs from the scenario's

    def __post_init__(self):
        self.port = self.port or self.peer.port


def parse(output, marker=""):
    line = next(line for line in output.splitlines() if line.startswith(marker + "{"))
    return json.loads(line[len(marker):])


def settle(peer, seconds_max=4):
    """Waits until work that replies have left behind is done: it is part of what an operation costs."""
    end, before = time.monotonic() + seconds_max, peer.cpu()
    while time.monotonic() < end:
        time.sleep(0.1)
        now = peer.cpu()
        if now - before < 0.003:
            return
        before = now


def measured(peer, run):
    """`run` returns what the load client said."""
    before = peer.cpu()
    said = run()
    settle(peer)
    cpu = peer.cpu() - before
    if said["failed"]:
        raise RuntimeError(f"{peer.name}: {said['failed']} of {said['ops'] + said['failed']} operations failed: "
                           f"{said['why']}")
    ops = max(said["ops"], 1)
    return Sample(ops=said["ops"], rate=said["ops"] / said["seconds"], cpu=cpu * 1e6 / ops, p50=said["p50"] / 1000,
                  p99=said["p99"] / 1000, bytes=said["bytes"], seconds=said["seconds"])


def headers_of(lines, option):
    return [word for line in lines for word in (option, line)]


def wrk(seat, path, connections=32, seconds=3.0, scheme="http"):
    command = ["wrk", f"-t{min(2, os.cpu_count(), connections)}", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout",
               "30s", "-s", LUA, *headers_of(seat.headers, "-H"),
               f"{scheme}://127.0.0.1:{seat.port}{seat.path or path}"]

    def run():
        done = subprocess.run(command, text=True, capture_output=True, check=True)
        return parse(done.stdout, "JSON ")
    return measured(seat.peer, run)


def h2load(seat, path, connections=32, streams=1, seconds=3.0, http2=True):
    """The same client for HTTP/1.1 and HTTP/2, over TLS; one line of its log is one request."""
    with tempfile.NamedTemporaryFile(prefix="h2load-") as log:
        command = ["h2load", f"-t{min(2, os.cpu_count(), connections)}", f"-c{connections}", f"-m{streams}",
                   f"-D{max(1, round(seconds))}", f"--log-file={log.name}", *headers_of(seat.headers, "-H"),
                   *([] if http2 else ["--h1"]), f"https://127.0.0.1:{seat.port}{seat.path or path}"]

        def run():
            log.truncate(0)
            began = time.monotonic()
            done = subprocess.run(command, text=True, capture_output=True, check=True)
            return h2load_said(done.stdout, log.name, time.monotonic() - began)
        return measured(seat.peer, run)


def h2load_said(output, log, wall):
    counts = re.search(r"(\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored", output)
    rate = re.search(r"finished in [\d.]+\w+, ([\d.]+) req/s", output)
    traffic = re.search(r"\((\d+)\) data", output)
    ops, failed = int(counts[2]), int(counts[1]) - int(counts[2])
    with open(log) as file:
        micros = sorted(int(line.split()[2]) for line in file)
    place = lambda part: micros[min(len(micros) - 1, int(len(micros) * part))] if micros else 0  # noqa: E731
    return {"ops": ops, "failed": failed, "why": "see h2load", "bytes": int(traffic[1]), "p50": place(0.5),
            "p99": place(0.99), "seconds": ops / float(rate[1]) if float(rate[1]) else wall}


def load_command(seat, mode, **options):
    """Options as of the load client: many=True is --many, sizes=[1, 2] is --sizes 1,2."""
    command = [LOAD, mode, "--port", str(seat.port), *headers_of(seat.headers, "--header")]
    for name, value in options.items():
        if value is True:
            command.append("--" + name)
        elif value not in (None, False):
            text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
            command += ["--" + name, text]
    return command


def load_raw(seat, mode, **options):
    done = subprocess.run(load_command(seat, mode, **options), text=True, capture_output=True, check=True)
    return parse(done.stdout)


def load(seat, mode, **options):
    if mode == "fetch" and seat.path:
        options["path"] = seat.path
    return measured(seat.peer, lambda: load_raw(seat, mode, **options))


def floor(folder, size):
    done = subprocess.run([FLOOR, folder, str(size)], text=True, capture_output=True, check=True)
    said = parse(done.stdout)
    return Sample(ops=1, rate=1 / said["seconds"], cpu=said["cpu"] * 1e6, p50=said["seconds"] * 1000,
                  p99=said["seconds"] * 1000, bytes=size, seconds=said["seconds"])


def median(values):
    return statistics.median(values)
