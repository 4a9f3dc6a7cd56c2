#!/usr/bin/env python3
"""The distribution protocol, request by request."""
import json
import os
import socket
import threading

from lib import oci
from lib.runner import equal, main, wait_for
from lib.server import Server


def joined(location, query):
    return location + ("&" if "?" in location else "?") + query


def begin(web, repository="team/app", query=""):
    reply = web.post(f"/v2/{repository}/blobs/uploads/{query}")
    equal(reply.status, 202, "POST uploads")
    return reply.headers["Location"]


def fetched(web, name, repository="team/app"):
    return web.get(f"/v2/{repository}/blobs/{name}").body


def test_blob_in_one_post(server):
    web, data = server.web(), oci.noise(5000, 1)
    name = oci.digest(data)
    reply = web.post(f"/v2/team/app/blobs/uploads/?digest={name}", data)
    equal(reply.status, 201)
    equal(reply.headers["Docker-Content-Digest"], name)
    assert reply.headers["Location"].endswith(name)
    equal(fetched(web, name), data)


def test_blob_in_post_and_put(server):
    web, data = server.web(), oci.noise(70_000, 2)
    name = oci.digest(data)
    reply = web.put(joined(begin(web), f"digest={name}"), data)
    equal((reply.status, reply.headers["Docker-Content-Digest"]), (201, name))
    equal(fetched(web, name), data)


def test_streamed_patch(server):
    web, data = server.web(), oci.noise(3_000_000, 3)
    name = oci.digest(data)
    pieces = (data[i:i + 100_000] for i in range(0, len(data), 100_000))
    reply = web.patch(begin(web), pieces, {"Content-Type": "application/octet-stream"})
    equal((reply.status, reply.headers["Range"]), (202, f"0-{len(data) - 1}"))
    equal(web.put(joined(reply.headers["Location"], f"digest={name}")).status, 201)
    equal(fetched(web, name), data)


def test_chunked_patch_and_out_of_order(server):
    web, data = server.web(), oci.noise(30_000, 4)
    name, location = oci.digest(data), begin(web)

    def chunk(first, last):
        return web.patch(location, data[first:last], {"Content-Range": f"{first}-{last - 1}",
                                                      "Content-Type": "application/octet-stream"})
    equal(chunk(0, 10_000).status, 202)
    for wrong in ((20_000, 30_000), (0, 10_000), (9_999, 20_000)):
        reply = chunk(*wrong)
        equal((reply.status, reply.headers["Range"]), (416, "0-9999"), f"chunk {wrong}")
    status = web.get(location)
    equal((status.status, status.headers["Range"]), (204, "0-9999"))
    location = status.headers["Location"]
    equal(chunk(10_000, 20_000).status, 202)
    reply = web.put(joined(location, f"digest={name}"), data[20_000:], {"Content-Range": "20000-29999"})
    equal(reply.status, 201)
    equal(fetched(web, name), data)


def test_a_chunk_that_is_not_as_long_as_it_says(server):
    """Refused before any of it is kept; or, if nobody told the length, with the place where the upload is."""
    web, data = server.web(), oci.noise(5000, 40)
    location = begin(web)
    equal(web.patch(location, data[:1000], {"Content-Range": "0-999"}).status, 202)
    for wrong in ("1000-2999", "1000-1010"):
        reply = web.patch(location, data[1000:2000], {"Content-Range": wrong})
        equal((reply.status, reply.code(), reply.headers["Range"]), (400, "SIZE_INVALID", "0-999"), wrong)
    equal(upload_size(web, location), 1000)
    reply = web.patch(location, iter([data[1000:2000]]), {"Content-Range": "1000-2999"})
    equal((reply.status, reply.headers["Range"]), (400, "0-1999"), "too short")
    reply = web.patch(location, iter([data[2000:3000]]), {"Content-Range": "2000-2010"})
    equal(reply.status, 400, "too long")
    have = upload_size(web, location)
    equal(reply.headers["Range"], f"0-{have - 1}")
    assert 2000 <= have <= 2011, have
    location = reply.headers["Location"]
    equal(web.patch(location, data[have:], {"Content-Range": f"{have}-4999"}).status, 202)
    name = oci.digest(data)
    equal(web.put(joined(location, f"digest={name}")).status, 201)
    equal(fetched(web, name), data)


def test_requests_that_meet_at_one_upload(server):
    """One of them ends it, the others hear that it is gone or in use, and no file is left."""
    web = server.web()
    before = sorted(os.listdir(os.path.join(server.data, "uploads")))

    def together(*requests):
        replies, threads = [None] * len(requests), []
        barrier = threading.Barrier(len(requests))

        def work(at):
            barrier.wait()
            replies[at] = requests[at]().status
        for at in range(len(requests)):
            threads.append(threading.Thread(target=work, args=(at,)))
            threads[-1].start()
        for thread in threads:
            thread.join()
        return replies

    for n in range(30):
        data = oci.noise(20_000, 1000 + n)
        name, location = oci.digest(data), begin(web)
        closing = joined(location, f"digest={name}")
        first, second = together(lambda: web.put(closing, data), lambda: web.put(closing, data))
        assert 201 in (first, second) and {first, second} <= {201, 404, 409}, (first, second)
        equal(fetched(web, name), data)
        equal(web.get(location).status, 404)

        location = begin(web)
        patched, deleted = together(lambda: web.patch(location, data), lambda: web.delete(location))
        assert patched in (202, 404) and deleted == 204, (patched, deleted)
        equal(web.get(location).status, 404)

        location = begin(web)
        closing = joined(location, f"digest={oci.digest(data + data)}")
        patched, put = together(lambda: web.patch(location, data), lambda: web.put(closing, data))
        assert patched in (202, 404, 409) and put in (201, 400, 409), (patched, put)
        if put != 201:
            equal(web.delete(location).status, 204)
    equal(sorted(os.listdir(os.path.join(server.data, "uploads"))), before)


def test_wrong_digest_is_refused_and_nothing_is_stored(server):
    web, data = server.web(), oci.noise(100, 5)
    wrong = oci.digest(b"something else, never sent")
    reply = web.put(joined(begin(web), f"digest={wrong}"), data)
    equal((reply.status, reply.code()), (400, "DIGEST_INVALID"))
    equal(web.head(f"/v2/team/app/blobs/{wrong}").status, 404)
    for bad in ("sha256:xyz", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:" + "A" * 64, ""):
        equal(web.put(joined(begin(web), f"digest={bad}"), data).status, 400, bad)


def test_cancel(server):
    web = server.web()
    location = begin(web)
    equal(web.delete(location).status, 204)
    reply = web.get(location)
    equal((reply.status, reply.code()), (404, "BLOB_UPLOAD_UNKNOWN"))


def test_resume_after_a_dropped_connection(server):
    web, data = server.web(), oci.noise(2_000_000, 6)
    name, location = oci.digest(data), begin(web)
    path = location.split(server.address)[-1]
    head = f"PATCH {path} HTTP/1.1\r\nHost: {server.address}\r\nAuthorization: {web.authorization}\r\n" \
           f"Content-Type: application/octet-stream\r\nContent-Length: {len(data)}\r\n\r\n"
    with web.raw() as connection:
        connection.sendall(head.encode() + data[:1_200_000])
        wait_for("some bytes to arrive", lambda: upload_size(web, location) > 0, 60)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # reset, not close
    have = settled_size(web, location)
    assert 0 < have <= 1_200_000, have
    reply = web.patch(location, data[have:], {"Content-Range": f"{have}-{len(data) - 1}"})
    equal(reply.status, 202)
    equal(web.put(joined(reply.headers["Location"], f"digest={name}")).status, 201)
    equal(fetched(web, name), data)


def upload_size(web, location):
    reply = web.get(location)
    equal(reply.status, 204)
    last = int(reply.headers["Range"].split("-")[1])
    return last + 1 if last else 0


def settled_size(web, location):
    """Until two looks agree and the upload can be written to again: the broken request has ended."""
    sizes = [-1]

    def still():
        sizes.append(upload_size(web, location))
        return sizes[-1] == sizes[-2] and sizes[-1]
    return wait_for("the dropped request to end", still, 60, 0.3)


def test_mount_from_another_repository(server):
    web, data = server.web(), oci.noise(1000, 7)
    name = oci.push_blob(web, "team/source", data)
    reply = web.post(f"/v2/team/target/blobs/uploads/?mount={name}&from=team/source")
    equal((reply.status, reply.headers["Docker-Content-Digest"]), (201, name))
    equal(fetched(web, name, "team/target"), data)
    absent = oci.digest(b"absent")
    reply = web.post(f"/v2/team/target/blobs/uploads/?mount={absent}&from=team/source")
    equal(reply.status, 202, "mount of what is not there begins an upload")
    reply = web.post(f"/v2/team/target/blobs/uploads/?mount={name}&from=team/nowhere")
    assert reply.status in (201, 202), reply  # it is in the target already


def test_blobs_are_reached_only_through_their_repository(server):
    web, data = server.web(), oci.noise(1000, 8)
    name = oci.push_blob(web, "team/one", data)
    oci.push_blob(web, "team/two", b"other")
    equal(web.head(f"/v2/team/two/blobs/{name}").status, 404)


def test_ranges(server):
    web, data = server.web(), oci.noise(10_000, 9)
    name = oci.push_blob(web, "team/app", data)
    path = f"/v2/team/app/blobs/{name}"
    head = web.head(path)
    equal((head.status, head.headers["Content-Length"], head.headers["Accept-Ranges"]), (200, "10000", "bytes"))
    for asked, first, last in (("0-0", 0, 0), ("100-199", 100, 199), ("9990-", 9990, 9999), ("-10", 9990, 9999),
                               ("5000-999999", 5000, 9999)):
        reply = web.get(path, {"Range": f"bytes={asked}"})
        equal((reply.status, reply.body), (206, data[first:last + 1]), asked)
        equal(reply.headers["Content-Range"], f"bytes {first}-{last}/10000")
    reply = web.get(path, {"Range": "bytes=10000-"})
    equal((reply.status, reply.headers["Content-Range"]), (416, "bytes */10000"))
    reply = web.get(path, {"Range": "lines=1-2"})
    equal((reply.status, reply.body), (200, data), "an unknown unit is ignored")


def test_manifest_by_tag_and_digest(server):
    web, image = server.web(), oci.small_image(10)
    oci.push(web, "team/app", image, "v1")
    for reference in ("v1", image.digest):
        head = web.head(f"/v2/team/app/manifests/{reference}")
        equal((head.status, head.headers["Docker-Content-Digest"], head.headers["Content-Type"],
               head.headers["Content-Length"]), (200, image.digest, oci.MANIFEST, str(len(image.manifest))))
        equal(web.get(f"/v2/team/app/manifests/{reference}").body, image.manifest)
    oci.pull(web, "team/app", "v1")
    reply = web.get("/v2/team/app/manifests/nope")
    equal((reply.status, reply.code()), (404, "MANIFEST_UNKNOWN"))
    wrong = oci.put_manifest(web, "team/app", oci.digest(b"x"), image.manifest)
    equal((wrong.status, wrong.code()), (400, "DIGEST_INVALID"))


def test_manifest_without_its_blobs_is_refused(server):
    web, image = server.web(), oci.small_image(11)
    oci.push_blob(web, "team/empty", b"anything")
    reply = oci.put_manifest(web, "team/empty", "v1", image.manifest)
    assert reply.status in (400, 404) and reply.code() == "MANIFEST_BLOB_UNKNOWN", reply
    equal(web.head("/v2/team/empty/manifests/v1").status, 404)


def test_invalid_manifests_are_refused(server):
    web = server.web()
    for body in (b"", b"{", b"[]", b'{"schemaVersion":1}', b'{"schemaVersion":2,"layers":7}'):
        reply = oci.put_manifest(web, "team/app", "bad", body)
        equal((reply.status, reply.code()), (400, "MANIFEST_INVALID"), body)
    deep = b'{"a":' * 20_000 + b"1" + b"}" * 20_000
    equal(oci.put_manifest(web, "team/app", "bad", deep).status, 400)


def test_index(server):
    web = server.web()
    one, two = oci.small_image(12), oci.Image([{"f": b"arm"}], architecture="arm64")
    for image in (one, two):
        oci.push(web, "team/multi", image, image.digest)
    index = oci.packed({"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": [
        {**one.descriptor(), "platform": {"os": "linux", "architecture": "amd64"}},
        {**two.descriptor(), "platform": {"os": "linux", "architecture": "arm64"}}]})
    equal(oci.put_manifest(web, "team/multi", "all", index, oci.INDEX).status, 201)
    reply = web.get("/v2/team/multi/manifests/all")
    equal((reply.headers["Content-Type"], reply.body), (oci.INDEX, index))
    lost = oci.packed({"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": [
        {"mediaType": oci.MANIFEST, "digest": oci.digest(b"lost"), "size": 4}]})
    assert oci.put_manifest(web, "team/multi", "lost", lost, oci.INDEX).status in (400, 404)


def test_manifest_of_4_mib_and_above(server):
    web = server.web()
    image = oci.small_image(13)
    for data in image.blobs.values():
        oci.push_blob(web, "team/big", data)
    value = json.loads(image.manifest)
    limit = 4 * 1024 * 1024
    value["annotations"] = {"pad": ""}
    value["annotations"]["pad"] = "x" * (limit - len(oci.packed(value)))
    full = oci.packed(value)
    equal(len(full), limit)
    equal(oci.put_manifest(web, "team/big", "full", full).status, 201)
    equal(web.get("/v2/team/big/manifests/full").body, full)
    value["annotations"]["pad"] += "x"
    equal(oci.put_manifest(web, "team/big", "more", oci.packed(value)).status, 413)
    equal(oci.put_manifest(web, "team/big", "more", b"x" * (20 << 20)).status, 413)


def test_tag_list_pages(server):
    web, image = server.web(), oci.small_image(14)
    names = sorted(f"t{n}" for n in range(25))
    oci.push(web, "team/tags", image, names[0])
    for name in names[1:]:
        equal(oci.put_manifest(web, "team/tags", name, image.manifest).status, 201)
    equal(web.get("/v2/team/tags/tags/list").json(), {"name": "team/tags", "tags": names})
    equal(walk(web, "/v2/team/tags/tags/list?n=10", "tags"), [names[:10], names[10:20], names[20:]])
    equal(web.get("/v2/team/tags/tags/list?n=3&last=t17").json()["tags"], names[names.index("t17") + 1:][:3])
    equal(web.get("/v2/team/nothing/tags/list").status, 404)


def walk(web, path, key):
    pages = []
    while path:
        reply = web.get(path)
        equal(reply.status, 200)
        pages.append(reply.json()[key])
        link = reply.headers.get("Link")
        assert link is None or link.endswith('rel="next"'), link
        path = link[link.index("<") + 1:link.index(">")] if link else None
    return pages


def test_catalog_pages(server):
    web, image = server.web(), oci.small_image(15)
    mine = [f"catalog/r{n:02}" for n in range(7)]
    for name in mine:
        oci.push(web, name, image)
    pages = walk(web, "/v2/_catalog?n=3", "repositories")
    every = [name for page in pages for name in page]
    assert every == sorted(every) and set(mine) <= set(every), every
    assert all(len(page) == 3 for page in pages[:-1])


def test_delete_tag_and_manifest(server):
    web, image = server.web(), oci.small_image(16)
    oci.push(web, "team/del", image, "a")
    oci.put_manifest(web, "team/del", "b", image.manifest)
    equal(web.delete("/v2/team/del/manifests/a").status, 202)
    equal(web.get("/v2/team/del/tags/list").json()["tags"], ["b"])
    equal(web.delete(f"/v2/team/del/manifests/{image.digest}").status, 202)
    equal(web.head("/v2/team/del/manifests/b").status, 404)
    equal(web.delete(f"/v2/team/del/manifests/{image.digest}").status, 404)


def test_deleted_bytes_are_reclaimed(folder):
    """Collecting eagerly is only switched on when nothing is being pushed: it would take a push its blobs."""
    server = Server(folder, {"registry.delete_grace_s": 0})
    web, image, kept = server.web(), oci.small_image(17, 3_000_000), oci.small_image(170)
    oci.push(web, "team/reclaim", image)
    oci.push(web, "team/reclaim", kept, "kept")
    stale = web.post("/v2/team/reclaim/blobs/uploads/").headers["Location"]
    equal(web.patch(stale, b"half of something").status, 202)
    largest = max(image.blobs, key=lambda name: len(image.blobs[name]))
    assert on_disk(server, largest)
    equal(web.delete(f"/v2/team/reclaim/manifests/{image.digest}").status, 202)
    server.stop()
    server.settings = {"storage.collect_interval_s": 1, "storage.unreferenced_for_s": 0}
    server.start()
    wait_for("the bytes to go", lambda: not on_disk(server, largest))
    equal(web.head(f"/v2/team/reclaim/blobs/{largest}").status, 404)
    oci.pull(web, "team/reclaim", "kept")
    server.stop()
    server.settings = {}
    server.start()
    oci.push(web, "team/reclaim", image)
    oci.pull(web, "team/reclaim", "latest")
    server.stop()


def on_disk(server, digest):
    return any(digest[7:] in names for _, _, names in os.walk(os.path.join(server.data, "blobs")))


def test_referrers(server):
    web, image = server.web(), oci.small_image(18)
    oci.push(web, "team/ref", image)
    empty = oci.push_blob(web, "team/ref", b"{}")
    found = {}
    for kind in ("application/x.sbom", "application/x.sbom", "application/x.note"):
        text = oci.packed({"schemaVersion": 2, "mediaType": oci.MANIFEST, "artifactType": kind,
                           "config": {"mediaType": oci.EMPTY, "digest": empty, "size": 2},
                           "layers": [{"mediaType": oci.EMPTY, "digest": empty, "size": 2}],
                           "subject": image.descriptor(), "annotations": {"n": str(len(found))}})
        name = oci.digest(text)
        reply = oci.put_manifest(web, "team/ref", name, text)
        equal((reply.status, reply.headers["OCI-Subject"]), (201, image.digest))
        found[name] = kind
    reply = web.get(f"/v2/team/ref/referrers/{image.digest}")
    equal((reply.status, reply.headers["Content-Type"]), (200, oci.INDEX))
    equal({d["digest"]: d["artifactType"] for d in reply.json()["manifests"]}, found)
    assert all("n" in d["annotations"] for d in reply.json()["manifests"])
    reply = web.get(f"/v2/team/ref/referrers/{image.digest}?artifactType=application/x.note")
    equal(reply.headers["OCI-Filters-Applied"], "artifactType")
    equal([d["artifactType"] for d in reply.json()["manifests"]], ["application/x.note"])
    reply = web.get(f"/v2/team/ref/referrers/{oci.digest(b'none')}")
    equal((reply.status, reply.json()["manifests"]), (200, []))


def test_sha512(server):
    web, data = server.web(), oci.noise(4000, 19)
    name = oci.push_blob_sha512(web, "team/long", data)
    equal(fetched(web, name, "team/long"), data)
    image = oci.small_image(19)
    for blob in image.blobs.values():
        oci.push_blob(web, "team/long", blob)
    long_name = oci.digest(image.manifest, "sha512")
    reply = oci.put_manifest(web, "team/long", long_name, image.manifest)
    equal((reply.status, reply.headers["Docker-Content-Digest"]), (201, long_name))
    equal(web.get(f"/v2/team/long/manifests/{long_name}").body, image.manifest)


def test_names_that_are_not_names(server):
    web = server.web()
    for name in ("Team/app", "team//app", "team/app-", "-team/app", "team/" + "a" * 300):
        reply = web.post(f"/v2/{name}/blobs/uploads/")
        assert reply.status in (400, 404) and reply.code() in ("NAME_INVALID", "NAME_UNKNOWN"), reply
    image = oci.small_image(20)
    oci.push(web, "team/app", image, "ok")
    for tag in ("bad!tag", "-bad", "x" * 129):
        reply = oci.put_manifest(web, "team/app", tag, image.manifest)
        assert reply.status in (400, 404), reply
    oci.push(web, "single", image)
    equal(web.head("/v2/library/single/manifests/latest").status, 200)


def test_empty_blob(server):
    web = server.web()
    name = oci.push_blob(web, "team/app", b"")
    equal(fetched(web, name), b"")


if __name__ == "__main__":
    main()
