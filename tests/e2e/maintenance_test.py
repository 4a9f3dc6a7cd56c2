#!/usr/bin/env python3
"""Damage behind the server's back: found, reported, repaired or put into quarantine, and healed by a push."""
import json
import os
import sqlite3

from lib import oci
from lib.runner import equal, main, wait_for
from lib.server import Server, run_tool

SETTINGS = {"storage.unreferenced_for_s": 0, "storage.collect_interval_s": 3600}


def blob_file(server, name, area="blobs"):
    algorithm, digits = name.split(":")
    return os.path.join(server.data, area, algorithm, digits[:2], digits)


def run_job(server, what, body=None):
    begun = server.web().post(f"/api/v1/maintenance/{what}", json.dumps(body or {}).encode(),
                              {"Content-Type": "application/json"})
    equal(begun.status, 202, begun)
    run = f"/api/v1/maintenance/runs/{begun.json()['id']}"
    return wait_for(what, lambda: (lambda r: r if r["state"] not in ("waiting", "running") else None)(
        server.web().get(run).json()))


def faults(run):
    equal(run["state"], "succeeded", run)
    return {fault["name"]: fault["number"] for fault in run["faults"]}


def head(server, repository, name):
    return server.web().head(f"/v2/{repository}/blobs/{name}").status


def damage(server):
    """Three images and a stray; of the first a blob is corrupt, of the second one is gone."""
    images = [oci.small_image(n, 50_000) for n in range(3)]
    for n, image in enumerate(images):
        oci.push(server.web(), "team/app", image, f"v{n}")
    layers = [json.loads(image.manifest)["layers"][1]["digest"] for image in images]
    with open(blob_file(server, layers[0]), "r+b") as file:
        file.seek(1000)
        byte = file.read(1)[0]
        file.seek(1000)
        file.write(bytes([byte ^ 1]))
    os.remove(blob_file(server, layers[1]))
    stray = oci.digest(b"stray")
    os.makedirs(os.path.dirname(blob_file(server, stray)), exist_ok=True)
    with open(blob_file(server, stray), "wb") as file:
        file.write(b"stray")
    return images, layers, stray


def check_healed(server, images, layers, stray):
    equal((head(server, "team/app", layers[0]), head(server, "team/app", layers[1])), (404, 404),
          "so that clients send them again")
    equal(server.web().get(f"/v2/team/app/blobs/{layers[0]}").status, 404)
    assert os.path.exists(blob_file(server, layers[0], "quarantine"))
    oci.pull(server.web(), "team/app", "v2")
    again = oci.put_manifest(server.web(), "team/app", "v9", images[0].manifest.replace(b'"layers"', b' "layers"'))
    equal((again.status, again.code()), (404, "MANIFEST_BLOB_UNKNOWN"))
    for n, image in enumerate(images):
        oci.push(server.web(), "team/app", image, f"v{n}")
        oci.pull(server.web(), "team/app", f"v{n}")
    run_job(server, "collections")
    wait_for("the stray is gone",
             lambda: run_job(server, "collections") and not os.path.exists(blob_file(server, stray)))


def test_a_running_server(folder):
    with Server(os.path.join(folder, "one"), SETTINGS) as server:
        images, layers, stray = damage(server)
        first = run_job(server, "checks")
        equal(faults(first), {"blob_missing": 1, "file_unknown": 1}, "told, and nothing touched")
        equal((first["repaired"], first["problems"]), (0, 2))
        assert os.path.exists(blob_file(server, stray))
        mended = run_job(server, "checks", {"repair": True})
        found = {(f["fault"], f["subject"]) for f in mended["findings"]}
        assert ("blob_missing", layers[1]) in found and ("file_unknown", stray) in found, found
        assert ("image_incomplete", images[1].digest) in found, found

        scrubbed = run_job(server, "scrubs", {"bytes_per_second": -1})
        equal(faults(scrubbed), {"blob_corrupt": 1})
        equal((scrubbed["repaired"], scrubbed["problems"]), (0, 1), "lost bytes are not repaired")
        equal((scrubbed["findings"][0]["subject"], scrubbed["findings"][0]["repository"]),
              (layers[0], "team/app"))
        check_healed(server, images, layers, stray)
        for what in ("checks", "scrubs"):
            equal(faults(run_job(server, what)), {}, what)
        listed = server.web().get("/api/v1/maintenance/runs").json()["items"]
        assert {"check", "scrub", "collect"} == {run["kind"] for run in listed}, listed
        reclaimed = server.web().get("/metrics").body.decode()
        assert "wharfage_reclaimed_bytes_total 5\n" in reclaimed, reclaimed
        assert "wharfage_store_faults_total 0\n" not in reclaimed, reclaimed


def test_the_command_line_beside_a_running_server(folder):
    with Server(os.path.join(folder, "one"), SETTINGS) as server:
        images, layers, stray = damage(server)
        told = run_tool("fsck", "--data", server.data, settings=SETTINGS, check=False)
        equal(told.returncode, 7, told)
        assert layers[1] in told.stdout and stray in told.stdout, told.stdout
        mended = run_tool("fsck", "--repair", "--data", server.data, settings=SETTINGS, check=False)
        assert "[repaired]" in mended.stdout, mended.stdout
        scrubbed = run_tool("scrub", "--fast", "--data", server.data, settings=SETTINGS, check=False)
        equal(scrubbed.returncode, 7, scrubbed)
        assert layers[0] in scrubbed.stdout and "quarantined; push it again" in scrubbed.stdout, scrubbed.stdout
        assert "[repaired]" not in scrubbed.stdout and "1 left" in scrubbed.stdout, scrubbed.stdout
        check_healed(server, images, layers, stray)
        run_tool("fsck", "--data", server.data, settings=SETTINGS)
        run_tool("scrub", "--data", server.data, settings=SETTINGS)


def test_rows_that_an_image_needs_have_gone(folder):
    """The image of an index, and the link to a blob."""
    server = Server(os.path.join(folder, "one"), SETTINGS)
    other = oci.small_image(8)
    oci.push(server.web(), "team/other", other)
    layer = json.loads(other.manifest)["layers"][0]["digest"]
    image = oci.small_image(7)
    for data in image.blobs.values():
        oci.push_blob(server.web(), "team/app", data)
    equal(oci.put_manifest(server.web(), "team/app", image.digest, image.manifest).status, 201)
    index = json.dumps({"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": [
        {"mediaType": oci.MANIFEST, "digest": image.digest, "size": len(image.manifest)}]}).encode()
    equal(oci.put_manifest(server.web(), "team/app", "all", index, oci.INDEX).status, 201)
    server.stop()
    with sqlite3.connect(os.path.join(server.data, "wharfage.db")) as db:  # without foreign keys
        for table in ("manifest_blobs", "manifest_bytes"):
            db.execute(f"DELETE FROM {table} WHERE manifest_id = (SELECT id FROM manifests WHERE digest = ?)",
                       (image.digest,))
        db.execute("DELETE FROM manifests WHERE digest = ?", (image.digest,))
        db.execute("DELETE FROM repository_blobs WHERE digest = ?", (layer,))
    db.close()
    told = run_tool("fsck", "--data", server.data, settings=SETTINGS, check=False)
    equal(told.returncode, 7, told)
    for gone in (image.digest, layer):
        assert any("image_incomplete" in line and gone in line for line in told.stdout.splitlines()), told.stdout
    run_tool("fsck", "--repair", "--data", server.data, settings=SETTINGS, check=False)
    server.start()
    oci.push(server.web(), "team/app", image, image.digest)
    oci.push(server.web(), "team/other", other)
    equal(faults(run_job(server, "checks", {"repair": True})), {"link_loose": 1}, "the new link is needed")
    equal(faults(run_job(server, "checks")), {})
    server.stop()


def test_a_folder_without_a_registry(folder):
    nowhere = os.path.join(folder, "typo")
    done = run_tool("fsck", "--data", nowhere, settings=SETTINGS, check=False)
    assert done.returncode != 0 and nowhere in done.stdout + done.stderr, done
    assert not os.path.exists(nowhere)


def test_the_command_line_without_a_server(folder):
    server = Server(os.path.join(folder, "one"), SETTINGS)
    images, layers, stray = damage(server)
    server.stop()
    with sqlite3.connect(os.path.join(server.data, "wharfage.db")) as db:  # without foreign keys
        db.execute("UPDATE tags SET manifest_id = 4711 WHERE name = 'v2'")
        db.execute("INSERT INTO registry_changes SELECT id, 0, 5, 0, 0, 0, 0, 0, 0 FROM repositories")
    db.close()
    told = run_tool("fsck", "--data", server.data, settings=SETTINGS, check=False)
    equal(told.returncode, 7)
    for fault in ("blob_missing", "file_unknown", "tag_dangling", "count_wrong"):
        assert fault in told.stdout, told.stdout
    run_tool("fsck", "--repair", "--data", server.data, settings=SETTINGS, check=False)
    run_tool("scrub", "--fast", "--data", server.data, settings=SETTINGS, check=False)
    server.start()
    equal(server.web().get("/v2/team/app/manifests/v2").status, 404)
    oci.push(server.web(), "team/app", images[2], "v2")
    check_healed(server, images, layers, stray)
    equal(server.web().get("/v2/team/app/tags/list").json()["tags"], ["v0", "v1", "v2"])
    equal(faults(run_job(server, "checks")), {})
    server.stop()


def test_only_administrators(folder):
    with Server(os.path.join(folder, "one"), SETTINGS) as server:
        made = server.web().post("/api/v1/users", json.dumps({"name": "eve", "password": "correct-horse-8"}).encode(),
                                 {"Content-Type": "application/json"})
        assert made.status in (200, 201), made
        eve = server.web(user="eve", password="correct-horse-8")
        for what in ("checks", "scrubs", "collections"):
            equal(eve.post(f"/api/v1/maintenance/{what}", b"{}").status, 403, what)
            equal(server.web(user=None).post(f"/api/v1/maintenance/{what}", b"{}").status, 401, what)
        equal(eve.get("/api/v1/maintenance/runs").status, 403)
        run = run_job(server, "checks")
        equal(eve.get(f"/api/v1/maintenance/runs/{run['id']}").status, 403)
        equal(server.web().get("/api/v1/maintenance/runs/" + "0" * 24).status, 404)


if __name__ == "__main__":
    main()
