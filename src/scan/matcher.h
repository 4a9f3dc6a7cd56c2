// What is wrong with an image: its packages held against the advisories of its system. Matching is by SOURCE
// package and SOURCE version, as the distributions publish it. One finding is one vulnerability in one
// version of one source package, with all binary packages built from it. An image that cannot be judged is an
// error, never an empty list. Pure, thread-safe, about a millisecond for a thousand packages.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "scan/advisory_db.h"
#include "scan/packages.h"
#include "scan/severity.h"

namespace wharfage::scan {

enum class SeveritySource { none, vendor, cvss };
std::string_view severity_source_name(SeveritySource source);  // "none", "vendor", "cvss"

// Why a finding is not shown unless somebody asks for everything.
enum class HiddenBecause {
  shown,
  unimportant,     // the distribution says it has no security impact
  kernel_headers,  // the kernel's source, but only its headers or tools are installed
};
std::string_view hidden_because_name(HiddenBecause reason);  // "", "unimportant", "kernel headers"

struct Finding {
  std::string id;                     // "CVE-2024-1", or a notice's id when it names no CVE
  std::string package, version;       // source package
  std::vector<std::string> binaries;  // installed packages built from it
  PackageManager manager = PackageManager::dpkg;
  std::string fixed_version;  // "" when there is none
  bool end_of_life = false;   // and there will be none
  Severity severity = Severity::unknown;
  SeveritySource severity_source = SeveritySource::none;
  std::optional<int> cvss_tenths;
  std::string cvss_vector;
  int layer = 0;  // index of the layer that introduced it
  std::string title, description, link;
  std::vector<std::string> aliases, references;
  std::string fix_command;  // for a shell; "" without a fix
  TimeMs published = 0;
  HiddenBecause hidden = HiddenBecause::shown;
};

struct SeverityCounts {
  std::array<std::int64_t, severity_count> by_severity{};  // of what is shown
  std::int64_t fixable = 0, hidden = 0;
  std::int64_t of(Severity severity) const { return by_severity[static_cast<std::size_t>(severity)]; }
  std::int64_t total() const;
};

struct Judgement {
  std::string release;            // "Debian:12"
  std::string generation;         // of the advisory database
  std::vector<Finding> findings;  // worst first, then by id and package; hidden ones included
  SeverityCounts counts;
};

// Errors: scan_impossible with the reason (unsupported system, no package database, no advisories for it).
Result<Judgement> judge(const ImageContents& image, const AdvisoryDb* advisories);

}  // namespace wharfage::scan
