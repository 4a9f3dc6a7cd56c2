#include "scan/advisory_store.h"

#include <sys/stat.h>

namespace wharfage::scan {

AdvisoryStore::AdvisoryStore(std::string path, const Clock& clock, Log log)
    : x_path(std::move(path)), x_clock(clock), x_log(std::move(log)) {}

AdvisoryStore::Identity AdvisoryStore::look() const {
  struct stat facts{};
  if (::stat(x_path.c_str(), &facts) != 0) return {};
  return {.device = facts.st_dev,
          .inode = facts.st_ino,
          .size = static_cast<std::uint64_t>(facts.st_size),
          .changed_ns = std::int64_t{facts.st_mtim.tv_sec} * 1'000'000'000 + facts.st_mtim.tv_nsec};
}

std::shared_ptr<const AdvisoryDb> AdvisoryStore::current() {
  Identity now = look();
  std::lock_guard lock(x_mutex);
  if (now == x_seen) return x_current;
  x_seen = now;
  if (now == Identity{}) {
    x_current = nullptr;
    return nullptr;
  }
  auto opened = AdvisoryDb::open(x_path);
  if (!opened.ok()) {
    x_log.error("the advisory database cannot be used", {{"error", opened.error().message}});
    return x_current;
  }
  x_current = *std::move(opened);
  x_log.info("advisories loaded", {{"generation", x_current->generation()}});
  return x_current;
}

Result<ImportReport> AdvisoryStore::import(const std::vector<std::string>& paths, ImportMode mode) {
  return import_advisories(paths, x_path, mode, x_clock);
}

}  // namespace wharfage::scan
