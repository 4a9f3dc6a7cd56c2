#include "job/backoff.h"

#include <algorithm>

namespace wharfage::job {

std::int64_t backoff_ms(std::string_view id, int attempt, std::int64_t base_ms, std::int64_t max_ms) {
  std::int64_t delay = std::min(base_ms, max_ms);
  for (int i = 1; i < attempt && delay < max_ms; ++i) delay = std::min(delay * 2, max_ms);
  std::uint32_t hash = 2166136261u;  // FNV-1a
  for (unsigned char c : id) hash = (hash ^ c) * 16777619u;
  hash = (hash ^ static_cast<std::uint32_t>(attempt)) * 16777619u;
  return delay - delay / 4 * static_cast<std::int64_t>((hash >> 8) % 1024) / 1024;
}

}  // namespace wharfage::job
