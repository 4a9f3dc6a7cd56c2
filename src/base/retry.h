// When a caller who was refused may come back. Few errors know, so Error has no member for it: the seconds
// stand at the end of its message, where people read them too, and are taken from there for Retry-After.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace wharfage {

// `what` becomes "<what>; try again in 42 seconds", rounded up.
Error try_again_in(std::int64_t wait_ms, Reason reason, std::string what);
// What such an error says; 1 for every other.
std::int64_t retry_after_s(const Error& error);

}  // namespace wharfage
