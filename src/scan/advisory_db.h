// The advisory database as everybody reads it: an immutable file mapped into memory, shared and thread-safe.
// A newer import is another file under the same name; who holds this one keeps it. open() checks the header,
// the checksum and every reference once, so a damaged file is an error and never a crash. Text it hands out
// lives as long as the database.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "scan/advisory.h"

namespace wharfage::scan {

struct AdvisoryStats {
  struct Release {
    std::string name;  // "Debian:12"
    std::int64_t packages = 0, rows = 0, advisories = 0;
  };
  struct Source {
    std::string name;  // the file that was imported
    std::int64_t records = 0;
  };
  std::string generation;  // 32 hex digits; the same for the same content
  TimeMs imported_at = 0, newest_modified = 0;
  std::int64_t advisories = 0, rows = 0, bytes = 0;
  std::vector<Release> releases;
  std::vector<Source> sources;
};

class AdvisoryDb {
 public:
  // Errors: not_found (no such file), storage_failed (not an advisory database, damaged, of another version).
  static Result<std::shared_ptr<const AdvisoryDb>> open(const std::string& path);
  ~AdvisoryDb();
  AdvisoryDb(const AdvisoryDb&) = delete;
  AdvisoryDb& operator=(const AdvisoryDb&) = delete;

  AdvisoryStats stats() const;
  std::string generation() const;
  bool has_release(std::string_view release) const;

  struct Row {
    std::uint32_t advisory = 0;  // for view()
    std::string_view introduced, limit;
    LimitKind limit_kind = LimitKind::none;
    std::optional<Severity> vendor_severity;
    bool end_of_life = false;
  };
  // What is known about a source package of a release; empty when nothing is.
  std::vector<Row> find_rows(std::string_view release, std::string_view package) const;

  struct View {
    std::string_view family, id, summary, details, cvss_vector;
    std::vector<std::string_view> aliases, cves, references;
    std::optional<CvssScore> cvss;
    TimeMs published = 0, modified = 0;
    bool secondary = false;
  };
  View view(std::uint32_t advisory) const;
  std::optional<std::uint32_t> find_advisory(std::string_view family, std::string_view id) const;

  // Every record as it was put in, for the next import; stops at the first error.
  Status visit(const std::function<Status(const Advisory&)>& take) const;

 private:
  struct State;
  explicit AdvisoryDb(std::unique_ptr<State> state);
  std::unique_ptr<State> x_state;
};

}  // namespace wharfage::scan
