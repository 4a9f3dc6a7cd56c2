#!/usr/bin/env python3
"""kill -9 while building, signing and copying, then a new start: nothing is lost, nothing is done twice."""
import os

from lib import oci
from lib.clients import PlainRegistry, is_root, needs
from lib.features import Cloud, git_source, push_busybox
from lib.runner import equal, fixture, main, need, wait_for
from lib.server import Server
from lib.web import Web


@fixture
def house():
    import shutil
    import tempfile
    folder = tempfile.mkdtemp(prefix="wharfage-crash-")
    os.chmod(folder, 0o755)
    try:
        with Server(os.path.join(folder, "server"), {"build.file_roots": os.path.join(folder, "git"),
                                                     "network.allowed": "127.0.0.1/32"}) as server:
            server.outside = folder
            server.cloud = Cloud(server)
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def crash(house):
    house.kill()
    house.start()


def test_kill_during_a_build(house):
    need(is_root(), "image builds need root")
    needs("buildah")
    cloud = house.cloud
    push_busybox(house)
    root = os.path.join(house.outside, "git")
    cloud.provider(root)
    git_source(root, "app", {"Dockerfile": "FROM busybox\nRUN echo started; sleep 8; echo finished > /done\n"})
    repo, rule = cloud.build_rule("crash", "app", ImageTag="v1")
    record = cloud.start_build(repo, rule)
    wait_for("the step to run", lambda: "started" in cloud.log_text(repo, record), 120)
    crash(house)
    status, log = cloud.finish_build(repo, record)
    if status == "FAILED":
        assert "server restarted" in log.lower(), log
    else:
        equal(status, "SUCCESS", log)
        oci.pull(house.web(), "crash/app", "v1")
    records = cloud.cr("ListRepoBuildRecord", RepoId=repo)["BuildRecords"]
    equal([r["BuildRecordId"] for r in records], [record], "records after the crash")
    assert house.api("GET", "/robots")["items"] == [], "the build's credential outlives it"
    status, log = cloud.build(repo, rule)
    equal(status, "SUCCESS", log)


def test_kill_while_signing(house):
    cloud, count = house.cloud, 60
    digests = [oci.push(house.web(), f"seal/app{n % 6}", oci.small_image(n, 500), f"v{n}") for n in range(count)]
    policy = cloud.sign_policy("seal", cloud.signing_key("seal"))
    execution = cloud.execute("seal", policy)
    wait_for("the first signatures", lambda: signatures(house, digests[:1]) or any_signed(house), 60, 0.01)
    crash(house)
    row = cloud.finish_execution("seal", policy, execution)
    assert row["status"] in ("Succeed", "Success"), row
    equal((row["total"], row["succeed"]), (6, 6))
    for n, digest in enumerate(digests):
        manifest = house.web().get(f"/v2/seal/app{n % 6}/manifests/{digest.replace(':', '-')}.sig")
        equal((manifest.status, len(manifest.json()["layers"])), (200, 1), f"signatures of image {n}")
        listed = house.web().get(f"/v2/seal/app{n % 6}/referrers/{digest}").json()["manifests"]
        equal(len(listed), 1, f"referrers of image {n}")
    subs = [s for task in cloud.sign_tasks("seal", policy, execution)
            for s in cloud.sign_subtasks("seal", policy, execution, task["id"])]
    equal(len(subs), count, "one sub-task per image")


def signatures(house, digests):
    return [d for n, d in enumerate(digests)
            if house.web().head(f"/v2/seal/app{n % 6}/manifests/{d.replace(':', '-')}.sig").status == 200]


def any_signed(house):
    tags = house.web().get("/v2/seal/app0/tags/list").json()["tags"]
    return any(tag.endswith(".sig") for tag in tags)


def test_kill_while_copying(house):
    cloud = house.cloud
    peer = PlainRegistry(os.path.join(house.outside, "peer"))
    try:
        images = [oci.small_image(500 + n, 3_000_000) for n in range(6)]
        for n, image in enumerate(images):
            oci.push(house.web(), "move/app", image, f"v{n}")
        repo = cloud.repo_id("move", "app")
        rule = cloud.sync_rule("move", cloud.connect("peer", peer.url))
        tasks = [cloud.cr("CreateRepoSyncTaskByRule", RepoId=repo, SyncRuleId=rule, Tag=f"v{n}")["SyncTaskId"]
                 for n in range(len(images))]
        wait_for("bytes to move", lambda: any(r[0] in ("PATCH", "PUT") for r in peer.requests()), 60, 0.005)
        crash(house)
        for task in tasks:
            done = cloud.finish_copy(task)
            equal(done["TaskStatus"], "SUCCESS", str(done))
        for n, image in enumerate(images):
            oci.pull(Web(peer.url), "move/app", f"v{n}")
            equal(Web(peer.url).head(f"/v2/move/app/manifests/v{n}", {"Accept": oci.MANIFEST})
                  .headers["Docker-Content-Digest"], image.digest)
        manifests = [r for r in peer.requests() if r[0] == "PUT" and "/manifests/v" in r[1] and r[2] == 201]
        assert len(manifests) <= len(images) + 6, f"{len(manifests)} manifests were written for {len(images)} images"
        listed = cloud.cr("ListRepoSyncTask", RepoNamespaceName="move", RepoName="app", PageSize=100)["SyncTasks"]
        equal(sorted(t["SyncTaskId"] for t in listed), sorted(tasks), "tasks after the crash")
    finally:
        peer.stop()


def test_kill_while_scanning(house):
    oci.push(house.web(), "look/app", oci.small_image(700, 20_000_000), "v1")
    repo = house.cloud.repo_id("look", "app")
    task = house.cloud.cr("CreateRepoTagScanTask", RepoId=repo, Tag="v1")["RequestId"]
    crash(house)
    assert house.cloud.finish_scan(task) == "FAILED", "there is no advisory data: it must end, and not as clean"


if __name__ == "__main__":
    main()
