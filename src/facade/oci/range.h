// Byte ranges of RFC 9110 section 14, as far as blobs need them: one range per request.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace wharfage::oci {

struct ByteRange {
  std::int64_t first = 0, length = 0;
};

// Nullopt: answer with the whole (no range, another unit, several ranges, bad syntax). Error: range_invalid.
Result<std::optional<ByteRange>> parse_range(std::string_view header, std::int64_t size);

// "start-end" of a chunk ("bytes start-end/…" is understood too). Error: upload_invalid.
Result<ByteRange> parse_content_range(std::string_view header);

}  // namespace wharfage::oci
