#!/usr/bin/env python3
"""Namespaces that need no login: only those that are named, only as far as was said, and images only."""
import base64
import json
import os

from lib import oci
from lib.clients import Skopeo
from lib.runner import equal, fixture, main, wait_for
from lib.server import Server

SETTINGS = {"registry.anonymous_namespaces": "open,scratch-*", "registry.anonymous_access": "push"}
IMAGE = oci.small_image(1)


def make_namespaces(server, *names):
    for name in names:
        oci.push(server.web(), f"{name}/first", IMAGE, "v1")


@fixture
def spaces(server):
    make_namespaces(server, "open", "openly", "scratch-1", "closed")
    yield server


def actions(server, scope, headers=None):
    reply = server.web(user=None).get(f"/auth/token?service=wharfage&scope={scope}", headers)
    equal(reply.status, 200, "token")
    middle = reply.json()["token"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))["access"][0]["actions"]


def test_it_is_said_at_the_start(spaces):
    assert "anybody may use these namespaces without a login" in spaces.log()
    assert '"namespaces":"open, scratch-*"' in spaces.log() and '"access":"push"' in spaces.log()


def test_push_and_pull_without_a_login(spaces):
    nobody = spaces.web(user=None)
    for place in ("open/new", "open/first", "scratch-1/deep/new"):
        oci.push(nobody, place, oci.small_image(2), "v2")
        oci.pull(nobody, place, "v2")
        assert "v2" in nobody.get(f"/v2/{place}/tags/list").json()["tags"]
    wait_for("the audit log to tell", lambda: [
        e for e in spaces.api("GET", "/audit?actor=anonymous&limit=1000")["items"]
        if e["action"] == "oci:PushManifest" and e["outcome"] == "ok"], 60)


def test_skopeo_without_a_login(spaces, folder):
    skopeo, layout = Skopeo(folder), oci.small_image(5).write_layout(os.path.join(folder, "layout"))
    place = f"docker://{spaces.address}/open/skopeo:v1"
    skopeo.copy(f"oci:{layout}:latest", place, user=None)
    skopeo.copy(place, f"oci:{folder}/back:v1", user=None)
    refused = skopeo.copy(f"oci:{layout}:latest", f"docker://{spaces.address}/closed/skopeo:v1", user=None, check=False)
    assert refused.returncode != 0, "pushed to a closed namespace"


def test_no_more_than_was_said(spaces):
    nobody = spaces.web(user=None)
    equal(nobody.delete("/v2/open/first/manifests/v1").status, 401)
    equal(nobody.delete(f"/v2/open/first/manifests/{IMAGE.digest}").status, 401)
    equal(nobody.delete(f"/v2/open/first/blobs/{next(iter(IMAGE.blobs))}").status, 401)
    oci.pull(nobody, "open/first", "v1")


def test_no_other_namespace(spaces):
    nobody = spaces.web(user=None)
    for name in ("closed", "openly", "scratch", "scratch-2", "library"):
        equal(nobody.post(f"/v2/{name}/app/blobs/uploads/").status, 401, name)
        equal(nobody.get(f"/v2/{name}/first/manifests/v1").status, 401, name)
    equal(nobody.post("/v2/open/blobs/uploads/").status, 401, "library/open")
    equal(spaces.web().get("/v2/scratch-2/app/tags/list").status, 404, "nobody makes namespaces")
    # Nor by the back door: bytes of a closed repository do not come out through an open one.
    blob, secret = next(iter(IMAGE.blobs)), oci.push_blob(spaces.web(), "closed/first", b"secret")
    for query in (f"?mount={blob}&from=closed/first", f"?mount={secret}"):
        equal(nobody.post("/v2/open/empty/blobs/uploads/" + query).status, 202, query)


def test_no_management(spaces):
    nobody = spaces.web(user=None)
    for method, path in (("GET", "/api/v1/users"), ("GET", "/api/v1/audit"), ("POST", "/api/v1/grants"),
                         ("POST", "/api/v1/signing-keys"), ("GET", "/api/v1/connections")):
        equal(nobody.request(method, path, b"{}" if method == "POST" else None).status, 401, f"{method} {path}")


def test_tokens_without_a_login(spaces):
    equal(spaces.web(user=None).get("/v2/").status, 401, "a client that has a login must still be asked for it")
    empty = {"Authorization": "Basic " + base64.b64encode(b":").decode()}
    for headers in (None, empty):
        equal(actions(spaces, "repository:open/first:pull,push,delete", headers), ["pull", "push"])
        equal(actions(spaces, "repository:closed/first:pull,push", headers), [])
    token = spaces.web(user=None).get("/auth/token?service=wharfage&scope=repository:open/first:pull,push").json()
    bearer = spaces.web(user=None, token=token["token"])
    equal(bearer.get("/v2/").status, 200)
    oci.push(bearer, "open/first", oci.small_image(3), "v3")
    for half in (b"admin:", b":admin", b""):
        wrong = {"Authorization": "Basic " + base64.b64encode(half).decode()}
        equal(spaces.web(user=None).get("/auth/token?service=wharfage", wrong).status, 401, half)


def test_whoever_is_logged_in_may_do_the_same(spaces):
    spaces.api("POST", "/users", {"name": "sam", "password": "sam-secret-word"})
    sam = spaces.web("sam", "sam-secret-word")
    oci.push(sam, "open/sam", IMAGE)
    equal(sam.delete("/v2/open/sam/manifests/latest").status, 403)
    equal(sam.post("/v2/closed/sam/blobs/uploads/").status, 403)
    equal(spaces.web("sam", "wrong").post("/v2/open/sam/blobs/uploads/").status, 401, "a wrong password is no password")


def test_uploads_stay_their_owner_s(spaces):
    begun = spaces.web().post("/v2/open/first/blobs/uploads/").headers["Location"]
    equal(spaces.web(user=None).patch(begun, b"not mine").status, 404)
    equal(spaces.web(user=None).delete(begun).status, 404)


def test_nothing_is_open_by_default(folder):
    with Server(folder) as server:
        make_namespaces(server, "open")
        nobody = server.web(user=None)
        equal(nobody.get("/v2/open/first/manifests/v1").status, 401)
        equal(nobody.post("/v2/open/first/blobs/uploads/").status, 401)
        assert "without a login" not in server.log()
        # Naming namespaces alone lets them be read, and no more.
        server.settings = {"registry.anonymous_namespaces": "open"}
        server.restart()
        oci.pull(nobody, "open/first", "v1")
        equal(nobody.post("/v2/open/first/blobs/uploads/").status, 401)
        equal(nobody.delete("/v2/open/first/manifests/v1").status, 401)


if __name__ == "__main__":
    main(SETTINGS)
