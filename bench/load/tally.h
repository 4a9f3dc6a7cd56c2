// What the load client's threads did: how often, how long each took, what went wrong. One tally per thread,
// added up at the end; printed as one JSON object.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace bench {

using SteadyClock = std::chrono::steady_clock;

struct Tally {
  std::vector<std::uint32_t> micros;  // one per operation that succeeded
  std::int64_t failed = 0, bytes = 0;
  std::string first_failure;

  void succeeded(SteadyClock::time_point since, std::int64_t moved);
  void failed_with(const std::string& what);
  void add(Tally other);
  std::string json(double seconds) const;
};

}  // namespace bench
