"""Runs the test_… functions of one file, in the order they are written, against real processes.

A test names what it needs as parameters: `folder` is its own temporary folder; every other name is a fixture, a
generator function marked @fixture that yields one thing for the whole file (`server` is always there; a file sets
SETTINGS to configure it). Expectations raise; need() skips, except in CI where a missing tool is a failure.
Exit code: 0 all passed, 1 something failed, 77 everything was skipped (ctest's SKIP_RETURN_CODE).
"""
import inspect
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback

from lib.server import Server

FIXTURES = {}
BROKEN = object()
IN_CI = bool(os.environ.get("CI"))


class Skip(Exception):
    pass


def fixture(function):
    FIXTURES[function.__name__] = function
    return function


def need(condition, why):
    if condition:
        return
    if IN_CI:
        raise AssertionError(f"missing in CI: {why}")
    raise Skip(why)


def equal(found, wanted, what=""):
    assert found == wanted, f"{what or 'value'}: wanted {wanted!r}, found {found!r}"


def wait_for(what, probe, seconds=120, pause=0.1):
    """Polls until probe() is true. The limit only ends a hopeless wait, it decides nothing else."""
    end = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(pause)


class Workshop:
    """The fixtures of one file and the folder they live in."""

    def __init__(self, settings):
        self.folder = tempfile.mkdtemp(prefix="wharfage-e2e-")
        self.settings = settings
        self.made = {}
        self.running = []

    def get(self, name):
        if name not in self.made:
            function = FIXTURES.get(name) or {"server": self.default_server}[name]
            arguments = [self.get(p) for p in inspect.signature(function).parameters]
            generator = function(*arguments)
            self.made[name] = BROKEN  # said once; the tests that need it then fail in one line
            self.made[name] = next(generator)
            self.running.append((name, generator))
        if self.made[name] is BROKEN:
            raise AssertionError(f"the fixture {name} could not be made")
        return self.made[name]

    def default_server(self):
        with Server(os.path.join(self.folder, "server"), self.settings) as server:
            yield server

    def subfolder(self, name):
        path = os.path.join(self.folder, name)
        os.makedirs(path, exist_ok=True)
        return path

    def close(self):
        faults = []
        for name, generator in reversed(self.running):
            try:
                next(generator, None)
            except Exception as fault:  # noqa: BLE001 - the others must still be ended
                faults.append(f"{name}: {fault}")
        shutil.rmtree(self.folder, ignore_errors=True)
        return faults


def run_one(shop, name, function):
    started = time.monotonic()
    try:
        arguments = [shop.subfolder(name) if p == "folder" else shop.get(p)
                     for p in inspect.signature(function).parameters]
        function(*arguments)
        outcome = "ok"
    except Skip as why:
        outcome = f"skipped ({why})"
    except Exception as fault:  # noqa: BLE001 - whatever it is, it is a failure of this test
        if str(fault).startswith("the fixture "):
            print(fault)
        else:
            traceback.print_exc(file=sys.stdout)
        outcome = "FAILED"
    print(f"{outcome:8} {name}  {time.monotonic() - started:.2f} s", flush=True)
    return outcome.split()[0]


def main(settings=None):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that fixtures are ended too
    module = sys.modules["__main__"]
    chosen = sys.argv[1:]
    tests = [(n, f) for n, f in vars(module).items()
             if n.startswith("test_") and callable(f) and (not chosen or n in chosen or n[5:] in chosen)]
    shop = Workshop(settings or {})
    outcomes, faults = [], []
    try:
        for name, function in tests:
            outcomes.append(run_one(shop, name, function))
    finally:
        if "FAILED" in outcomes:
            for thing in {id(thing): thing for thing in shop.made.values()}.values():
                if isinstance(thing, Server):
                    print(f"--- end of the log of {thing.url}\n{thing.log_tail()}")
        faults = shop.close()
    for fault in faults:
        print(f"FAILED   ending {fault}")
    if faults or "FAILED" in outcomes or not outcomes:
        sys.exit(1)
    sys.exit(77 if all(o == "skipped" for o in outcomes) else 0)
