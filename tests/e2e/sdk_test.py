#!/usr/bin/env python3
"""The official Python SDKs of both clouds, unmodified, make the five calls; altered signatures are refused."""
import json
import os

from lib import oci
from lib.clients import is_root, needs, prepared, run
from lib.clouds import Refused, alibaba, huawei
from lib.features import Cloud, git_source, push_busybox
from lib.runner import equal, fixture, main, need
from lib.server import ACCESS_KEY, ACCESS_SECRET, PASSWORD, Server

HERE = os.path.dirname(os.path.abspath(__file__))


@fixture
def world():
    """A server on which every one of the five calls has something to tell."""
    import shutil
    import tempfile
    need(is_root(), "image builds need root")
    needs("buildah")
    folder = tempfile.mkdtemp(prefix="wharfage-sdk-")
    os.chmod(folder, 0o755)
    try:
        with Server(os.path.join(folder, "server"), {"build.file_roots": os.path.join(folder, "git")}) as server:
            server.cloud = cloud = Cloud(server)
            push_busybox(server)
            cloud.provider(os.path.join(folder, "git"))
            git_source(os.path.join(folder, "git"), "app", {"Dockerfile": "FROM busybox\nRUN echo built\n"})
            repo, rule = cloud.build_rule("sdk", "app", ImageTag="v1")
            record = cloud.start_build(repo, rule)
            equal(cloud.finish_build(repo, record)[0], "SUCCESS")
            cloud.scan(repo, "v1")
            policy = cloud.sign_policy("sdk", cloud.signing_key("sdk"))
            execution = cloud.sign("sdk", policy)["id"]
            for number, tag in enumerate(["v1", "rc-1", "v2", "v3", "v4"]):
                oci.push(server.web(), "kept/app", oci.small_image(number), tag)
            task = cloud.start_inventory()
            server.ids = {"instance": cloud.instance, "record": record, "repo": repo, "tag": "v1",
                          "swr_instance": cloud.swr_instance, "namespace": "sdk", "policy": policy,
                          "execution": execution, "task": task, "kept": "kept"}
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def by_sdk(world, folder, key=ACCESS_KEY, secret=ACCESS_SECRET, retention=False):
    """The calls on retention remove images, and are made only when asked for."""
    about = world.api("GET", "/instance")
    order = {"address": world.address, "key": key, "secret": secret, "project": about["project_id"],
             "region": about["huawei_region"], "domain": about["domain_id"], "ids": world.ids,
             "retention": retention}
    done = run([prepared("sdks"), os.path.join(HERE, "lib/sdk_calls.py")], folder, text_in=json.dumps(order))
    return json.loads(done.stdout.splitlines()[-1])


def test_the_five_calls(world, folder):
    answers = by_sdk(world, folder)
    faults = {name: a["error"] for name, a in answers.items() if "error" in a}
    equal(faults, {}, "SDK exceptions")
    got = {name: a["ok"] for name, a in answers.items()}
    for name in ("GetRepoBuildRecord", "GetRepoBuildRecord.v1"):
        equal((got[name]["Status"], got[name]["BuildRecordId"], got[name]["Code"], got[name]["IsSuccess"]),
              ("SUCCESS", world.ids["record"], "success", True), name)
        equal(got[name]["Image"], {"ImageTag": "v1", "RepoName": "app", "RepoNamespaceName": "sdk"})
        assert isinstance(got[name]["StartTime"], int) and isinstance(got[name]["EndTime"], int)
    for name in ("GetRepoTagScanStatus", "GetRepoTagScanStatus.v1"):
        assert got[name]["Status"] in ("SCANNING", "COMPLETE", "FAILED", "RETRYING"), got[name]
    for name in ("PageImageRegistry", "PageImageRegistry.v1"):
        equal([row["RegistryType"] for row in got[name]["List"]], ["acr"], name)
        equal(got[name]["PageInfo"]["TotalCount"], 1)
    (task,) = got["ListInstanceSignPolicyExecTasks"]["tasks"]
    equal((task["repository"], task["namespace"], task["status"]), ("app", "sdk", "Success"))
    for name in ("ListAssociateRegistries", "ListAssociateRegistries.region"):
        (row,) = got[name]["data_list"]
        equal(row["registry_type"], "SwrEnterprise", name)
    equal(len(got["projects"]["projects"]), 1)
    made, changed, gone = got["ImmutableRules"]
    equal([rules["immutable_rules"][0]["tag_selectors"][0]["pattern"] for rules in (made, changed)],
          ["release-*", "v*"])
    equal((made["total"], changed["immutable_rules"][0]["namespace_name"], gone["total"]), (1, "sdk", 0))
    equal(got["Artifacts"], [[2, 5], [0, 0], [1, 2]])
    equal(got["TagImmutability"], [True, False])
    assert got["ScannedImages"]["sdk/app:v1"] in ("success", "failed"), got["ScannedImages"]
    equal(got["ScannedImages"]["kept/app:v1"] in ("unscan", "success", "failed", "scanning"), True)


def test_image_retention(world, folder):
    answers = by_sdk(world, folder, retention=True)
    faults = {name: a["error"] for name, a in answers.items() if "error" in a}
    equal(faults, {}, "SDK exceptions")
    got = answers["NamespaceRetention"]["ok"]
    equal((got["shown"]["rules"][0]["params"], got["shown"]["trigger"]["trigger_settings"]["cron"]),
          ({"latestPushedK": 1}, "0 0 3 * * ?"))
    equal([row["namespace_name"] for row in got["listed"]["retentions"]], ["kept"])
    equal([(run["status"], run["dry_run"]) for run in got["executions"][:1]], [("Succeed", True)])
    equal([(task["repository"], task["retained"], task["total"]) for task in got["tasks"]], [("app", 1, 5)])
    assert {part["action"] for part in got["parts"]} == {"DEL"}, got["parts"]
    got = answers["ImageRetention"]["ok"]
    equal([(one["kind"], one["pattern"]) for one in got["listed"][0]["rules"][0]["tag_selectors"]],
          [("label", "v1"), ("regexp", "^rc-")])
    equal(sorted(row["tag"] for row in got["history"]["retention_log"]), ["v2", "v3"])
    equal((got["shown"]["rules"][0]["template"], got["shown"]["rules"][0]["params"]), ("date_rule", {"days": "30"}))
    equal((got["refused"]["error"]["status"], got["gone"]["error"]["status"]), (400, 404))
    equal(sorted(world.web().get("/v2/kept/app/tags/list").json()["tags"]), ["rc-1", "v1", "v4"])


def test_a_wrong_secret_is_the_vendors_error(world, folder):
    answers = by_sdk(world, folder, secret="wrong-secret")
    for name, answer in answers.items():
        assert "error" in answer, f"{name} was accepted with a wrong secret"
    equal(answers["GetRepoBuildRecord"]["error"]["code"], "SignatureDoesNotMatch")
    equal(answers["PageImageRegistry.v1"]["error"]["code"], "SignatureDoesNotMatch")
    equal(answers["ListAssociateRegistries"]["error"]["code"], "APIGW.0301")
    equal(answers["ListAssociateRegistries"]["error"]["status"], 401)
    answers = by_sdk(world, folder, key="LTAInobody")
    equal(answers["GetRepoBuildRecord"]["error"]["code"], "InvalidAccessKeyId.NotFound")
    equal(answers["ListInstanceSignPolicyExecTasks"]["error"]["code"], "APIGW.0301")


def refused(function, *arguments, **params):
    try:
        answer = function(*arguments, **params)
    except Refused as fault:
        return fault.status, json.loads(fault.body)
    raise AssertionError(f"accepted: {answer}")


def test_vendor_errors(world):
    cloud = alibaba(world)
    status, body = refused(cloud.call, "2018-12-01", "NoSuchAction")
    equal((status, body["Code"]), (404, "InvalidAction.NotFound"))
    for field in ("RequestId", "HostId", "Message", "Recommend"):
        assert isinstance(body[field], str), f"{field} must be a string: {body}"
    status, body = refused(cloud.call, "2018-12-01", "GetRepoBuildRecord", InstanceId=world.ids["instance"])
    equal(status, 400)
    assert body["Code"].startswith("Missing"), body
    answer = cloud.call("2018-12-01", "GetRepoBuildRecord", InstanceId="cri-0000000000000000",
                        BuildRecordId=world.ids["record"])
    equal((answer["IsSuccess"], answer["Code"]), (False, "INSTANCE_NOT_EXIST"))
    hss = huawei(world)
    status, body = refused(hss.call, "GET", "/v5/{project}/image/image-sync/tasks/none/registries", {"limit": 3})
    equal(status, 400)
    assert body["error_code"] and body["error_msg"], body
    hss.project = "0" * 32
    status, body = refused(hss.call, "GET", "/v5/{project}/image/tasks", {"type": "image_sync"})
    assert status in (401, 403, 404) and body["error_code"], (status, body)


def test_a_replayed_request_is_refused(world):
    import urllib.request
    cloud = alibaba(world)
    sent = []
    real = urllib.request.Request

    class Spy(real):
        def __init__(self, *arguments, **more):
            super().__init__(*arguments, **more)
            sent.append(self)
    urllib.request.Request = Spy
    try:
        cloud.cr("ListInstance")
    finally:
        urllib.request.Request = real
    again = world.web(user=None).post(sent[0].selector, b"", dict(sent[0].header_items()))
    equal((again.status, again.json()["Code"]), (400, "SignatureNonceUsed"))


def test_tokens_of_the_small_iam(world):
    about = world.api("GET", "/instance")
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": {
        "name": "admin", "password": PASSWORD, "domain": {"name": about["domain_name"]}}}},
        "scope": {"project": {"name": about["project_name"]}}}}
    web = world.web(user=None)
    reply = web.post("/v3/auth/tokens", json.dumps(body).encode(), {"Content-Type": "application/json"})
    equal(reply.status, 201)
    token = reply.headers["X-Subject-Token"]
    path = f"/v5/{about['project_id']}/image/image-sync/tasks/{world.ids['task']}/registries"
    equal(web.get(path, {"X-Auth-Token": token}).status, 200)
    equal(web.get(path, {"X-Auth-Token": token[:-2] + "xx"}).status, 401)
    equal(web.get(path).status, 401)
    body["auth"]["identity"]["password"]["user"]["password"] = "wrong"
    equal(web.post("/v3/auth/tokens", json.dumps(body).encode(), {"Content-Type": "application/json"}).status, 401)


if __name__ == "__main__":
    main()
