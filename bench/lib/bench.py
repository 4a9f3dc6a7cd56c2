"""One run of the benchmark: its folder, its servers, what was measured."""
import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time

from lib import drive, keys
from lib.servers import ROOT, DockerRegistry, Nginx, Wharfage

FREE_BYTES_MIN = 10 << 30
LOCK_SECONDS = 120


def remove(folder):
    subprocess.run(["rm", "-rf", folder], check=False)  # much faster than Python where there are 10^5 files


class Bench:
    def __init__(self, quick, lock=None):
        self.quick, self.lock_path, self.locked = quick, lock, None
        self.results = []  # {scenario, seat, samples, unit}
        self.facts = {}    # single figures, by name
        self.notes = []
        self.rounds = 2 if quick else 3
        self.seconds = 1.0 if quick else 3.0
        base = os.path.join(ROOT, "build/bench/run")
        os.makedirs(base, exist_ok=True)
        self.folder = tempfile.mkdtemp(dir=base)

    def close(self):
        remove(self.folder)

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def quiet(self):
        """Holds the lock that others on this machine build under, if there is one, and gives it back between two
        scenarios once it has been held for long."""
        if self.lock_path and not self.locked:
            self.locked = open(self.lock_path, "a")
            fcntl.flock(self.locked, fcntl.LOCK_EX)
            self.locked_since = time.monotonic()
        yield
        if self.locked and time.monotonic() - self.locked_since > LOCK_SECONDS:
            self.locked.close()
            self.locked = None

    @contextlib.contextmanager
    def started(self, *peers):
        begun = []
        try:
            for peer in peers:
                begun.append(peer)
                peer.start()
            yield peers
        finally:
            for peer in begun:
                peer.stop()

    @contextlib.contextmanager
    def folder_for(self, name):
        path = os.path.join(self.folder, name)
        os.makedirs(path)
        spare = shutil.disk_usage(path).free
        if spare < FREE_BYTES_MIN:
            raise RuntimeError(f"only {spare >> 30} GiB are free below {self.folder}")
        try:
            yield path
        finally:
            remove(path)

    def compare(self, scenario, seats, run, rounds=None):
        """Rounds in turn (A, B, A, B …), so that what else the machine does hits all alike."""
        samples = {seat.name: [] for seat in seats}
        for _ in range(rounds or self.rounds):
            for seat in seats:
                samples[seat.name].append(run(seat))
        for seat in seats:
            self.add(scenario, seat.name, samples[seat.name])

    def add(self, scenario, seat, samples):
        self.results.append({"scenario": scenario, "seat": seat, "samples": samples})
        self.say(f"  {scenario:44} {seat:28} {drive.median([s.cpu for s in samples]):12.1f} us cpu/op "
                 f"{max(s.rate for s in samples):10.1f}/s  p99 {drive.median([s.p99 for s in samples]):8.2f} ms")

    def fact(self, name, value, unit=""):
        self.facts[name] = (value, unit)
        self.say(f"  {name:44} {value:,.2f} {unit}")

    def cpu(self, scenario, seat):
        """Median of CPU per operation in microseconds, or None when it was not measured."""
        for result in self.results:
            if (result["scenario"], result["seat"]) == (scenario, seat):
                return drive.median([s.cpu for s in result["samples"]])
        return None

    def rate(self, scenario, seat):
        for result in self.results:
            if (result["scenario"], result["seat"]) == (scenario, seat):
                return max(s.rate for s in result["samples"])
        return None

    # ---- servers
    def wharfage(self, folder, **settings):
        return Wharfage(os.path.join(folder, "wharfage"), {k.replace("__", "."): v for k, v in settings.items()})

    def docker_registry(self, folder, **options):
        return DockerRegistry(os.path.join(folder, "docker-registry"), **options)

    def nginx(self, folder, **options):
        return Nginx(os.path.join(folder, "nginx"), **options)

    def pair(self, folder):
        return keys.Pair(folder)
