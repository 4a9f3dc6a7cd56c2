// `wharfage vulndb import PATH…`: reads OSV zips (also tar), folders and JSON files into the advisory
// database. An import adds to what is there: a newer record takes the place of an older one, a withdrawn
// record removes it; `replace` starts from nothing. The new file is complete on disk before it takes the old
// one's name, so readers never see half of it, and a failed import changes nothing. One import at a time (a
// lock file).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "scan/advisory_db.h"

namespace wharfage::scan {

enum class ImportMode { add, replace };

struct ImportReport {
  std::int64_t records = 0;  // OSV records read
  std::int64_t used = 0;     // of a system we judge
  std::int64_t ignored = 0;  // of other ecosystems
  std::int64_t withdrawn = 0;
  std::int64_t damaged = 0;  // could not be read
  std::int64_t duration_ms = 0;
  AdvisoryStats stats;  // of the new database
};

// Errors: invalid_parameter (a path that is not there or holds no records of ours; detail = the path),
// conflict (another import runs), disk_full, storage_failed, too_large.
Result<ImportReport> import_advisories(const std::vector<std::string>& paths, const std::string& database,
                                       ImportMode mode, const Clock& clock);

}  // namespace wharfage::scan
