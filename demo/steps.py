"""Numbered steps with times, going on from where ./dev stopped counting."""
import sys
import time


class Trouble(Exception):
    """Something the reader can act upon; shown without a traceback."""


class Steps:
    def __init__(self, done, of):
        self.done, self.of = done, of

    def run(self, what, function, *arguments, talkative=False):
        """Runs one step. What it returns as text is shown behind the time; a talkative one prints by itself."""
        self.done += 1
        head = f"[{self.done}/{self.of}] {what} … "
        print(head, end="\n" if talkative else "", flush=True)
        started = time.monotonic()
        try:
            result = function(*arguments)
        except BaseException:
            print("FAILED", flush=True)
            raise
        took = f"{time.monotonic() - started:.1f} s"
        note = f"  ({result})" if isinstance(result, str) and not talkative else ""
        print(f"[{self.done}/{self.of}] done in {took}" if talkative else f"{took}{note}", flush=True)
        return result


def wait_for(what, probe, seconds, pause=0.2):
    end = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > end:
            raise Trouble(f"{what}: nothing after {seconds} s")
        time.sleep(pause)


def show_end_of(path, lines=20):
    try:
        with open(path, "rb") as file:
            text = [line for line in file.read().decode(errors="replace").splitlines()
                    if '"message":"request"' not in line or '"status":5' in line]
    except OSError:
        return
    print(f"--- the end of {path}, without the requests that went well", file=sys.stderr)
    print("\n".join(text[-lines:]), file=sys.stderr)
    print("---", file=sys.stderr)
