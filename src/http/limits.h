// Bounds that only this room needs; the others are in base/limits.h. Sizes in bytes, times in milliseconds
// unless the name says otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wharfage::limits {

constexpr std::int64_t tls_poll_ms = 5'000;  // between two looks at the certificate files

// Clients
constexpr std::size_t connections_per_address_max = 1024;
constexpr std::int64_t crowded_idle_ms = 1000;   // how long an idle connection is kept when places are scarce
constexpr std::int64_t transfer_rate_min = 256;  // bytes a second while it is the client's turn
constexpr std::int64_t body_pace_ms = 30'000;    // over which that is measured for request bodies
constexpr std::size_t uncounted_bytes = 16 * 1024;  // small heads and bodies: bounded by connections_max
constexpr std::size_t received_bytes_max = std::size_t{256}
                                           << 20;                 // buffered heads and bodies of all requests
constexpr std::size_t unsent_bytes_max = std::size_t{512} << 20;  // response bodies in memory, all together
constexpr std::size_t stream_buffer_bytes = 2 * 1024 * 1024;      // a worker receives before its sink writes
constexpr std::size_t stream_turn_bytes = 4 * 1024 * 1024;        // before other requests get the worker
constexpr std::size_t stream_buffers_kept = 4;                    // between turns

// HTTP/2: what one connection may hold
constexpr std::size_t h2_streams_max = 100;
constexpr std::size_t h2_running_max = 32;  // requests on workers, and open sinks
constexpr std::size_t h2_headers_max =
    128 * 1024;  // of one request, with 32 bytes for each field (RFC 9113 6.5.2)
constexpr std::size_t h2_heads_max = 1024 * 1024;  // of all streams, when one more is large
constexpr std::size_t h2_large_head = 8 * 1024;
constexpr std::size_t h2_stream_window = 64 * 1024 - 1;  // body bytes ahead of us before anybody takes them
constexpr std::size_t h2_upload_window = 256 * 1024;     // and once a sink does
// So wide that streams that nobody takes anything from yet cannot starve those that are being written.
constexpr std::size_t h2_connection_window =
    h2_streams_max * h2_stream_window + h2_running_max * h2_upload_window;
constexpr std::size_t h2_unsent_max = 4 * 1024 * 1024;  // answers in memory above which no request is begun
constexpr std::size_t h2_gathered_bytes = 128 * 1024;   // frames that leave together
constexpr int h2_reads_per_turn = 64;                   // before other connections get their turn
// What a client may ask for without moving a request or a body on, see patience.h.
constexpr std::int64_t h2_patience = 2000;
constexpr std::int64_t h2_patience_per_second = 200;
constexpr std::int64_t h2_reset_cost = 20;

}  // namespace wharfage::limits
