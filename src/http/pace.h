// Whether a client keeps a transfer moving. An idle timeout alone is defeated by one byte every minute, so
// bytes are also held against the time in which it was the client's turn to send or take some; time that we
// needed ourselves does not count. Looked at by the lane's tick, so a transfer costs it one addition per
// piece.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wharfage::http {

class Pace {
 public:
  void restart() { x_moved = x_waited_ms = 0; }
  void moved(std::size_t bytes) { x_moved += static_cast<std::int64_t>(bytes); }

  // To be called regularly; true when a whole window went by with less than `rate_min` bytes a second.
  bool too_slow(std::int64_t now_ms, bool clients_turn, std::int64_t rate_min, std::int64_t window_ms) {
    if (clients_turn && x_looked_ms > 0) x_waited_ms += now_ms - x_looked_ms;
    x_looked_ms = now_ms;
    if (x_waited_ms < window_ms) return false;
    bool slow = x_moved * 1000 < rate_min * x_waited_ms;
    restart();
    return slow;
  }

 private:
  std::int64_t x_moved = 0;
  std::int64_t x_waited_ms = 0;
  std::int64_t x_looked_ms = 0;
};

}  // namespace wharfage::http
