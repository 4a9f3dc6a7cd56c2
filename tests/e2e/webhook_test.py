#!/usr/bin/env python3
"""Webhooks: CloudEvents with a signature that the receiver can check, retried until they arrive."""
import hashlib
import hmac
import http.server
import json
import threading

from lib import oci
from lib.features import Cloud
from lib.runner import equal, fixture, main, wait_for

SETTINGS = {"network.allowed": "127.0.0.1/32"}


class Receiver:
    def __init__(self):
        receiver = self
        self.got, self.answer = [], 204

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers.items()), body, self.path))
                self.send_response(receiver.answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def events(self):
        return [json.loads(body) for _, body, _ in self.got]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@fixture
def hook(server, receiver):
    yield server.api("POST", "/webhooks", {"name": "all", "url": receiver.url, "event_types": []})


def field(headers, name):
    return next(value for key, value in headers.items() if key.lower() == name.lower())


def test_a_push_is_told_and_signed(server, receiver, hook):
    digest = oci.push(server.web(), "hook/app", oci.small_image(1), "v1")
    wait_for("the delivery", lambda: any(e["type"] == "wharfage.image.pushed" for e in receiver.events()), 60)
    headers, body, _ = next(g for g in receiver.got if json.loads(g[1])["type"] == "wharfage.image.pushed")
    event = json.loads(body)
    equal(event["specversion"], "1.0")
    for name in ("id", "source", "time", "subject"):
        assert event[name], name
    equal((event["data"]["digest"], event["data"]["tag"]), (digest, "v1"))
    assert field(headers, "Content-Type").startswith("application/cloudevents+json"), headers
    stamp = field(headers, "X-Wharfage-Timestamp")
    wanted = hmac.new(hook["secret"].encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    equal(field(headers, "X-Wharfage-Signature"), f"sha256={wanted}")


def test_signing_scan_and_sync_are_told(server, receiver, hook):
    cloud = Cloud(server)
    repo = cloud.repo_id("hook", "app")
    cloud.sign("hook", cloud.sign_policy("hook", cloud.signing_key("hook")))
    cloud.scan(repo, "v1")
    task = cloud.cr("CreateRepoSyncTask", RepoId=repo, Tag="v1", TargetInstanceId=cloud.instance,
                    TargetRegionId=cloud.region, TargetNamespace="hook", TargetRepoName="copy", TargetTag="v1")["SyncTaskId"]
    cloud.finish_copy(task)
    for prefix in ("wharfage.sign", "wharfage.scan", "wharfage.sync"):
        wait_for(prefix, lambda: any(e["type"].startswith(prefix) for e in receiver.events()), 60)


def test_a_build_is_told(server, receiver, hook):
    """Also when it fails: here the source does not exist."""
    cloud = Cloud(server)
    server.api("POST", "/source-providers", {"name": "none", "type": "GITLAB",
                                             "url_template": "http://127.0.0.1:9/{namespace}/{name}"})
    repo, rule = cloud.build_rule("hook", "nothing")
    status, log = cloud.build(repo, rule)
    equal(status, "FAILED", log)
    wait_for("its event", lambda: any(e["type"] == "wharfage.build.failed" for e in receiver.events()), 60)


def test_refused_deliveries_are_retried_and_can_be_sent_again(server, receiver, hook):
    receiver.answer = 500
    before = len(receiver.got)
    oci.push(server.web(), "hook/retry", oci.small_image(2), "v1")
    wait_for("a refused attempt", lambda: len(receiver.got) > before, 60)
    receiver.answer = 204
    number = hook["webhook"]["id"]

    def waiting():
        rows = server.api("GET", f"/webhooks/{number}/deliveries")["items"]
        return next((r for r in rows if r["state"] != "delivered" and r["attempts"] >= 1), None)
    row = wait_for("the delivery's row", waiting, 60)
    equal(row["status_code"], 500)
    again = server.api("POST", f"/webhooks/{number}/deliveries/{row['id']}/redeliver")
    for delivery in (again["id"], row["id"]):  # the one asked for at once, the other by itself after its pause
        wait_for("the delivery", lambda: server.api("GET", f"/webhooks/{number}/deliveries/{delivery}")["state"]
                 == "delivered", 120)


def test_event_types_select(server, receiver, hook):
    only = Receiver()
    try:
        server.api("POST", "/webhooks", {"name": "deletes", "url": only.url, "event_types": ["image.deleted"]})
        oci.push(server.web(), "hook/sel", oci.small_image(3), "v1")
        server.web().delete("/v2/hook/sel/manifests/v1")
        wait_for("the deletion", lambda: only.events(), 60)
        equal({e["type"] for e in only.events()}, {"wharfage.image.deleted"})
    finally:
        only.close()


def test_private_receivers_are_refused_unless_allowed(folder):
    from lib.server import Server
    receiver = Receiver()
    server = Server(folder)
    try:
        made = server.web().post("/api/v1/webhooks", json.dumps(
            {"name": "inside", "url": receiver.url, "event_types": []}).encode())
        if made.status == 201:
            oci.push(server.web(), "hook/app", oci.small_image(4), "v1")
            number = made.json()["webhook"]["id"]
            row = wait_for("an attempt", lambda: next((r for r in server.api(
                "GET", f"/webhooks/{number}/deliveries")["items"] if r["attempts"] >= 1), None), 60)
            assert row["state"] != "delivered" and row["error"], row
        equal(receiver.got, [], "a private address was reached")
    finally:
        server.stop()
        receiver.close()


if __name__ == "__main__":
    main(SETTINGS)
