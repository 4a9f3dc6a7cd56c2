#include "blob/posix.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "base/failpoint.h"

namespace wharfage::blob {

void Descriptor::close() {
  if (x_number >= 0) ::close(release());
}

Error storage_error(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return fail(Reason::disk_full);
    case ENOENT:
      return fail(Reason::not_found);
    default:
      return fail(Reason::storage_failed, {}, std::generic_category().message(error_number));
  }
}

Result<Descriptor> open_at(const Descriptor& folder, const std::string& name, int flags, unsigned mode) {
  // A pipe that somebody put in a file's place would otherwise keep its reader waiting for ever.
  int number = ::openat(folder.get(), name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode);
  if (number < 0) return storage_error(errno);
  Descriptor file(number);
  struct stat about{};
  if (::fstat(number, &about) != 0) return storage_error(errno);
  if (!S_ISREG(about.st_mode)) return storage_error(ENXIO);
  return file;
}

Result<Descriptor> open_folder(const Descriptor& parent, const std::string& name) {
  int number = ::openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (number < 0) return storage_error(errno);
  return Descriptor(number);
}

Status write_at(const Descriptor& file, std::string_view bytes, std::int64_t offset) {
  if (FAIL_POINT("blob.write")) return storage_error(EIO);
  while (!bytes.empty()) {
    ssize_t written = ::pwrite(file.get(), bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return storage_error(errno);
    if (written == 0) return storage_error(ENOSPC);
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += written;
  }
  return {};
}

Result<std::string> read_at(int file, std::int64_t offset, std::size_t length) {
  std::string bytes(length, '\0');
  std::size_t done = 0;
  while (done < length) {
    ssize_t got = ::pread(file, bytes.data() + done, length - done, offset + static_cast<std::int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return storage_error(errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

Status sync_data(const Descriptor& file) {
  if (FAIL_POINT("blob.sync")) return storage_error(EIO);
  if (::fdatasync(file.get()) != 0) return storage_error(errno);
  return {};
}

Status sync_folder(const Descriptor& folder) {
  if (FAIL_POINT("blob.sync_folder")) return storage_error(EIO);
  if (::fsync(folder.get()) != 0) return storage_error(errno);
  return {};
}

Result<std::int64_t> file_size(const Descriptor& file) {
  struct stat facts;
  if (::fstat(file.get(), &facts) != 0) return storage_error(errno);
  if (!S_ISREG(facts.st_mode)) return fail(Reason::storage_failed);
  return static_cast<std::int64_t>(facts.st_size);
}

Result<std::int64_t> file_size(const Descriptor& folder, const std::string& name) {
  struct stat facts;
  if (::fstatat(folder.get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) return storage_error(errno);
  if (!S_ISREG(facts.st_mode)) return fail(Reason::not_found);
  return static_cast<std::int64_t>(facts.st_size);
}

Result<bool> make_folder(const Descriptor& parent, const std::string& name) {
  if (::mkdirat(parent.get(), name.c_str(), 0750) == 0) return true;
  if (errno == EEXIST) return false;
  return storage_error(errno);
}

Status rename_at(const Descriptor& from_folder, const std::string& from, const Descriptor& to_folder,
                 const std::string& to) {
  if (FAIL_POINT("blob.rename")) return storage_error(EIO);
  if (::renameat(from_folder.get(), from.c_str(), to_folder.get(), to.c_str()) != 0)
    return storage_error(errno);
  return {};
}

Status unlink_at(const Descriptor& folder, const std::string& name) {
  if (::unlinkat(folder.get(), name.c_str(), 0) != 0) return storage_error(errno);
  return {};
}

}  // namespace wharfage::blob
