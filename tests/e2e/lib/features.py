"""Builds, scans, signatures and copies as the clouds' users ask for them."""
import os
import subprocess

from lib import oci
from lib.clouds import Alibaba, alibaba, huawei
from lib.runner import wait_for

GIT_IDENTITY = {"GIT_AUTHOR_NAME": "E2E", "GIT_AUTHOR_EMAIL": "e2e@localhost", "GIT_COMMITTER_NAME": "E2E",
                "GIT_COMMITTER_EMAIL": "e2e@localhost"}


def git(folder, *words):
    return subprocess.run(["git", "-C", folder, *words], check=True, text=True, capture_output=True,
                          env={"PATH": os.environ["PATH"], "HOME": folder, **GIT_IDENTITY}).stdout.strip()


def git_source(root, name, files, branch="main"):
    """A repository `e2e/<name>` below `root`; a second call commits what has changed. The commit."""
    folder = os.path.join(root, "e2e", name)
    if not os.path.isdir(folder):
        os.makedirs(folder)
        git(folder, "init", "-q", "-b", branch)
    for path, text in files.items():
        full = os.path.join(folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as file:
            file.write(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "change")
    return git(folder, "rev-parse", "HEAD")


class Cloud:
    """One server's clouds, with the ids every call needs."""

    def __init__(self, server):
        self.server = server
        self.alibaba, self.huawei = alibaba(server), huawei(server)
        instance = self.alibaba.cr("ListInstance")["Instances"][0]
        self.instance, self.region = instance["InstanceId"], instance["RegionId"]
        self.swr_instance = self.huawei.call("GET", "/v2/{project}/instances")["instances"][0]["id"]

    def cr(self, action, **params):
        return self.alibaba.cr(action, InstanceId=self.instance, **params)

    def cr_raw(self, action, **params):
        """With business failures as they are."""
        return self.alibaba.call(Alibaba.CR, action, InstanceId=self.instance, **params)

    # ---- places
    def repository(self, space, name):
        found = self.cr_raw("GetRepository", RepoNamespaceName=space, RepoName=name)
        if found.get("IsSuccess"):
            return found["RepoId"]
        if not self.cr_raw("GetNamespace", NamespaceName=space).get("IsSuccess"):
            self.cr("CreateNamespace", NamespaceName=space)
        return self.cr("CreateRepository", RepoNamespaceName=space, RepoName=name, RepoType="PRIVATE",
                       Summary="e2e")["RepoId"]

    def repo_id(self, space, name):
        return self.cr("GetRepository", RepoNamespaceName=space, RepoName=name)["RepoId"]

    # ---- build
    def provider(self, root):
        names = [p["name"] for p in self.server.api("GET", "/source-providers")["items"]]
        if "files" not in names:
            self.server.api("POST", "/source-providers", {"name": "files", "type": "GITLAB", "domain": "localhost",
                                                          "url_template": f"file://{root}/{{namespace}}/{{name}}"})

    def build_rule(self, space, name, **rule):
        """A repository built from e2e/<name>; (repository id, rule id)"""
        repo = self.repository(space, name)
        if not self.cr_raw("GetRepoSourceCodeRepo", RepoId=repo).get("IsSuccess"):
            self.cr("CreateRepoSourceCodeRepo", RepoId=repo, CodeRepoType="GITLAB", CodeRepoNamespaceName="e2e",
                    CodeRepoName=name)
        settings = {"PushType": "GIT_BRANCH", "PushName": "main", "ImageTag": "latest", "DockerfileLocation": "/",
                    "DockerfileName": "Dockerfile", **rule}
        return repo, self.cr("CreateRepoBuildRule", RepoId=repo, **settings)["BuildRuleId"]

    def start_build(self, repo, rule):
        return self.cr("CreateBuildRecordByRule", RepoId=repo, BuildRuleId=rule)["BuildRecordId"]

    def build_status(self, record):
        return self.cr("GetRepoBuildRecord", BuildRecordId=record)["Status"]

    def build_log(self, repo, record):
        lines = []
        while True:
            page = self.cr("ListRepoBuildRecordLog", RepoId=repo, BuildRecordId=record,
                           Offset=len(lines))["BuildRecordLogs"]
            if not page:
                return lines
            lines += page

    def log_text(self, repo, record):
        return "\n".join(line["Message"] for line in self.build_log(repo, record))

    def finish_build(self, repo, record, seconds=600):
        status = wait_for("the build to end", lambda: self.build_status(record) not in ("PENDING", "BUILDING") and
                          self.build_status(record), seconds, 0.3)
        return status, self.log_text(repo, record)

    def build(self, repo, rule):
        return self.finish_build(repo, self.start_build(repo, rule))

    # ---- scan
    def scan(self, repo, tag):
        """(task id, final status)"""
        task = self.cr("CreateRepoTagScanTask", RepoId=repo, Tag=tag)["RequestId"]
        return task, self.finish_scan(task)

    def finish_scan(self, task):
        def ended():
            status = self.cr("GetRepoTagScanStatus", ScanTaskId=task)["Status"]
            return status if status in ("COMPLETE", "FAILED") else None
        return wait_for("the scan to end", ended, 300, 0.2)

    def findings(self, task, **filters):
        rows, page = [], 0
        while True:
            page += 1
            answer = self.cr("ListRepoTagScanResult", ScanTaskId=task, PageNo=page, PageSize=100, **filters)
            rows += answer["Vulnerabilities"]
            if len(rows) >= answer["TotalCount"] or not answer["Vulnerabilities"]:
                return rows, answer["TotalCount"]

    # ---- sign
    def policies(self, space):
        return f"/v2/{{project}}/instances/{self.swr_instance}/namespaces/{space}/signature/policies"

    def signing_key(self, name):
        for key in self.server.api("GET", "/signing-keys")["items"]:
            if key["name"] == name:
                return key
        return self.server.api("POST", "/signing-keys", {"name": name})

    def sign_policy(self, space, key, name="all", repositories="**", tags="**", trigger="manual"):
        return self.huawei.call("POST", self.policies(space), body={
            "name": name, "enabled": True, "signature_method": "KMS", "signature_algorithm": "ECDSA_SHA_256",
            "signature_key": key["id"], "trigger": {"type": trigger}, "scope_rules": [{
                "repo_scope_mode": "regular",
                "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": tags}],
                "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches",
                                                    "pattern": repositories}]}}]})["id"]

    def execute(self, space, policy):
        return self.huawei.call("POST", f"{self.policies(space)}/{policy}/executions")["id"]

    def finish_execution(self, space, policy, execution):
        path = f"{self.policies(space)}/{policy}/executions"

        def ended():
            rows = self.huawei.call("GET", path, {"limit": 100})["executions"]
            row = next(r for r in rows if r["id"] == execution)
            return row if row["status"] not in ("InProgress", "Initialized", "Pending") else None
        return wait_for("the signing to end", ended, 120, 0.2)

    def sign(self, space, policy):
        return self.finish_execution(space, policy, self.execute(space, policy))

    def sign_tasks(self, space, policy, execution):
        return self.huawei.call("GET", f"{self.policies(space)}/{policy}/executions/{execution}/tasks",
                                {"limit": 100})["tasks"]

    def sign_subtasks(self, space, policy, execution, task):
        return self.huawei.call("GET", f"{self.policies(space)}/{policy}/executions/{execution}/tasks/{task}/subtasks",
                                {"limit": 100})["sub_tasks"]

    # ---- synchronise
    def connect(self, name, url, kind="oci", **more):
        return self.server.api("POST", "/connections", {"name": name, "kind": kind, "url": url, "region": self.region,
                                                        **more})

    def sync_rule(self, space, connection, name="copy", **more):
        return self.cr("CreateRepoSyncRule", **{
            "NamespaceName": space, "SyncRuleName": name, "SyncScope": "NAMESPACE", "TagFilter": ".*",
            "RepoNameFilter": ".*", "SyncTrigger": "INITIATIVE", "TargetInstanceId": connection["alias"],
            "TargetRegionId": self.region, "TargetNamespaceName": space, **more})["SyncRuleId"]

    def copy(self, repo, rule, tag):
        """The finished task."""
        return self.finish_copy(self.cr("CreateRepoSyncTaskByRule", RepoId=repo, SyncRuleId=rule,
                                        Tag=tag)["SyncTaskId"])

    def finish_copy(self, task, seconds=300):
        def ended():
            answer = self.cr("GetRepoSyncTask", SyncTaskId=task)
            return answer if answer["TaskStatus"] in ("SUCCESS", "ERROR", "CANCELED") else None
        return wait_for("the copy to end", ended, seconds, 0.2)

    # ---- inventory
    def sync_tasks(self):
        return self.huawei.call("GET", "/v5/{project}/image/tasks", {"type": "image_sync", "limit": 200})["data_list"]

    def start_inventory(self, **body):
        before = {task["task_id"] for task in self.sync_tasks()}
        self.huawei.call("POST", "/v5/{project}/image/image-sync/tasks",
                         body=body or {"sync_all_registries": True})
        return wait_for("the task to show", lambda: [
            t["task_id"] for t in self.sync_tasks() if t["task_id"] not in before], 60)[0]

    def inventory_rows(self, task, **filters):
        return self.huawei.call("GET", f"/v5/{{project}}/image/image-sync/tasks/{task}/registries",
                                {"limit": 200, **filters})["data_list"]


def push_busybox(server, repository="library/busybox", tag="latest"):
    return oci.push(server.web(), repository, oci.busybox_image(), tag)
