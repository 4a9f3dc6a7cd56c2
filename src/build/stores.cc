#include "build/stores.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <set>
#include <vector>

#include "base/random.h"
#include "build/launch.h"

namespace wharfage::build {
namespace {

namespace fs = std::filesystem;

// Allocated bytes; links are not followed.
std::int64_t bytes_in(const fs::path& folder) {
  std::int64_t bytes = 0;
  std::error_code failed;
  fs::recursive_directory_iterator entries(folder, fs::directory_options::skip_permission_denied, failed);
  for (; !failed && entries != fs::recursive_directory_iterator(); entries.increment(failed)) {
    struct stat one{};
    if (lstat(entries->path().c_str(), &one) == 0 && one.st_nlink == 1) bytes += one.st_blocks * 512;
  }
  return bytes;
}

std::string marker(const std::string& folder) {
  return folder + ".busy";
}

void remove_store(const std::string& folder) {
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  unlink(marker(folder).c_str());
}

}  // namespace

struct Stores::State {
  std::string folder;
  std::int64_t bytes_max;
  std::mutex mutex;
  std::set<std::string> busy;
};

Stores::Stores(std::string folder, std::int64_t bytes_max)
    : x_state(new State{.folder = std::move(folder), .bytes_max = bytes_max}) {}

Stores::~Stores() = default;

void Stores::recover() {
  std::vector<std::string> broken;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(x_state->folder, missing)) {
    if (entry.path().extension() == ".busy")
      broken.push_back(entry.path().parent_path() / entry.path().stem());
  }
  for (const std::string& folder : broken) remove_store(folder);
}

Result<std::unique_ptr<Stores::Lease>> Stores::lease(const std::string& key) {
  std::error_code failed;
  fs::create_directories(x_state->folder, failed);
  std::lock_guard lock(x_state->mutex);
  std::string folder = fmt::format("{}/{}", x_state->folder, key);
  bool lasting = x_state->busy.count(folder) == 0;
  if (!lasting) folder += "-" + random_hex(4);
  Handle mark(open(marker(folder).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!mark) return fail(Reason::unsupported, "the build's layer store cannot be made");
  x_state->busy.insert(folder);
  return std::unique_ptr<Lease>(new Lease(*this, folder, lasting));
}

Stores::Lease::~Lease() {
  x_stores.give_back(x_folder, x_keep && x_lasting);
}

void Stores::give_back(const std::string& folder, bool keep) {
  if (keep) {
    std::error_code ignored;
    fs::last_write_time(folder, fs::file_time_type::clock::now(), ignored);
    unlink(marker(folder).c_str());
  } else {
    remove_store(folder);
  }
  {
    std::lock_guard lock(x_state->mutex);
    x_state->busy.erase(folder);
  }
  make_room();
}

void Stores::make_room() {
  struct Kept {
    fs::file_time_type used;
    std::int64_t bytes;
    std::string folder;
  };
  std::vector<Kept> kept;
  std::int64_t total = 0;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(x_state->folder, failed)) {
    if (!entry.is_directory(failed)) continue;
    kept.push_back({entry.last_write_time(failed), bytes_in(entry.path()), entry.path().string()});
    total += kept.back().bytes;
  }
  std::sort(kept.begin(), kept.end(), [](const Kept& a, const Kept& b) { return a.used < b.used; });
  for (const Kept& one : kept) {
    if (total <= x_state->bytes_max) return;
    // Under the lock, so that nobody leases what is being removed.
    std::lock_guard lock(x_state->mutex);
    if (x_state->busy.count(one.folder) != 0) continue;
    remove_store(one.folder);
    total -= one.bytes;
  }
}

}  // namespace wharfage::build
