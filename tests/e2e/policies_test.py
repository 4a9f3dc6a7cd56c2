#!/usr/bin/env python3
"""What a namespace decides about its images, on a running server: immutable tags, history, the way back for what
was deleted, retention and quotas."""
import json
import os
import threading
import time

from lib import oci
from lib.runner import equal, main, wait_for
from lib.server import Server

SETTINGS = {"storage.collect_interval_s": 1, "storage.unreferenced_for_s": 1}


def place(name):
    space, _, rest = name.partition("/")
    return f"/namespaces/{space}/repositories/{rest.replace('/', '%2F')}"


def pushed(server, name, seed, *tags, size=2000):
    image = oci.small_image(seed, size)
    for tag in tags or ("latest",):
        oci.push(server.web(), name, image, tag)
    return image


def tags(server, name):
    return server.web().get(f"/v2/{name}/tags/list").json()["tags"]


def on_disk(server, digest):
    return any(digest[7:] in names for _, _, names in os.walk(os.path.join(server.data, "blobs")))


def test_an_immutable_tag_stays_whichever_way_one_tries(server):
    web, one, two = server.web(), pushed(server, "hard/app/api", 1, "v1", "latest"), oci.small_image(2)
    rules = "/namespaces/hard/immutability-rules"
    rule = server.api("POST", rules, {"name": "releases", "repositories": "app/**", "tags": "v*"}, want=201)
    for data in two.blobs.values():
        oci.push_blob(web, "hard/app/api", data)
    refused = oci.put_manifest(web, "hard/app/api", "v1", two.manifest)
    equal((refused.status, refused.code()), (409, "DENIED"))
    assert '"releases"' in refused.json()["errors"][0]["message"], refused
    equal(web.put(f"/v2/hard/app/api/manifests/{two.digest}?tag=v2&tag=v1", two.manifest,
                  {"Content-Type": oci.MANIFEST}).status, 409)
    equal(web.delete("/v2/hard/app/api/manifests/v1").status, 409)
    equal(web.delete(f"/v2/hard/app/api/manifests/{one.digest}").status, 409)
    equal(oci.put_manifest(web, "hard/app/api", "latest", two.manifest).status, 201)
    equal(oci.put_manifest(web, "hard/app/api", "v1", one.manifest).status, 201, "the same again")
    changed = server.api("PUT", f"{rules}/{rule['id']}", {"name": "releases", "repositories": "**", "tags": "v*",
                                                               "enabled": False})
    equal((changed["enabled"], changed["repositories"]), (False, "**"))
    equal(web.delete("/v2/hard/app/api/manifests/v1").status, 202)
    server.api("DELETE", f"{rules}/{rule['id']}", want=204)
    equal(server.api("GET", rules)["items"], [])
    server.api("POST", rules, {"name": "wrong", "repositories": "**", "tags": "{a"}, want=400)
    for less in ({}, {"tags": "v*"}, {"repositories": "**"}):
        server.api("POST", rules, {"name": "everything by mistake", **less}, want=400)
        server.api("PUT", f"{rules}/{rule['id']}", {"name": "everything by mistake", **less}, want=400)


def test_who_may_do_what(server):
    pushed(server, "roles/app", 3)
    server.api("POST", "/users", {"name": "reader", "password": "reader-pass-1"})
    login = {"user": "reader", "password": "reader-pass-1"}
    rules, quota = "/namespaces/roles/immutability-rules", "/namespaces/roles/quota"
    for path in (rules, quota, "/namespaces/roles/retention-rules", place("roles/app") + "/tag-history"):
        server.api("GET", path, want=404, **login)
    server.api("POST", "/grants", {"kind": "user", "subject": "reader", "namespace": "roles", "role": "maintainer"})
    server.api("POST", rules, {"name": "mine", "repositories": "**", "tags": "**"}, want=201, **login)
    server.api("GET", quota, **login)
    server.api("PUT", quota, {"bytes": 1}, want=403, **login)
    server.api("GET", rules, want=401, user=None)


def test_the_history_of_a_tag_and_back(server):
    name = "story/app"
    one, two = pushed(server, name, 4), pushed(server, name, 5)
    server.web().delete(f"/v2/{name}/manifests/latest")
    history = place(name) + "/tag-history"
    page = server.api("GET", history)
    equal([c["kind"] for c in page["items"]], ["deleted", "moved", "created"])
    equal((page["items"][1]["from"], page["items"][1]["to"]), (one.digest, two.digest))
    equal({c["actor"] for c in page["items"]}, {"admin"})
    first = server.api("GET", history + "?limit=2")
    rest = server.api("GET", f"{history}?limit=2&after={first['next']}")
    equal(first["items"] + rest["items"], page["items"])
    server.api("POST", history + "/restore", {"tag": "latest", "digest": one.digest})
    oci.pull(server.web(), name, "latest")
    equal(server.api("GET", history + "?tag=latest&limit=1")["items"][0]["origin"], "restore")
    server.api("POST", history + "/restore", {"tag": "other", "digest": one.digest}, want=404)


def test_what_was_deleted_comes_back_by_who_may_delete(server):
    name = "undo/app"
    one, two = pushed(server, name, 14), pushed(server, name, 15)
    server.api("POST", "/users", {"name": "devel", "password": "devel-pass-1"})
    server.api("POST", "/grants", {"kind": "user", "subject": "devel", "namespace": "undo", "role": "developer"})
    login, back = {"user": "devel", "password": "devel-pass-1"}, place(name) + "/tag-history/restore"
    server.api("POST", back, {"tag": "latest", "digest": one.digest}, **login)
    server.web().delete(f"/v2/{name}/manifests/{two.digest}")
    server.api("POST", back, {"tag": "latest", "digest": two.digest}, want=404, **login)
    server.api("POST", back, {"tag": "latest", "digest": two.digest})
    oci.pull(server.web(), name, "latest")


def test_what_was_deleted_is_gone_at_once_and_comes_back_whole(server):
    web, name = server.web(), "back/app"
    image = pushed(server, name, 6, "1", "2")
    largest = max(image.blobs, key=lambda digest: len(image.blobs[digest]))
    equal(web.delete(f"/v2/{name}/manifests/{image.digest}").status, 202)
    for reference in ("1", "2", image.digest):
        equal(web.get(f"/v2/{name}/manifests/{reference}").status, 404)
    equal(tags(server, name), [])
    deleted = server.api("GET", place(name) + "/deleted")
    equal([i["digest"] for i in deleted["images"]], [image.digest])
    equal(sorted(t["tag"] for t in deleted["tags"]), ["1", "2"])
    equal(web.delete(f"/v2/{name}/blobs/{largest}").status, 202)
    equal(web.head(f"/v2/{name}/blobs/{largest}").status, 404)
    time.sleep(4)  # several reclaiming runs
    assert on_disk(server, largest)
    server.restart()
    server.api("POST", place(name) + "/deleted/restore", {"reference": image.digest})
    for tag in ("1", "2"):
        oci.pull(server.web(), name, tag)

    server.web().delete(f"/v2/{name}/manifests/{image.digest}")
    oci.push(server.web(), name, image, "again")  # revives
    equal(tags(server, name), ["again"])
    server.web().delete(f"/v2/{name}/manifests/{image.digest}")
    server.api("DELETE", f"{place(name)}/deleted/{image.digest}", want=204)
    wait_for("the bytes to go", lambda: not on_disk(server, largest), 60)
    server.api("POST", place(name) + "/deleted/restore", {"reference": image.digest}, want=404)


def test_a_deleted_repository_comes_back(server):
    image = pushed(server, "whole/app", 7, "1")
    pushed(server, "whole/other", 8, "1")
    from lib.features import Cloud
    cloud = Cloud(server)
    repository = cloud.cr("GetRepository", RepoNamespaceName="whole", RepoName="app")["RepoId"]
    cloud.cr("DeleteRepository", RepoId=repository)
    equal(server.web().get("/v2/whole/app/tags/list").status, 404)
    gone = server.api("GET", "/namespaces/whole/deleted-repositories")["items"]
    equal([g["name"] for g in gone], ["app"])
    path = f"/namespaces/whole/deleted-repositories/{gone[0]['id']}"
    equal(server.api("POST", path + "/restore"), {"name": "whole/app"})
    equal(oci.digest(server.web().get("/v2/whole/app/manifests/1").body), image.digest)
    cloud.cr("DeleteRepository", RepoId=repository)
    server.api("DELETE", path, want=204)
    server.api("POST", path + "/restore", want=404)


def finished(server, space, run):
    return wait_for("the run to end", lambda: (lambda r: r["status"] != "running" and r)(
        server.api("GET", f"/namespaces/{space}/retention-runs/{run['id']}")), 60)


def test_retention_removes_what_a_dry_run_said(server):
    for n in range(5):
        pushed(server, "keep/app", 20 + n, f"v{n}")
        time.sleep(0.01)
    pushed(server, "keep/app", 20, "release")
    pushed(server, "keep/web", 30, "v0")
    server.api("POST", "/namespaces/keep/immutability-rules", {"name": "first", "repositories": "**", "tags": "v1"}, want=201)
    rules = "/namespaces/keep/retention-rules"
    policy = server.api("PUT", rules, {"schedule": "0 0 3 * * *", "rules": [
        {"name": "newest two", "tags": "v*", "keep": "pushed_count", "value": 2}]})
    assert policy["next_run_at"], policy
    equal(server.api("GET", rules)["rules"][0]["keep"], "pushed_count")
    for wrong in ({"keep": "sometimes"}, {"keep": "pushed_count"}, {"keep": "pulled_days"}):
        server.api("PUT", rules, {"rules": [{"name": "x"} | wrong]}, want=400)
    runs = "/namespaces/keep/retention-runs"
    dry = finished(server, "keep", server.api("POST", runs, {"dry_run": True}, want=201))
    equal(len(tags(server, "keep/app")), 6)
    wet = finished(server, "keep", server.api("POST", runs, {}, want=201))
    items = [server.api("GET", f"{runs}/{run['id']}/items")["items"] for run in (dry, wet)]
    equal(items[0], items[1], "what the dry run said")
    equal(sorted(tags(server, "keep/app")), ["release", "v1", "v3", "v4"])
    equal((wet["removed_tags"], wet["removed_images"], wet["failed"]), (2, 1, 0))  # v0's image has another tag
    why = {i.get("tag"): i["reason"] for i in items[1] if i["repository"] == "app"}
    equal(why["v1"], "the tag is immutable")
    equal(why["v4"], 'rule "newest two"')
    equal(server.api("GET", runs)["total"], 2)
    origin = server.api("GET", place("keep/app") + "/tag-history?tag=v2&limit=1")["items"][0]["origin"]
    equal(origin, "retention")


def test_retention_spares_what_expressions_name(server):
    for number, tag in enumerate(("v1", "rc-1", "v2")):
        pushed(server, "spare/app", 30 + number, tag)
        time.sleep(0.01)
    rules, runs = "/namespaces/spare/retention-rules", "/namespaces/spare/retention-runs"
    policy = {"name": "tidy", "enabled": False, "schedule": "0 0 3 * * *", "rules": [
        {"name": "newest", "keep": "pushed_count", "value": 1, "spared": ["^rc-"]},
        {"name": "off", "keep": "pushed_count", "value": 0, "enabled": False}]}
    kept = server.api("PUT", rules, policy)
    equal((kept["name"], kept["enabled"], kept.get("next_run_at")), ("tidy", False, None))
    equal([(rule["enabled"], rule.get("spared")) for rule in server.api("GET", rules)["rules"]],
          [(True, ["^rc-"]), (False, None)])
    server.api("POST", runs, {}, want=409)
    finished(server, "spare", server.api("POST", runs, {"dry_run": True}, want=201))
    server.api("PUT", rules, policy | {"enabled": True})
    finished(server, "spare", server.api("POST", runs, {}, want=201))
    equal(sorted(tags(server, "spare/app")), ["rc-1", "v2"])
    server.api("PUT", rules, {"rules": [{"name": "x", "keep": "all", "spared": ["("]}]}, want=400)


def test_a_full_namespace_refuses_before_bytes_are_sent(server):
    web = server.web()
    image = pushed(server, "small/app", 40, size=50_000)
    used = server.api("GET", "/namespaces/small/quota")["usage"]
    oci.push(web, "small/second", image)  # shared blobs count once
    again = server.api("GET", "/namespaces/small/quota")["usage"]
    equal((again["bytes"], again["repositories"]), (used["bytes"] + len(image.manifest), 2))
    used = again
    report = server.api("PUT", "/namespaces/small/quota", {"bytes": used["bytes"] + 1000, "tags": 3})
    equal(report["limits"], {"bytes": used["bytes"] + 1000, "tags": 3})
    data = oci.noise(5000, 41)
    begun = web.post("/v2/small/app/blobs/uploads/")
    refused = web.put(f"{begun.headers['Location']}?digest={oci.digest(data)}", data)
    equal((refused.status, refused.code()), (403, "DENIED"))
    assert "quota" in refused.json()["errors"][0]["message"], refused
    equal(web.get(begun.headers["Location"]).status, 404, "a refused upload has gone")
    equal(web.head(f"/v2/small/app/blobs/{oci.digest(data)}").status, 404)
    equal(oci.put_manifest(web, "small/app", "third", image.manifest).status, 201)
    equal(oci.put_manifest(web, "small/app", "fourth", image.manifest).code(), "DENIED")
    server.api("PUT", "/namespaces/small/quota", {})
    equal(oci.put_manifest(web, "small/app", "fourth", image.manifest).status, 201)


def uploads_of(server):
    return os.listdir(os.path.join(server.data, "uploads"))


def test_an_upload_ends_where_the_quota_does(server):
    """Also one whose length nobody tells, or which comes in pieces."""
    web = server.web()
    oci.push_blob(web, "narrow/app", oci.noise(1000, 90))
    server.api("PUT", "/namespaces/narrow/quota", {"bytes": 100_000})
    before = sorted(uploads_of(server))

    def begin():
        reply = web.post("/v2/narrow/app/blobs/uploads/")
        equal(reply.status, 202)
        return reply.headers["Location"]

    def gone(location, reply):
        equal((reply.status, reply.code()), (403, "DENIED"))
        assert "quota" in reply.json()["errors"][0]["message"], reply
        equal(web.get(location).status, 404)
        equal(sorted(uploads_of(server)), before)

    location = begin()
    gone(location, web.patch(location, iter([oci.noise(60_000, 91), oci.noise(60_000, 92)])))
    location = begin()
    gone(location, web.patch(location, oci.noise(120_000, 93)))
    location = begin()
    equal(web.patch(location, oci.noise(60_000, 94)).status, 202)
    gone(location, web.patch(location, oci.noise(40_000, 95)))

    # Together they hold no more, either; those that were written to just now stay.
    first, second, third = begin(), begin(), begin()
    equal(web.patch(first, oci.noise(60_000, 96)).status, 202)
    equal(web.patch(second, oci.noise(40_000, 97)).status, 202)
    refused = web.patch(third, b"one more")
    equal((refused.status, refused.code()), (403, "DENIED"))
    equal(web.get(third).status, 404)
    for location in (first, second):
        equal(web.delete(location).status, 204)
    equal(sorted(uploads_of(server)), before)
    # With its digest in the first request, too, a blob that the namespace has costs nothing.
    kept = oci.noise(90_000, 99)
    oci.push_blob(web, "narrow/app", kept)
    equal(web.post(f"/v2/narrow/second/blobs/uploads/?digest={oci.digest(kept)}", kept).status, 201)
    fresh = oci.noise(90_000, 100)
    refused = web.post(f"/v2/narrow/second/blobs/uploads/?digest={oci.digest(fresh)}", fresh)
    equal((refused.status, refused.code()), (403, "DENIED"))
    server.api("PUT", "/namespaces/narrow/quota", {"bytes": 200_000})
    data = oci.noise(50_000, 98)
    equal(web.put(f"{begin()}?digest={oci.digest(data)}", iter([data])).status, 201)


def test_uploads_of_one_leave_room_for_others(server):
    web = server.web()
    pushed(server, "open/app", 121)
    server.api("POST", "/users", {"name": "greedy", "password": "greedy-pass-1"})
    server.api("POST", "/grants", {"kind": "user", "subject": "greedy", "namespace": "open", "role": "developer"})
    greedy = server.web("greedy", "greedy-pass-1")
    begun = [greedy.post("/v2/open/app/blobs/uploads/") for _ in range(201)]
    equal({reply.status for reply in begun[:200]}, {202})
    equal((begun[200].status, begun[200].code()), (429, "TOOMANYREQUESTS"))
    oci.push(web, "open/app", oci.small_image(120))
    equal(greedy.delete(begun[0].headers["Location"]).status, 204)
    equal(greedy.post("/v2/open/app/blobs/uploads/").status, 202)


def test_manifests_count_like_blobs(server):
    web, image = server.web(), pushed(server, "wordy/app", 100)
    used = server.api("GET", "/namespaces/wordy/quota")["usage"]["bytes"]
    equal(used, sum(len(data) for data in image.blobs.values()) + len(image.manifest))
    server.api("PUT", "/namespaces/wordy/quota", {"bytes": 100_000})
    long = json.loads(image.manifest)
    long["annotations"] = {"more": "x" * 100_000}
    refused = oci.put_manifest(web, "wordy/app", "long", json.dumps(long).encode())
    equal((refused.status, refused.code()), (403, "DENIED"))
    equal(web.get("/v2/wordy/app/manifests/long").status, 404)
    equal(server.api("GET", "/namespaces/wordy/quota")["usage"]["bytes"], used)


def test_what_comes_back_needs_room(server):
    web, image = server.web(), pushed(server, "back/app", 110, "1", "2")
    server.api("PUT", "/namespaces/back/quota", {"tags": 2})
    equal(web.delete(f"/v2/back/app/manifests/{image.digest}").status, 202)
    pushed(server, "back/app", 111, "3")
    restore = place("back/app") + "/deleted/restore"
    server.api("POST", restore, {"reference": image.digest}, want=429)
    equal(tags(server, "back/app"), ["3"])
    equal(web.delete("/v2/back/app/manifests/3").status, 202)
    server.api("POST", restore, {"reference": image.digest})
    equal(tags(server, "back/app"), ["1", "2"])


def test_pushes_under_a_quota_do_not_wait_for_each_other(server):
    """All succeed, and the usage is exact although nobody wrote a shared row."""
    pushed(server, "busy/app", 50)
    server.api("PUT", "/namespaces/busy/quota", {"bytes": 10**9})
    before = server.api("GET", "/namespaces/busy/quota")["usage"]
    images = [oci.small_image(60 + n, 3000) for n in range(8)]
    faults = []

    def work(n):
        try:
            oci.push(server.web(), f"busy/r{n}", images[n], "1")
        except AssertionError as fault:
            faults.append(fault)
    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(faults, [])
    after = server.api("GET", "/namespaces/busy/quota")["usage"]
    blobs = {digest: len(data) for image in images for digest, data in image.blobs.items()}
    manifests = sum(len(image.manifest) for image in images)
    equal(after["bytes"] - before["bytes"], sum(blobs.values()) + manifests)
    equal((after["tags"], after["repositories"]), (9, 9))


def test_pulls_are_counted_per_image_and_repository(server):
    pushed(server, "count/app", 80, "1", "also")
    pushed(server, "count/app", 81, "2")
    pushed(server, "count/idle", 82, "1")
    for _ in range(3):
        oci.pull(server.web(), "count/app", "1")

    def counted():
        items = server.api("GET", "/namespaces/count/repositories")["items"]
        return items if items[0]["pulls"] == 3 else None
    app, idle = wait_for("the pulls to be folded", counted, 60)
    equal((app["name"], app["tags"], app["images"]), ("app", 3, 2))
    assert app["pulled_at"] >= app["created_at"] and "pulled_at" not in idle, (app, idle)
    rows = {t["name"]: t for t in server.api("GET", place("count/app") + "/tags")["items"]}
    equal({name: row["pulls"] for name, row in rows.items()}, {"1": 3, "also": 3, "2": 0})
    equal(rows["1"]["pulled_at"], app["pulled_at"])
    assert "pulled_at" not in rows["2"], rows


def test_without_a_grace_period_nothing_comes_back(folder):
    with Server(folder, {"registry.delete_grace_s": 0}) as server:
        image = pushed(server, "gone/app", 70, "1")
        server.web().delete(f"/v2/gone/app/manifests/{image.digest}")
        equal(server.api("GET", place("gone/app") + "/deleted"), {"images": [], "tags": []})


if __name__ == "__main__":
    main(SETTINGS)
