#!/usr/bin/env python3
"""Copies to other registries: a second Wharfage and docker-registry."""
import json
import os

from lib import oci
from lib.clients import PlainRegistry
from lib.features import Cloud
from lib.runner import equal, fixture, main, wait_for
from lib.server import PASSWORD, Server
from lib.web import Web

SETTINGS = {"network.allowed": "127.0.0.1/32"}


@fixture
def source(server):
    server.cloud = Cloud(server)
    shared = {"base/": None, "base/noise": oci.noise(2_000_000, 1)}
    server.images = [oci.Image([shared, {f"own{n}": oci.noise(300_000, 50 + n)}]) for n in range(3)]
    for n, image in enumerate(server.images):
        oci.push(server.web(), "ship/app", image, f"v{n}")
    server.repo = server.cloud.repo_id("ship", "app")
    yield server


@fixture
def plain():
    import shutil
    import tempfile
    folder = tempfile.mkdtemp(prefix="wharfage-peer-")
    peer = PlainRegistry(folder)
    try:
        yield peer
    finally:
        peer.stop()
        shutil.rmtree(folder, ignore_errors=True)


@fixture
def second():
    import shutil
    import tempfile
    folder = tempfile.mkdtemp(prefix="wharfage-second-")
    try:
        with Server(folder) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@fixture
def to_plain(source, plain):
    connection = source.cloud.connect("plain", plain.url)
    yield source.cloud.sync_rule("ship", connection, "to plain")


@fixture
def to_second(source, second):
    connection = source.cloud.connect("second", second.url, username="admin", password=PASSWORD)
    yield source.cloud.sync_rule("ship", connection, "to second")


def test_copy_to_docker_registry(source, plain, to_plain):
    done = source.cloud.copy(source.repo, to_plain, "v0")
    equal((done["TaskStatus"], done["Progress"]), ("SUCCESS", 1), str(done))
    equal(len(done["LayerTasks"]), 3, "config and two layers")
    manifest = Web(plain.url).get("/v2/ship/app/manifests/v0", {"Accept": oci.MANIFEST})
    equal(oci.digest(manifest.body), source.images[0].digest)
    oci.pull(Web(plain.url), "ship/app", "v0")


def uploads(peer, since):
    return [r for r in peer.requests()[since:] if r[0] in ("PUT", "PATCH") and "/blobs/uploads/" in r[1]]


def test_what_the_target_has_is_not_sent(source, plain, to_plain):
    since = len(plain.requests())
    equal(source.cloud.copy(source.repo, to_plain, "v0")["TaskStatus"], "SUCCESS")
    equal(uploads(plain, since), [], "blobs sent again")
    since = len(plain.requests())
    done = source.cloud.copy(source.repo, to_plain, "v1")
    equal(done["TaskStatus"], "SUCCESS")
    finished = [r for r in uploads(plain, since) if r[0] == "PUT" and r[2] == 201]
    equal(len(finished), 2, "only its own layer and its config travel; the shared layer is there")


def test_signatures_and_referrers_travel(source, second, to_second):
    cloud = source.cloud
    key = cloud.signing_key("sync")
    cloud.sign("ship", cloud.sign_policy("ship", key, tags="v0"))
    digest = source.images[0].digest
    empty = oci.push_blob(source.web(), "ship/app", b"{}")
    note = oci.packed({"schemaVersion": 2, "mediaType": oci.MANIFEST, "artifactType": "application/x.note",
                       "config": {"mediaType": oci.EMPTY, "digest": empty, "size": 2},
                       "layers": [{"mediaType": oci.EMPTY, "digest": empty, "size": 2}],
                       "subject": source.images[0].descriptor()})
    equal(oci.put_manifest(source.web(), "ship/app", oci.digest(note), note).status, 201)
    done = cloud.copy(source.repo, to_second, "v0")
    equal(done["TaskStatus"], "SUCCESS", str(done))
    equal(second.web().head("/v2/ship/app/manifests/v0").headers["Docker-Content-Digest"], digest)

    def listed(web):
        return sorted(d["digest"] for d in web.get(f"/v2/ship/app/referrers/{digest}").json()["manifests"])
    equal(listed(second.web()), listed(source.web()), "referrers")
    equal(len(listed(second.web())), 2)
    tag = f"/v2/ship/app/manifests/{digest.replace(':', '-')}.sig"
    equal(second.web().get(tag).body, source.web().get(tag).body, "cosign's tag")


def test_copy_on_push(source, second):
    connection = next(c for c in source.api("GET", "/connections")["items"] if c["name"] == "second")
    source.cloud.repository("live", "app")
    source.cloud.sync_rule("live", connection, "live", SyncTrigger="PASSIVE")
    image = oci.small_image(60)
    oci.push(source.web(), "live/app", image, "v1")
    wait_for("the image at the other side",
             lambda: second.web().head("/v2/live/app/manifests/v1").status == 200, 120)
    equal(second.web().head("/v2/live/app/manifests/v1").headers["Docker-Content-Digest"], image.digest)


def test_a_tag_that_is_another_image_there_is_not_moved_unasked(source, second, to_second):
    other = oci.small_image(61)
    oci.push(second.web(), "ship/app", other, "v2")
    connection = next(c for c in source.api("GET", "/connections")["items"] if c["name"] == "second")
    order = {"RepoId": source.repo, "Tag": "v2", "TargetInstanceId": connection["alias"], "TargetNamespace": "ship",
             "TargetRegionId": source.cloud.region, "TargetRepoName": "app", "TargetTag": "v2"}

    def there():
        return second.web().head("/v2/ship/app/manifests/v2").headers["Docker-Content-Digest"]
    done = source.cloud.finish_copy(source.cloud.cr("CreateRepoSyncTask", **order)["SyncTaskId"])
    equal((done["TaskStatus"], done.get("TaskIssue")), ("ERROR", "TAG_CONFLICT"), str(done))
    equal(there(), other.digest)
    done = source.cloud.finish_copy(source.cloud.cr("CreateRepoSyncTask", Override=True, **order)["SyncTaskId"])
    equal(done["TaskStatus"], "SUCCESS", str(done))
    equal(there(), source.images[2].digest)


def test_a_copy_inside_this_registry(source):
    task = source.cloud.cr("CreateRepoSyncTask", RepoId=source.repo, Tag="v1", TargetInstanceId=source.cloud.instance,
                           TargetRegionId=source.cloud.region, TargetNamespace="ship", TargetRepoName="inside",
                           TargetTag="here")["SyncTaskId"]
    equal(source.cloud.finish_copy(task)["TaskStatus"], "SUCCESS")
    equal(source.web().head("/v2/ship/inside/manifests/here").headers["Docker-Content-Digest"],
          source.images[1].digest)


def test_a_registry_that_is_down_comes_back(source, plain):
    peer = PlainRegistry(os.path.join(source.folder, "moody"))
    connection = source.cloud.connect("moody", peer.url)
    rule = source.cloud.sync_rule("ship", connection, "moody")
    peer.stop()
    task = source.cloud.cr("CreateRepoSyncTaskByRule", RepoId=source.repo, SyncRuleId=rule, Tag="v0")["SyncTaskId"]
    wait_for("a failed attempt", lambda: source.cloud.cr("GetRepoSyncTask", SyncTaskId=task)["TaskStatus"] in
             ("PENDING", "SYNCHRONIZING", "ERROR"), 60)
    peer.start()
    try:
        done = source.cloud.finish_copy(task)
        equal(done["TaskStatus"], "SUCCESS", str(done))
        oci.pull(Web(peer.url), "ship/app", "v0")
    finally:
        peer.stop()


def test_private_addresses_are_refused_unless_allowed(folder):
    peer = PlainRegistry(os.path.join(folder, "peer"))
    server = Server(os.path.join(folder, "server"))
    try:
        oci.push(server.web(), "ship/app", oci.small_image(62), "v1")
        cloud = Cloud(server)
        since = len(peer.requests())
        connection = cloud.connect("inside", peer.url)
        answer = server.api("POST", f"/connections/{connection['id']}/check")
        equal(answer["reachable"], False)
        rule = cloud.sync_rule("ship", connection)
        done = cloud.copy(cloud.repo_id("ship", "app"), rule, "v1")
        equal(done["TaskStatus"], "ERROR")
        equal(peer.requests()[since:], [], "a private address was reached")
    finally:
        server.stop()
        peer.stop()


def test_passwords_come_back_masked(source, to_second):
    text = json.dumps([source.api("GET", "/connections"), source.cloud.alibaba.sas("PageImageRegistry"),
                       source.cloud.huawei.call("GET", "/v5/{project}/image/registries")])
    assert PASSWORD not in text
    assert PASSWORD not in source.log()


def test_unknown_targets(source):
    answer = source.cloud.cr_raw("CreateRepoSyncRule", NamespaceName="ship", SyncRuleName="none", SyncScope="NAMESPACE",
                                 TagFilter=".*", TargetInstanceId="cri-0000000000000000",
                                 TargetRegionId=source.cloud.region, TargetNamespaceName="ship")
    assert answer["IsSuccess"] is False and answer["Code"] != "success", answer


if __name__ == "__main__":
    main(SETTINGS)
