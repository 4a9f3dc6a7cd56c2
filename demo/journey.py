"""One image's way through Wharfage, asked for as a cloud's user would ask: Alibaba's and Huawei's calls, signed; the
native API only for what neither cloud has a call for."""
import base64
import json
import os
import subprocess
import urllib.error
import urllib.request

from clouds import Alibaba, Huawei, Refused
from steps import Trouble, wait_for

NAMESPACE, REPOSITORY, TAG = "harbour", "hello", "main"
DOCKERFILE = """\
FROM debian:12
ARG GREETING=hello
COPY hello.sh /usr/local/bin/hello
RUN echo "$GREETING from a build without network to this machine" > /etc/greeting && chmod 755 /usr/local/bin/hello
RUN hello && dpkg-query -W | wc -l
CMD ["/usr/local/bin/hello"]
"""


def git(folder, *words):
    identity = {"GIT_AUTHOR_NAME": "Demo", "GIT_AUTHOR_EMAIL": "demo@localhost", "GIT_COMMITTER_NAME": "Demo",
                "GIT_COMMITTER_EMAIL": "demo@localhost", "HOME": folder, "PATH": os.environ["PATH"]}
    return subprocess.run(["git", "-C", folder, *words], check=True, text=True, capture_output=True,
                          env=identity).stdout.strip()


class Journey:
    def __init__(self, house):
        self.house = house
        key, secret = house.facts["key"], house.facts["secret"]
        self.alibaba = Alibaba(house.url, key, secret)
        self.huawei = Huawei(house.url, key, secret)
        self.found = {}  # ids of what has been made, for the five calls

    # ---- the native API
    def native(self, method, path, body=None):
        login = base64.b64encode(f"admin:{self.house.facts['password']}".encode()).decode()
        request = urllib.request.Request(self.house.url + "/api/v1" + path, method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": "Basic " + login,
                                                  "Content-Type": "application/json"})
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=600) as reply:
                return json.loads(reply.read() or b"null")
        except urllib.error.HTTPError as fault:
            raise Refused(fault.code, fault.read()) from None

    def named(self, path, name, body):
        """The thing called `name`, made when it is not there yet."""
        for item in self.native("GET", path)["items"]:
            if item["name"] == name:
                return item
        return self.native("POST", path, {"name": name, **body})

    # ---- who we are
    def meet(self):
        instance = self.alibaba.cr("ListInstance")["Instances"][0]
        self.found["InstanceId"] = instance["InstanceId"]
        self.region = instance["RegionId"]
        project = self.huawei.call("GET", "/v3/projects")["projects"][0]
        self.huawei.project = project["id"]
        self.found["instance_id"] = self.huawei.call("GET", "/v2/{project}/instances")["instances"][0]["id"]
        return f"instance {instance['InstanceId']}, project {project['name']}"

    def cr(self, action, **params):
        return self.alibaba.cr(action, InstanceId=self.found["InstanceId"], **params)

    # ---- a base image and a source
    def push_base(self, layout):
        target = f"docker://{self.house.address}/library/debian:12"
        words = ["skopeo", "copy", "--insecure-policy", "-q", "--dest-tls-verify=false",
                 f"--dest-creds=admin:{self.house.facts['password']}", f"oci:{layout}:12", target]
        done = subprocess.run(words, text=True, capture_output=True)
        if done.returncode:
            raise Trouble(f"skopeo could not push the Debian root: {done.stderr.strip()}")
        return f"{self.house.address}/library/debian:12"

    def make_source(self):
        folder = self.house.path("git", "demo", "hello.git")
        if not os.path.isdir(folder):
            os.makedirs(folder)
            git(folder, "init", "-q", "-b", "main")
        for name, text in (("Dockerfile", DOCKERFILE), ("hello.sh", "#!/bin/sh\ncat /etc/greeting\n")):
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        git(folder, "add", "-A")
        if git(folder, "status", "--porcelain"):
            git(folder, "commit", "-q", "-m", "Say hello")
        self.found["commit"] = git(folder, "rev-parse", "HEAD")
        return f"commit {self.found['commit'][:12]}"

    # ---- build
    def make_rule(self):
        provider = {"type": "GITLAB", "domain": "localhost", "url_template": "file://" + self.house.path("git") +
                    "/{namespace}/{name}.git"}
        self.named("/source-providers", "demo", provider)
        self.ensure(lambda: self.cr("GetNamespace", NamespaceName=NAMESPACE),
                    lambda: self.cr("CreateNamespace", NamespaceName=NAMESPACE))
        where = {"RepoNamespaceName": NAMESPACE, "RepoName": REPOSITORY}
        repository = self.ensure(lambda: self.cr("GetRepository", **where),
                                 lambda: self.cr("CreateRepository", RepoType="PRIVATE", Summary="demo", **where))
        self.found["RepoId"] = repo = repository["RepoId"]
        source = {"RepoId": repo, "CodeRepoType": "GITLAB", "CodeRepoNamespaceName": "demo", "CodeRepoName": "hello"}
        self.ensure(lambda: self.cr("GetRepoSourceCodeRepo", RepoId=repo),
                    lambda: self.cr("CreateRepoSourceCodeRepo", **source))
        rules = self.cr("ListRepoBuildRule", RepoId=repo)["BuildRules"]
        self.found["BuildRuleId"] = (rules[0] if rules else self.cr(
            "CreateRepoBuildRule", RepoId=repo, PushType="GIT_BRANCH", PushName="main", ImageTag=TAG,
            DockerfileLocation="/", DockerfileName="Dockerfile", BuildArgs=["GREETING=ahoy"]))["BuildRuleId"]
        return f"rule {self.found['BuildRuleId']}"

    @staticmethod
    def ensure(get, make):
        try:
            return get()
        except Refused:
            made = make()
            return made if "RepoId" in made else get()

    def build(self):
        repo = self.found["RepoId"]
        record = self.cr("CreateBuildRecordByRule", RepoId=repo, BuildRuleId=self.found["BuildRuleId"])["BuildRecordId"]
        self.found["BuildRecordId"] = record
        seen = 0

        def step():
            nonlocal seen
            status = self.cr("GetRepoBuildRecord", BuildRecordId=record)["Status"]
            while True:
                lines = self.cr("ListRepoBuildRecordLog", RepoId=repo, BuildRecordId=record, Offset=seen)["BuildRecordLogs"]
                for line in lines:
                    print(f"      {line['BuildStage']:<12} {line['Message']}", flush=True)
                seen += len(lines)
                if not lines:
                    return status if status not in ("PENDING", "BUILDING") else None
        status = wait_for("the build", step, 900)
        if status != "SUCCESS":
            raise Trouble(f"the build ended as {status}")
        self.found["digest"] = "sha256:" + self.cr("GetRepoTag", RepoId=repo, Tag=TAG)["Digest"].removeprefix("sha256:")

    # ---- scan
    def advisories(self):
        folder = os.environ.get("WHARFAGE_DEMO_VULNDB")
        if folder:
            zips = sorted(os.path.join(folder, n) for n in os.listdir(folder) if n in ("Debian.zip", "Alpine.zip"))
            paths = zips or [folder]
            return self.house.tool("vulndb", "import", *paths).splitlines()[0]
        try:
            return self.house.tool("vulndb", "update").splitlines()[0]
        except Trouble as trouble:
            if self.native("GET", "/advisories")["imported"]:
                return "those of an earlier run: the mirror cannot be reached now"
            raise Trouble(f"{trouble}\nWithout a network, set WHARFAGE_DEMO_VULNDB to a folder that holds OSV's "
                          "Debian.zip.") from None

    def scan(self):
        image = {"RepoId": self.found["RepoId"], "Tag": TAG}
        task = self.cr("CreateRepoTagScanTask", **image)["RequestId"]
        self.found["ScanTaskId"] = task

        def ended():
            status = self.cr("GetRepoTagScanStatus", ScanTaskId=task)["Status"]
            return status if status in ("COMPLETE", "FAILED") else None
        if wait_for("the scan", ended, 300) != "COMPLETE":
            raise Trouble("the scan failed: " + json.dumps(self.alibaba.call(
                Alibaba.CR, "GetRepoTagScanSummary", InstanceId=self.found["InstanceId"], ScanTaskId=task)))
        count = self.cr("GetRepoTagScanSummary", ScanTaskId=task)
        print(f"      {count['TotalSeverity']} findings: {count['HighSeverity']} high, {count['MediumSeverity']} medium, "
              f"{count['LowSeverity']} low, {count['UnknownSeverity']} unknown")
        for row in self.cr("ListRepoTagScanResult", ScanTaskId=task, PageSize=30, Severity="High")["Vulnerabilities"][:5]:
            fixed = row.get("VersionFixed") or "no fix yet"
            print(f"      {row['CveName']:<18} {row['Feature']:<16} {row['Version']:<24} fixed: {fixed}")

    # ---- sign
    def sign(self):
        key = self.named("/signing-keys", "demo", {})
        self.found["signing_key"] = key["id"]
        path = f"/v2/{{project}}/instances/{self.found['instance_id']}/namespaces/{NAMESPACE}/signature/policies"
        listed = self.huawei.call("GET", f"/v2/{{project}}/instances/{self.found['instance_id']}/signature/policies")
        mine = [p["id"] for p in listed["policies"] if p["name"] == "demo" and p["signature_key"] == key["id"]]
        selector = {"kind": "doublestar", "decoration": "repoMatches"}
        policy = mine[0] if mine else self.huawei.call("POST", path, body={
            "name": "demo", "enabled": True, "signature_method": "KMS", "signature_algorithm": "ECDSA_SHA_256",
            "signature_key": key["id"], "trigger": {"type": "manual"}, "scope_rules": [{
                "repo_scope_mode": "regular", "tag_selectors": [{**selector, "decoration": "matches", "pattern": "**"}],
                "scope_selectors": {"repository": [{**selector, "pattern": "**"}]}}]})["id"]
        execution = self.huawei.call("POST", f"{path}/{policy}/executions")["id"]
        self.found["sign_tasks"] = f"{path}/{policy}/executions/{execution}/tasks"

        def ended():
            rows = self.huawei.call("GET", f"{path}/{policy}/executions")["executions"]
            status = next(row["status"] for row in rows if row["id"] == execution)
            return status if status not in ("InProgress", "Initialized", "Pending") else None
        status = wait_for("the signing", ended, 120)
        if status not in ("Succeed", "Success"):
            raise Trouble(f"the signing ended as {status}")
        public = self.house.path("demo-key.pub")
        with open(public, "w") as file:
            file.write(key["public_key"])
        return f"policy {policy}, execution {execution}; public key in {public}"

    # ---- replicate and inventory
    def connect(self):
        peer = {"kind": "oci", "url": f"http://{self.house.peer_address}", "region": self.region}
        self.peer = self.named("/connections", "second-registry", peer)
        return f"{self.peer['url']}, known to Alibaba's calls as {self.peer['alias']}"

    def replicate(self):
        rules = self.cr("ListRepoSyncRule", NamespaceName=NAMESPACE)["SyncRules"]
        rule = rules[0]["SyncRuleId"] if rules else self.cr(
            "CreateRepoSyncRule", NamespaceName=NAMESPACE, SyncRuleName="demo", SyncScope="REPO", RepoName=REPOSITORY,
            TagFilter=".*", SyncTrigger="INITIATIVE", TargetInstanceId=self.peer["alias"], TargetRegionId=self.region,
            TargetNamespaceName=NAMESPACE, TargetRepoName=REPOSITORY)["SyncRuleId"]
        task = self.cr("CreateRepoSyncTaskByRule", RepoId=self.found["RepoId"], SyncRuleId=rule, Tag=TAG)["SyncTaskId"]

        def ended():
            answer = self.cr("GetRepoSyncTask", SyncTaskId=task)
            return answer if answer["TaskStatus"] in ("SUCCESS", "ERROR", "CANCELED") else None
        answer = wait_for("the copy", ended, 300)
        if answer["TaskStatus"] != "SUCCESS":
            raise Trouble("the copy ended as " + json.dumps(answer))
        return f"{len(answer['LayerTasks'])} layers, to {self.house.peer_address}/{NAMESPACE}/{REPOSITORY}:{TAG}"

    def inventory(self):
        tasks = "/v5/{project}/image/tasks"
        before = {t["task_id"] for t in self.huawei.call("GET", tasks, {"type": "image_sync"})["data_list"]}
        self.huawei.call("POST", "/v5/{project}/image/image-sync/tasks", body={"sync_all_registries": True})
        rows = wait_for("the task", lambda: [
            t["task_id"] for t in self.huawei.call("GET", tasks, {"type": "image_sync"})["data_list"]
            if t["task_id"] not in before], 30)
        self.found["task_id"] = rows[0]
        path = f"/v5/{{project}}/image/image-sync/tasks/{rows[0]}/registries"

        def ended():
            listed = self.huawei.call("GET", path)["data_list"]
            return listed if listed and all(r["sync_status"] != "running" for r in listed) else None
        listed = wait_for("the inventory", ended, 120)
        return ", ".join(f"{r['registry_name']}: {r['sync_status']}" for r in listed)

    # ---- what it all comes to
    def five_calls(self):
        instance = {"InstanceId": self.found["InstanceId"]}
        return [
            ("cr GetRepoBuildRecord", self.alibaba.call(Alibaba.CR, "GetRepoBuildRecord", **instance,
                                                        BuildRecordId=self.found["BuildRecordId"])),
            ("cr GetRepoTagScanStatus", self.alibaba.call(Alibaba.CR, "GetRepoTagScanStatus", **instance,
                                                          RepoId=self.found["RepoId"], Tag=TAG)),
            ("sas PageImageRegistry", self.alibaba.sas("PageImageRegistry", CurrentPage=1, PageSize=20)),
            ("swr ListInstanceSignPolicyExecTasks", self.huawei.call("GET", self.found["sign_tasks"])),
            ("hss ListAssociateRegistries", self.huawei.call(
                "GET", f"/v5/{{project}}/image/image-sync/tasks/{self.found['task_id']}/registries")),
        ]

    def waybill(self):
        return self.native("GET", f"/waybill?repository={NAMESPACE}/{REPOSITORY}&reference={self.found['digest']}")
