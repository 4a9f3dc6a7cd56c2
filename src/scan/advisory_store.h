// The present advisory database of this installation. Looks at the file's identity on every use, so an import
// by another process (the command line) is noticed at once. Keeps the last good one when a new file cannot be
// read. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/log.h"
#include "scan/advisory_import.h"

namespace wharfage::scan {

class AdvisoryStore {
 public:
  AdvisoryStore(std::string path, const Clock& clock, Log log);

  // Null when nothing was imported yet.
  std::shared_ptr<const AdvisoryDb> current();
  Result<ImportReport> import(const std::vector<std::string>& paths, ImportMode mode);

 private:
  struct Identity {
    std::uint64_t device = 0, inode = 0, size = 0;
    std::int64_t changed_ns = 0;
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  Identity look() const;

  const std::string x_path;
  const Clock& x_clock;
  Log x_log;
  std::mutex x_mutex;
  Identity x_seen;
  std::shared_ptr<const AdvisoryDb> x_current;
};

}  // namespace wharfage::scan
