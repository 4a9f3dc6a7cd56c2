"""What was measured, as Markdown: the targets, then every scenario."""
import datetime
import math
import os
import platform
import subprocess

from lib import drive, targets
from lib.servers import ROOT, DockerRegistry, Nginx, Wharfage


def machine():
    model, memory = "?", 0
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "?")
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1]) >> 20
    load = os.getloadavg()
    return (f"{os.cpu_count()} cores {model}, {memory} GiB, Linux {platform.release()}; load average at the end "
            f"{load[0]:.1f} {load[1]:.1f} {load[2]:.1f}")


def duration(micros):
    if micros < 1000:
        return f"{micros:.1f} µs"
    return f"{micros / 1000:.2f} ms" if micros < 1e6 else f"{micros / 1e6:.2f} s"


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def row(result, ours):
    samples = result["samples"]
    cpus = [s.cpu for s in samples]
    middle = drive.median(cpus)
    size = samples[0].bytes / max(samples[0].ops, 1)
    per_gib = f"{middle / 1e6 / size * (1 << 30):.2f}" if size >= 1 << 18 else ""
    ratio = f"{middle / ours:.2f}x" if ours else ""
    return (f"| {result['scenario']} | {result['seat']} | {duration(middle)} ({duration(min(cpus))} – "
            f"{duration(max(cpus))}) | {per_gib} | {ratio} | {number(max(s.rate for s in samples))} | "
            f"{drive.median([s.p50 for s in samples]):.2f} | {drive.median([s.p99 for s in samples]):.2f} |")


def our_cpu(bench, scenario):
    for result in bench.results:
        if result["scenario"] == scenario and result["seat"].startswith("Wharfage"):
            return drive.median([s.cpu for s in result["samples"]])
    return None


def revision():
    done = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short=10", "HEAD"], text=True, capture_output=True)
    return f" ({done.stdout.strip()})" if done.returncode == 0 else ""


def header(bench, seconds):
    kind = "quick run: short rounds, small stores" if bench.quick else "full run"
    versions = ", ".join((Wharfage("/tmp").version() + revision(), f"docker-registry {DockerRegistry.version()}",
                          f"nginx {Nginx.version()}"))
    return [f"# Benchmark of {datetime.date.today()}", "",
            f"{kind}, {seconds / 60:.1f} minutes; {versions}; {machine()}.", "",
            "How it is measured and what is fair about it: `bench/README.md`. CPU is the server's own, user and system; it "
            "is the column to trust, since everything runs on the same cores as its clients. Values are medians (least – "
            "most) of interleaved rounds; rates are the best round."]


def target_lines(bench):
    lines = ["", "## Targets", "", "| target | measured | |", "|---|---|---|"]
    for target in targets.judge(bench):
        verdict = "not measured" if target.reached is None else "reached" if target.reached else "**not reached**"
        lines.append(f"| {target.text} | {target.measured} | {verdict} |")
    return lines


def markdown(bench, seconds):
    lines = header(bench, seconds) + target_lines(bench)
    if bench.results:
        lines += ["", "## Scenarios", "", "| scenario | server | server CPU per operation | CPU s/GiB | CPU : Wharfage | "
                  "operations/s | p50 ms | p99 ms |", "|---|---|---|---|---|---|---|---|"]
        lines += [row(result, our_cpu(bench, result["scenario"])) for result in bench.results]
    if bench.facts:
        lines += ["", "## Single figures", "", "| | |", "|---|---|"]
        for name, (value, unit) in bench.facts.items():
            lines.append(f"| {name} | {'did not end' if math.isinf(value) else f'{value:,.1f} {unit}'} |")
    if bench.notes:
        lines += ["", "## What went wrong", ""] + [f"- {note}" for note in bench.notes]
    return "\n".join(lines) + "\n"
