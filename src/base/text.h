// Small text functions every room needs. All of them are pure and know no locale.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace wharfage {

std::string hex(std::string_view bytes);
Result<std::string> unhex(std::string_view text);     // invalid_parameter
std::string base64(std::string_view bytes);           // standard alphabet, padded
std::string base64_url(std::string_view bytes);       // URL alphabet, not padded
Result<std::string> unbase64(std::string_view text);  // both alphabets, padding optional

std::string lower(std::string_view text);
std::string upper(std::string_view text);
bool same_ignoring_case(std::string_view a, std::string_view b);
std::string_view trim(std::string_view text);                                // spaces and tabs, CR, LF
std::vector<std::string_view> split(std::string_view text, char separator);  // "" -> {""}
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::optional<std::int64_t> parse_integer(std::string_view text);  // whole text, optional minus, no overflow
std::string cut(std::string_view text, std::size_t bytes_max);     // at a UTF-8 boundary

// RFC 3986: everything but A-Za-z0-9-_.~ becomes %XX.
std::string percent_encode(std::string_view text);
// Decodes %XX; `plus_is_space` for forms and queries. A broken escape is kept as it stands.
std::string percent_decode(std::string_view text, bool plus_is_space = false);

// Decoded name/value pairs in wire order, of a query or a form body.
using Params = std::vector<std::pair<std::string, std::string>>;
Params parse_query(std::string_view text);
std::optional<std::string> find_param(const Params& params, std::string_view name);

// Equal length and equal bytes, in time that does not depend on where they differ.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace wharfage
