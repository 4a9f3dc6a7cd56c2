#include "node/data_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace wharfage::node {
namespace {

Error broken(const std::string& what, const std::string& path) {
  return fail(Reason::storage_failed, "cannot " + what + " " + path + ": " + std::strerror(errno));
}

}  // namespace

Result<std::unique_ptr<DataFolder>> DataFolder::open(const std::string& path) {
  std::error_code error;
  std::string absolute = std::filesystem::absolute(path, error).lexically_normal().string();
  if (std::filesystem::exists(unfinished(absolute), error)) {
    return fail(
        Reason::storage_failed,
        absolute + " holds a backup or a restore that did not finish: do it again, or empty the folder");
  }
  bool fresh = !std::filesystem::exists(absolute, error);
  std::filesystem::create_directories(absolute, error);
  if (error) return fail(Reason::storage_failed, "cannot create " + absolute + ": " + error.message());
  // Only what we made ourselves is closed to others: an existing folder's owner has decided about it.
  if (fresh && ::chmod(absolute.c_str(), 0711) != 0) return broken("protect", absolute);
  std::string lock_file = absolute + "/lock";
  int lock = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return broken("open", lock_file);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return fail(Reason::conflict, "another process uses " + absolute);
  }
  return std::unique_ptr<DataFolder>(new DataFolder(absolute, lock));
}

bool DataFolder::holds_data(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path + "/wharfage.db", error);
}

DataFolder::~DataFolder() {
  ::close(x_lock);
}

Status write_private_file(const std::string& path, std::string_view content) {
  std::string draft = path + ".new";
  int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return broken("write", path);
  bool written = ::write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
                 ::fsync(file) == 0;
  ::close(file);
  if (!written || ::rename(draft.c_str(), path.c_str()) != 0) return broken("write", path);
  return {};
}

}  // namespace wharfage::node
