// Paths of the registry API and the two kinds of byte ranges that clients send.
#include "facade/oci/range.h"
#include "facade/oci/route.h"
#include "input.h"

using namespace wharfage;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = fuzz::text_of(data, size);
  if (text.starts_with("/v2")) {
    if (auto route = oci::parse_route(text)) fuzz::demand(text.find(route->name) != std::string_view::npos);
    return 0;
  }
  constexpr std::int64_t bytes = 1000;
  auto range = oci::parse_range(text, bytes);
  if (range.ok() && *range) {
    const oci::ByteRange& part = **range;
    fuzz::demand(part.first >= 0 && part.length > 0 && part.first <= bytes - part.length);
  }
  auto chunk = oci::parse_content_range(text);
  if (chunk.ok()) fuzz::demand(chunk->first >= 0 && chunk->length >= 0);
  return 0;
}
