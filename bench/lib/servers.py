"""The servers that are compared, each a process (with children) on a port of its own on 127.0.0.1.

All run without access logs. CPU time is what the kernel charged to the process and its children, in nanoseconds,
so it holds even where other work on the machine spoils every wall clock figure.
"""
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

from lib import keys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PASSWORD = "bench-password-1"
ACCESS_KEY, ACCESS_SECRET = "LTAIBenchAccessKey01", "benchSecret0123456789abcdefghij"
sys.path.append(os.path.join(ROOT, "demo"))
from clouds import Alibaba, Huawei  # noqa: E402


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def status_of(pid, field):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field + ":"))


class Peer:
    """Subclasses say how to start; `name` is what the tables call it."""
    name = ""

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.port, self.process = folder, free_port(), None
        self.data = os.path.join(folder, "data")

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {}

    ready_path = "/v2/"
    scheme = "http"

    def start(self):
        log = open(os.path.join(self.folder, f"{self.port}.log"), "ab")
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": self.folder, **self.environment()}
        self.process = subprocess.Popen(self.command(), cwd=self.folder, env=env, stdin=subprocess.DEVNULL, stdout=log,
                                        stderr=log, preexec_fn=die_with_parent)
        self.wait_ready()
        return self

    def wait_ready(self):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if self.process.poll() is not None:
                with open(os.path.join(self.folder, f"{self.port}.log")) as log:
                    raise RuntimeError(f"{self.name} ended: {log.read()[-2000:]}")
            try:
                with socket.create_connection(("127.0.0.1", self.port), 5) as probe:
                    if self.scheme == "https":
                        return
                    probe.settimeout(10)
                    probe.sendall(f"GET {self.ready_path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
                    if probe.recv(12)[9:10] in (b"2", b"4"):
                        return
            except OSError:
                pass
            time.sleep(0.001)
        raise RuntimeError(f"{self.name} does not start")

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    # ---- what it costs
    def pids(self):
        found = [self.process.pid]
        for pid in found:
            found += children_of(pid)
        return found

    def cpu(self):
        """Seconds so far, of all its processes."""
        return sum(time.clock_gettime(~pid << 3 | 2) for pid in self.pids())

    def forget_peak(self):
        for pid in self.pids():
            with open(f"/proc/{pid}/clear_refs", "w") as file:
                file.write("5")

    def memory_mb(self, field="VmHWM"):
        return sum(status_of(pid, field) for pid in self.pids()) / 1024

    # ---- what clients say
    push_headers = ()

    def token_headers(self, repository, actions=("pull",)):
        raise NotImplementedError

    def get(self, path, headers=()):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        for line in headers:
            request.add_header(*line.split(": ", 1))
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=120) as reply:
            return reply.read()


class Wharfage(Peer):
    name = "Wharfage"
    ready_path = "/readyz"

    def __init__(self, folder, settings=None):
        super().__init__(folder)
        self.settings = settings or {}
        self.binary = os.environ.get("WHARFAGE_BINARY") or os.path.join(ROOT, "build/release/src/wharfage")
        if "server.tls_key" in self.settings:
            self.scheme = "https"

    def command(self):
        return [self.binary, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"]

    def environment(self):
        settings = {"log.requests": "false", "log.level": "warning", "build.enabled": "false", **self.settings}
        return {"WHARFAGE_ADMIN_PASSWORD": PASSWORD, "WHARFAGE_ADMIN_ACCESS_KEY": f"{ACCESS_KEY}:{ACCESS_SECRET}",
                **{"WHARFAGE__" + key.upper().replace(".", "__"): str(value) for key, value in settings.items()}}

    def version(self):
        return subprocess.run([self.binary, "--version"], text=True, capture_output=True).stdout.strip()

    push_headers = (f"Authorization: {keys.basic('admin', PASSWORD)}",)

    def token_headers(self, repository, actions=("pull",)):
        path = f"/auth/token?service=wharfage&scope=repository:{repository}:{','.join(actions)}"
        return (f"Authorization: Bearer {json.loads(self.get(path, self.push_headers))['token']}",)

    def alibaba(self, action, **params):
        cloud = Alibaba(f"http://127.0.0.1:{self.port}", ACCESS_KEY, ACCESS_SECRET)
        if action != "ListInstance":
            params["InstanceId"] = cloud.cr("ListInstance")["Instances"][0]["InstanceId"]
        return cloud.cr(action, **params)

    def huawei(self):
        cloud = Huawei(f"http://127.0.0.1:{self.port}", ACCESS_KEY, ACCESS_SECRET)
        cloud.project = cloud.call("GET", "/v3/projects")["projects"][0]["id"]
        return cloud

    def public_namespace(self, name):
        self.alibaba("CreateNamespace", NamespaceName=name, DefaultRepoType="PUBLIC", AutoCreateRepo=True)


class DockerRegistry(Peer):
    """Debian's docker-registry: file system storage, blob descriptors cached in memory. Token authentication is its
    own; the tokens are ours to mint, ES256 with a known key id, the cheapest it knows."""
    name = "docker-registry"

    def __init__(self, folder, share=None, tls=None, tokens=False):
        super().__init__(folder)
        self.tls, self.tokens = tls, tokens
        self.scheme = "https" if tls else "http"
        if share:
            self.data = share.data

    def command(self):
        config = {"version": 0.1, "log": {"accesslog": {"disabled": True}, "level": "error"},
                  "storage": {"filesystem": {"rootdirectory": self.data}, "delete": {"enabled": True},
                              "cache": {"blobdescriptor": "inmemory"}},
                  "http": {"addr": f"127.0.0.1:{self.port}"}}
        if self.tls:
            config["http"]["tls"] = {"certificate": self.tls.certificate, "key": self.tls.key}
        if self.tokens:
            self.signer = keys.Signer(self.folder)
            config["auth"] = {"token": {"realm": "http://127.0.0.1/token", "service": "bench", "issuer": "bench",
                                        "rootcertbundle": self.signer.certificate}}
        path = os.path.join(self.folder, f"{self.port}.yml")
        with open(path, "w") as file:
            json.dump(config, file)
        return ["docker-registry", "serve", path]

    @staticmethod
    def version():
        return subprocess.run(["docker-registry", "--version"], text=True, capture_output=True).stdout.split()[-1]

    def token_headers(self, repository, actions=("pull",)):
        return (f"Authorization: Bearer {self.signer.token(repository, actions)}",)


class Nginx(Peer):
    """Static files: sendfile, open files cached."""
    name = "nginx"
    ready_path = "/"

    def __init__(self, folder, tls=None):
        super().__init__(folder)
        self.tls = tls
        self.tls_port = free_port()
        os.makedirs(self.data, exist_ok=True)

    def command(self):
        tls = f"""server {{ listen 127.0.0.1:{self.tls_port} ssl http2; root {self.data};
            ssl_protocols TLSv1.2 TLSv1.3; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
            ssl_certificate {self.tls.certificate}; ssl_certificate_key {self.tls.key}; }}""" if self.tls else ""
        config = f"""daemon off; worker_processes {os.cpu_count()}; pid {self.folder}/pid; user root;
            error_log stderr error;
            events {{ worker_connections 1024; }}
            http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
            open_file_cache max=1000; open_file_cache_valid 1h; default_type application/octet-stream;
            client_body_temp_path {self.folder}/t1; proxy_temp_path {self.folder}/t2; fastcgi_temp_path {self.folder}/t3;
            uwsgi_temp_path {self.folder}/t4; scgi_temp_path {self.folder}/t5;
            server {{ listen 127.0.0.1:{self.port}; root {self.data}; }} {tls} }}"""
        path = os.path.join(self.folder, "nginx.conf")
        with open(path, "w") as file:
            file.write(config)
        return ["nginx", "-c", path, "-p", self.folder, "-e", "stderr"]

    @staticmethod
    def version():
        return subprocess.run(["nginx", "-v"], text=True, capture_output=True).stderr.split("/")[-1].strip()

    def put(self, name, source):
        """A file to serve: bytes, or the path of a file to link."""
        path = os.path.join(self.data, name)
        if isinstance(source, bytes):
            with open(path, "wb") as file:
                file.write(source)
        else:
            os.link(source, path)
        return "/" + name
