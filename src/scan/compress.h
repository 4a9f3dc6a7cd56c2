// Package lists are stored deflated (RFC 1950): they repeat themselves and shrink to a fifth.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace wharfage::scan {

std::string compress(std::string_view bytes);
// Error: internal (damaged, or more than `bytes_max`).
Result<std::string> decompress(std::string_view packed, std::size_t bytes_max);

}  // namespace wharfage::scan
