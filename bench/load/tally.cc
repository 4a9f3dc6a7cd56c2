#include "load/tally.h"

#include <algorithm>
#include <cstdio>

namespace bench {
namespace {

std::uint32_t quantile(const std::vector<std::uint32_t>& sorted, double part) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

void Tally::succeeded(SteadyClock::time_point since, std::int64_t moved) {
  auto took = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - since).count();
  micros.push_back(static_cast<std::uint32_t>(std::min<std::int64_t>(took, UINT32_MAX)));
  bytes += moved;
}

void Tally::failed_with(const std::string& what) {
  if (failed++ == 0) first_failure = what;
}

void Tally::add(Tally other) {
  micros.insert(micros.end(), other.micros.begin(), other.micros.end());
  if (failed == 0) first_failure = other.first_failure;
  failed += other.failed;
  bytes += other.bytes;
}

std::string Tally::json(double seconds) const {
  std::vector<std::uint32_t> sorted = micros;
  std::sort(sorted.begin(), sorted.end());
  std::string why;
  for (char c : first_failure) why += c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' ' ? '?' : c;
  char text[512];
  std::snprintf(text, sizeof text,
                R"({"ops":%zu,"failed":%lld,"seconds":%.6f,"bytes":%lld,"p50":%u,"p99":%u,"max":%u,)",
                sorted.size(), static_cast<long long>(failed), seconds, static_cast<long long>(bytes),
                quantile(sorted, 0.5), quantile(sorted, 0.99), sorted.empty() ? 0 : sorted.back());
  return std::string(text) + "\"why\":\"" + why.substr(0, 200) + "\"}";
}

}  // namespace bench
