#!/usr/bin/env python3
"""Images built from git: the log while it runs, the ways it ends, and what a build may not reach."""
import base64
import http.server
import json
import os
import socket
import subprocess
import threading

from lib import oci
from lib.clients import Skopeo, is_root, needs, prepared
from lib.features import Cloud, git, git_source, push_busybox
from lib.runner import equal, fixture, main, need, wait_for
from lib.server import Server

FROM = "FROM busybox:latest\n"
DEBIAN = "FROM debian:12\n"  # static programs cannot look up hosts: what must not be reached is tried from a real system


@fixture
def builder():
    import shutil
    import tempfile
    need(is_root(), "image builds need root")
    for program in ("buildah", "runc", "git", "nft", "ip"):
        needs(program)
    folder = tempfile.mkdtemp(prefix="wharfage-build-")
    opened = None
    os.chmod(folder, 0o755)
    try:
        settings = {"build.file_roots": os.path.join(folder, "git"), "registry.delete_grace_s": 0}
        outer = own_addresses()[1:]
        opened = Trap(outer[0]) if outer else None
        if opened:
            settings["build.egress_allow"] = opened.address
        with Server(os.path.join(folder, "server"), settings) as server:
            push_busybox(server)
            server.opened = opened
            server.git = os.path.join(folder, "git")
            os.makedirs(server.git)
            server.cloud = Cloud(server)
            server.cloud.provider(server.git)
            yield server
    finally:
        if opened:
            opened.close()
        shutil.rmtree(folder, ignore_errors=True)


def prepare(builder, name, dockerfile, files=None, **rule):
    commit = git_source(builder.git, name, {"Dockerfile": dockerfile, **(files or {})})
    return (*builder.cloud.build_rule("built", name, **rule), commit)


def build(builder, name, dockerfile, files=None, **rule):
    repo, rule_id, _ = prepare(builder, name, dockerfile, files, **rule)
    return builder.cloud.build(repo, rule_id)


def leftovers(builder):
    """Processes and mounts of builds: by what they were started with, or by what they have as their root."""
    processes = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().replace(b"\0", b" ").decode(errors="replace")
            with open(f"/proc/{pid}/mountinfo") as file:
                inside = any(line.split()[4] == "/" and builder.folder in line for line in file)
        except OSError:
            continue
        if int(pid) != builder.process.pid and (inside or builder.folder in words):
            processes.append(words)
    with open("/proc/self/mountinfo") as file:
        mounts = [line for line in file if builder.folder in line]
    return processes + mounts


def test_a_build_from_git(builder):
    repo, rule, commit = prepare(builder, "plain", FROM + """ARG WORD=none
COPY note.txt /note.txt
RUN echo "$WORD" > /word && cat /note.txt
ENV MADE=here
""", {"note.txt": "a line of the source\n"}, BuildArgs=["WORD=given"], ImageTag="v1")
    record = builder.cloud.start_build(repo, rule)
    status, log = builder.cloud.finish_build(repo, record)
    equal(status, "SUCCESS", log)
    assert "a line of the source" in log, log
    answer = builder.cloud.cr("GetRepoBuildRecord", BuildRecordId=record)
    equal(answer["Image"], {"ImageTag": "v1", "RepoName": "plain", "RepoNamespaceName": "built"})
    assert answer["StartTime"] <= answer["EndTime"], answer
    manifest = oci.pull(builder.web(), "built/plain", "v1")
    config = json.loads(builder.web().get(f"/v2/built/plain/blobs/{manifest['config']['digest']}").body)
    assert "MADE=here" in config["config"]["Env"], config
    bill = builder.api("GET", "/waybill?repository=built/plain&reference=v1")
    equal(bill["builds"][0]["source"]["commit"], commit)
    stages = {line["BuildStage"] for line in builder.cloud.build_log(repo, record)}
    assert {"GIT_CLONE", "IMAGE_BUILD", "IMAGE_PUSH"} <= stages, stages


def test_the_log_is_readable_while_it_runs(builder):
    repo, rule, _ = prepare(builder, "slow", FROM + "RUN echo first-line; sleep 600\n")
    record = builder.cloud.start_build(repo, rule)
    wait_for("the first line", lambda: "first-line" in [
        line["Message"].strip() for line in builder.cloud.build_log(repo, record)], 120)
    equal(builder.cloud.build_status(record), "BUILDING")
    numbers = [line["LineNumber"] for line in builder.cloud.build_log(repo, record)]
    equal(numbers, sorted(set(numbers)), "line numbers")
    builder.cloud.cr("CancelRepoBuildRecord", RepoId=repo, BuildRecordId=record)
    status, _ = builder.cloud.finish_build(repo, record)
    equal(status, "CANCELED")
    wait_for("nothing to be left", lambda: not leftovers(builder), 60)


def test_a_failing_step_is_named(builder):
    repo, rule, _ = prepare(builder, "broken", FROM + "RUN echo before\nRUN echo going to fail; exit 37\nRUN echo after\n")
    status, log = builder.cloud.build(repo, rule)
    equal(status, "FAILED", log)
    assert "going to fail" in log and "exit 37" in log, log
    assert builder.web().head("/v2/built/broken/manifests/latest").status == 404


def test_other_failures(builder):
    for name, dockerfile, rule in (("nobase", "FROM no-such-image:none\n", {}),
                                   ("nofile", FROM, {"DockerfileName": "Elsewhere"}),
                                   ("nobranch", FROM, {"PushName": "no-such-branch"}),
                                   ("foreign", FROM, {"Platforms": ["linux/arm64"]})):
        status, log = build(builder, name, dockerfile, **rule)
        equal(status, "FAILED", f"{name}: {log}")
        assert log.strip(), f"{name} fails without a word"


def limited(folder, name, **limits):
    """A server of its own whose builds have other limits."""
    need(is_root(), "image builds need root")
    os.chmod(os.path.dirname(folder), 0o755)
    os.chmod(folder, 0o755)
    git = os.path.join(folder, "git")
    server = Server(os.path.join(folder, name), {"build.file_roots": git, **{f"build.{k}": v for k, v in limits.items()}})
    push_busybox(server)
    server.git, server.cloud = git, Cloud(server)
    server.cloud.provider(git)
    return server


def test_a_build_has_no_more_memory_than_it_may(folder):
    server = limited(folder, "server", memory_mb=200)
    dd = "dd if=/dev/zero of=/dev/null count=1 bs="
    repo, rule, _ = prepare(server, "greedy", FROM + f"RUN {dd}50M && echo modest\nRUN {dd}400M && echo too much\n")
    status, log = server.cloud.build(repo, rule)
    equal(status, "FAILED", log)
    lines = log.split("\n")
    assert "modest" in lines and "too much" not in lines, log
    server.stop()


def test_a_build_that_takes_too_long_is_ended(folder):
    server = limited(folder, "server", timeout_s=15)
    repo, rule, _ = prepare(server, "endless", FROM + "RUN while true; do sleep 1; done\n")
    status, log = server.cloud.build(repo, rule)
    equal(status, "FAILED", log)
    assert "the build took longer than 15 seconds" in log.split("\n"), log
    wait_for("nothing to be left", lambda: not leftovers(server), 60)
    server.stop()


def test_tags_and_patterns(builder):
    repo, _, _ = prepare(builder, "tagged", FROM + "RUN true\n")
    folder = os.path.join(builder.git, "e2e", "tagged")
    for tag in ("release-v1.2.0", "release-v1.10.0", "other"):
        git(folder, "commit", "-q", "--allow-empty", "-m", tag)
        git(folder, "tag", tag)
    rule = builder.cloud.cr("CreateRepoBuildRule", RepoId=repo, PushType="GIT_TAG", DockerfileLocation="/",
                            DockerfileName="Dockerfile", PushName="release-v(?<version>.*)",
                            ImageTag="${version}")["BuildRuleId"]
    record = builder.cloud.start_build(repo, rule)
    status, log = builder.cloud.finish_build(repo, record)
    equal(status, "SUCCESS", log)
    equal(builder.cloud.cr("GetRepoBuildRecord", BuildRecordId=record)["Image"]["ImageTag"], "1.10.0")


def delete_provider(builder, name):
    """The status: 409 while a repository, or a deleted one that can come back, is built from it."""
    return builder.web().request("DELETE", f"/api/v1/source-providers/{name}").status


def test_sources_outside_the_allowed_folder_are_refused(builder, folder):
    os.makedirs(os.path.join(folder, "e2e"))
    builder.api("POST", "/source-providers", {"name": "outside", "type": "GITHUB",
                                              "url_template": f"file://{folder}/{{namespace}}/{{name}}"}, want=(201, 400))
    for template in (f"file://{builder.git}/../{{namespace}}/{{name}}", "ext::sh -c touch% /tmp/owned {namespace}{name}",
                     "ssh://-oProxyCommand=true/{namespace}/{name}"):
        reply = builder.web().post("/api/v1/source-providers", json.dumps(
            {"name": "evil", "type": "GITEE", "url_template": template}).encode())
        if reply.status == 201:  # then the build itself must refuse it
            repo = builder.cloud.repository("built", "evil")
            builder.cloud.cr("CreateRepoSourceCodeRepo", RepoId=repo, CodeRepoType="GITEE", CodeRepoNamespaceName="e2e",
                             CodeRepoName="plain")
            rule = builder.cloud.cr("CreateRepoBuildRule", RepoId=repo, PushType="GIT_BRANCH", PushName="main",
                                    ImageTag="x")["BuildRuleId"]
            equal(builder.cloud.build(repo, rule)[0], "FAILED", template)
            builder.cloud.cr("DeleteRepository", RepoNamespaceName="built", RepoName="evil")
            wait_for("the provider to be given up", lambda: delete_provider(builder, "evil") != 409, 60)
        else:
            equal(reply.status, 400, template)


class Trap:
    """A web server on this machine that nobody in a build may reach: it counts who comes."""

    def __init__(self, address="127.0.0.1"):
        trap = self
        self.visits = []
        self.git, self.authorization = None, None  # a bare repository to serve, and to whom

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                trap.visits.append(self.path)
                if trap.git and self.path.startswith("/e2e/"):
                    trap.serve_git(self)
                    return
                self.send_response(200)
                self.send_header("Content-Length", "7")
                self.end_headers()
                self.wfile.write(b"secret\n")

            do_HEAD = do_POST = do_GET

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.address = f"{address}:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def serve_git(self, request):
        """git's own CGI program, behind a password."""
        if request.headers.get("Authorization") != self.authorization:
            request.send_response(401)
            request.send_header("WWW-Authenticate", 'Basic realm="git"')
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        path, _, query = request.path.partition("?")
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        env = {"PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": self.git, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
               "QUERY_STRING": query, "REQUEST_METHOD": request.command, "REMOTE_USER": "reader",
               "CONTENT_TYPE": request.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
               "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
               "GIT_PROTOCOL": request.headers.get("Git-Protocol", "")}
        answer = subprocess.run(["git", "-c", "safe.directory=*", "http-backend"], input=body, env=env,
                                capture_output=True).stdout
        head, _, rest = answer.partition(b"\r\n\r\n")
        fields = [line.decode().split(": ", 1) for line in head.split(b"\r\n")]
        request.send_response(int(dict(fields).get("Status", "200 OK").split()[0]))
        for name, value in fields:
            if name != "Status":
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(rest)))
        request.end_headers()
        request.wfile.write(rest)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def visit(host, port, path):
    """A step that fetches a page, or fails, with nothing but bash."""
    return (f"RUN timeout 5 bash -c 'exec 3<>/dev/tcp/{host}/{port} && printf \"GET /{path} HTTP/1.0\\r\\n\\r\\n\" >&3 && "
            "cat <&3'\n")


def own_addresses():
    """Loopback and an address of this machine that is not loopback, when it has one."""
    addresses = ["127.0.0.1"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
            if not probe.getsockname()[0].startswith("127."):
                addresses.append(probe.getsockname()[0])
        except OSError:
            pass
    return addresses


def test_a_source_over_http_with_a_token(builder):
    need(builder.opened, "this machine has no address but loopback")
    commit = git_source(builder.git, "overhttp", {"Dockerfile": FROM + "RUN echo over http\n"})
    bare = os.path.join(builder.folder, "bare")
    git(builder.git, "clone", "-q", "--bare", os.path.join(builder.git, "e2e/overhttp"), f"{bare}/e2e/overhttp.git")
    builder.opened.git = bare
    builder.opened.authorization = "Basic " + base64.b64encode(b"reader:token-of-the-test").decode()
    provider = {"name": "web", "type": "GITEE", "url_template": f"http://{builder.opened.address}/{{namespace}}/{{name}}.git",
                "credential": "token", "username": "reader", "secret": "wrong-token"}
    builder.api("POST", "/source-providers", provider)
    repo = builder.cloud.repository("built", "overhttp")
    builder.cloud.cr("CreateRepoSourceCodeRepo", RepoId=repo, CodeRepoType="GITEE", CodeRepoNamespaceName="e2e",
                     CodeRepoName="overhttp")
    rule = builder.cloud.cr("CreateRepoBuildRule", RepoId=repo, PushType="GIT_BRANCH", PushName="main", ImageTag="v1",
                            DockerfileLocation="/", DockerfileName="Dockerfile")["BuildRuleId"]
    status, log = builder.cloud.build(repo, rule)
    equal(status, "FAILED", log)
    builder.api("PUT", "/source-providers/web", {**provider, "secret": "token-of-the-test"})
    status, log = builder.cloud.build(repo, rule)
    equal(status, "SUCCESS", log)
    bill = builder.api("GET", "/waybill?repository=built/overhttp&reference=v1")
    equal(bill["builds"][0]["source"]["commit"], commit)
    for text in (log, builder.log(), json.dumps(builder.api("GET", "/source-providers"))):
        assert "token-of-the-test" not in text, "the token is told"


@fixture
def system(builder):
    """The builder, with a Debian root to build on."""
    Skopeo(builder.folder).copy(f"oci:{prepared('debian')}:12", f"docker://{builder.address}/library/debian:12")
    yield builder


def test_what_is_allowed_is_reached(system):
    """The tests below mean something only if these same commands do reach a server that may be reached."""
    need(system.opened, "this machine has no address but loopback")
    host, port = system.opened.address.split(":")
    status, log = build(system, "open", DEBIAN + visit(host, port, "run") + f"ADD http://{host}:{port}/add /got\n"
                        "RUN cat /got\n")
    equal(status, "SUCCESS", log)
    equal(log.count("secret\n"), 2, log)
    assert {"/add", "/run"} <= set(system.opened.visits), system.opened.visits


def test_a_build_cannot_reach_this_machine(system):
    for number, address in enumerate(own_addresses()):
        trap = Trap(address)
        try:
            host, port = trap.address.split(":")
            for name, text in (("run", DEBIAN + visit(host, port, "run")),
                               ("add", FROM + f"ADD http://{trap.address}/add /got\n"),
                               ("from", f"FROM {trap.address}/secret/image:latest\nRUN true\n")):
                status, log = build(system, f"{name}{number}", text)
                equal(status, "FAILED", log)
            equal(trap.visits, [], f"a build reached {trap.address}")
        finally:
            trap.close()


def test_the_way_out_leads_to_nothing_else(system):
    """A build's gateway is this machine: no other port of it is open, and the registry's asks for a credential."""
    trap = Trap("0.0.0.0")
    try:
        port = trap.address.split(":")[1]
        way = "$(gateway)"
        status, log = build(system, "gateway", DEBIAN + """RUN printf '%s\\n' '#!/bin/bash' \\
  'while read -r i d g r; do [ $d != 00000000 ] || printf "%d.%d.%d.%d" 0x${g:6:2} 0x${g:4:2} 0x${g:2:2} 0x${g:0:2}; done </proc/net/route' \\
  >/bin/gateway && chmod 755 /bin/gateway && gateway && test -n "$(gateway)"
""" + visit(way, port, "gateway").replace("RUN ", "RUN ! ") + visit(way, system.port, "api/v1/users") +
                            visit(way, 22, "ssh").replace("RUN ", "RUN ! "))
        assert trap.visits == [], f"a build reached its gateway: {log}"
        if status == "SUCCESS":  # the registry's port answers, and wants to know who asks
            assert "HTTP/1.1 401" in log, log
        else:
            assert f"/{system.port}" in log.splitlines()[-1], log
    finally:
        trap.close()


def test_a_build_is_unprivileged_and_sees_no_host(builder):
    secret = os.path.join(builder.folder, "data")
    status, log = build(builder, "inside", FROM + f"""RUN id -u; cat /proc/self/uid_map; ls {secret} && touch /saw || true
RUN ! test -e /saw
RUN ls /proc | grep -E '^[0-9]+$' | wc -l
""")
    equal(status, "SUCCESS", log)
    assert all(row.split()[1] != "0" for row in log.splitlines() if len(row.split()) == 3 and row.split()[0] == "0" and
               row.split()[2].isdigit()), f"root inside is root outside: {log}"


def test_nothing_is_left_behind(builder):
    wait_for("nothing to be left", lambda: not leftovers(builder), 60)
    jobs = builder.api("GET", "/jobs?state=running")["items"]
    equal(jobs, [], "jobs that still run")
    robots = builder.api("GET", "/robots")["items"]
    equal(robots, [], "credentials of builds")


if __name__ == "__main__":
    main()
