#!/usr/bin/env python3
"""What connected registries hold: one row per registry; a dead one fails by itself and holds up nobody."""
import http.server
import json
import os
import socket
import threading

from lib import oci
from lib.clients import PlainRegistry
from lib.clouds import Refused
from lib.features import Cloud
from lib.runner import equal, fixture, main, wait_for
from lib.web import Web

SETTINGS = {"network.allowed": "127.0.0.1/32"}


@fixture
def collector(server):
    server.cloud = Cloud(server)
    yield server


@fixture
def plain():
    import shutil
    import tempfile
    folder = tempfile.mkdtemp(prefix="wharfage-peer-")
    peer = PlainRegistry(folder)
    image = oci.small_image(1)
    for name in ("group/one", "group/two"):
        oci.push(Web(peer.url), name, image, "v1")
    oci.put_manifest(Web(peer.url), "group/two", "v2", image.manifest)
    try:
        yield peer
    finally:
        peer.stop()
        shutil.rmtree(folder, ignore_errors=True)


class Silent:
    """A registry that accepts connections and never answers."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def close(self):
        self.socket.close()


def ended(collector, task):
    rows = collector.cloud.inventory_rows(task)
    return rows if rows and all(r["sync_status"] != "running" for r in rows) else None


def test_one_row_per_registry_with_its_own_end(collector, plain):
    silent = Silent()
    try:
        collector.cloud.connect("good", plain.url)
        collector.cloud.connect("silent", silent.url)
        gone = PlainRegistry(os.path.join(collector.folder, "gone"))
        collector.cloud.connect("gone", gone.url)
        gone.stop()
        task = collector.cloud.start_inventory()

        def good_and_own_ended():
            rows = {r["registry_name"]: r["sync_status"] for r in collector.cloud.inventory_rows(task)}
            return rows if rows.get("good") == "finished" else None
        rows = wait_for("the good registry", good_and_own_ended, 120)
        equal(len(rows), 4, "our own instance and three connections")
        equal(rows["silent"], "running", "it has not held up the others")
    finally:
        silent.close()
    rows = {r["registry_name"]: r for r in wait_for("all to end", lambda: ended(collector, task), 300, 0.5)}
    equal(rows["good"]["sync_status"], "finished")
    for name in ("gone", "silent"):
        equal(rows[name]["sync_status"], "failed")
        assert rows[name]["failed_reason"], rows[name]
    own = [r for r in rows.values() if r["registry_type"] == "SwrEnterprise"]
    equal([r["sync_status"] for r in own], ["finished"], "our own instance")
    equal(rows["good"]["registry_type"], "Other")


def test_filters_and_pages(collector, plain):
    task = collector.cloud.sync_tasks()[0]["task_id"]
    failed = collector.cloud.inventory_rows(task, sync_status="failed")
    equal(sorted(r["registry_name"] for r in failed), ["gone", "silent"])
    equal([r["registry_name"] for r in collector.cloud.inventory_rows(task, registry_name="goo")], ["good"])
    kinds = collector.cloud.inventory_rows(task, registry_type="Other,Harbor")
    equal(len(kinds), 3)
    path = f"/v5/{{project}}/image/image-sync/tasks/{task}/registries"
    page = collector.cloud.huawei.call("GET", path, {"offset": 2, "limit": 10})
    equal((page["total_num"], len(page["data_list"])), (4, 2))
    for bad in ({"limit": 5}, {"limit": 500}, {"offset": -1}, {"sync_status": "maybe"}):
        try:
            collector.cloud.huawei.call("GET", path, bad)
            raise AssertionError(f"{bad} was accepted")
        except Refused as refused:
            equal(refused.status, 400, str(bad))
            assert json.loads(refused.body)["error_code"], refused


def test_the_images_found(collector, plain):
    listed = collector.api("GET", "/external-images?limit=1000")["items"]
    good = sorted((i["namespace"], i["name"], i["tag"]) for i in listed if i["registry"] == "good")
    equal(good, [("group", "one", "v1"), ("group", "two", "v1"), ("group", "two", "v2")])
    assert all(i["digest"].startswith("sha256:") and i["size"] > 0 for i in listed), listed


def test_chosen_registries_only(collector, plain):
    (one,) = [r for r in collector.cloud.huawei.call("GET", "/v5/{project}/image/registries",
                                                     {"limit": 200})["data_list"] if r["registry_name"] == "good"]
    task = collector.cloud.start_inventory(sync_all_registries=False, registry_info=[{"registry_id": one["id"]}])
    rows = wait_for("its end", lambda: ended(collector, task), 120)
    equal([r["registry_name"] for r in rows], ["good"])


def test_what_is_gone_disappears(collector, plain):
    web = Web(plain.url)
    digest = web.head("/v2/group/one/manifests/v1", {"Accept": oci.MANIFEST}).headers["Docker-Content-Digest"]
    equal(web.delete(f"/v2/group/one/manifests/{digest}").status, 202)
    (one,) = [c for c in collector.api("GET", "/connections")["items"] if c["name"] == "good"]
    task = collector.api("POST", "/inventories", {"all": False, "connections": [one["id"]]})["id"]
    wait_for("its end", lambda: ended(collector, task), 120)
    listed = collector.api("GET", f"/external-images?limit=1000&connection={one['id']}")["items"]
    equal(sorted((i["name"], i["tag"]) for i in listed), [("two", "v1"), ("two", "v2")])


def test_page_image_registry(collector, plain):
    cloud = collector.cloud.alibaba
    before = cloud.sas("PageImageRegistry", CurrentPage=1, PageSize=20)
    assert [r["RegistryType"] for r in before["List"]] == ["acr"], "our own instance, and no generic registry"
    added = cloud.sas("AddPrivateRegistry", RegistryType="harbor", DomainName=plain.address, RegistryHostIp="127.0.0.1",
                      RegistryRegionId="cn-hangzhou", RegistryVersion="V2", NetType=1, ProtocolType=1,
                      UserName="u", Password="very-secret-word", ExtraParam="[]", Port=plain.port)["Data"]
    page = cloud.sas("PageImageRegistry", CurrentPage=1, PageSize=20, RegistryTypeInList=["harbor", "quay"])
    equal([(r["Id"], r["RegistryType"]) for r in page["List"]], [(added["Id"], "harbor")])
    equal((page["PageInfo"]["TotalCount"], page["PageInfo"]["Count"]), (1, 1))
    assert "very-secret-word" not in json.dumps([added, page])
    equal(cloud.sas("PageImageRegistry", RegistryTypeNotInList=["harbor"])["PageInfo"]["TotalCount"], 1)
    equal(cloud.sas("DeletePrivateRegistry", RegistryId=added["Id"])["Data"], True)
    equal(cloud.sas("PageImageRegistry")["PageInfo"]["TotalCount"], 1)


def test_a_hostile_registry(collector):
    """Endless redirects, endless pages, absurd sizes: an end, and a reason."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path.startswith("/v2/_catalog"):
                self.send_response(200)
                body = b'{"repositories":["a/b"]}'
                self.send_header("Link", '</v2/_catalog?last=a/b>; rel="next"')
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            elif self.path == "/v2/":
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self.send_response(307)
                self.send_header("Location", self.path)
                self.send_header("Content-Length", "0")
                self.end_headers()

        do_HEAD = do_GET

        def log_message(self, *_):
            pass
    trap = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=trap.serve_forever, daemon=True).start()
    try:
        connection = collector.cloud.connect("hostile", f"http://127.0.0.1:{trap.server_port}")
        task = collector.api("POST", "/inventories", {"all": False, "connections": [connection["id"]]})["id"]
        (row,) = wait_for("its end", lambda: ended(collector, task), 300, 0.5)
        equal(row["sync_status"], "failed")
        assert row["failed_reason"], row
    finally:
        trap.shutdown()
        trap.server_close()


if __name__ == "__main__":
    main(SETTINGS)
