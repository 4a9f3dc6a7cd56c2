#!/usr/bin/env python3
"""What clients are known to do that is easy to get wrong, request by request as they do it."""
import base64
import concurrent.futures
import datetime
import json
import re
import time
import urllib.parse

from lib import oci
from lib.runner import equal, fixture, main
from lib.server import PASSWORD

FORM = "application/x-www-form-urlencoded"
DOCKER = "application/vnd.docker.distribution.manifest"
ACCEPTED = ("application/vnd.oci.image.manifest.v1+json", f"{DOCKER}.v2+json", f"{DOCKER}.v1+prettyjws",
            f"{DOCKER}.v1+json", f"{DOCKER}.list.v2+json", "application/vnd.oci.image.index.v1+json")
IMAGE = oci.small_image(1, 100_000)
LAYER = max(IMAGE.blobs, key=lambda name: len(IMAGE.blobs[name]))


@fixture
def published(server):
    """team/app:v1"""
    oci.push(server.web(), "team/app", IMAGE, "v1")
    yield server


def exchange(server, text):
    """One request as written; (status, {header: value}, body)"""
    with server.web().raw() as connection:
        connection.sendall(text if isinstance(text, bytes) else text.encode())
        stream = connection.makefile("rb")
        status = int(stream.readline().split()[1])
        headers = {}
        while line := stream.readline().strip():
            name, value = line.decode().split(": ", 1)
            headers[name.lower()] = value
        return status, headers, stream.read(int(headers.get("content-length", 0)))


def challenge(reply):
    """The parts of a bearer challenge."""
    text = reply.headers["WWW-Authenticate"]
    assert text.startswith("Bearer "), text
    return dict(re.findall(r'(\w+)="([^"]*)"', text))


def post_form(server, pairs, content_type=FORM, chunked=False):
    body = urllib.parse.urlencode(pairs).encode()
    pieces = (body[i:i + 50] for i in range(0, len(body), 50)) if chunked else body
    return server.web(user=None).post("/auth/token", pieces, {"Content-Type": content_type})


# ---- manifests

def test_repeated_accept_lines(published):
    """containers/image sends six."""
    lines = "".join(f"Accept: {kind}\r\n" for kind in ACCEPTED)
    status, headers, body = exchange(published, f"GET /v2/team/app/manifests/v1 HTTP/1.1\r\nHost: {published.address}\r\n"
                                                f"Authorization: {published.web().authorization}\r\n{lines}\r\n")
    equal((status, headers["content-type"], body), (200, oci.MANIFEST, IMAGE.manifest))


def test_any_accept_or_none(published):
    """containerd: "<type>, */*"; zb and curl: nothing of use. What was pushed comes back as it was pushed."""
    for accept in (None, "*/*", f"{oci.INDEX}, */*", "application/json", f"{DOCKER}.v2+json;q=0.5", ""):
        reply = published.web().get("/v2/team/app/manifests/v1", {} if accept is None else {"Accept": accept})
        equal((reply.status, reply.headers["Content-Type"], reply.body), (200, oci.MANIFEST, IMAGE.manifest), accept)


def test_head_tells_what_get_would(published):
    for path in (f"/v2/team/app/manifests/v1", f"/v2/team/app/blobs/{LAYER}"):
        head, got = published.web().head(path), published.web().get(path)
        for name in ("Content-Length", "Content-Type", "Docker-Content-Digest", "ETag"):
            equal(head.headers[name], got.headers[name], f"{name} of {path}")
        equal((head.body, int(head.headers["Content-Length"])), (b"", len(got.body)))


def test_a_content_type_with_parameters(published):
    reply = published.web().put("/v2/team/app/manifests/charset", IMAGE.manifest,
                                {"Content-Type": f"{oci.MANIFEST}; charset=utf-8"})
    equal(reply.status, 201)
    equal(published.web().head("/v2/team/app/manifests/charset").headers["Content-Type"], oci.MANIFEST)


def test_unknown_parameters_are_no_matter(published):
    """containerd asks a mirror with ?ns=, crane mounts with &origin=."""
    web = published.web()
    equal(web.get("/v2/team/app/manifests/v1?ns=docker.io").body, IMAGE.manifest)
    equal(web.head("/v2/team/app/manifests/v1?ns=docker.io").status, 200)
    equal(web.get(f"/v2/team/app/blobs/{LAYER}?ns=docker.io&x=%20").body, IMAGE.blobs[LAYER])
    equal(web.get("/v2/?ns=docker.io").status, 200)
    reply = web.post(f"/v2/team/mounted/blobs/uploads/?mount={LAYER}&from=team/app&origin=registry.example", b"",
                     {"Content-Type": "application/json"})
    equal(reply.status, 201)


# ---- blobs

def test_parallel_ranges(published):
    """containerd 2 pulls one layer in pieces."""
    data, piece = IMAGE.blobs[LAYER], 4096

    def get(first):
        reply = published.web().get(f"/v2/team/app/blobs/{LAYER}", {"Range": f"bytes={first}-{first + piece - 1}"})
        equal(reply.status, 206)
        return reply.body
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        equal(b"".join(pool.map(get, range(0, len(data), piece))), data)


def test_layers_are_never_encoded_on_the_way(published):
    reply = published.web().get(f"/v2/team/app/blobs/{LAYER}", {"Accept-Encoding": "zstd;q=1.0, gzip;q=0.8, deflate"})
    equal((reply.headers.get("Content-Encoding"), reply.body), (None, IMAGE.blobs[LAYER]))


def test_a_location_leads_back_whatever_the_host(published):
    """Relative locations are right behind every proxy; clients resolve them against what they asked."""
    begun = published.web().post("/v2/team/app/blobs/uploads/")
    location = begun.headers["Location"]
    equal(urllib.parse.urljoin("https://registry.example/v2/team/app/blobs/uploads/", location),
          "https://registry.example" + location)
    name = oci.digest(b"after a location")
    again = urllib.parse.urljoin(published.url + "/v2/team/app/blobs/uploads/", location)
    done = published.web().put(f"{again}{'&' if '?' in again else '?'}digest={urllib.parse.quote(name)}",
                               b"after a location")
    equal((done.status, done.headers["Location"]), (201, f"/v2/team/app/blobs/{name}"))


def test_put_right_behind_post_on_one_connection(published):
    """containerd and oras: the body comes with the PUT, and nothing in between."""
    data = oci.noise(70_000, 3)
    connection = published.web().connection()
    login = {"Authorization": published.web().authorization}
    connection.request("POST", "/v2/team/app/blobs/uploads/", None, {**login, "Content-Length": "0"})
    begun = connection.getresponse()
    begun.read()
    connection.request("PUT", f"{begun.headers['Location']}?digest={oci.digest(data)}", data,
                       {**login, "Content-Type": "application/octet-stream"})
    equal(connection.getresponse().status, 201)
    connection.close()


def test_a_failed_mount_is_cancelled_by_whoever_may_push(published):
    """containers/image DELETEs the upload it has no use for; a developer may push and not delete."""
    published.api("POST", "/users", {"name": "dora", "password": "dora-secret-word"})
    published.api("POST", "/grants", {"kind": "user", "subject": "dora", "namespace": "team", "role": "developer"})
    dora = published.web("dora", "dora-secret-word")
    token = dora.get("/auth/token?service=wharfage&scope=repository:team/app:pull,push").json()["token"]
    web = published.web(user=None, token=token)
    begun = web.post(f"/v2/team/app/blobs/uploads/?mount={oci.digest(b'gone')}&from=team/nowhere")
    equal((begun.status, web.delete(begun.headers["Location"]).status), (202, 204))


# ---- tokens

def test_a_client_that_does_not_ping(published):
    """oras asks at once and follows the challenge of what it asked."""
    nobody = published.web(user=None)
    parts = challenge(nobody.head("/v2/team/app/manifests/v1"))
    equal(parts["scope"], "repository:team/app:pull")
    query = urllib.parse.urlencode({"service": parts["service"], "scope": parts["scope"]})
    token = published.web().get(f"{parts['realm']}?{query}").json()["token"]
    equal(published.web(user=None, token=token).head("/v2/team/app/manifests/v1").status, 200)
    parts = challenge(nobody.post("/v2/team/app/blobs/uploads/"))
    equal(parts["scope"], "repository:team/app:pull,push")
    equal(challenge(nobody.delete("/v2/team/app/manifests/v1"))["scope"], "repository:team/app:delete")
    equal(challenge(nobody.get("/v2/_catalog"))["scope"], "registry:catalog:*")


def test_the_realm_is_where_the_client_already_is(published):
    """crane refuses a realm on another private host; so it is the host that was asked, under any name."""
    for host in (published.address, "registry.internal:5000", "[::1]:5000", "localhost"):
        _, headers, _ = exchange(published, f"GET /v2/ HTTP/1.1\r\nHost: {host}\r\n\r\n")
        assert f'realm="http://{host}/auth/token"' in headers["www-authenticate"], headers
        equal(headers["docker-distribution-api-version"], "registry/2.0")


def test_login_without_a_scope(published):
    """skopeo login: a token without any scope, then GET /v2/ with it."""
    token = published.web().get("/auth/token?account=admin&service=wharfage&client_id=docker&offline_token=true").json()
    equal(token["token"], token["access_token"])
    assert token["expires_in"] >= 60, token
    issued = datetime.datetime.fromisoformat(token["issued_at"].replace("Z", "+00:00")).timestamp()
    assert abs(issued - time.time()) < 60, "an old issued_at makes clients fetch a token for each request"
    equal(published.web(user=None, token=token["token"]).get("/v2/").status, 200)


def test_containerd_s_password_grant(published):
    """POST first, scopes in one field, a charset in the content type."""
    reply = post_form(published, {"grant_type": "password", "service": "wharfage", "client_id": "containerd-client",
                                  "scope": "repository:team/app:pull repository:team/other:pull,push",
                                  "username": "admin", "password": PASSWORD}, f"{FORM}; charset=utf-8")
    equal(reply.status, 200)
    value = reply.json()
    equal(value["scope"], "repository:team/app:pull repository:team/other:pull,push")
    web = published.web(user=None, token=value["access_token"])
    equal(web.head("/v2/team/app/manifests/v1", {"Accept": f"{oci.MANIFEST}, */*"}).status, 200)
    equal(web.post("/v2/team/other/blobs/uploads/").status, 202)
    wrong = post_form(published, {"grant_type": "password", "service": "wharfage", "client_id": "containerd-client",
                                  "username": "admin", "password": "wrong"})
    equal((wrong.status, wrong.code()), (401, "UNAUTHORIZED"))


def test_an_identity_token_in_a_chunked_post(published):
    """containers/image: repeated scope fields, transfer coding chunked."""
    given = post_form(published, {"grant_type": "password", "service": "wharfage", "client_id": "x", "username": "admin",
                                  "password": PASSWORD, "access_type": "offline"}).json()
    pairs = [("grant_type", "refresh_token"), ("service", "wharfage"), ("client_id", "containers/image"),
             ("refresh_token", given["refresh_token"]), ("scope", "repository:team/app:pull"),
             ("scope", "repository:team/other:pull,push")]
    reply = post_form(published, pairs, chunked=True)
    equal(reply.status, 200)
    equal(reply.json()["scope"], "repository:team/app:pull repository:team/other:pull,push")
    equal(published.web(user=None, token=reply.json()["access_token"]).head("/v2/team/app/manifests/v1").status, 200)


def test_scopes_as_they_come(published):
    """Several parameters, orders, classes and ports in names; what cannot be granted is left out, not refused."""
    def granted(*scopes):
        query = urllib.parse.urlencode([("service", "wharfage"), *(("scope", scope) for scope in scopes)])
        text = published.web().get("/auth/token?" + query).json()["token"].split(".")[1]
        return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))["access"]
    equal([(a["name"], a["actions"]) for a in granted("repository:team/app:push,pull", "repository:team/b:pull")],
          [("team/app", ["push", "pull"]), ("team/b", ["pull"])])
    equal(granted("repository(plugin):team/app:pull")[0]["actions"], ["pull"])
    equal(granted("repository:team/app:fly")[0]["actions"], [])
    equal(granted("repository:host:5000/app:pull")[0]["actions"], [])
    equal(granted("nonsense"), [])
    equal(granted("repository:team/app:*")[0]["actions"], ["*"])


def test_searching_as_podman_does(published):
    """/v1/search may fail, but not like a fault; then the catalog, at first with a token that names no scope."""
    old = published.web().get("/v1/search?n=25&q=app")
    assert old.status in (401, 404), old
    token = published.web().get("/auth/token?account=admin&service=wharfage").json()["token"]
    refused = published.web(user=None, token=token).get("/v2/_catalog")
    equal((refused.status, challenge(refused)["error"]), (401, "insufficient_scope"))
    scope = challenge(refused)["scope"]
    equal(scope, "registry:catalog:*")
    wide = published.web().get(f"/auth/token?service=wharfage&scope={scope}").json()["token"]
    reply = published.web(user=None, token=wide).get("/v2/_catalog")
    equal(reply.status, 200)
    assert "team/app" in reply.json()["repositories"], reply
    equal(published.web().get("/v2/_catalog").status, 200, "with Basic there is no scope")


def test_the_catalog_is_not_for_tokens_of_repositories(published):
    narrow = published.web().get("/auth/token?service=wharfage&scope=repository:team/app:pull").json()["token"]
    reply = published.web(user=None, token=narrow).get("/v2/_catalog")
    equal((reply.status, challenge(reply)["error"]), (401, "insufficient_scope"))
    nobody = published.web(user=None).get("/auth/token?service=wharfage&scope=registry:catalog:*").json()["token"]
    equal(published.web(user=None, token=nobody).get("/v2/_catalog").status, 401)


def test_a_token_that_is_too_narrow_names_what_is_missing(published):
    token = published.web().get("/auth/token?service=wharfage&scope=repository:team/app:pull").json()["token"]
    reply = published.web(user=None, token=token).post("/v2/team/app/blobs/uploads/")
    equal(reply.status, 401)
    parts = challenge(reply)
    equal((parts["error"], parts["scope"]), ("insufficient_scope", "repository:team/app:pull,push"))


if __name__ == "__main__":
    main()
