// How long a failed attempt waits: doubled each time, bounded, and spread by the id so that what failed
// together does not come back together. No randomness, so a test can tell the delay.
#pragma once

#include <cstdint>
#include <string_view>

namespace wharfage::job {

// `attempt` counts from 1. Between three quarters and the whole of min(base * 2^(attempt - 1), max).
std::int64_t backoff_ms(std::string_view id, int attempt, std::int64_t base_ms, std::int64_t max_ms);

}  // namespace wharfage::job
