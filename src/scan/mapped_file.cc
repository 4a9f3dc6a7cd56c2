#include "scan/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <utility>

namespace wharfage::scan {

Result<MappedFile> MappedFile::open(const std::string& path) {
  int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail(errno == ENOENT ? Reason::not_found : Reason::storage_failed);
  struct stat facts{};
  bool regular = ::fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode);
  auto size = static_cast<std::size_t>(facts.st_size);
  void* data = MAP_FAILED;
  if (regular && size > 0) data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
  ::close(descriptor);
  if (!regular) return fail(Reason::storage_failed);
  if (size == 0) return MappedFile(nullptr, 0);
  if (data == MAP_FAILED) return fail(Reason::storage_failed);
  return MappedFile(static_cast<const char*>(data), size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : x_data(std::exchange(other.x_data, nullptr)), x_size(std::exchange(other.x_size, 0)) {}

MappedFile::~MappedFile() {
  if (x_data) ::munmap(const_cast<char*>(x_data), x_size);
}

}  // namespace wharfage::scan
