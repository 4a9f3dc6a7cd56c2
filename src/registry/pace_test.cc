#include "registry/pace.h"

#include <doctest/doctest.h>

using namespace wharfage::registry;
using namespace std::chrono_literals;

TEST_CASE("collecting rests while others write, and for a while after, but never when it is alone") {
  Pace pace;
  auto now = Pace::Clock::now();
  CHECK(pace.rest_after(now, 0ms, 10ms) == 0ms);
  CHECK(pace.rest_after(now, 20us, 10ms) == 0ms);  // a thread had to wake up
  auto rest = pace.rest_after(now, 5ms, 10ms);     // somebody else had the writer
  CHECK(rest >= 10ms);
  CHECK(pace.rest_after(now + 50ms, 0ms, 10ms) == rest);
  CHECK(pace.rest_after(now + 50ms, 5ms, 10s) <= 100ms);  // never for long
  CHECK(pace.rest_after(now + 10s, 0ms, 10ms) == 0ms);
}
