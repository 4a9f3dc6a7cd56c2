// When collecting may use the database's one writer: it takes turns with everybody else. As long as nobody
// else is there it goes on at once; while others write, they have the writer to themselves for some times as
// long as collecting had it. That others are there shows in having had to wait for them. Thread-safe: those
// who collect side by side share one pace, and one of them writes at a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>

#include "meta/db.h"

namespace wharfage::registry {

class Pace {
 public:
  using Clock = std::chrono::steady_clock;
  using Duration = Clock::duration;

  // How long to leave the writer alone after a transaction that waited for `waited` and then took `took`.
  Duration rest_after(Clock::time_point now, Duration waited, Duration took) {
    if (waited >= noticed) x_others_until = now + remembered;
    if (now >= x_others_until) return Duration::zero();
    return std::min<Duration>(rest * took, rest_max);
  }

  // db.write(work), in its turn.
  template <class Work>
  auto write(meta::Db& db, Work work) {
    std::lock_guard turn(x_turn);
    std::this_thread::sleep_until(x_rest_until);
    auto asked = Clock::now(), begun = asked;
    auto done = db.write([&](meta::Tx& tx) {
      begun = Clock::now();
      return work(tx);
    });
    auto ended = Clock::now();
    x_rest_until = ended + rest_after(ended, begun - asked, ended - begun);
    return done;
  }

 private:
  static constexpr int rest = 3;
  static constexpr std::chrono::milliseconds rest_max{100};
  // Longer than a thread takes to wake up; shorter than a commit.
  static constexpr std::chrono::microseconds noticed{500};
  static constexpr std::chrono::milliseconds remembered{500};

  std::mutex x_turn;
  Clock::time_point x_others_until, x_rest_until;
};

}  // namespace wharfage::registry
