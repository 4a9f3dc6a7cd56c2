#!/usr/bin/env python3
"""Who may do what: passwords, tokens, robots, roles; denied by default."""
import base64
import json
import urllib.parse

from lib import oci
from lib.clouds import alibaba
from lib.runner import equal, fixture, main
from lib.server import PASSWORD, Server


def token(server, scope="", user=None, password=None, status=200):
    query = urllib.parse.urlencode({"service": "wharfage", **({"scope": scope} if scope else {})})
    reply = server.web(user, password).get("/auth/token?" + query)
    equal(reply.status, status, "token service")
    return reply.json().get("token") if status == 200 else None


def granted(text):
    """What a token says: its claims are readable without the key."""
    middle = text.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))["access"]


@fixture
def people(server):
    """team/app and open/app (public), user dora who develops in team, guest gus, stranger sam."""
    image = oci.small_image(1)
    for name in ("team/app", "team/more", "open/app", "other/app"):
        oci.push(server.web(), name, image, "v1")
    for name in ("dora", "gus", "sam"):
        server.api("POST", "/users", {"name": name, "password": f"{name}-secret-word"})
    for subject, role in (("dora", "developer"), ("gus", "guest")):
        server.api("POST", "/grants", {"kind": "user", "subject": subject, "namespace": "team", "role": role})
    make_public(server, "open", "app")
    yield server


def make_public(server, space, name):
    cloud = alibaba(server)
    instance = cloud.cr("ListInstance")["Instances"][0]["InstanceId"]
    cloud.cr("UpdateRepository", InstanceId=instance, RepoNamespaceName=space, RepoName=name, RepoType="PUBLIC",
             Summary="open to all")


def login(server, name):
    return server.web(name, f"{name}-secret-word")


def test_denied_without_credentials(server):
    for method, path in (("GET", "/v2/"), ("GET", "/v2/_catalog"), ("GET", "/v2/team/app/manifests/v1"),
                         ("POST", "/v2/team/app/blobs/uploads/"), ("GET", "/api/v1/users"), ("GET", "/api/v1/jobs")):
        reply = server.web(user=None).request(method, path, b"" if method == "POST" else None)
        equal(reply.status, 401, f"{method} {path}")
        assert "WWW-Authenticate" in reply.headers, reply
    challenge = server.web(user=None).get("/v2/team/app/manifests/v1").headers["WWW-Authenticate"]
    assert f'realm="{server.url}/auth/token"' in challenge and 'scope="repository:team/app:pull"' in challenge, challenge


def test_basic_and_wrong_passwords(server):
    equal(server.web().get("/v2/").status, 200)
    equal(server.web("admin", "wrong").get("/v2/").status, 401)
    equal(server.web("nobody", PASSWORD).get("/v2/").status, 401)
    for header in ("Basic", "Basic %%%", "Basic " + base64.b64encode(b"no-colon").decode(), "Digest x", "Bearer x"):
        equal(server.web(user=None).get("/v2/", {"Authorization": header}).status, 401, header)


def test_token_by_get(people):
    text = token(people, "repository:team/app:pull,push", "dora", "dora-secret-word")
    equal(granted(text), [{"type": "repository", "name": "team/app", "actions": ["pull", "push"]}])
    web = people.web(user=None, token=text)
    equal(web.head("/v2/team/app/manifests/v1").status, 200)
    beside = web.head("/v2/team/more/manifests/v1")
    equal(beside.status, 401, "outside the token's scope")
    assert 'error="insufficient_scope"' in beside.headers["WWW-Authenticate"], beside
    equal(web.head("/v2/other/app/manifests/v1").status, 403, "nothing of hers")
    equal(token(people, "", "admin", "wrong", 401), None)


def test_token_by_post(people):
    def post(form):
        return people.web(user=None).post("/auth/token", urllib.parse.urlencode(form).encode(),
                                          {"Content-Type": "application/x-www-form-urlencoded"})
    form = {"grant_type": "password", "service": "wharfage", "client_id": "e2e", "username": "dora",
            "password": "dora-secret-word", "scope": "repository:team/app:pull", "access_type": "offline"}
    reply = post(form)
    equal(reply.status, 200)
    value = reply.json()
    equal(people.web(user=None, token=value["access_token"]).head("/v2/team/app/manifests/v1").status, 200)
    again = post({"grant_type": "refresh_token", "service": "wharfage", "refresh_token": value["refresh_token"],
                  "scope": "repository:team/app:pull"})
    equal(again.status, 200)
    again = post({"grant_type": "refresh_token", "service": "wharfage", "refresh_token": value["refresh_token"],
                  "access_type": "offline"})
    equal(again.json()["refresh_token"], value["refresh_token"], "not renewed: a day after the password it ends")
    equal(post({**form, "password": "wrong"}).status, 401)
    equal(post({"grant_type": "magic"}).status, 400)


def test_a_temporary_login_is_for_the_registry_and_ends(people):
    cloud = alibaba(people)
    given = cloud.cr("GetAuthorizationToken", InstanceId=cloud.cr("ListInstance")["Instances"][0]["InstanceId"])
    user, password = given["TempUsername"], given["AuthorizationToken"]
    temporary = people.web(user, password)
    equal(temporary.head("/v2/team/app/manifests/v1").status, 200)
    equal(temporary.get("/api/v1/whoami").status, 401, "the management API")
    form = {"grant_type": "password", "service": "wharfage", "client_id": "e2e", "username": user,
            "password": password, "scope": "repository:team/app:pull", "access_type": "offline"}
    reply = people.web(user=None).post("/auth/token", urllib.parse.urlencode(form).encode(),
                                       {"Content-Type": "application/x-www-form-urlencoded"}).json()
    equal(people.web(user=None, token=reply["access_token"]).head("/v2/team/app/manifests/v1").status, 200)
    assert "refresh_token" not in reply, "it would outlast the login"


def test_anonymous_pull_of_public_repositories_only(people):
    equal(people.web(user=None).head("/v2/open/app/manifests/v1").status, 200)
    text = token(people, "repository:open/app:pull")
    web = people.web(user=None, token=text)
    oci.pull(web, "open/app", "v1")
    assert web.post("/v2/open/app/blobs/uploads/").status in (401, 403)
    equal(granted(token(people, "repository:team/app:pull"))[0]["actions"], [])
    equal(people.web(user=None, token=token(people, "repository:team/app:pull")).head("/v2/team/app/manifests/v1").status,
          401)


def test_roles(people):
    image = oci.small_image(2)
    oci.push(login(people, "dora"), "team/new", image)
    equal(login(people, "dora").delete("/v2/team/new/manifests/latest").status in (202, 403), True)
    oci.pull(login(people, "gus"), "team/app", "v1")
    equal(login(people, "gus").post("/v2/team/app/blobs/uploads/").status, 403, "a guest pushes")
    equal(login(people, "gus").delete("/v2/team/app/manifests/v1").status, 403, "a guest deletes")
    hidden = login(people, "sam").get("/v2/team/app/manifests/v1").status
    unknown = login(people, "sam").get("/v2/team/nothing/manifests/v1").status
    assert hidden in (403, 404) and hidden == unknown, "what exists must not show"
    equal(login(people, "sam").post("/v2/fresh/app/blobs/uploads/").status in (403, 404), True)
    names = login(people, "gus").get("/v2/_catalog").json()["repositories"]
    assert "team/app" in names and "other/app" not in names, names
    for path in ("/users", "/robots", "/audit", "/jobs"):
        equal(login(people, "dora").get("/api/v1" + path).status, 403, path)
    for name, status in (("dora", 200), ("gus", 403), ("sam", 403)):
        equal(login(people, name).get("/api/v1/connections").status, status, f"{name}: where our images go")


def test_a_revoked_grant_counts_at_once(people):
    people.api("POST", "/users", {"name": "rita", "password": "rita-secret-word"})
    grant = people.api("POST", "/grants", {"kind": "user", "subject": "rita", "namespace": "team", "role": "guest"})
    text = token(people, "repository:team/app:pull", "rita", "rita-secret-word")
    equal(people.web(user=None, token=text).head("/v2/team/app/manifests/v1").status, 200)
    people.api("DELETE", f"/grants/{grant['id']}")
    assert people.web(user=None, token=text).head("/v2/team/app/manifests/v1").status in (401, 403, 404)


def test_robots(people):
    made = people.api("POST", "/robots", {"name": "ci", "description": "builds"})
    name, secret = made["robot"]["login"], made["secret"]
    equal(people.web(name, secret).get("/v2/").status, 200)
    assert people.web(name, secret).head("/v2/team/app/manifests/v1").status in (403, 404)
    people.api("POST", "/grants", {"kind": "robot", "subject": "ci", "namespace": "team", "role": "developer"})
    oci.push(people.web(name, secret), "team/robot", oci.small_image(3))
    assert secret not in json.dumps(people.api("GET", "/robots")), "a secret is shown twice"
    people.api("DELETE", "/robots/ci")
    equal(people.web(name, secret).get("/v2/").status, 401)


def test_disabled_users_and_new_passwords(people):
    people.api("POST", "/users", {"name": "dan", "password": "dan-secret-word"})
    session = people.api("POST", "/tokens", user="dan", password="dan-secret-word")["token"]
    equal(people.web(user=None, token=session).get("/api/v1/whoami").json()["name"], "dan")
    people.api("PUT", "/users/dan", {"enabled": False})
    equal(people.web("dan", "dan-secret-word").get("/v2/").status, 401)
    equal(people.web(user=None, token=session).get("/api/v1/whoami").status, 401)
    people.api("PUT", "/users/dan", {"enabled": True, "password": "another-secret"})
    equal(people.web("dan", "dan-secret-word").get("/v2/").status, 401)
    equal(people.web("dan", "another-secret").get("/v2/").status, 200)


def test_the_audit_log_tells_who_did_it(people):
    entries = people.api("GET", "/audit?actor=admin&limit=1000")["items"]
    assert any(e["action"] == "accounts:CreateUser" and e["outcome"] == "ok" for e in entries), entries[:5]
    login(people, "gus").delete("/v2/team/app/manifests/v1")
    text = json.dumps(people.api("GET", "/audit?limit=1000"))
    assert "dora-secret-word" not in text and PASSWORD not in text


def test_throttling(folder):
    server = Server(folder)
    server.api("POST", "/users", {"name": "tom", "password": "tom-secret-word"})
    seen = [server.web("tom", f"wrong-{n}").get("/v2/").status for n in range(30)]
    assert seen[0] == 401 and seen[-1] == 429, seen
    equal(server.web("tom", "tom-secret-word").get("/v2/").status, 429, "the right password while throttled")
    equal(server.web().get("/v2/").status, 200, "somebody else")
    assert "wrong-1" not in server.log()
    server.stop()


if __name__ == "__main__":
    main()
