#include "base/retry.h"

#include <doctest/doctest.h>

using namespace wharfage;

TEST_CASE("an error that knows when to come back says it to people and programs") {
  Error error = try_again_in(41'001, Reason::throttled, "too many wrong passwords");
  CHECK(error.reason == Reason::throttled);
  CHECK(error.message == "too many wrong passwords; try again in 42 seconds");
  CHECK(retry_after_s(error) == 42);
  CHECK(retry_after_s(try_again_in(0, Reason::throttled, "x")) == 1);
  CHECK(retry_after_s(try_again_in(86'400'000, Reason::throttled, "x")) == 86'400);
}

TEST_CASE("every other error says one second") {
  CHECK(retry_after_s(fail(Reason::throttled)) == 1);
  CHECK(retry_after_s(fail(Reason::throttled, "x; try again in  seconds")) == 1);
  CHECK(retry_after_s(fail(Reason::throttled, "x; try again in -5 seconds")) == 1);
  CHECK(retry_after_s(fail(Reason::throttled, "x; try again in 7 seconds, or later")) == 1);
}
