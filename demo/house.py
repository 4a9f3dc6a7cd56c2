"""The two servers of the demo: Wharfage and a plain registry beside it. They outlive this program; what is running
is known from files in the demo's folder, and only what was started here is ever ended."""
import json
import os
import secrets
import signal
import socket
import subprocess
import time
import urllib.request

from steps import Trouble, wait_for

SETTING_NAMES = ("PATH", "HOME", "LANG", "LC_ALL", "http_proxy", "https_proxy", "no_proxy")


def port_is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port(wanted):
    if port_is_free(wanted):
        return wanted
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """A server that is left running: its process id, checked to be the same program before it is ended."""

    def __init__(self, folder, name):
        self.name = name
        self.pid_file = os.path.join(folder, f"{name}.pid")
        self.log = os.path.join(folder, f"{name}.log")

    def pid(self):
        try:
            with open(self.pid_file) as file:
                pid, started = file.read().split()
            return int(pid) if start_of(int(pid)) == started else None
        except (OSError, ValueError):
            return None

    def start(self, words, environment):
        with open(self.log, "ab") as log:
            process = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       start_new_session=True)
        with open(self.pid_file, "w") as file:
            file.write(f"{process.pid} {start_of(process.pid)}")
        return process

    def stop(self):
        pid = self.pid()
        if pid is None:
            return False
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + 40
        while self.pid() is not None and time.monotonic() < end:
            time.sleep(0.1)
        if self.pid() is not None:
            os.kill(pid, signal.SIGKILL)
        os.remove(self.pid_file)
        return True


def start_of(pid):
    """When the kernel started this process: a process id alone may have been given to another one since."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return "ended" if fields[0] == "Z" else fields[19]


class House:
    def __init__(self, folder, binary, port):
        self.folder, self.binary = os.path.abspath(folder), binary
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        self.wharfage = Program(self.folder, "wharfage")
        self.peer = Program(self.folder, "second-registry")
        self.facts = self.load(port)
        self.address = f"127.0.0.1:{self.facts['port']}"
        self.url = f"http://{self.address}"
        self.peer_address = f"127.0.0.1:{self.facts['peer_port']}"

    def load(self, port):
        """Ports and credentials, made once, so that a second run finds the same house."""
        path = os.path.join(self.folder, "facts.json")
        if os.path.exists(path):
            with open(path) as file:
                facts = json.load(file)
        else:
            facts = {"port": port, "peer_port": 5001, "password": secrets.token_urlsafe(12),
                     "key": "LTAI" + secrets.token_hex(8), "secret": secrets.token_hex(20)}
        if not self.wharfage.pid():
            facts["port"] = free_port(port)
        if not self.peer.pid():
            facts["peer_port"] = free_port(facts["peer_port"])
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(facts, file)
        return facts

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def environment(self):
        env = {name: os.environ[name] for name in SETTING_NAMES if name in os.environ}
        env.update({"WHARFAGE_ADMIN_PASSWORD": self.facts["password"],
                    "WHARFAGE_ADMIN_ACCESS_KEY": f"{self.facts['key']}:{self.facts['secret']}",
                    "WHARFAGE__STORAGE__DATA": self.path("data"),
                    "WHARFAGE__NETWORK__ALLOWED": f"127.0.0.1/32:{self.facts['peer_port']}",
                    "WHARFAGE__BUILD__FILE_ROOTS": self.path("git")})
        return env

    def answers(self, url):
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as reply:
                return reply.status == 200
        except OSError:
            return False

    def start(self):
        notes = []
        for program, url, words, env in (
                (self.peer, f"http://{self.peer_address}/v2/", ["docker-registry", "serve", self.peer_config()],
                 {"PATH": os.environ["PATH"], "HOME": self.folder}),
                (self.wharfage, f"{self.url}/readyz", [self.binary, "serve", "--listen", self.address],
                 self.environment())):
            if program.pid():
                notes.append(f"{program.name} is running already")
                continue
            began = time.monotonic()
            process = program.start(words, env)

            def up(process=process, url=url, name=program.name):
                if process.poll() is not None:
                    raise Trouble(f"{name} ended at once with code {process.returncode}")
                return self.answers(url)
            wait_for(program.name, up, 60, 0.01)
            notes.append(f"{program.name} in {(time.monotonic() - began) * 1000:.0f} ms")
        return ", ".join(notes)

    def peer_config(self):
        path = self.path("second-registry.yml")
        with open(path, "w") as file:
            json.dump({"version": 0.1, "storage": {"filesystem": {"rootdirectory": self.path("second-registry")}},
                       "http": {"addr": self.peer_address}}, file)
        return path

    def stop(self):
        ended = [p.name for p in (self.wharfage, self.peer) if p.stop()]
        return ", ".join(ended) or "nothing was running"

    def tool(self, *words):
        """The server's own command line on the demo's data."""
        done = subprocess.run([self.binary, *words], env=self.environment(), text=True, capture_output=True)
        if done.returncode:
            raise Trouble(f"wharfage {' '.join(words)}: {done.stdout}{done.stderr}".strip())
        return done.stdout.strip()
