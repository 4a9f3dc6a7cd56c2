#!/usr/bin/env python3
"""The distribution protocol beyond the everyday: what its conformance suite, and limits, are about."""
import urllib.parse

from lib import oci
from lib.runner import equal, fixture, main
from lib.server import Server

FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"


def joined(location, query):
    return location + ("&" if "?" in location else "?") + query


def begin(web, repository, query=""):
    reply = web.post(f"/v2/{repository}/blobs/uploads/{query}")
    equal(reply.status, 202, "POST uploads")
    return reply.headers["Location"]


def put_with_tags(web, repository, image, tags, algorithm="sha256"):
    query = "&".join(f"tag={tag}" for tag in tags)
    return oci.put_manifest(web, repository, f"{oci.digest(image.manifest, algorithm)}?{query}", image.manifest)


# ---- several tags in one push

def test_tags_of_a_push_by_digest(server):
    web, image = server.web(), oci.small_image(1)
    oci.push(web, "team/tags", image, image.digest)
    names = [f"v1.{n}" for n in range(20)]
    reply = put_with_tags(web, "team/tags", image, names)
    equal((reply.status, reply.headers.get_all("OCI-Tag")), (201, names))
    for name in names:
        head = web.head(f"/v2/team/tags/manifests/{name}")
        equal((head.status, head.headers["Docker-Content-Digest"]), (200, image.digest), name)
    equal(sorted(web.get("/v2/team/tags/tags/list").json()["tags"]), sorted(names))
    equal(put_with_tags(web, "team/tags", image, ["again", "again"]).status, 201)


def test_tags_are_accepted_all_or_none(server):
    web, image = server.web(), oci.small_image(2)
    oci.push(web, "team/none", image, image.digest)
    for names, status in ((["good", "-bad"], 400), ([f"t{n}" for n in range(33)], 414)):
        reply = put_with_tags(web, "team/none", image, names)
        equal((reply.status, reply.headers.get("OCI-Tag")), (status, None))
    equal(web.get("/v2/team/none/tags/list").json()["tags"], [])


def test_tags_of_a_push_by_a_longer_digest(server):
    web, image = server.web(), oci.small_image(3)
    oci.push(web, "team/long", image, image.digest)
    reply = put_with_tags(web, "team/long", image, ["a"], "sha512")
    long_name = oci.digest(image.manifest, "sha512")
    equal((reply.status, reply.headers["Docker-Content-Digest"], reply.headers["OCI-Tag"]), (201, long_name, "a"))
    equal(web.head("/v2/team/long/manifests/a").headers["Docker-Content-Digest"], long_name)


# ---- uploads

def test_digest_algorithm_of_an_upload(server):
    web, data = server.web(), oci.noise(5000, 4)
    name = oci.digest(data, "sha512")
    location = begin(web, "team/sha512", "?digest-algorithm=sha512")
    for first, last in ((0, 2000), (2000, 4000)):
        reply = web.patch(location, data[first:last], {"Content-Range": f"{first}-{last - 1}"})
        equal(reply.status, 202)
        location = reply.headers["Location"]
    reply = web.put(joined(location, f"digest={name}"), data[4000:], {"Content-Range": "4000-4999"})
    equal((reply.status, reply.headers["Docker-Content-Digest"]), (201, name))
    equal(web.get(reply.headers["Location"]).body, data)
    whole = web.post(f"/v2/team/sha512/blobs/uploads/?digest={oci.digest(b'whole', 'sha512')}", b"whole")
    equal(whole.status, 201)
    unknown = web.post("/v2/team/sha512/blobs/uploads/?digest-algorithm=md5")
    equal((unknown.status, unknown.code()), (400, "DIGEST_INVALID"))


def test_a_closing_chunk_out_of_order(server):
    web, data = server.web(), oci.noise(6000, 5)
    name, location = oci.digest(data), begin(web, "team/order")
    equal(web.patch(location, data[:2000], {"Content-Range": "0-1999"}).status, 202)
    reply = web.put(joined(location, f"digest={name}"), data[4000:], {"Content-Range": "4000-5999"})
    equal((reply.status, reply.code(), reply.headers["Range"]), (416, "BLOB_UPLOAD_INVALID", "0-1999"))
    status = web.get(location)
    equal((status.status, status.headers["Range"]), (204, "0-1999"), "nothing was taken")
    reply = web.put(joined(status.headers["Location"], f"digest={name}"), data[2000:],
                    {"Content-Range": "2000-5999"})
    equal(reply.status, 201)


def test_uploads_that_are_not_there(server):
    web = server.web()
    location = begin(web, "team/cancel")
    equal(web.delete(location).status, 204)
    for reply in (web.get(location), web.delete(location), web.patch(location, b"x"),
                  web.put(joined(location, f"digest={oci.digest(b'x')}"), b"x")):
        equal((reply.status, reply.code()), (404, "BLOB_UPLOAD_UNKNOWN"))


def test_bad_digests_everywhere(server):
    web, bad = server.web(), "sha256:baddigeststring"
    location = begin(web, "team/bad")
    replies = {"closing": web.put(joined(location, f"digest={bad}"), b"x"),
               "single post": web.post(f"/v2/team/bad/blobs/uploads/?digest={bad}", b"x"),
               "blob": web.get(f"/v2/team/bad/blobs/{bad}"), "manifest": web.get(f"/v2/team/bad/manifests/{bad}"),
               "put": oci.put_manifest(web, "team/bad", bad, oci.small_image(6).manifest),
               "mount": web.post(f"/v2/team/bad/blobs/uploads/?mount={bad}&from=team/app"),
               "referrers": web.get(f"/v2/team/bad/referrers/{bad}")}
    for what, reply in replies.items():
        equal((reply.status, reply.code()), (400, "DIGEST_INVALID"), what)


# ---- lists

def pages(web, path, key):
    while path:
        reply = web.get(path)
        equal(reply.status, 200, path)
        yield reply.json()[key]
        link = reply.headers.get("Link")
        path = link[link.index("<") + 1:link.index(">")] if link else None


@fixture
def many_tags(server):
    """team/many with 1,001 tags: one more than a page may have."""
    web, image = server.web(), oci.small_image(7)
    oci.push(web, "team/many", image, image.digest)
    names = [f"t{n:04}" for n in range(1001)]
    for first in range(0, len(names), 32):
        equal(put_with_tags(web, "team/many", image, names[first:first + 32]).status, 201)
    yield names


def test_a_page_is_clamped_and_the_rest_is_linked(server, many_tags):
    web = server.web()
    for query in ("", "?n=1000", "?n=1001", "?n=99999999", "?n=" + "9" * 40):
        found = list(pages(web, "/v2/team/many/tags/list" + query, "tags"))
        equal([len(page) for page in found], [1000, 1], query)
        equal(sum(found, []), many_tags, query)


def test_the_number_of_a_page(server, many_tags):
    web = server.web()
    for path, key in (("/v2/team/many/tags/list", "tags"), ("/v2/_catalog", "repositories")):
        none = web.get(path + "?n=0")
        equal((none.status, none.json()[key], none.headers.get("Link")), (200, [], None))
        for wrong in ("-1", "-99999999999999999999", "x", "1x", "", "1.5", "0x10", "%31%00"):
            equal(web.get(f"{path}?n={wrong}").status, 400, f"{path} n={wrong!r}")
    after = web.get("/v2/team/many/tags/list?last=t0990")
    equal((after.json()["tags"], after.headers.get("Link")), (many_tags[991:], None))


def attach(web, repository, subject, kind, padding=""):
    config = oci.push_blob(web, repository, b"{}")
    text = oci.packed({"schemaVersion": 2, "mediaType": oci.MANIFEST, "artifactType": kind,
                       "config": {"mediaType": oci.EMPTY, "digest": config, "size": 2}, "layers": [],
                       "subject": subject, "annotations": {"kind": kind, "padding": padding}})
    reply = oci.put_manifest(web, repository, oci.digest(text), text)
    equal((reply.status, reply.headers["OCI-Subject"]), (201, subject["digest"]))
    return oci.digest(text)


def test_referrers_of_what_is_not_there(server):
    web, name = server.web(), oci.digest(b"nothing")
    for repository in ("team/never-made", "team/never/made/either"):
        reply = web.get(f"/v2/{repository}/referrers/{name}")
        equal((reply.status, reply.headers["Content-Type"]), (200, oci.INDEX))
        equal(reply.json(), {"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": []})
    equal(server.web(user=None).get(f"/v2/team/never-made/referrers/{name}").status, 401)


def test_referrers_by_type(server):
    web, image = server.web(), oci.small_image(8)
    kinds = ["application/vnd.a+json", "application/vnd.a+json; x=1", "application/vnd.b+json"]
    made = {attach(web, "team/types", image.descriptor(), kind): kind for kind in kinds}
    for kind in kinds + ["application/vnd.c+json"]:
        reply = web.get(f"/v2/team/types/referrers/{image.digest}?artifactType={urllib.parse.quote(kind, safe='')}")
        equal((reply.status, reply.headers["OCI-Filters-Applied"]), (200, "artifactType"))
        equal([d["digest"] for d in reply.json()["manifests"]], [d for d in made if made[d] == kind])
    reply = web.get(f"/v2/team/types/referrers/{image.digest}")
    equal((reply.headers.get("OCI-Filters-Applied"), len(reply.json()["manifests"])), (None, 3))


def test_referrers_come_in_pages(server):
    """Large ones fill a page early; the link goes on, filter included."""
    web, image = server.web(), oci.small_image(9)
    kind, made = "application/vnd.large+json", []
    for number in range(6):
        made.append(attach(web, "team/pages", image.descriptor(), kind, str(number) * 3_500_000))
    attach(web, "team/pages", image.descriptor(), "application/vnd.other+json")
    query = urllib.parse.quote(kind, safe="")
    found = list(pages(web, f"/v2/team/pages/referrers/{image.digest}?artifactType={query}", "manifests"))
    assert len(found) > 1, [len(page) for page in found]
    equal([d["digest"] for page in found for d in page], made)
    equal(web.get(f"/v2/team/pages/referrers/{image.digest}?last=x").status, 400)


# ---- mounts without a source

def test_mount_without_a_source(server):
    web, data = server.web(), oci.noise(1000, 10)
    name = oci.push_blob(web, "deep/source", data)
    reply = web.post(f"/v2/deep/target/blobs/uploads/?mount={name}")
    equal((reply.status, reply.headers["Docker-Content-Digest"]), (201, name))
    equal(web.get(reply.headers["Location"]).body, data)
    reply = web.post(f"/v2/deep/target/blobs/uploads/?mount={oci.digest(b'nowhere')}")
    equal(reply.status, 202)
    equal(web.put(joined(reply.headers["Location"], f"digest={oci.digest(b'nowhere')}"), b"nowhere").status, 201)


def test_mount_without_a_source_takes_only_what_may_be_read(server):
    data = oci.noise(1000, 11)
    name = oci.push_blob(server.web(), "hidden/source", data)
    oci.push_blob(server.web(), "mine/app", b"x")
    server.api("POST", "/users", {"name": "dora", "password": "dora-secret-word"})
    server.api("POST", "/grants", {"kind": "user", "subject": "dora", "namespace": "mine", "role": "developer"})
    dora = server.web("dora", "dora-secret-word")
    mount = f"/v2/mine/app/blobs/uploads/?mount={name}"
    for path in (mount, mount + "&from=hidden/source"):
        equal(dora.post(path).status, 202, path)
    equal(dora.head(f"/v2/mine/app/blobs/{name}").status, 404)
    server.api("POST", "/grants", {"kind": "user", "subject": "dora", "namespace": "hidden", "role": "guest"})
    # A token for one repository takes from no other, whatever its owner may read.
    scope = "/auth/token?service=wharfage&scope=repository:mine/app:pull,push"
    narrow = server.web(user=None, token=dora.get(scope).json()["token"])
    equal(narrow.post(mount).status, 202, "beyond the token")
    wide = server.web(user=None, token=dora.get(scope + "&scope=repository:hidden/source:pull").json()["token"])
    equal(wide.post(mount).status, 201)
    equal(dora.post(f"/v2/mine/other/blobs/uploads/?mount={name}").status, 201)


# ---- sparse images

def lacking(web, repository):
    """An image without its layer and an index without its image: (manifest, layer bytes, index, image)"""
    layer = oci.noise(2000, 12)
    config = oci.push_blob(web, repository, b"{}")
    image = oci.packed({"schemaVersion": 2, "mediaType": oci.MANIFEST,
                        "config": {"mediaType": oci.CONFIG, "digest": config, "size": 2},
                        "layers": [{"mediaType": oci.LAYER, "digest": oci.digest(layer), "size": len(layer)}]})
    absent = oci.small_image(13)
    index = oci.packed({"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": [absent.descriptor()]})
    return image, layer, index, absent


def test_sparse_pushes_are_refused_unless_allowed(server, folder):
    web = server.web()
    image, _, index, _ = lacking(web, "team/sparse")
    for text, kind in ((image, oci.MANIFEST), (index, oci.INDEX)):
        reply = oci.put_manifest(web, "team/sparse", "v1", text, kind)
        equal((reply.status, reply.code()), (404, "MANIFEST_BLOB_UNKNOWN"))
    with Server(folder, {"registry.sparse_indexes": "true"}) as indexes:
        image, _, index, _ = lacking(indexes.web(), "team/sparse")
        equal(oci.put_manifest(indexes.web(), "team/sparse", "v1", index, oci.INDEX).status, 201)
        equal(oci.put_manifest(indexes.web(), "team/sparse", "v2", image).status, 404)


def test_sparse_pushes_may_be_completed(folder):
    with Server(folder, {"registry.sparse_indexes": "true", "registry.sparse_images": "true"}) as server:
        web = server.web()
        image, layer, index, absent = lacking(web, "team/sparse")
        equal(oci.put_manifest(web, "team/sparse", "image", image).status, 201)
        equal(oci.put_manifest(web, "team/sparse", "index", index, oci.INDEX).status, 201)
        equal(web.get(f"/v2/team/sparse/blobs/{oci.digest(layer)}").status, 404)
        oci.push_blob(web, "team/sparse", layer)
        oci.push(web, "team/sparse", absent, absent.digest)
        oci.pull(web, "team/sparse", "image")
        oci.pull(web, "team/sparse", absent.digest)
        equal(web.delete(f"/v2/team/sparse/blobs/{oci.digest(layer)}").status, 409, "the image needs it")


def test_layers_that_lie_elsewhere(server):
    web, config = server.web(), oci.push_blob(server.web(), "team/foreign", b"{}")
    layer = {"mediaType": FOREIGN, "digest": oci.digest(b"elsewhere"), "size": 9}
    text = oci.packed({"schemaVersion": 2, "mediaType": oci.MANIFEST, "layers": [layer],
                       "config": {"mediaType": oci.CONFIG, "digest": config, "size": 2}})
    equal(oci.put_manifest(web, "team/foreign", "v1", text).status, 201)


# ---- limits

def test_a_manifest_that_is_too_large(server):
    web = server.web()
    oci.push_blob(web, "team/app", b"{}")
    reply = oci.put_manifest(web, "team/app", "large", b"{" + b" " * (4 * 1024 * 1024))
    equal((reply.status, reply.code()), (413, "SIZE_INVALID"))


def test_too_many_requests(folder):
    """Too many wrong passwords, as the protocol says it: 429, its code, and when to come back."""
    with Server(folder) as server:
        server.api("POST", "/users", {"name": "tom", "password": "tom-secret-word"})
        web = server.web("tom", "wrong")
        for path in ("/v2/", "/auth/token?service=wharfage", "/v2/team/app/manifests/v1"):
            replies = [web.get(path) for _ in range(30)]
            equal((replies[-1].status, replies[-1].code()), (429, "TOOMANYREQUESTS"), path)
            assert int(replies[-1].headers["Retry-After"]) >= 1, replies[-1]
        stopped = web.post("/v2/team/app/blobs/uploads/", b"x")
        equal((stopped.status, stopped.code()), (429, "TOOMANYREQUESTS"))


if __name__ == "__main__":
    main()
