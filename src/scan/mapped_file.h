// A file mapped read-only into memory; unmapped with this value. Only for files that are replaced by rename
// and never changed in place: what is mapped cannot shrink under its reader.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace wharfage::scan {

class MappedFile {
 public:
  static Result<MappedFile> open(const std::string& path);  // not_found, storage_failed
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();
  std::string_view bytes() const { return {x_data, x_size}; }

 private:
  MappedFile(const char* data, std::size_t size) : x_data(data), x_size(size) {}
  const char* x_data = nullptr;
  std::size_t x_size = 0;
};

}  // namespace wharfage::scan
