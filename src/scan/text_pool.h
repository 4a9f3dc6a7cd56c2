// The string pool of an advisory database in the making: each distinct string once, named by where it starts.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/limits.h"

namespace wharfage::scan {

class TextPool {
 public:
  TextPool() : x_known(1024, Hash{this}, Same{this}) { put({}); }
  TextPool(const TextPool&) = delete;
  TextPool& operator=(const TextPool&) = delete;

  std::uint32_t put(std::string_view text) {
    if (auto known = x_known.find(text); known != x_known.end()) return *known;
    if (x_bytes.size() + text.size() + 4 > limits::advisory_text_bytes_max) {
      x_full = true;
      return 0;
    }
    auto at = static_cast<std::uint32_t>(x_bytes.size());
    auto length = static_cast<std::uint32_t>(text.size());
    x_bytes.append(reinterpret_cast<const char*>(&length), sizeof length);
    x_bytes.append(text);
    x_known.insert(at);
    return at;
  }

  std::string_view get(std::uint32_t at) const {
    std::uint32_t length = 0;
    std::memcpy(&length, x_bytes.data() + at, sizeof length);
    return std::string_view(x_bytes).substr(at + sizeof length, length);
  }

  bool full() const { return x_full; }
  const std::string& bytes() const { return x_bytes; }

 private:
  struct Hash {
    using is_transparent = void;
    const TextPool* pool;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    std::size_t operator()(std::uint32_t at) const { return (*this)(pool->get(at)); }
  };
  struct Same {
    using is_transparent = void;
    const TextPool* pool;
    bool operator()(std::uint32_t a, std::uint32_t b) const { return a == b; }
    bool operator()(std::string_view a, std::uint32_t b) const { return a == pool->get(b); }
    bool operator()(std::uint32_t a, std::string_view b) const { return pool->get(a) == b; }
  };

  std::string x_bytes;
  std::unordered_set<std::uint32_t, Hash, Same> x_known;
  bool x_full = false;
};

}  // namespace wharfage::scan
