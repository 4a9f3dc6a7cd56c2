#include "blob/old_trash.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "blob/posix.h"

namespace wharfage::blob {
namespace {

namespace fs = std::filesystem;

void bring_back(const fs::path& trash, const fs::path& blobs, std::error_code& failed) {
  for (fs::recursive_directory_iterator at(trash, failed), end; !failed && at != end; at.increment(failed)) {
    if (!at->is_regular_file(failed)) continue;
    fs::path place = blobs / fs::relative(at->path(), trash, failed);
    if (failed || fs::exists(place, failed)) continue;
    fs::create_directories(place.parent_path(), failed);
    if (!failed) fs::rename(at->path(), place, failed);
  }
}

}  // namespace

Status empty_old_trash(const std::string& root) {
  fs::path trash = fs::path(root) / "trash";
  std::error_code failed;
  if (!fs::exists(trash, failed)) return {};
  bring_back(trash, fs::path(root) / "blobs", failed);
  if (failed) return fail(Reason::storage_failed, {}, failed.message());
  TRY(auto folder, open_folder(Descriptor(AT_FDCWD), root));
  if (::syncfs(folder.get()) != 0) return storage_error(errno);
  fs::remove_all(trash, failed);
  if (failed) return fail(Reason::storage_failed, {}, failed.message());
  return {};
}

}  // namespace wharfage::blob
