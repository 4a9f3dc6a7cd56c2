#!/usr/bin/env python3
"""Memory that all requests share, on a server that has little of it, and what callers who are turned away are told."""
import base64
import json
import os
import socket

from lib import oci
from lib.runner import equal, main, wait_for
from lib.server import BINARY, PASSWORD, Server

MIB = 1 << 20
BUDGET_MB = 8
CLIENTS = 60
LOGIN = "Authorization: Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()


def resident(server):
    return metric(server, "process_resident_memory_bytes")


def metric(server, name):
    text = server.web(user=None).get("/metrics").body.decode()
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(name + " "))


def is_sanitized():
    with open(BINARY, "rb") as file:
        return b"__asan_init" in file.read()


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=120)


def read_head(client):
    """The head of one answer: (status, {name: value}), with what came behind it."""
    heard = b""
    while b"\r\n\r\n" not in heard:
        more = client.recv(65536)
        if not more:
            break
        heard += more
    head, _, rest = heard.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines[1:])
    return int(lines[0].split()[1]), {name.lower(): value for name, value in fields.items()}, rest


def refusal(client):
    status, fields, body = read_head(client)
    while len(body) < int(fields["content-length"]):
        body += client.recv(65536)
    return status, fields, json.loads(body)["errors"][0]["code"]


def has_answer(client):
    client.setblocking(False)
    try:
        return client.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return False
    finally:
        client.settimeout(120)


def send_all(client, data):
    """As much as the other side takes; False when it ends the connection."""
    try:
        client.sendall(data)
        return True
    except (BrokenPipeError, ConnectionResetError):
        return False


def test_bodies_that_wait_share_a_budget(folder):
    """60 manifests of 3 MiB that stop before their end, where 8 MiB may wait."""
    with Server(folder, {"server.request_memory_mb": BUDGET_MB}) as server:
        before = resident(server)
        body = b" " * (3 * MIB)
        head = (f"PUT /v2/team/app/manifests/v1 HTTP/1.1\r\nHost: x\r\n{LOGIN}\r\nContent-Length: {len(body) + 1}\r\n\r\n")
        clients = [connect(server) for _ in range(CLIENTS)]
        for client in clients:
            send_all(client, head.encode() + body)
        # Two or three fit; every other one is turned away although its body is not complete.
        wait_for("refusals", lambda: sum(map(has_answer, clients)) >= CLIENTS - 2 * BUDGET_MB // 3)
        refused = [client for client in clients if has_answer(client)]
        waiting = [client for client in clients if client not in refused]
        assert waiting, "nobody was let in"
        for client in refused:
            status, fields, code = refusal(client)
            equal((status, code, fields["retry-after"], fields["connection"]), (429, "TOOMANYREQUESTS", "1", "close"))
            client.close()
        if not is_sanitized():  # that keeps what was freed
            grown = resident(server) - before
            assert grown < 4 * BUDGET_MB * MIB, f"{grown / MIB:.0f} MiB more while {BUDGET_MB} may wait"
        equal(server.web().get("/v2/").status, 200, "small requests while the budget is used up")
        statuses = []
        for client in waiting:
            send_all(client, b" ")
            statuses.append(read_head(client)[0])
            client.close()
        # Those that were let in are read: blanks are no manifest. A refusal may have been on its way until now.
        assert 400 in statuses and set(statuses) <= {400, 429}, statuses
        oci.push(server.web(), "team/app", oci.small_image())
        oci.pull(server.web(), "team/app", "latest")
        reply = oci.put_manifest(server.web(), "team/app", "large", body)
        equal(reply.status, 400, "3 MiB once there is room again")


def test_answers_nobody_takes_share_a_budget(folder):
    """Readers of a 3 MiB manifest who do not read, where 8 MiB of answers may wait."""
    # An answer is counted once a worker has made it.
    with Server(folder, {"server.response_memory_mb": BUDGET_MB, "server.workers": 2}) as server:
        image = oci.small_image()
        oci.push(server.web(), "team/app", image)
        large = json.loads(image.manifest)
        large["annotations"] = {"large": "x" * (3 * MIB)}
        equal(oci.put_manifest(server.web(), "team/app", "large", json.dumps(large).encode()).status, 201)
        before = resident(server)
        head = f"GET /v2/team/app/manifests/large HTTP/1.1\r\nHost: x\r\n{LOGIN}\r\n\r\n"
        clients = []
        for _ in range(CLIENTS):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            client.settimeout(120)
            client.connect(("127.0.0.1", server.port))
            client.sendall(head.encode())
            clients.append(client)
        answers = [(client, *read_head(client)) for client in clients]
        statuses = [status for _, status, _, _ in answers]
        equal(sorted(set(statuses)), [200, 429])
        assert all(fields["retry-after"] == "1" for _, status, fields, _ in answers if status == 429)
        if not is_sanitized():
            grown = resident(server) - before
            # Each worker has a few copies in hand, and the allocator keeps some: far from what all answers are.
            assert grown < CLIENTS * 3 * MIB / 2, f"{grown / MIB:.0f} MiB more while {BUDGET_MB} may wait"
        for client, status, fields, rest in answers:
            size = len(rest)
            while status == 200 and size < int(fields["content-length"]):
                size += len(client.recv(1 << 20))
            client.close()
        equal(server.web().get("/v2/team/app/manifests/large").status, 200)


def test_what_is_too_long_is_told_in_the_protocols_words(folder):
    with Server(folder) as server:
        begin = "GET /v2/team/app/manifests/v1"
        for request, wanted in ((begin + "a" * 140_000, 414), (begin + " HTTP/1.1\r\nx: " + "y" * 200_000, 431)):
            with connect(server) as client:
                send_all(client, request.encode())
                status, _, code = refusal(client)
                equal((status, code), (wanted, "SIZE_INVALID"))
        equal(server.web().get("/v2/").status, 200)


def test_retry_after_tells_when(folder):
    with Server(folder, {"server.connections_per_address": 4, "server.idle_timeout_s": 77}) as server:
        server.api("POST", "/users", {"name": "tom", "password": "tom-secret-word"})
        web = server.web("tom", "wrong")
        replies = [web.get("/v2/") for _ in range(20)]
        equal((replies[-1].status, replies[-1].code()), (429, "TOOMANYREQUESTS"))
        seconds = int(replies[-1].headers["Retry-After"])
        assert 30 < seconds <= 60, f"the door opens a minute after the first wrong password, not in {seconds} s"
        assert f"in {seconds} seconds" in json.loads(replies[-1].body)["errors"][0]["message"], replies[-1]
        native = server.web("tom", "wrong").get("/api/v1/users")
        equal(native.status, 429)
        assert 30 < int(native.headers["Retry-After"]) <= 60, native
        clients = [connect(server) for _ in range(8)]
        wait_for("a refusal", lambda: has_answer(clients[-1]))
        status, fields, _ = read_head(clients[-1])
        equal((status, fields["retry-after"]), (429, "77"))
        for client in clients:
            client.close()
        wait_for("a place", lambda: server.web(user=None).get("/livez").status == 200)


if __name__ == "__main__":
    main()
