"""One Wharfage server under test: its own port, data folder and log; ended by its process id.

The server dies with the test that started it (PR_SET_PDEATHSIG). A clean stop must exit with 0 and leave no
sanitizer report in its log; a kill is asked for explicitly.
"""
import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import time

from lib.web import Web

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BINARY = os.environ.get("WHARFAGE_BINARY") or os.path.join(ROOT, "build/debug/src/wharfage")
PASSWORD = "correct-horse-9"
ACCESS_KEY, ACCESS_SECRET = "LTAIe2eAdminKey0001", "e2eAdminSecret0123456789abcdef"
REPORTS = re.compile(r"^.*(AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:).*$", re.M)
UNSET = "(unset)"  # as a setting's value: the variable is not there
SANITIZER_NAMES = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def environment(settings, home):
    """Only what the server should see: nothing of the caller's environment changes its behaviour."""
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": home, "LC_ALL": "C.UTF-8",
           "WHARFAGE_ADMIN_PASSWORD": PASSWORD,
           "WHARFAGE_ADMIN_ACCESS_KEY": f"{ACCESS_KEY}:{ACCESS_SECRET}"}
    env.update({name: os.environ[name] for name in SANITIZER_NAMES if name in os.environ})
    for key, value in settings.items():
        name = key if key.isupper() else "WHARFAGE__" + key.upper().replace(".", "__")
        env[name] = str(value)
    return {name: value for name, value in env.items() if value != UNSET}


def run_tool(*words, settings=None, home="/tmp", check=True):
    """The same binary as a command line tool."""
    done = subprocess.run([BINARY, *map(str, words)], env=environment(settings or {}, home), text=True,
                          capture_output=True, timeout=1200)
    if check:
        assert done.returncode == 0, f"wharfage {' '.join(map(str, words))}: {done.returncode}\n" \
                                     f"{done.stdout}{done.stderr}"
    return done


class Server:
    def __init__(self, folder, settings=None, port=None, start=True, scheme="http", host="127.0.0.1"):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.settings = folder, dict(settings or {})
        self.data = os.path.join(folder, "data")
        self.log_path = os.path.join(folder, "server.log")
        self.port = port or free_port()
        self.address, self.scheme = f"{host}:{self.port}", scheme
        self.url = f"{scheme}://{self.address}"
        self.process = None
        if start:
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.stop(strict=kind is None)

    # ---- life
    def start(self, page="/readyz"):
        """Returns when `page` answers 200; a server that is up but not ready still has /livez."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--data", self.data, "--listen", self.address], cwd=self.folder,
                env=environment(self.settings, self.folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=die_with_parent)
        self.wait_ready(page)
        return self

    def wait_ready(self, page="/readyz", seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}\n{self.log_tail()}")
            try:
                if self.web(user=None).get(page).status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"the server is not ready after {seconds} s\n{self.log_tail()}")

    def stop(self, strict=True):
        if self.process is None:
            return
        process, self.process = self.process, None
        ended = process.poll()
        if ended is not None and strict:
            raise AssertionError(f"the server had ended before it was asked to, with {ended}\n{self.log_tail()}")
        process.terminate()
        try:
            code = process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the server does not stop on SIGTERM\n{self.log_tail()}") from None
        if strict:
            report = REPORTS.search(self.log())
            assert not report, f"{report[0]}\n{self.log()[report.start():][:8000]}"
            assert code == 0, f"the server stopped with {code}\n{self.log_tail()}"

    def kill(self):
        """kill -9"""
        self.process.kill()
        self.process.wait()
        self.process = None

    def restart(self):
        self.stop()
        self.start()

    # ---- what it says
    def log(self):
        with open(self.log_path, "rb") as file:
            return file.read().decode(errors="replace")

    def log_tail(self, lines=40):
        return "\n".join(self.log().splitlines()[-lines:])

    def web(self, user="admin", password=PASSWORD, token=None):
        return Web(self.url, user=user, password=password, token=token)

    def api(self, method, path, body=None, want=(200, 201, 202, 204), **login):
        """A native API call; the decoded answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data is not None else {}
        reply = self.web(**login).request(method, "/api/v1" + path, data, headers)
        assert reply.status in (want if isinstance(want, tuple) else (want,)), \
            f"{method} {path}: {reply.status} {reply.body[:2000]!r}"
        return reply.json() if reply.body else None
