// The patterns of the clouds' selectors ("doublestar"): * any but '/', ** anything, ? one but '/', {a,b*}
// alternatives. Linear in the text for patterns without alternatives; alternatives are bounded.
#pragma once

#include <string_view>

#include "base/result.h"

namespace wharfage {

constexpr std::size_t glob_length_max = 512;
constexpr std::size_t glob_alternatives_max = 256;  // after expanding all braces

// Error: invalid_parameter for unbalanced or nested braces, too long, too many alternatives.
Status check_glob(std::string_view pattern);
bool glob_match(std::string_view pattern, std::string_view text);  // an invalid pattern matches nothing

}  // namespace wharfage
