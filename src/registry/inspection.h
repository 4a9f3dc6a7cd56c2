// What looking after the store finds, and whoever listens while it looks: Registry::check() holds rows and
// files against each other, Registry::scrub() reads every blob again. Both work beside pushes and deletions:
// whatever looks wrong is judged a second time inside a write transaction before it is told or touched.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"

namespace wharfage::registry {

// docs/operate/maintenance.md explains every fault.
struct Finding {
  std::string fault;    // "blob_missing", "file_unknown", …
  std::string place;    // a repository that is concerned, or ""
  std::string subject;  // a digest, a tag, a file below the store
  std::string detail;
  bool mended = false;
};

class Follower {
 public:
  virtual ~Follower() = default;
  virtual Status alive() = 0;  // asked between small steps; an error ends the work
  virtual void found(Finding finding) = 0;
  virtual void counted(std::string_view what, std::int64_t number) = 0;  // "blobs", "bytes", …
  // A scrub is done up to here; where to go on after a restart.
  virtual Status reached(const Digest& last) = 0;
};

// A Follower's memory: figures, and the first findings in full.
constexpr std::size_t findings_kept_max = 1000;
struct Report {
  std::map<std::string, std::int64_t> counted, faults;
  std::int64_t mended = 0;
  std::vector<Finding> findings;

  void add(Finding finding);
  std::int64_t problems() const;  // found and not mended
  std::string json() const;
  static Report parse(std::string_view json);  // what cannot be read is left out
};

struct ScrubOptions {
  std::int64_t bytes_per_s = 0;  // 0: as fast as the disk
  std::optional<Digest> after;
};

}  // namespace wharfage::registry
