// JSON from the network, read into a tree. How large a text is bounds neither how deep it is nor how much
// memory it takes: four megabytes of "{}," are 1.4 million values. So both are bounded here, while the text
// is read. Objects that name a key twice can be refused, too: readers disagree on which one counts, so a
// manifest that does it could be one image for us and another for its users (GHSA-qq97-vm5h-rrhg). Pure.
// Errors: malformed_body.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <string_view>

#include "base/limits.h"
#include "base/result.h"

namespace wharfage::wire {

// 32 for each of the 4096 others that a manifest may refer to; no request of any API comes near.
constexpr std::size_t json_values_max = 32 * limits::manifest_references_max;

enum class Doubled { last_counts, refused };

Result<boost::json::value> parse_json(std::string_view text, Doubled keys = Doubled::last_counts,
                                      std::size_t values_max = json_values_max);

}  // namespace wharfage::wire
