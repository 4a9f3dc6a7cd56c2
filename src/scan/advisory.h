// One advisory as we keep it: what an OSV record says about one distribution family, with its texts bounded.
// A primary record speaks of one CVE. A secondary one (DSA, DLA, USN, CGA) is a vendor's notice about
// several: it counts only for those CVEs that have no record of their own in the family, so that nothing is
// reported twice and nothing is lost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "scan/cvss.h"
#include "scan/severity.h"

namespace wharfage::scan {

enum class LimitKind : std::uint8_t { none, fixed, last_affected, exact };

// A stretch of versions of a source package that is affected: from `introduced` ("": from the first) up to
// but without `limit` (fixed), with it (last_affected), without end (none), or only `introduced` itself
// (exact).
struct AffectedRange {
  std::string release, package;
  std::string introduced, limit;
  LimitKind limit_kind = LimitKind::none;
  std::optional<Severity> vendor_severity;
  bool end_of_life = false;  // the vendor no longer looks at this package
};

struct Advisory {
  std::string family, id;
  std::string summary, details;
  std::vector<std::string> aliases, cves, references;
  std::string cvss_vector;
  std::optional<CvssScore> cvss;
  TimeMs published = 0, modified = 0;
  bool secondary = false;
  std::vector<AffectedRange> ranges;
};

}  // namespace wharfage::scan
