#!/usr/bin/env python3
"""The distribution specification's own conformance suite against a server of ours: nothing failed, nothing skipped.

The suite (opencontainers/distribution-spec, conformance/, as of 967efdc) is no part of this project. Its program is
named by WHARFAGE_CONFORMANCE, or found as `oci-conformance` in PATH; without it these tests are skipped. It runs as
for the development version of the specification, sparse images and indexes included: with a login, without one, and
over TLS with whatever version of HTTP the two agree on. Its reports, with every request, are kept in
WHARFAGE_CONFORMANCE_RESULTS when that is set.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
from lib.clouds import alibaba  # noqa: E402
from lib.runner import Skip, equal, fixture, main  # noqa: E402
from lib.server import PASSWORD, Server  # noqa: E402
from tls_test import Secure, make_certificates  # noqa: E402

SETTINGS = {"build.enabled": "false", "registry.sparse_indexes": "true", "registry.sparse_images": "true",
            "registry.anonymous_namespaces": "open", "registry.anonymous_access": "delete"}
LEAST = 1000  # cases: a suite that does nothing has not passed


def suite():
    program = os.environ.get("WHARFAGE_CONFORMANCE") or shutil.which("oci-conformance")
    if not program:
        raise Skip("WHARFAGE_CONFORMANCE names no program of the conformance suite")
    return os.path.realpath(program)


def make_public(server, *names):
    """Namespaces with public repositories: a mount without a source may take from those."""
    cloud = alibaba(server)
    instance = cloud.cr("ListInstance")["Instances"][0]["InstanceId"]
    for name in names:
        cloud.cr("CreateNamespace", InstanceId=instance, NamespaceName=name, AutoCreateRepo=True,
                 DefaultRepoType="PUBLIC")


@fixture
def spaces(server):
    make_public(server, "open", "closed")
    yield server


def totals(text):
    """What the report's head counts: {"Pass": 1032, "FAIL": 0, …}"""
    return {name: int(count) for name, count in re.findall(r"^  (\w+)\.{3,}: +(\d+)$", text, re.M)}


def conform(program, server, space, folder, **settings):
    results = os.environ.get("WHARFAGE_CONFORMANCE_RESULTS")
    results = os.path.join(os.path.abspath(results), f"{space}-{server.scheme}") if results else os.path.join(folder, "results")
    tls = "enabled" if server.scheme == "https" else "disabled"
    env = {"PATH": "/usr/bin:/bin", "HOME": folder, "OCI_REGISTRY": server.address, "OCI_TLS": tls,
           "OCI_REPO1": f"{space}/one", "OCI_REPO2": f"{space}/two", "OCI_VERSION": "dev", "OCI_DATA_SPARSE": "true",
           "OCI_RESULTS_DIR": results, **settings}
    done = subprocess.run([program], env=env, cwd=folder, text=True, capture_output=True, timeout=900)
    found = totals(done.stdout)
    print("         " + ", ".join(f"{name} {count}" for name, count in found.items()))
    complaints = "\n".join(line for line in done.stdout.splitlines() if re.search("FAIL|Skip|Error|Disabled", line))
    for name in ("FAIL", "Skip", "Error", "Disabled"):
        equal(found.get(name), 0, f"{name} of\n{complaints}\n{done.stderr[-2000:]}\n")
    equal(found["Pass"], found["Total"], "passed")
    assert found["Total"] >= LEAST, found
    equal(done.returncode, 0, "the suite's exit code")


def test_with_a_login(spaces, folder):
    program = suite()
    equal(spaces.web(user=None).post("/v2/closed/one/blobs/uploads/").status, 401, "a push without a login")
    conform(program, spaces, "closed", folder, OCI_USERNAME="admin", OCI_PASSWORD=PASSWORD)


def test_without_a_login(spaces, folder):
    conform(suite(), spaces, "open", folder)


def test_over_tls(folder):
    program = suite()
    with Server(os.path.join(folder, "server"), SETTINGS) as plain:
        make_public(plain, "closed")
    ca, certificate, key = make_certificates(folder)
    settings = {**SETTINGS, "server.tls_certificate": certificate, "server.tls_key": key}
    secure = Secure(os.path.join(folder, "server"), settings, scheme="https", start=False)
    secure.ca = ca
    with secure.start():
        conform(program, secure, "closed", folder, SSL_CERT_FILE=ca, OCI_USERNAME="admin", OCI_PASSWORD=PASSWORD)


if __name__ == "__main__":
    main(SETTINGS)
