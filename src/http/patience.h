// How much a client may ask of us that moves no request on: pings, settings, window updates, empty frames,
// streams opened and reset at once (CVE-2023-44487). Each costs something; time, finished requests and body
// bytes earn it back. Who has used it up is a flood and not a client. Works for honest ones that send a
// window update for every few kilobytes. No clock: its caller says what time it is.
#pragma once

#include <algorithm>
#include <cstdint>

namespace wharfage::http {

class Patience {
 public:
  Patience(std::int64_t most, std::int64_t per_second)
      : x_most(most), x_per_second(per_second), x_left(most) {}

  // False when there is none left.
  [[nodiscard]] bool spend(std::int64_t cost, std::int64_t now_ms) {
    std::int64_t due = (now_ms - x_counted_ms) * x_per_second / 1000;
    if (due > 0) {
      earn(due);
      x_counted_ms = now_ms;
    }
    x_left -= cost;
    return x_left >= 0;
  }
  void earn(std::int64_t amount) { x_left = std::min(x_most, x_left + amount); }
  // Body bytes in either direction, one for each KiB.
  void moved(std::int64_t bytes) {
    x_bytes += bytes;
    earn(x_bytes / 1024);
    x_bytes %= 1024;
  }

 private:
  std::int64_t x_most, x_per_second, x_left;
  std::int64_t x_counted_ms = 0;
  std::int64_t x_bytes = 0;  // less than a KiB
};

}  // namespace wharfage::http
