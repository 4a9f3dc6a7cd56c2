// Image layers: gzip, zstd or plain, and tar inside. The first byte is the size of the pieces they come in.
#include <algorithm>

#include "input.h"
#include "scan/layer_reader.h"

using namespace wharfage;

namespace {

class Pieces final : public scan::ByteSource {
 public:
  Pieces(std::string_view text, std::size_t piece) : x_left(text), x_piece(piece) {}
  Result<std::string_view> next() override {
    std::string_view part = x_left.substr(0, x_piece);
    x_left.remove_prefix(part.size());
    return part;
  }

 private:
  std::string_view x_left;
  std::size_t x_piece;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Pieces pieces(fuzz::text_of(data + 1, size - 1), std::size_t{16} * data[0] + 1);
  scan::UnpackLimits limits{.bytes_max = 1 << 20, .ratio_max = 500, .ratio_from = 1 << 16};
  auto layer = scan::read_layer(pieces, limits);
  if (!layer.ok()) return 0;
  fuzz::demand(layer->bytes <= limits.bytes_max);
  for (const auto& [path, content] : layer->files) {
    std::string clean;
    fuzz::demand(scan::use_of(path) != scan::FileUse::none);
    fuzz::demand(scan::clean_path(path, clean) && clean == path);
  }
  return 0;
}
