#include "node/housekeeping.h"

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <utility>

namespace wharfage::node {
namespace {

constexpr auto patience = std::chrono::seconds(60);

struct Count {
  int wanted;
  std::promise<void> reached;
  std::future<void> done = reached.get_future();
  int runs = 0;
  Status run() {
    if (++runs == wanted) reached.set_value();
    return {};
  }
  bool comes() { return done.wait_for(patience) == std::future_status::ready; }
};

TEST_CASE("chores come again and again, and one that fails does not end them") {
  Count sound{3}, failing{3};
  Housekeeping housekeeping({{"sound", 1, [&] { return sound.run(); }},
                             {"failing", 1,
                              [&]() -> Status {
                                TRY_STATUS(failing.run());
                                return fail(Reason::internal);
                              }}},
                            Log(LogLevel::error));
  CHECK(sound.comes());
  CHECK(failing.comes());
}

TEST_CASE("a chore that takes long keeps no other waiting") {
  Count quick{2}, another{2};
  bool came = false, tried = false;
  std::promise<void> ended;
  Chore slow{"slow", 1, [&]() -> Status {
               if (std::exchange(tried, true)) return {};
               came = quick.comes() && another.comes();
               ended.set_value();
               return {};
             }};
  slow.takes_long = true;
  Chore other{"another", 1, [&] { return another.run(); }, true};
  Housekeeping housekeeping({slow, {"quick", 1, [&] { return quick.run(); }}, other}, Log(LogLevel::error));
  CHECK(ended.get_future().wait_for(2 * patience) == std::future_status::ready);
  housekeeping.stop();
  CHECK(came);
}

TEST_CASE("without chores there is nothing to do") {
  Housekeeping housekeeping({}, Log(LogLevel::error));
}

}  // namespace
}  // namespace wharfage::node
