// Request nonces seen within their window, so that a signed request cannot be sent twice. Only a hash of each
// is kept. When full, those that expire first give way: their requests are the closest to being refused for
// their date anyway. In memory and per node: nodes behind one balancer each keep their own. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <queue>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/time.h"

namespace wharfage::auth {

class Nonces {
 public:
  explicit Nonces(std::size_t entries_max) : x_entries_max(entries_max) {}

  bool remember(std::string_view access_key, std::string_view nonce, TimeMs valid_until, TimeMs now);
  std::size_t size() const;

 private:
  using Key = std::array<std::uint64_t, 2>;
  struct KeyHash {
    std::size_t operator()(const Key& key) const { return static_cast<std::size_t>(key[0]); }
  };
  using Entry = std::pair<TimeMs, Key>;

  void drop_first();

  const std::size_t x_entries_max;
  mutable std::mutex x_mutex;
  std::unordered_set<Key, KeyHash> x_seen;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> x_by_expiry;
};

}  // namespace wharfage::auth
