"""The real clients people use, each with its own storage and credentials inside one folder."""
import json
import os
import shutil
import subprocess
import sys
import time

from lib.runner import need
from lib.server import PASSWORD, ROOT, die_with_parent, free_port

DOCKER = "/usr/bin/docker"  # Debian's: another one may come first in PATH


def is_root():
    return os.geteuid() == 0


def run(words, folder, check=True, timeout=900, text_in=None, **env):
    """One client command; its output."""
    full = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": folder, "XDG_RUNTIME_DIR": folder, "TMPDIR": folder,
            "LC_ALL": "C.UTF-8", **env}
    done = subprocess.run([str(w) for w in words], env=full, cwd=folder, text=True, capture_output=True,
                          input=text_in, timeout=timeout)
    if check:
        assert done.returncode == 0, f"{' '.join(map(str, words))}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def prepared(name):
    """The path of a tool that tests/tools/prepare fetches; skips (fails in CI) when it cannot."""
    done = subprocess.run([sys.executable, os.path.join(ROOT, "tests/tools/prepare"), name], text=True,
                          capture_output=True, timeout=900)
    need(done.returncode == 0, f"{name}: {done.stderr.strip()[-300:]}")
    return done.stdout.strip()


def needs(program):
    need(shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin"), f"{program} is not installed")


def end_process(process):
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Skopeo:
    def __init__(self, folder, tls=False):
        needs("skopeo")
        self.folder, self.tls = folder, tls

    def copy(self, source, target, *options, user="admin", password=PASSWORD, **more):
        for side, place in (("src", source), ("dest", target)):
            if place.startswith("docker://"):
                options += (f"--{side}-tls-verify={str(self.tls).lower()}",)
                if user:
                    options += (f"--{side}-creds={user}:{password}",)
        return run(["skopeo", "copy", "--insecure-policy", *options, source, target], self.folder, **more)

    def inspect(self, place, user="admin", password=PASSWORD, **more):
        words = ["skopeo", "inspect", f"--tls-verify={str(self.tls).lower()}"]
        if user:
            words.append(f"--creds={user}:{password}")
        return run([*words, place], self.folder, **more)


class Containers:
    """podman or buildah, with vfs storage: slow for large images, but it works everywhere."""

    def __init__(self, program, folder):
        needs(program)
        need(is_root(), f"{program} is tried as root")
        self.folder = folder
        self.words = [program, "--root", os.path.join(folder, "root"), "--runroot", os.path.join(folder, "runroot"),
                      "--storage-driver", "vfs"]
        if program == "podman":
            self.words += ["--runtime", "runc", "--events-backend", "none", "--cgroup-manager", "cgroupfs"]
        self.auth = os.path.join(folder, "auth.json")

    def __call__(self, *words, **more):
        return run([*self.words, *words], self.folder, REGISTRY_AUTH_FILE=self.auth, **more)

    def login(self, address, user="admin", password=PASSWORD, **more):
        return self("login", "--tls-verify=false", "-u", user, "--password-stdin", address, text_in=password, **more)


class Docker:
    """A private dockerd that touches no network of the host; ended by its process id."""

    def __init__(self, folder, registries):
        need(is_root(), "dockerd needs root")
        need(os.path.exists(DOCKER) and os.path.exists("/usr/sbin/dockerd"), "docker.io is not installed")
        self.folder = folder
        self.socket = "unix://" + os.path.join(folder, "sock")
        config = os.path.join(folder, "daemon.json")
        with open(config, "w") as file:
            json.dump({"insecure-registries": list(registries)}, file)
        log = open(os.path.join(folder, "dockerd.log"), "wb")
        self.process = subprocess.Popen(
            ["/usr/sbin/dockerd", "--config-file", config, "--data-root", f"{folder}/data", "--exec-root",
             f"{folder}/exec", "-H", self.socket, "--pidfile", f"{folder}/pid", "--iptables=false",
             "--ip6tables=false", "--bridge=none"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": folder}, preexec_fn=die_with_parent)
        end = time.monotonic() + 60
        while self("info", check=False).returncode:
            need(self.process.poll() is None and time.monotonic() < end,
                 "dockerd does not start here: " + open(f"{folder}/dockerd.log").read()[-500:])
            time.sleep(0.1)

    def __call__(self, *words, **more):
        return run([DOCKER, "-H", self.socket, "--config", os.path.join(self.folder, "config"), *words],
                   self.folder, **more)

    def close(self):
        end_process(self.process)


class Containerd:
    """A private containerd and its ctr; ended by its process id."""

    def __init__(self, folder):
        need(is_root(), "containerd needs root")
        needs("containerd")
        needs("ctr")
        self.folder, self.socket = folder, os.path.join(folder, "sock")
        config = os.path.join(folder, "config.toml")
        with open(config, "w") as file:
            file.write(f"""version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "{self.socket}"
[ttrpc]
  address = "{self.socket}.ttrpc"
""")
        log = open(os.path.join(folder, "containerd.log"), "wb")
        self.process = subprocess.Popen(["containerd", "--config", config], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": folder},
                                        preexec_fn=die_with_parent)
        end = time.monotonic() + 60
        while self("version", check=False).returncode:
            if self.process.poll() is not None or time.monotonic() > end:
                self.close()
                with open(f"{folder}/containerd.log") as file:
                    need(False, "containerd does not start here: " + file.read()[-500:])
            time.sleep(0.1)

    def __call__(self, *words, **more):
        return run(["ctr", "--address", self.socket, *words], self.folder, **more)

    def images(self, action, *words, user="admin", password=PASSWORD, **more):
        return self("images", action, "--plain-http", "--user", f"{user}:{password}", *words, **more)

    def close(self):
        end_process(self.process)


class PlainRegistry:
    """docker-registry, the reference implementation, as a peer."""

    def __init__(self, folder):
        needs("docker-registry")
        os.makedirs(folder, exist_ok=True)
        self.folder, self.port = folder, free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"
        self.process = None
        self.start()

    def start(self):
        config = os.path.join(self.folder, "config.yml")
        with open(config, "w") as file:
            json.dump({"version": 0.1, "log": {"accesslog": {"disabled": False}, "level": "info"},
                       "storage": {"filesystem": {"rootdirectory": f"{self.folder}/data"}, "delete": {"enabled": True}},
                       "http": {"addr": self.address}}, file)
        self.log_path = os.path.join(self.folder, "log")
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(["docker-registry", "serve", config], stdin=subprocess.DEVNULL, stdout=log,
                                        stderr=log, env={"PATH": "/usr/bin:/bin", "HOME": self.folder},
                                        preexec_fn=die_with_parent)
        from lib.web import Web
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                if Web(self.url).get("/v2/").status == 200:
                    return
            except OSError:
                pass
            assert self.process.poll() is None, open(self.log_path).read()[-2000:]
            time.sleep(0.05)
        raise AssertionError("docker-registry does not start")

    def requests(self):
        """(method, path, status) of every request so far."""
        import re
        with open(self.log_path) as file:
            return [(m[1], m[2], int(m[3])) for m in
                    re.finditer(r'"(\w+) (/\S*) HTTP/[\d.]+" (\d+)', file.read())]

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None
