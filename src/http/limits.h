// Bounds that only this room needs; the others are in base/limits.h. Sizes in bytes, times in milliseconds
// unless the name says otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wharfage::limits {

constexpr std::int64_t tls_poll_ms = 5'000;  // between two looks at the certificate files

}  // namespace wharfage::limits
