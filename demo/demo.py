#!/usr/bin/env python3
"""Starts Wharfage and a second registry and sends one image the whole way: source, build, scan, signature, copy,
inventory, waybill. Leaves both running; `--stop` ends them. Called by ./dev demo, which has built the binary."""
import argparse
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "tools/dev")]

from clouds import Refused  # noqa: E402
from debian_root import debian_layout  # noqa: E402
from house import House  # noqa: E402
from journey import NAMESPACE, REPOSITORY, TAG, Journey  # noqa: E402
from steps import Steps, Trouble, show_end_of  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--folder", default=".demo", help=argparse.SUPPRESS)
    parser.add_argument("--binary", help=argparse.SUPPRESS)
    parser.add_argument("--done", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--of", type=int, default=11, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=5000, help="where Wharfage listens; a free port when it is taken")
    parser.add_argument("--stop", action="store_true", help="end what the demo left running")
    return parser.parse_args()


def travel(house, steps):
    journey = Journey(house)
    layout = steps.run("a Debian root, made from packages", debian_layout)
    steps.run("starting Wharfage and a second registry", house.start)
    steps.run("signing in to both clouds' APIs", journey.meet)
    steps.run("pushing the Debian root with skopeo", journey.push_base, layout)
    steps.run("a git repository with a Dockerfile", journey.make_source)
    steps.run("source and build rule", journey.make_rule)
    steps.run("building the image; its log as it comes", journey.build, talkative=True)
    steps.run("importing advisories", journey.advisories)
    steps.run("scanning the image", journey.scan, talkative=True)
    steps.run("signing it", journey.sign)
    return journey


def main():
    options = arguments()
    if options.stop and not os.path.isdir(options.folder):
        print("there is no demo here")
        return 0
    house = House(options.folder, options.binary, options.port)
    if options.stop:
        print(f"ended: {house.stop()}; its data stays in {house.folder}")
        return 0
    steps = Steps(options.done, options.of)
    try:
        journey = travel(house, steps)
        steps.run("connecting, replicating, taking inventory", spread, journey, talkative=True)
        report(house, journey)
    except (Trouble, Refused, OSError) as trouble:
        show_end_of(house.wharfage.log)
        print(f"\ndemo: {trouble}\nThe server's whole log: {house.wharfage.log}\n"
              "To try again: ./dev demo   To end what runs: ./dev demo --stop", file=sys.stderr)
        return 1
    return 0


def spread(journey):
    for part in (journey.connect, journey.replicate, journey.inventory):
        print(f"      {part.__name__}: {part()}", flush=True)


def shorten(scan, name, kept=2):
    items = scan.get(name, [])
    if len(items) > kept:
        scan[name] = items[:kept] + [f"and {len(items) - kept} more"]


def report(house, journey):
    for name, answer in journey.five_calls():
        print(f"\n--- {name}\n{json.dumps(answer, indent=2)}")
    bill = journey.waybill()
    path = house.path("waybill.json")
    with open(path, "w") as file:
        json.dump(bill, file, indent=2)
    for name in ("packages", "findings"):
        shorten(bill["scan"], name)
    print(f"\n--- waybill of {NAMESPACE}/{REPOSITORY}@{journey.found['digest']}; whole in {path}")
    print(json.dumps(bill, indent=2))
    facts = house.facts
    print(f"""
Wharfage is running:
  API and registry   {house.url}          (OpenAPI: {house.url}/api/v1/openapi.json)
  second registry    http://{house.peer_address}
  sign in            admin / {facts['password']}
  access key         {facts['key']} / {facts['secret']}   (both clouds' SDKs)
  try                docker login -u admin {house.address} && docker pull {house.address}/{NAMESPACE}/{REPOSITORY}:{TAG}
  verify             cosign verify --key {house.path('demo-key.pub')} --insecure-ignore-tlog=true \\
                       --allow-http-registry {house.address}/{NAMESPACE}/{REPOSITORY}:{TAG}
  log                {house.wharfage.log}
  end it             ./dev demo --stop
""")


if __name__ == "__main__":
    sys.exit(main())
