// What the hot path of pulls reads again and again, bounded in bytes: repositories by name, and manifests by
// (repository, tag or digest). Writers drop what they changed after their commit. A reader takes a ticket
// before it asks the database and gives it back with what it found: if any writer dropped anything in
// between, the find may be older than that commit and is not kept. Thread-safe; never blocks on I/O.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace wharfage::registry {

template <class T>
class Cache {
 public:
  using Ticket = std::uint64_t;

  explicit Cache(std::size_t cost_max) : x_cost_max(cost_max) {}

  std::shared_ptr<const T> find(const std::string& key) {
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
    remove(key);
    x_entries.push_front({key, std::move(kept), cost});
    x_by_key.emplace(key, x_entries.begin());
    x_cost += cost;
    while (x_cost > x_cost_max) remove(std::string(x_entries.back().key));
  }

  void drop(const std::string& key) {
    std::lock_guard lock(x_mutex);
    ++x_changes;
    remove(key);
  }

  void drop_prefix(std::string_view prefix) {
    std::lock_guard lock(x_mutex);
    ++x_changes;
    for (auto entry = x_entries.begin(); entry != x_entries.end();) {
      auto next = std::next(entry);
      if (entry->key.starts_with(prefix)) remove(std::string(entry->key));
      entry = next;
    }
  }

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const T> value;
    std::size_t cost;
  };

  void remove(const std::string& key) {
    auto found = x_by_key.find(key);
    if (found == x_by_key.end()) return;
    x_cost -= found->second->cost;
    x_entries.erase(found->second);
    x_by_key.erase(found);
  }

  mutable std::mutex x_mutex;
  const std::size_t x_cost_max;
  std::size_t x_cost = 0;
  Ticket x_changes = 0;
  std::list<Entry> x_entries;  // the most recently used first
  std::unordered_map<std::string, typename std::list<Entry>::iterator> x_by_key;
};

}  // namespace wharfage::registry
