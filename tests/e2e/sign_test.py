#!/usr/bin/env python3
"""Signatures that the real cosign accepts, and the ones it must not."""
import json
import os

from lib import oci
from lib.clients import prepared, run
from lib.clouds import Refused
from lib.features import Cloud
from lib.runner import equal, fixture, main, wait_for
from lib.server import PASSWORD


@fixture
def signer(server):
    server.cloud = Cloud(server)
    server.key = server.cloud.signing_key("release")
    server.cosign = prepared("cosign")
    for name in ("one", "two"):
        oci.push(server.web(), f"signed/{name}", oci.small_image(len(name)), "v1")
    server.policy = server.cloud.sign_policy("signed", server.key)
    yield server


def cosign_verify(server, folder, reference, key, check=True):
    public = os.path.join(folder, "key.pub")
    with open(public, "w") as file:
        file.write(key["public_key"])
    os.makedirs(os.path.join(folder, ".docker"), exist_ok=True)
    import base64
    login = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
    with open(os.path.join(folder, ".docker/config.json"), "w") as file:
        json.dump({"auths": {server.address: {"auth": login}}}, file)
    return run([server.cosign, "verify", "--key", public, "--insecure-ignore-tlog=true", "--allow-http-registry",
                f"{server.address}/{reference}"], folder, check=check, DOCKER_CONFIG=f"{folder}/.docker")


def test_a_policy_signs_and_cosign_verifies(signer, folder):
    execution = signer.cloud.sign("signed", signer.policy)
    assert execution["status"] in ("Succeed", "Success"), execution
    equal((execution["total"], execution["succeed"], execution["failed"]), (2, 2, 0))
    tasks = signer.cloud.sign_tasks("signed", signer.policy, execution["id"])
    equal(sorted(t["repository"] for t in tasks), ["one", "two"], "one task per repository")
    for task in tasks:
        equal(task["status"], "Success")
        (sub,) = signer.cloud.sign_subtasks("signed", signer.policy, execution["id"], task["id"])
        head = signer.web().head(f"/v2/signed/{task['repository']}/manifests/v1")
        equal(sub["digest"], head.headers["Docker-Content-Digest"])
    done = cosign_verify(signer, folder, "signed/one:v1", signer.key)
    digest = signer.web().head("/v2/signed/one/manifests/v1").headers["Docker-Content-Digest"]
    equal(json.loads(done.stdout)[0]["critical"]["image"]["docker-manifest-digest"], digest)


def test_the_signature_is_a_referrer_too(signer):
    digest = signer.web().head("/v2/signed/one/manifests/v1").headers["Docker-Content-Digest"]
    tag = signer.web().get(f"/v2/signed/one/manifests/{digest.replace(':', '-')}.sig")
    equal(tag.status, 200)
    listed = signer.web().get(f"/v2/signed/one/referrers/{digest}").json()["manifests"]
    equal([d["digest"] for d in listed], [tag.headers["Docker-Content-Digest"]], "one manifest, tag and referrer")


def test_a_wrong_key_is_rejected(signer, folder):
    other = signer.cloud.signing_key("another")
    assert cosign_verify(signer, folder, "signed/one:v1", other, check=False).returncode != 0


def test_a_tampered_image_is_rejected(signer, folder):
    oci.push(signer.web(), "signed/one", oci.small_image(77), "v2")
    refused = cosign_verify(signer, folder, "signed/one:v2", signer.key, check=False)
    assert refused.returncode != 0 and "no signatures found" in refused.stderr, refused


def test_a_moved_signature_is_rejected(signer, folder):
    web = signer.web()
    first = web.head("/v2/signed/one/manifests/v1").headers["Docker-Content-Digest"]
    other = oci.push(web, "signed/one", oci.small_image(78), "v3")
    signature = web.get(f"/v2/signed/one/manifests/{first.replace(':', '-')}.sig")
    done = oci.put_manifest(web, "signed/one", f"{other.replace(':', '-')}.sig", signature.body)
    equal(done.status, 201)
    assert cosign_verify(signer, folder, "signed/one:v3", signer.key, check=False).returncode != 0


def test_signing_again_adds_nothing(signer):
    execution = signer.cloud.sign("signed", signer.policy)
    assert execution["status"] in ("Succeed", "Success"), execution
    digest = signer.web().head("/v2/signed/two/manifests/v1").headers["Docker-Content-Digest"]
    manifest = signer.web().get(f"/v2/signed/two/manifests/{digest.replace(':', '-')}.sig").json()
    equal(len(manifest["layers"]), 1, "signatures of one key")


def test_a_second_key_appends(signer, folder):
    second = signer.cloud.signing_key("second")
    policy = signer.cloud.sign_policy("signed", second, name="second", repositories="two")
    execution = signer.cloud.sign("signed", policy)
    equal(execution["total"], 1, "only the selected repository")
    cosign_verify(signer, folder, "signed/two:v1", signer.key)
    cosign_verify(signer, folder, "signed/two:v1", second)


def test_selectors(signer):
    for tag in ("v1", "rc1"):
        oci.push(signer.web(), "signed/select/deep", oci.small_image(90 + len(tag)), tag)
    policy = signer.cloud.sign_policy("signed", signer.key, name="some", repositories="select/**", tags="v*")
    execution = signer.cloud.sign("signed", policy)
    (task,) = signer.cloud.sign_tasks("signed", policy, execution["id"])
    (sub,) = signer.cloud.sign_subtasks("signed", policy, execution["id"], task["id"])
    equal(sub["tags"], "v1")


def test_signing_on_push(signer, folder):
    signer.cloud.repository("onpush", "app")
    signer.cloud.sign_policy("onpush", signer.key, trigger="event_based")
    digest = oci.push(signer.web(), "onpush/app", oci.small_image(100), "v1")
    wait_for("the signature", lambda: signer.web().head(
        f"/v2/onpush/app/manifests/{digest.replace(':', '-')}.sig").status == 200, 60)
    cosign_verify(signer, folder, "onpush/app:v1", signer.key)


def test_private_keys_are_never_shown(signer):
    text = json.dumps(signer.api("GET", "/signing-keys"))
    assert "PRIVATE" not in text and "PUBLIC KEY" in text
    found = [path for path, _, names in os.walk(signer.data) for name in names
             if b"PRIVATE KEY" in open(os.path.join(path, name), "rb").read(50_000_000)]
    equal([p for p in found if "tls" not in p], [], "files that hold a private key in the open")


def test_unsupported_algorithms_and_keys_are_refused(signer):
    try:
        signer.cloud.huawei.call("POST", signer.cloud.policies("signed"), body={
            "name": "sm2", "enabled": True, "signature_method": "KMS", "signature_algorithm": "SM2DSA_SM3",
            "signature_key": signer.key["id"], "trigger": {"type": "manual"}, "scope_rules": []})
        raise AssertionError("SM2 was accepted")
    except Refused as refused:
        equal(refused.status, 400)
        assert json.loads(refused.body)["error_code"], refused


if __name__ == "__main__":
    main()
