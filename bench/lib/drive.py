"""Runs a load client against a server and says what one operation cost."""
import dataclasses
import json
import os
import statistics
import subprocess
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
