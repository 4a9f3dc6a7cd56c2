// Bounds that only this room needs; the others are in base/limits.h. Sizes in bytes, times in milliseconds
// unless the name says otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wharfage::limits {

constexpr std::int64_t tls_poll_ms = 5'000;  // between two looks at the certificate files

// Clients
constexpr std::size_t connections_per_address_max = 1024;
constexpr std::int64_t transfer_rate_min = 256;     // bytes a second while it is the client's turn
constexpr std::int64_t body_pace_ms = 30'000;       // over which that is measured for request bodies
constexpr std::size_t uncounted_bytes = 16 * 1024;  // small heads and bodies: bounded by connections_max
constexpr std::size_t received_bytes_max = std::size_t{256}
                                           << 20;                 // buffered heads and bodies of all requests
constexpr std::size_t unsent_bytes_max = std::size_t{512} << 20;  // response bodies in memory, all together

}  // namespace wharfage::limits
