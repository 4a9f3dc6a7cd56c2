// Time as the product speaks of it: milliseconds since the epoch, UTC. Only base reads a clock; everything
// else is given one, so that tests can stand still or jump.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace wharfage {

using TimeMs = std::int64_t;  // since 1970-01-01T00:00:00Z

constexpr TimeMs second_ms = 1000;
constexpr TimeMs minute_ms = 60 * second_ms;
constexpr TimeMs hour_ms = 60 * minute_ms;
constexpr TimeMs day_ms = 24 * hour_ms;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimeMs now() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimeMs now() const override;
};

// For tests: stands still until it is moved. Thread-safe.
class FrozenClock final : public Clock {
 public:
  explicit FrozenClock(TimeMs now) : x_now(now) {}
  TimeMs now() const override { return x_now; }
  void set(TimeMs now) { x_now = now; }
  void advance(TimeMs by) { x_now += by; }

 private:
  std::atomic<TimeMs> x_now;
};

// Monotonic milliseconds, for measuring durations and deadlines.
std::int64_t monotonic_ms();

std::string rfc3339(TimeMs time);        // 2026-11-22T02:22:43Z
std::string rfc3339_ms(TimeMs time);     // 2026-11-22T02:22:43.123Z
std::string rfc3339_us(TimeMs time);     // 2026-11-22T02:22:43.123000Z
std::string basic_iso8601(TimeMs time);  // 20261122T022243Z
std::string sql_datetime(TimeMs time);   // 2026-11-22 02:22:43, without a zone
std::string http_date(TimeMs time);      // Sun, 22 Nov 2026 02:22:43 GMT

// Accepts YYYY-MM-DDTHH:MM:SS[.fraction](Z|±HH:MM). Error: invalid_parameter.
Result<TimeMs> parse_rfc3339(std::string_view text);
// Accepts exactly YYYYMMDDTHHMMSSZ. Error: invalid_parameter.
Result<TimeMs> parse_basic_iso8601(std::string_view text);

}  // namespace wharfage
