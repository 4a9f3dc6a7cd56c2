// A bounded map that forgets what was used least recently: credentials, standings and keys live in such maps.
// It closes the race between reading a row and remembering it: whoever fills it takes version() before
// reading, and put() refuses when something was dropped since, because what was read may be what was changed.
// Thread-safe; values are copied out, so make them small or shared.
#pragma once

#include <cstdint>
#include <iterator>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace wharfage::auth {

template <class Value>
class Lru {
 public:
  explicit Lru(std::size_t entries_max) : x_entries_max(entries_max) {}

  std::optional<Value> find(const std::string& key) {
    std::lock_guard lock(x_mutex);
    auto found = x_places.find(key);
    if (found == x_places.end()) return std::nullopt;
    x_entries.splice(x_entries.begin(), x_entries, found->second);
    return found->second->second;
  }

  std::uint64_t version() const {
    std::lock_guard lock(x_mutex);
    return x_version;
  }

  void put(const std::string& key, Value value, std::uint64_t version) {
    std::lock_guard lock(x_mutex);
    if (version != x_version) return;
    if (auto found = x_places.find(key); found != x_places.end()) drop(found->second);
    x_entries.emplace_front(key, std::move(value));
    x_places[x_entries.front().first] = x_entries.begin();
    if (x_entries.size() > x_entries_max) drop(std::prev(x_entries.end()));
  }

  // Reads, changes or creates the value of `key` in place.
  template <class Change>
  auto update(const std::string& key, Change&& change) {
    std::lock_guard lock(x_mutex);
    auto found = x_places.find(key);
    if (found == x_places.end()) {
      x_entries.emplace_front(key, Value{});
      found = x_places.emplace(x_entries.front().first, x_entries.begin()).first;
      if (x_entries.size() > x_entries_max) drop(std::prev(x_entries.end()));
    } else {
      x_entries.splice(x_entries.begin(), x_entries, found->second);
    }
    return change(found->second->second);
  }

  template <class Unwanted>
  void erase_if(Unwanted&& unwanted) {
    std::lock_guard lock(x_mutex);
    ++x_version;
    for (auto entry = x_entries.begin(); entry != x_entries.end();) {
      auto next = std::next(entry);
      if (unwanted(entry->first, entry->second)) drop(entry);
      entry = next;
    }
  }

  void erase(const std::string& key) {
    std::lock_guard lock(x_mutex);
    ++x_version;
    if (auto found = x_places.find(key); found != x_places.end()) drop(found->second);
  }

  std::size_t size() const {
    std::lock_guard lock(x_mutex);
    return x_entries.size();
  }

 private:
  using Entries = std::list<std::pair<std::string, Value>>;

  void drop(typename Entries::iterator entry) {
    x_places.erase(entry->first);
    x_entries.erase(entry);
  }

  const std::size_t x_entries_max;
  mutable std::mutex x_mutex;
  std::uint64_t x_version = 0;
  Entries x_entries;  // most recently used first
  std::unordered_map<std::string_view, typename Entries::iterator> x_places;
};

}  // namespace wharfage::auth
