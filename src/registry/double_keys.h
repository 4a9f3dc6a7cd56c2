// Whether any object of a JSON text names a key twice. Readers disagree on which one counts, so a manifest
// that does it could be one image for us and another for its users. Pure; `bytes` must be valid JSON of
// bounded depth.
#pragma once

#include <string_view>

namespace wharfage::registry {

bool has_double_keys(std::string_view bytes);

}  // namespace wharfage::registry
