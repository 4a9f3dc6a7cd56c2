#include "job/cron.h"

#include <doctest/doctest.h>

using namespace wharfage;
using job::Cron;

namespace {

std::string next(std::string_view text, std::string_view from) {
  auto cron = Cron::parse(text);
  if (!cron.ok()) return "invalid";
  auto time = cron->next(parse_rfc3339(from).value());
  return time ? rfc3339(*time) : "never";
}

}  // namespace

TEST_CASE("the next time is strictly later and in UTC") {
  CHECK(next("0 0 1 * * ?", "2026-11-22T00:59:59Z") == "2026-11-22T01:00:00Z");
  CHECK(next("0 0 1 * * ?", "2026-11-22T01:00:00Z") == "2026-11-23T01:00:00Z");
  CHECK(next("*/15 * * * * *", "2026-11-22T01:00:01Z") == "2026-11-22T01:00:15Z");
  CHECK(next("0 30 9 * * 1-5", "2026-11-21T00:00:00Z") == "2026-11-23T09:30:00Z");
  CHECK(next("0 0 0 1 1 *", "2026-11-22T00:00:00Z") == "2027-01-01T00:00:00Z");
  CHECK(next("0 0 0 29 2 *", "2026-11-22T00:00:00Z") == "2028-02-29T00:00:00Z");
  CHECK(next("0 0 0 30 2 *", "2026-11-22T00:00:00Z") == "never");
  CHECK(next("0 0 0 * * 7", "2026-11-22T00:00:00Z") == "2026-11-29T00:00:00Z");
  CHECK(next("0 0 0 13 * 5", "2026-11-22T00:00:00Z") == "2026-11-27T00:00:00Z");
}

TEST_CASE("what is no schedule is refused") {
  for (const char* text : {"", "* * * * *", "60 * * * * *", "a * * * * *", "*/0 * * * * *", "5-1 * * * * *",
                           "* * * 0 * *", "* * * * 13 *", "* * * * * 8"}) {
    CAPTURE(text);
    CHECK_FALSE(Cron::parse(text).ok());
  }
}
