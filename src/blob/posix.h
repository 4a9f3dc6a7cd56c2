// The few system calls the store is made of, with their errors turned into ours: no room left is disk_full,
// everything else storage_failed (the detail is the kernel's text, never a path).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace wharfage::blob {

// An open file, closed with this value.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : x_number(number) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : x_number(std::exchange(other.x_number, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(x_number, other.x_number);
    return *this;
  }
  int get() const { return x_number; }
  int release() { return std::exchange(x_number, -1); }
  void close();

 private:
  int x_number = -1;
};

Error storage_error(int error_number);

// `flags` gets O_CLOEXEC and O_NOFOLLOW; not_found when there is no such file, storage_failed when it is
// none.
Result<Descriptor> open_at(const Descriptor& folder, const std::string& name, int flags, unsigned mode = 0);
Result<Descriptor> open_folder(const Descriptor& parent, const std::string& name);

Status write_at(const Descriptor& file, std::string_view bytes, std::int64_t offset);
Result<std::string> read_at(int file, std::int64_t offset, std::size_t length);  // less only at the end
Status sync_data(const Descriptor& file);
Status sync_folder(const Descriptor& folder);
Result<std::int64_t> file_size(const Descriptor& file);
// The size of a regular file; not_found when there is none of that name.
Result<std::int64_t> file_size(const Descriptor& folder, const std::string& name);
// True when it was not there before.
Result<bool> make_folder(const Descriptor& parent, const std::string& name);
// not_found when `from` is not there.
Status rename_at(const Descriptor& from_folder, const std::string& from, const Descriptor& to_folder,
                 const std::string& to);
Status unlink_at(const Descriptor& folder, const std::string& name);  // not_found

}  // namespace wharfage::blob
