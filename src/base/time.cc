#include "base/time.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <ctime>

namespace wharfage {
namespace {

std::tm utc(TimeMs time) {
  TimeMs seconds = time / 1000 - (time % 1000 < 0 ? 1 : 0);
  std::time_t value = seconds;
  std::tm parts{};
  gmtime_r(&value, &parts);
  return parts;
}

int fraction_ms(TimeMs time) {
  return static_cast<int>(((time % 1000) + 1000) % 1000);
}

std::string format(TimeMs time, const char* pattern) {
  std::tm parts = utc(time);
  char text[64];
  return {text, std::strftime(text, sizeof text, pattern, &parts)};
}

// Reads exactly `count` digits at `at`, or -1.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

Error bad_time(std::string_view text) {
  return fail(Reason::invalid_parameter, "not a time: " + std::string(text.substr(0, 40)));
}

Result<TimeMs> assemble(std::string_view text, int year, int month, int day, int hour, int minute,
                        int second) {
  bool valid = year >= 1970 && month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour >= 0 &&
               hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 60;
  if (!valid) return bad_time(text);
  std::tm parts{};
  parts.tm_year = year - 1900;
  parts.tm_mon = month - 1;
  parts.tm_mday = day;
  parts.tm_hour = hour;
  parts.tm_min = minute;
  parts.tm_sec = second;
  return TimeMs{timegm(&parts)} * 1000;
}

}  // namespace

TimeMs SystemClock::now() const {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::int64_t monotonic_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

std::string rfc3339(TimeMs time) {
  return format(time, "%Y-%m-%dT%H:%M:%SZ");
}
std::string rfc3339_ms(TimeMs time) {
  std::tm parts = utc(time);  // strftime() asks the locale: too slow for every line of a log
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, fraction_ms(time));
}
std::string rfc3339_us(TimeMs time) {
  return format(time, "%Y-%m-%dT%H:%M:%S") + fmt::format(".{:03}000Z", fraction_ms(time));
}
std::string basic_iso8601(TimeMs time) {
  return format(time, "%Y%m%dT%H%M%SZ");
}
std::string sql_datetime(TimeMs time) {
  return format(time, "%Y-%m-%d %H:%M:%S");
}
std::string http_date(TimeMs time) {
  return format(time, "%a, %d %b %Y %H:%M:%S GMT");
}

Result<TimeMs> parse_rfc3339(std::string_view text) {
  bool shape = text.size() >= 20 && text.size() <= 40 && text[4] == '-' && text[7] == '-' &&
               (text[10] == 'T' || text[10] == 't' || text[10] == ' ') && text[13] == ':' && text[16] == ':';
  if (!shape) return bad_time(text);
  TRY(TimeMs time, assemble(text, digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2),
                            digits(text, 11, 2), digits(text, 14, 2), digits(text, 17, 2)));
  std::size_t at = 19;
  if (text[at] == '.') {
    TimeMs scale = 100;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
      time += (text[at] - '0') * scale;
  }
  std::string_view zone = text.substr(at);
  if (zone == "Z" || zone == "z") return time;
  int hours = zone.size() == 6 ? digits(zone, 1, 2) : -1;
  int minutes = zone.size() == 6 ? digits(zone, 4, 2) : -1;
  bool offset =
      zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':' && hours >= 0 && minutes >= 0;
  if (!offset) return bad_time(text);
  TimeMs shift = (hours * 60 + minutes) * minute_ms;
  return zone[0] == '+' ? time - shift : time + shift;
}

Result<TimeMs> parse_basic_iso8601(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return bad_time(text);
  return assemble(text, digits(text, 0, 4), digits(text, 4, 2), digits(text, 6, 2), digits(text, 9, 2),
                  digits(text, 11, 2), digits(text, 13, 2));
}

}  // namespace wharfage
