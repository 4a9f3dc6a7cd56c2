#include "job/cron.h"

#include <ctime>

#include "base/text.h"

namespace wharfage::job {
namespace {

constexpr int years_ahead = 5;

Error bad(std::string_view field) {
  return fail(Reason::invalid_parameter, "not a schedule field: " + std::string(field.substr(0, 40)), "cron");
}

// One of a list: "*", "?", "5", "1-5", "*/15", "1-30/2", "10/5". Adds its values as bits.
Status add_part(std::string_view part, int low, int high, std::uint64_t& bits) {
  auto slash = part.find('/');
  std::string_view range = part.substr(0, slash);
  auto step = slash == part.npos ? std::optional<std::int64_t>(1) : parse_integer(part.substr(slash + 1));
  auto dash = range.find('-');
  bool all = range == "*" || range == "?";
  auto first = all ? std::optional<std::int64_t>(low) : parse_integer(range.substr(0, dash));
  std::optional<std::int64_t> last = first;
  if (all || (dash == range.npos && slash != part.npos)) last = high;
  if (!all && dash != range.npos) last = parse_integer(range.substr(dash + 1));
  bool valid = step && first && last && *step >= 1 && *first >= low && *last <= high && *first <= *last;
  if (!valid) return bad(part);
  for (auto value = *first; value <= *last; value += *step) bits |= std::uint64_t{1} << value;
  return {};
}

Result<std::uint64_t> field(std::string_view text, int low, int high) {
  std::uint64_t bits = 0;
  for (std::string_view part : split(text, ',')) TRY_STATUS(add_part(part, low, high, bits));
  return bits;
}

bool has(std::uint64_t bits, int value) {
  return bits >> value & 1;
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  std::vector<std::string_view> fields;
  for (std::string_view part : split(trim(text), ' ')) {
    if (!part.empty()) fields.push_back(part);
  }
  if (fields.size() != 6) return fail(Reason::invalid_parameter, "a schedule has six fields", "cron");
  Cron cron;
  TRY(cron.x_seconds, field(fields[0], 0, 59));
  TRY(cron.x_minutes, field(fields[1], 0, 59));
  TRY(cron.x_hours, field(fields[2], 0, 23));
  TRY(cron.x_days, field(fields[3], 1, 31));
  TRY(cron.x_months, field(fields[4], 1, 12));
  TRY(cron.x_weekdays, field(fields[5], 0, 7));
  if (has(cron.x_weekdays, 7)) cron.x_weekdays |= 1;  // both 0 and 7 are Sunday
  cron.x_any_day = fields[3] == "*" || fields[3] == "?";
  cron.x_any_weekday = fields[5] == "*" || fields[5] == "?";
  return cron;
}

bool Cron::day_matches(int day, int month, int weekday) const {
  if (!has(x_months, month)) return false;
  if (x_any_day) return has(x_weekdays, weekday);
  if (x_any_weekday) return has(x_days, day);
  return has(x_days, day) || has(x_weekdays, weekday);
}

std::optional<TimeMs> Cron::next(TimeMs time) const {
  std::time_t at = time / 1000 + 1;
  const std::time_t end = at + std::time_t{years_ahead} * 366 * 86400;
  while (at < end) {
    std::tm parts{};
    gmtime_r(&at, &parts);
    if (!day_matches(parts.tm_mday, parts.tm_mon + 1, parts.tm_wday)) {
      at += 86400 - at % 86400;
    } else if (!has(x_hours, parts.tm_hour)) {
      at += 3600 - at % 3600;
    } else if (!has(x_minutes, parts.tm_min)) {
      at += 60 - at % 60;
    } else if (!has(x_seconds, parts.tm_sec)) {
      ++at;
    } else {
      return TimeMs{at} * 1000;
    }
  }
  return std::nullopt;
}

}  // namespace wharfage::job
