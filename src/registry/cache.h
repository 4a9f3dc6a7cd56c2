// What the hot path of pulls reads again and again, bounded in bytes: repositories by name, manifests by
// (repository, tag or digest), open blobs by (repository, digest). Writers drop what they changed after their
// commit. A reader takes a ticket before it asks the database and gives it back with what it found: if any
// writer dropped anything in between, the find may be older than that commit and is not kept. Thread-safe;
// never blocks on I/O.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace wharfage::registry {

template <class T>
class Cache {
 public:
  using Ticket = std::uint64_t;

  explicit Cache(std::size_t cost_max) : x_cost_max(cost_max) {}

  std::shared_ptr<const T> find(std::string_view key) {
    std::lock_guard lock(x_mutex);
    auto found = x_by_key.find(key);
    if (found == x_by_key.end()) return nullptr;
    x_entries.splice(x_entries.begin(), x_entries, found->second);
    return found->second->value;
  }

  Ticket ticket() const {
    std::lock_guard lock(x_mutex);
    return x_changes;
  }

  void keep(Ticket ticket, const std::string& key, T value, std::size_t cost) {
    auto kept = std::make_shared<const T>(std::move(value));
    std::lock_guard lock(x_mutex);
    if (ticket != x_changes || cost > x_cost_max / 4) return;
    remove(x_by_key.find(key));
    x_entries.push_front({{}, std::move(kept), cost});
    x_entries.front().place = x_by_key.emplace(key, x_entries.begin()).first;
    x_cost += cost;
    while (x_cost > x_cost_max) remove(x_entries.back().place);
  }

  void drop(const std::string& key) {
    std::lock_guard lock(x_mutex);
    ++x_changes;
    remove(x_by_key.find(key));
  }

  void drop_prefix(std::string_view prefix) {
    std::lock_guard lock(x_mutex);
    ++x_changes;
    auto from = x_by_key.lower_bound(prefix);
    while (from != x_by_key.end() && from->first.starts_with(prefix)) from = remove(from);
  }

  // Walks all entries: for caches of few.
  void drop_suffix(std::string_view suffix) {
    std::lock_guard lock(x_mutex);
    ++x_changes;
    for (auto place = x_by_key.begin(); place != x_by_key.end();) {
      place = place->first.ends_with(suffix) ? remove(place) : std::next(place);
    }
  }

  void clear() { drop_prefix(""); }

 private:
  struct Entry;
  using Entries = std::list<Entry>;
  using Places = std::map<std::string, typename Entries::iterator, std::less<>>;
  struct Entry {
    typename Places::iterator place;
    std::shared_ptr<const T> value;
    std::size_t cost;
  };

  typename Places::iterator remove(typename Places::iterator place) {
    if (place == x_by_key.end()) return place;
    x_cost -= place->second->cost;
    x_entries.erase(place->second);
    return x_by_key.erase(place);
  }

  mutable std::mutex x_mutex;
  const std::size_t x_cost_max;
  std::size_t x_cost = 0;
  Ticket x_changes = 0;
  Entries x_entries;  // the most recently used first
  Places x_by_key;    // in order, so that what shares a prefix is found without a walk
};

}  // namespace wharfage::registry
