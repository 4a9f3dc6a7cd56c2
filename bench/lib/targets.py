"""The targets and whether this run reached them."""
import dataclasses
import math

LARGE = "1,000,000"


@dataclasses.dataclass
class Target:
    text: str
    measured: str
    reached: bool = None


class Judge:
    def __init__(self, bench):
        self.bench, self.targets = bench, []

    def add(self, text, measured, reached):
        self.targets.append(Target(text, measured, reached))

    def ratio(self, text, scenario, above, below, most=None, least=None, rate=False):
        """CPU of one seat over CPU of another, or their rates."""
        figure = self.bench.rate if rate else self.bench.cpu
        a, b = figure(scenario, above), figure(scenario, below)
        if a is None or b is None:
            return self.add(text, "", None)
        value = a / b
        return self.add(text, f"{value:.2f}x", (most is None or value <= most) and (least is None or value >= least))

    def between(self, text, few, many, part):
        a, b = self.bench.cpu(few, "Wharfage"), self.bench.cpu(many, "Wharfage")
        if a is None or b is None:
            return self.add(text, "", None)
        return self.add(text, f"{b / a - 1:+.0%} ({a:.0f} -> {b:.0f} µs)", abs(b / a - 1) <= part)

    def fact(self, text, name, most):
        if name not in self.bench.facts:
            return self.add(text, "", None)
        value, unit = self.bench.facts[name]
        return self.add(text, "did not end" if math.isinf(value) else f"{value:,.1f} {unit}", value < most)


def pulls(judge):
    for method in ("GET", "HEAD"):
        scenario = f"{method} manifest"
        judge.ratio(f"{scenario}: docker-registry costs >= 40x", scenario, "docker-registry", "Wharfage, public", least=40)
        judge.ratio(f"{scenario}, both with tokens: docker-registry costs >= 20x", scenario, "docker-registry, token",
                    "Wharfage, token", least=20)
        judge.ratio(f"{scenario}: <= 1.3x nginx", scenario, "Wharfage, public", "nginx", most=1.3)
    for size, most in (("1 KiB", 1.2), ("1 MiB", 1.1), ("1 GiB", 1.0)):
        judge.ratio(f"GET blob {size}: <= {most}x nginx", f"GET blob {size}", "Wharfage, public", "nginx", most=most)
    for size in ("1 KiB", "1 MiB"):
        judge.ratio(f"TLS GET blob {size}: <= nginx", f"TLS GET blob {size}", "Wharfage, public", "nginx", most=1.0)
    for what in ("GET manifest, HTTP/2", "GET blob 1 MiB, HTTP/2"):
        judge.ratio(f"{what}: <= 1.3x nginx", what, "Wharfage, public", "nginx", most=1.3)


def pushes(judge):
    large = "push one large blob, durable"
    judge.ratio(f"{large}: <= 1.3x SHA-256 and writing", large, "Wharfage", "SHA-256 + write + sync", most=1.3)
    judge.ratio(f"{large}: <= half of docker-registry's CPU", large, "Wharfage", "docker-registry", most=0.5)
    judge.ratio(f"{large}: wall time at the disk's limit (>= 0.8 of writing alone)", large, "Wharfage",
                "SHA-256 + write + sync", least=0.8, rate=True)
    one, many = "push 1 KiB artifacts, one repository", "push 1 KiB artifacts, many repositories"
    judge.ratio("push 1 KiB artifacts, 32 clients: >= 8x the rate of docker-registry", one, "Wharfage",
                "docker-registry", least=8, rate=True)
    a, b = judge.bench.rate(one, "Wharfage"), judge.bench.rate(many, "Wharfage")
    text = "push 1 KiB artifacts: one repository no slower than many (-15 %)"
    judge.add(text, "" if None in (a, b) else f"{a:.0f} and {b:.0f} /s", None if None in (a, b) else a / b >= 0.85)


def scale(judge):
    large = "100,000" if judge.bench.quick else LARGE
    for page in ("tag page", "catalog page"):
        for where in ("first", "late"):
            judge.between(f"{page} of 100, {where}: the same with 1,000 and {large} (±30 %)",
                          f"{page}, {where}, of 1,000", f"{page}, {where}, of {large}", 0.3)
    name = "delete by digest of 100,000 tags"
    found = [r for r in judge.bench.results if (r["scenario"], r["seat"]) == (name, "Wharfage")]
    median = found[0]["samples"][0].p50 if found else 0
    judge.add("delete by digest in a repository of 100,000 tags: < 5 ms", f"{median:.2f} ms" if found else "",
              median < 5 if found else None)
    count = "25,000" if judge.bench.quick else "250,000"
    judge.fact(f"reclaiming {count} manifests while pushing: < 60 s", f"reclaiming {count} manifests", 60)
    facts = judge.bench.facts
    before, during = facts.get("pushes without reclaiming"), facts.get("pushes while reclaiming")
    part = during[0] / before[0] if before and during else 0
    judge.add("pushes keep >= 80 % of their rate meanwhile", f"{part:.0%}" if before else "", part >= 0.8 if before else None)
    judge.fact(f"start with {large} tags: < 200 ms", f"start with {large} tags", 200)


def memory(judge):
    judge.fact("memory idle: < 40 MB", "memory idle, Wharfage", 40)
    judge.fact("memory with 64 pulls and 64 pushes of 1 GiB: < 200 MB",
               "memory with 64 pulls and 64 pushes, Wharfage", 200)


def judge(bench):
    found = Judge(bench)
    for group in (pulls, pushes, scale, memory):
        group(found)
    return [target for target in found.targets if target.reached is not None] if bench.results or bench.facts else []
