// Layers made by the tests, byte by byte: a tar writer that also writes what no honest tool would.
#pragma once

#include <string>
#include <string_view>

#include "scan/layer_reader.h"

namespace wharfage::scan::testing {

// Builds an uncompressed tar in memory.
class Tar {
 public:
  Tar& file(std::string_view path, std::string_view content) { return entry(path, '0', content, ""); }
  Tar& folder(std::string_view path) { return entry(path, '5', "", ""); }
  Tar& symlink(std::string_view path, std::string_view target) { return entry(path, '2', "", target); }
  Tar& hardlink(std::string_view path, std::string_view target) { return entry(path, '1', "", target); }
  Tar& entry(std::string_view path, char type, std::string_view content, std::string_view target);
  std::string bytes() const { return x_bytes + std::string(1024, '\0'); }

 private:
  std::string x_bytes;
};

std::string gzip(std::string_view bytes);
std::string zstd(std::string_view bytes);

// A blob that arrives in pieces of `piece` bytes.
class Pieces final : public ByteSource {
 public:
  explicit Pieces(std::string bytes, std::size_t piece = 1000) : x_bytes(std::move(bytes)), x_piece(piece) {}
  Result<std::string_view> next() override;

 private:
  std::string x_bytes;
  std::size_t x_piece;
  std::size_t x_at = 0;
};

Result<LayerFiles> read(std::string bytes, std::size_t piece = 1000, const UnpackLimits& limits = {});

// A folder of its own for one test, removed with everything in it.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path(std::string_view name) const { return x_path + "/" + std::string(name); }
  void write(std::string_view name, std::string_view content) const;  // creates folders on the way
  std::string read(std::string_view name) const;

 private:
  std::string x_path;
};

}  // namespace wharfage::scan::testing
