#include "scan/compress.h"

#include <zlib.h>
#include <algorithm>

namespace wharfage::scan {
namespace {

Error unreadable() {
  return fail(Reason::internal, "a stored package list cannot be unpacked");
}

}  // namespace

std::string compress(std::string_view bytes) {
  uLongf size = compressBound(bytes.size());
  std::string out(size, '\0');
  auto* data = reinterpret_cast<Bytef*>(out.data());
  compress2(data, &size, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), 6);
  out.resize(size);
  return out;
}

Result<std::string> decompress(std::string_view packed, std::size_t bytes_max) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return fail(Reason::internal);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string out;
  int code = Z_OK;
  while (code == Z_OK && out.size() <= bytes_max) {
    std::size_t used = out.size();
    out.resize(used + std::clamp<std::size_t>(packed.size() * 4, 4096, 4 * 1024 * 1024));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    stream.avail_out = static_cast<uInt>(out.size() - used);
    code = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (code != Z_STREAM_END || out.size() > bytes_max) return unreadable();
  return out;
}

}  // namespace wharfage::scan
