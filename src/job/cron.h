// Schedules as the clouds write them: six fields, UTC: second minute hour day-of-month month day-of-week
// (0-7, names are not used by their consoles). Fields hold *, ?, numbers, a-b, a-b/n, */n and lists. As in
// cron, a restricted day-of-month and a restricted day-of-week are alternatives.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace wharfage::job {

class Cron {
 public:
  static Result<Cron> parse(std::string_view text);  // invalid_parameter
  // The first time after `time`; nullopt when there is none within five years (30 February).
  std::optional<TimeMs> next(TimeMs time) const;

 private:
  bool day_matches(int day, int month, int weekday) const;
  std::uint64_t x_seconds = 0, x_minutes = 0, x_hours = 0, x_days = 0, x_months = 0, x_weekdays = 0;
  bool x_any_day = false, x_any_weekday = false;
};

}  // namespace wharfage::job
