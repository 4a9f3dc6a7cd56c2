#include "scan/matcher.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "base/limits.h"
#include "base/text.h"
#include "scan/ecosystem.h"

namespace wharfage::scan {
namespace {

// The binary packages of one source version.
struct Group {
  std::vector<std::string> binaries;
  int layer = 0;
};
using Groups = std::map<std::pair<std::string, std::string>, Group>;  // source name, source version

Groups group_by_source(const ImageContents& image, PackageManager manager) {
  Groups groups;
  for (const InstalledPackage& installed : image.packages) {
    const Package& package = installed.package;
    if (package.manager != manager) continue;
    auto [at, fresh] = groups.try_emplace({package.source_name, package.source_version});
    Group& group = at->second;
    group.layer = fresh ? installed.layer : std::min(group.layer, installed.layer);
    bool known = !group.binaries.empty() && group.binaries.back() == package.name;  // another architecture
    if (!known) group.binaries.push_back(package.name);
  }
  return groups;
}

bool is_affected(const AdvisoryDb::Row& row, std::string_view version, VersionScheme scheme) {
  if (row.limit_kind == LimitKind::exact) return compare_versions(scheme, version, row.introduced) == 0;
  if (!row.introduced.empty() && compare_versions(scheme, version, row.introduced) < 0) return false;
  if (row.limit_kind == LimitKind::none) return true;
  auto order = compare_versions(scheme, version, row.limit);
  return order < 0 || (order == 0 && row.limit_kind == LimitKind::last_affected);
}

// A container brings no kernel to run; its headers are in every image with a compiler, and every hole of the
// kernel would be reported for them.
bool is_only_kernel_headers(std::string_view source, const Group& group) {
  bool kernel = source == "linux" || source.starts_with("linux-signed") || source.starts_with("linux-meta");
  if (!kernel) return false;
  return std::none_of(group.binaries.begin(), group.binaries.end(), [](const std::string& name) {
    return name.starts_with("linux-image") || name.starts_with("linux-modules");
  });
}

// Names from an image end up in a command that somebody pastes into a shell.
bool is_safe_name(std::string_view name) {
  return !name.empty() && !name.starts_with('-') && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '.' || c == '-' || c == '_';
  });
}

std::string make_fix_command(PackageManager manager, const std::vector<std::string>& binaries) {
  if (!std::all_of(binaries.begin(), binaries.end(), is_safe_name)) return {};
  std::string names = join(binaries, " ");
  if (manager == PackageManager::apk) return "apk update && apk upgrade " + names;
  return "apt-get update && apt-get install -y --only-upgrade " + names;
}

class Judge {
 public:
  Judge(const Ecosystem& ecosystem, const AdvisoryDb& advisories)
      : x_ecosystem(ecosystem),
        x_advisories(advisories),
        x_manager(ecosystem.scheme == VersionScheme::apk ? PackageManager::apk : PackageManager::dpkg) {}

  Status add_all(const ImageContents& image) {
    for (const auto& [source, group] : group_by_source(image, x_manager)) {
      add_source(source.first, source.second, group);
      if (x_findings.size() > limits::findings_per_image_max) {
        return fail(Reason::scan_impossible, "the image has too many findings");
      }
    }
    return {};
  }

  Judgement finish() {
    std::sort(x_findings.begin(), x_findings.end(), [](const Finding& a, const Finding& b) {
      return std::tie(b.severity, a.id, a.package, a.version) <
             std::tie(a.severity, b.id, b.package, b.version);
    });
    Judgement judgement{.release = x_ecosystem.release,
                        .generation = x_advisories.generation(),
                        .findings = std::move(x_findings)};
    SeverityCounts& counts = judgement.counts;
    for (const Finding& finding : judgement.findings) {
      if (finding.hidden != HiddenBecause::shown) {
        ++counts.hidden;
        continue;
      }
      ++counts.by_severity[static_cast<std::size_t>(finding.severity)];
      counts.fixable += !finding.fixed_version.empty();
    }
    return judgement;
  }

 private:
  void add_source(const std::string& name, const std::string& version, const Group& group) {
    x_of_source.clear();
    for (const AdvisoryDb::Row& row : x_advisories.find_rows(x_ecosystem.release, name)) {
      if (!is_affected(row, version, x_ecosystem.scheme)) continue;
      AdvisoryDb::View advisory = x_advisories.view(row.advisory);
      Finding finding = make_finding(row, advisory);
      finding.package = name;
      finding.version = version;
      finding.binaries = group.binaries;
      finding.layer = group.layer;
      if (is_only_kernel_headers(name, group)) finding.hidden = HiddenBecause::kernel_headers;
      if (!finding.fixed_version.empty()) finding.fix_command = make_fix_command(x_manager, group.binaries);
      add(advisory, std::move(finding));
    }
  }

  // A notice stands for those of its CVEs that have no record of their own.
  void add(const AdvisoryDb::View& advisory, Finding finding) {
    if (!advisory.secondary || advisory.cves.empty()) return put(std::move(finding));
    for (std::string_view cve : advisory.cves) {
      if (x_advisories.find_advisory(x_ecosystem.family, cve)) continue;
      Finding own = finding;
      own.id = cve;
      own.link = advisory_link(x_ecosystem.family, cve);
      own.aliases.insert(own.aliases.begin(), std::string(advisory.id));
      put(std::move(own));
    }
  }

  // Two rows may say the same: what helps against both is the later fix.
  void put(Finding finding) {
    auto [at, fresh] = x_of_source.try_emplace(finding.id, x_findings.size());
    if (fresh) {
      x_findings.push_back(std::move(finding));
      return;
    }
    Finding* same = &x_findings[at->second];
    same->severity = std::max(same->severity, finding.severity);
    bool later = !same->fixed_version.empty() && !finding.fixed_version.empty() &&
                 compare_versions(x_ecosystem.scheme, finding.fixed_version, same->fixed_version) > 0;
    if (finding.fixed_version.empty() || later) {
      same->fixed_version = finding.fixed_version;
      same->fix_command = finding.fix_command;
    }
  }

  Finding make_finding(const AdvisoryDb::Row& row, const AdvisoryDb::View& advisory) const {
    Finding finding{
        .id = std::string(advisory.id),
        .manager = x_manager,
        .fixed_version = row.limit_kind == LimitKind::fixed ? std::string(row.limit) : std::string(),
        .end_of_life = row.end_of_life,
        .cvss_vector = std::string(advisory.cvss_vector),
        .title = std::string(advisory.summary),
        .description = std::string(advisory.details.empty() ? advisory.summary : advisory.details),
        .link = advisory_link(x_ecosystem.family, advisory.id),
        .aliases = {advisory.aliases.begin(), advisory.aliases.end()},
        .references = {advisory.references.begin(), advisory.references.end()},
        .published = advisory.published};
    if (advisory.cvss) finding.cvss_tenths = advisory.cvss->tenths;
    if (row.vendor_severity) {
      finding.severity = *row.vendor_severity;
      finding.severity_source = SeveritySource::vendor;
    } else if (advisory.cvss) {
      finding.severity = advisory.cvss->severity();
      finding.severity_source = SeveritySource::cvss;
    }
    bool unimportant = row.vendor_severity == Severity::negligible && x_ecosystem.family == "Debian";
    if (unimportant) finding.hidden = HiddenBecause::unimportant;
    return finding;
  }

  const Ecosystem& x_ecosystem;
  const AdvisoryDb& x_advisories;
  PackageManager x_manager;
  std::vector<Finding> x_findings;
  std::unordered_map<std::string, std::size_t> x_of_source;  // id -> finding, of the source at hand
};

}  // namespace

std::string_view severity_source_name(SeveritySource source) {
  return source == SeveritySource::vendor ? "vendor" : source == SeveritySource::cvss ? "cvss" : "none";
}

std::string_view hidden_because_name(HiddenBecause reason) {
  if (reason == HiddenBecause::unimportant) return "unimportant";
  return reason == HiddenBecause::kernel_headers ? "kernel headers" : "";
}

std::int64_t SeverityCounts::total() const {
  std::int64_t sum = 0;
  for (std::int64_t count : by_severity) sum += count;
  return sum;
}

Result<Judgement> judge(const ImageContents& image, const AdvisoryDb* advisories) {
  TRY(Ecosystem ecosystem, find_ecosystem(image.system));
  if (!image.has_database) return fail(Reason::scan_impossible, "the image holds no package database");
  if (!advisories) {
    return fail(Reason::scan_impossible, "no advisories have been imported (wharfage vulndb import)");
  }
  if (!advisories->has_release(ecosystem.release)) {
    return fail(Reason::scan_impossible, "there are no advisories for " + ecosystem.release);
  }
  Judge judge(ecosystem, *advisories);
  TRY_STATUS(judge.add_all(image));
  return judge.finish();
}

}  // namespace wharfage::scan
