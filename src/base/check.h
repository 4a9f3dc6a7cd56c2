// CHECK stays on in release builds: a broken invariant must stop the program before it loses data.
#pragma once

namespace wharfage {
[[noreturn]] void check_failed(const char* condition, const char* why, const char* file, int line);
}

#define CHECK(condition, why) \
  ((condition) ? void(0) : ::wharfage::check_failed(#condition, why, __FILE__, __LINE__))
