#include "facade/oci/range.h"

#include <algorithm>

#include "base/text.h"

namespace wharfage::oci {
namespace {

Error unsatisfiable() {
  return fail(Reason::range_invalid, "the blob has no such range");
}

std::optional<std::int64_t> number(std::string_view text) {
  if (text.empty() || text[0] == '-') return std::nullopt;
  return parse_integer(text);
}

}  // namespace

Result<std::optional<ByteRange>> parse_range(std::string_view header, std::int64_t size) {
  constexpr std::string_view unit = "bytes=";
  std::optional<ByteRange> whole;
  bool single = header.substr(0, unit.size()) == unit && header.find(',') == header.npos;
  if (!single) return whole;
  std::string_view text = trim(header.substr(unit.size()));
  auto dash = text.find('-');
  if (dash == text.npos) return whole;
  auto first = number(text.substr(0, dash)), last = number(text.substr(dash + 1));
  if (dash == 0) {
    if (!last) return whole;
    if (*last == 0 || size == 0) return unsatisfiable();
    std::int64_t length = std::min(*last, size);
    return std::optional<ByteRange>({size - length, length});
  }
  bool open_end = dash + 1 == text.size();
  if (!first || (!last && !open_end)) return whole;
  if (*first >= size || (last && *last < *first)) return unsatisfiable();
  std::int64_t end = last ? std::min(*last, size - 1) : size - 1;
  return std::optional<ByteRange>({*first, end - *first + 1});
}

Result<ByteRange> parse_content_range(std::string_view header) {
  std::string_view text = trim(header);
  if (text.substr(0, 6) == "bytes ") text = trim(text.substr(6));
  text = text.substr(0, text.find('/'));
  auto dash = text.find('-');
  auto first = number(text.substr(0, std::min(dash, text.size())));
  auto last = dash == text.npos ? std::nullopt : number(text.substr(dash + 1));
  if (!first || !last || *last < *first)
    return fail(Reason::upload_invalid, "Content-Range must be start-end");
  return ByteRange{*first, *last - *first + 1};
}

}  // namespace wharfage::oci
