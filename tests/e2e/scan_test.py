#!/usr/bin/env python3
"""Scans: what is in an image, what is wrong with it, and when that cannot be said."""
import os

from lib import oci
from lib.clients import Skopeo, prepared
from lib.features import Cloud
from lib.runner import equal, fixture, main, need, wait_for
from lib.server import Server, run_tool

DATA = os.environ.get("WHARFAGE_TEST_DATA", "")
RELEASE = b'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n'
ALPINE = b'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.17.0\n'


def stanza(name, version, source="", architecture="amd64"):
    text = f"Package: {name}\nStatus: install ok installed\nArchitecture: {architecture}\nVersion: {version}\n"
    return text + (f"Source: {source}\n" if source else "") + "Description: made for a test\n\n"


def debian(*packages, release=RELEASE):
    return {"etc/": None, "etc/os-release": release, "var/": None, "var/lib/": None, "var/lib/dpkg/": None,
            "var/lib/dpkg/status": "".join(stanza(*p) for p in packages).encode()}


def advisory(folder, name, package, fixed, ecosystem="Debian:12", urgency="high"):
    """One OSV record of our own, so that the outcome is known exactly."""
    import json
    events = [{"introduced": "0"}] + ([{"fixed": fixed}] if fixed else [])
    record = {"id": name, "modified": "2026-01-01T00:00:00Z", "published": "2026-01-01T00:00:00Z",
              "schema_version": "1.6.0", "details": f"{package} is broken", "upstream": [name.replace("DEBIAN-", "")],
              "affected": [{"package": {"ecosystem": ecosystem, "name": package}, "ecosystem_specific": {
                  "urgency": urgency}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}]}
    with open(os.path.join(folder, f"{name}.json"), "w") as file:
        json.dump(record, file)


@fixture
def scanner():
    import shutil
    import tempfile
    folder = tempfile.mkdtemp(prefix="wharfage-scan-")
    own = os.path.join(folder, "advisories")
    os.mkdir(own)
    advisory(own, "DEBIAN-CVE-2026-0001", "alpha", "1.2-3")
    advisory(own, "DEBIAN-CVE-2026-0002", "beta", None, urgency="low")
    advisory(own, "CVE-2026-0003", "gamma", "2.0-r1", ecosystem="Alpine:v3.17")
    try:
        with Server(os.path.join(folder, "server")) as server:
            run_tool("vulndb", "import", own, "--data", server.data)
            wait_for("the advisories", lambda: server.api("GET", "/advisories")["imported"], 60)
            server.cloud = Cloud(server)
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def scan_image(scanner, name, layers):
    oci.push(scanner.web(), f"scan/{name}", oci.Image(layers))
    task, status = scanner.cloud.scan(scanner.cloud.repo_id("scan", name), "latest")
    return task, status


def names(rows):
    return sorted((row["CveName"], row["Feature"], row["Version"], row.get("VersionFixed", "")) for row in rows)


def test_findings_of_a_debian_image(scanner):
    task, status = scan_image(scanner, "debian", [debian(("libalpha1", "1.2-2", "alpha"), ("beta", "9"), ("gamma", "1"))])
    equal(status, "COMPLETE")
    rows, total = scanner.cloud.findings(task)
    equal(total, len(rows))
    found = names(rows)
    equal([row[0] for row in found], ["CVE-2026-0001", "CVE-2026-0002"], "findings")
    equal(found[0][3], "1.2-3", "fixed version")
    summary = scanner.cloud.cr("GetRepoTagScanSummary", ScanTaskId=task)
    equal((summary["HighSeverity"], summary["LowSeverity"], summary["TotalSeverity"]), (1, 1, 2))
    equal(names(scanner.cloud.findings(task, Severity="High")[0]), found[:1])
    repo = scanner.cloud.repo_id("scan", "debian")
    equal(scanner.cloud.cr("GetRepoTagScanStatus", RepoId=repo, Tag="latest")["Status"], "COMPLETE")


def test_versions_decide(scanner):
    task, _ = scan_image(scanner, "fixed", [debian(("libalpha1", "1.2-3", "alpha"), ("alpha-tools", "1.10-1", "alpha"))])
    equal(scanner.cloud.findings(task)[0], [], "nothing is wrong with the fixed version and later ones")
    task, _ = scan_image(scanner, "tilde", [debian(("libalpha1", "1.2-3~deb12u1", "alpha"))])
    equal(len(scanner.cloud.findings(task)[0]), 1, "1.2-3~deb12u1 is before 1.2-3")


def test_layers_and_whiteouts(scanner):
    upgraded = debian(("libalpha1", "1.2-3", "alpha"))
    task, _ = scan_image(scanner, "upgraded", [debian(("libalpha1", "1.2-2", "alpha")), upgraded])
    equal(scanner.cloud.findings(task)[0], [])
    task, status = scan_image(scanner, "removed", [debian(("libalpha1", "1.2-2", "alpha")),
                                                   {"var/": None, "var/lib/": None, "var/lib/dpkg/": None,
                                                    "var/lib/dpkg/.wh.status": b""}])
    if status == "COMPLETE":
        equal(scanner.cloud.findings(task)[0], [], "findings of a removed package database")
    second = [debian(("base", "1")), debian(("base", "1"), ("libalpha1", "1.2-2", "alpha"))]
    oci.push(scanner.web(), "scan/layered", oci.Image(second))
    task, _ = scanner.cloud.scan(scanner.cloud.repo_id("scan", "layered"), "latest")
    layers = oci.pull(scanner.web(), "scan/layered", "latest")["layers"]
    (row,) = scanner.api("GET", "/findings?repository=scan/layered&reference=latest")["items"]
    equal(row["layer"], layers[1]["digest"], "the introducing layer")
    (row,) = scanner.cloud.findings(task)[0]
    equal(row["AddedBy"].removeprefix("sha256:"), layers[1]["digest"].removeprefix("sha256:"))


def test_findings_of_an_alpine_image(scanner):
    database = b"P:gamma\nV:2.0-r0\nA:x86_64\no:gamma\n\nP:delta\nV:1.0-r0\nA:x86_64\no:delta\n\n"
    task, status = scan_image(scanner, "alpine", [{"etc/": None, "etc/os-release": ALPINE, "lib/": None, "lib/apk/": None,
                                                   "lib/apk/db/": None, "lib/apk/db/installed": database}])
    equal(status, "COMPLETE")
    equal([row[0] for row in names(scanner.cloud.findings(task)[0])], ["CVE-2026-0003"])


def test_what_cannot_be_judged_is_said_so_never_clean(scanner):
    for name, layers in (("scratch", [{"app": b"\x7fELF"}]),
                         ("unknown", [{"etc/": None, "etc/os-release": b"ID=plan9\nVERSION_ID=4\n"}]),
                         ("old", [debian(("libalpha1", "1", "alpha"), release=b"ID=debian\nVERSION_ID=99\n")])):
        task, status = scan_image(scanner, name, layers)
        equal(status, "FAILED", name)
        for action in ("GetRepoTagScanSummary", "ListRepoTagScanResult"):
            answer = scanner.cloud.cr_raw(action, ScanTaskId=task)
            assert answer["IsSuccess"] is False and answer["Message"], answer


def test_no_advisory_data_is_a_failure(folder):
    server = Server(folder)
    oci.push(server.web(), "scan/app", oci.Image([debian(("libalpha1", "1", "alpha"))]))
    cloud = Cloud(server)
    task, status = cloud.scan(cloud.repo_id("scan", "app"), "latest")
    equal(status, "FAILED")
    assert cloud.cr_raw("GetRepoTagScanSummary", ScanTaskId=task)["IsSuccess"] is False
    server.stop()


def test_scan_on_push(scanner):
    scanner.cloud.repository("auto", "app")
    rule = scanner.cloud.cr("CreateScanRule", RuleName="on push", ScanScope="NAMESPACE", TriggerType="AUTO",
                            RepoTagFilterPattern=".*", Namespaces='["auto"]')
    assert rule["ScanRuleId"].startswith("crscnr-"), rule
    oci.push(scanner.web(), "auto/app", oci.Image([debian(("libalpha1", "1.2-2", "alpha"))]), "v1")
    repo = scanner.cloud.repo_id("auto", "app")

    def complete():
        answer = scanner.cloud.cr_raw("GetRepoTagScanStatus", RepoId=repo, Tag="v1")
        return answer.get("Status") == "COMPLETE"
    wait_for("the scan that the push began", complete, 120)


def test_hostile_layers_do_no_harm(scanner):
    import gzip
    bomb = gzip.compress(b"\0" * 300_000_000, 9)
    image = oci.Image([debian(("libalpha1", "1.2-2", "alpha"))])
    import json
    value = json.loads(image.manifest)
    value["layers"].append(image.keep(bomb, oci.LAYER))
    value["layers"].append(image.keep(b"this is no archive", oci.LAYER))
    image.manifest = oci.packed(value)
    image.digest = oci.digest(image.manifest)
    oci.push(scanner.web(), "scan/hostile", image)
    _, status = scanner.cloud.scan(scanner.cloud.repo_id("scan", "hostile"), "latest")
    equal(status, "FAILED", "a layer that cannot be read")
    equal(scanner.web().get("/readyz").status, 200)


def expected(archive, sources):
    """The same question answered another way: every record read again, versions compared by dpkg."""
    import json
    import subprocess
    import zipfile

    def before(one, other):
        return subprocess.run(["dpkg", "--compare-versions", one, "lt", other]).returncode == 0

    def hit(version, ranges):
        for span in ranges:
            inside = False
            for event in span["events"]:
                if "introduced" in event:
                    inside = event["introduced"] == "0" or not before(version, event["introduced"])
                elif "fixed" in event and inside and not before(version, event["fixed"]):
                    inside = False
            if inside:
                return True
        return False
    wanted = set()
    with zipfile.ZipFile(archive) as records:
        for name in records.namelist():
            record = json.loads(records.read(name))
            ids = {i for i in (record["id"], *record.get("aliases", ()), *record.get("related", ())) if i[:4] == "CVE-"}
            for item in record.get("affected", ()) if not record.get("withdrawn") else ():
                package = item["package"]
                version = sources.get(package["name"]) if package["ecosystem"] == "Debian:12" else None
                if version and hit(version, item.get("ranges", ())):
                    wanted.update((cve, package["name"]) for cve in ids)
    return wanted


def test_real_advisories_and_a_real_system(folder):
    archive = os.path.join(DATA, "osv", "Debian.zip")
    need(DATA and os.path.exists(archive), "WHARFAGE_TEST_DATA holds no osv/Debian.zip")
    layout = prepared("debian")
    server = Server(folder)
    run_tool("vulndb", "import", archive, "--data", server.data)
    wait_for("the advisories", lambda: server.api("GET", "/advisories")["imported"], 60)
    Skopeo(folder).copy(f"oci:{layout}:12", f"docker://{server.address}/library/debian:12")
    cloud = Cloud(server)
    task, status = cloud.scan(cloud.repo_id("library", "debian"), "12")
    equal(status, "COMPLETE")
    where = "repository=library/debian&reference=12&limit=1000"
    packages = server.api("GET", "/packages?" + where)["items"]
    assert len(packages) > 50 and any(p["name"] == "dpkg" for p in packages), len(packages)
    found = server.api("GET", f"/findings?{where}&with_hidden=true")["items"]
    wanted = expected(archive, {p.get("source") or p["name"]: p.get("source_version") or p["version"] for p in packages})
    assert wanted, "the advisories say nothing about this system"
    equal({(row["id"], row["package"]) for row in found}, wanted, "findings, against dpkg's own comparison")
    rows, total = cloud.findings(task)
    equal((len(rows), total), (len([r for r in found if r["severity"] != "negligible"]),) * 2)
    server.stop()


if __name__ == "__main__":
    main()
