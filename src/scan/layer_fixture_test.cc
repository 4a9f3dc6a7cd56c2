#include <zlib.h>
#include <zstd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "scan/layer_fixture.h"

namespace wharfage::scan::testing {

Tar& Tar::entry(std::string_view path, char type, std::string_view content, std::string_view target) {
  std::string header(512, '\0');
  auto put = [&](std::size_t at, std::string_view text) { header.replace(at, text.size(), text); };
  auto octal = [](unsigned long value, int digits) {
    char text[16];
    std::snprintf(text, sizeof text, "%0*lo", digits, value);
    return std::string(text);
  };
  put(0, path.substr(0, 100));
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, octal(content.size(), 11));
  put(136, octal(0, 11));
  put(148, "        ");
  header[156] = type;
  put(157, target.substr(0, 100));
  put(257, std::string_view("ustar\00000", 8));
  unsigned long sum = 0;
  for (unsigned char c : header) sum += c;
  put(148, octal(sum, 6) + std::string("\0 ", 2));
  x_bytes += header;
  x_bytes += content;
  x_bytes.append((512 - content.size() % 512) % 512, '\0');
  return *this;
}

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3));
  return out;
}

Result<std::string_view> Pieces::next() {
  std::string_view piece = std::string_view(x_bytes).substr(x_at, x_piece);
  x_at += piece.size();
  return piece;
}

Result<LayerFiles> read(std::string bytes, std::size_t piece, const UnpackLimits& limits) {
  Pieces pieces(std::move(bytes), piece);
  return read_layer(pieces, limits);
}

Folder::Folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "wharfage-scan-XXXXXX").string();
  x_path = mkdtemp(pattern.data());
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(x_path, ignored);
}

void Folder::write(std::string_view name, std::string_view content) const {
  std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
  std::ofstream(path(name), std::ios::binary | std::ios::trunc) << content;
}

std::string Folder::read(std::string_view name) const {
  std::stringstream content;
  content << std::ifstream(path(name), std::ios::binary).rdbuf();
  return content.str();
}

}  // namespace wharfage::scan::testing
