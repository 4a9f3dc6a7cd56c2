// What fuzz targets share: bytes as text, and a demand whose failure the fuzzer reports as a crash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wharfage::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline void demand(bool holds) {
  if (!holds) __builtin_trap();
}

// Takes the first line off `text`.
inline std::string_view take_line(std::string_view& text) {
  std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace wharfage::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
