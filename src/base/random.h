// Randomness from the kernel. All ids that callers see are random; none is derived from a row number.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wharfage {

std::string random_bytes(std::size_t count);
std::string random_hex(std::size_t bytes);       // 2 * bytes lower-case hex digits
std::string random_uuid();                       // version 4, lower case
std::string random_uuid_upper();                 // as the clouds print request ids
std::string random_id(std::string_view prefix);  // prefix + 16 of [a-z0-9]: "crr-4f…"
std::string random_password();                   // 24 characters, 140 bits

}  // namespace wharfage
