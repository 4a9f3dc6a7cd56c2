"""The demo's signers, pointed at the server under test."""
import os
import sys

from lib.server import ACCESS_KEY, ACCESS_SECRET, ROOT

sys.path.append(os.path.join(ROOT, "demo"))
from clouds import Alibaba, Huawei, Refused  # noqa: E402,F401


def alibaba(server, key=ACCESS_KEY, secret=ACCESS_SECRET):
    return Alibaba(server.url, key, secret)


def huawei(server, key=ACCESS_KEY, secret=ACCESS_SECRET):
    cloud = Huawei(server.url, key, secret)
    cloud.project = cloud.call("GET", "/v3/projects")["projects"][0]["id"]
    return cloud
