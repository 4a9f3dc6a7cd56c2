#include "blob/listing.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace wharfage::blob {
namespace {

constexpr int shelves_per_algorithm = 256;

// A rename changes st_ctim and not st_mtim: both count, or a file that has just been published looks old.
TimeMs changed_at(const struct stat& facts) {
  auto ms = [](const timespec& at) { return TimeMs{at.tv_sec} * second_ms + at.tv_nsec / 1'000'000; };
  return std::max(ms(facts.st_mtim), ms(facts.st_ctim));
}

Result<std::vector<std::string>> names_in(const Descriptor& folder) {
  TRY(auto again, open_folder(folder, "."));
  std::unique_ptr<DIR, int (*)(DIR*)> open(::fdopendir(again.get()), ::closedir);
  if (!open) return storage_error(errno);
  again.release();  // closed by closedir
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(open.get())) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Lister {
 public:
  Lister(const Descriptor& area, const std::optional<Digest>& after, std::size_t limit)
      : x_area(area), x_after(after), x_limit(limit) {}

  Result<Listing> run() {
    for (const char* algorithm : {"sha256", "sha512"}) {
      for (int shelf = 0; shelf < shelves_per_algorithm; ++shelf) {
        TRY_STATUS(read(algorithm, fmt::format("{:02x}", shelf)));
        if (x_full) return std::move(x_listing);
      }
    }
    x_listing.end = true;
    return std::move(x_listing);
  }

 private:
  Status read(const std::string& algorithm, const std::string& shelf) {
    // Whole folders that lie before the place to go on from.
    if (x_after && x_after->text().substr(0, algorithm.size() + 3) > algorithm + ":" + shelf) return {};
    auto folder = open_folder(x_area, algorithm + "/" + shelf);
    if (!folder.ok() && folder.error().reason == Reason::not_found) return {};
    if (!folder.ok()) return folder.error();
    bool begun = x_after && x_after->text().substr(0, algorithm.size() + 3) == algorithm + ":" + shelf;
    TRY(auto names, names_in(*folder));
    for (const auto& name : names) {
      auto digest = Digest::parse(algorithm + ":" + name);
      struct stat facts;
      bool proper = digest.ok() && name.starts_with(shelf);
      if (proper && x_after && *digest <= *x_after) continue;
      bool there = ::fstatat(folder->get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0;
      if (!there) continue;  // moved meanwhile
      if (!proper || !S_ISREG(facts.st_mode)) {
        // Told once: by the call that begins the folder.
        if (!begun && x_listing.strays.size() < strays_max)
          x_listing.strays.push_back(algorithm + "/" + shelf + "/" + name);
        continue;
      }
      if (x_listing.files.size() == x_limit) {
        x_full = true;
        return {};
      }
      x_listing.files.push_back({*std::move(digest), facts.st_size, changed_at(facts)});
    }
    return {};
  }

  const Descriptor& x_area;
  const std::optional<Digest>& x_after;
  const std::size_t x_limit;
  Listing x_listing;
  bool x_full = false;
};

}  // namespace

Result<Listing> list_files(const Descriptor& area, const std::optional<Digest>& after, std::size_t limit) {
  return Lister(area, after, std::max<std::size_t>(limit, 1)).run();
}

}  // namespace wharfage::blob
