// Regular expressions of a rule about tags (RE2: linear in the text), read once for many tags. A tag is held
// when one of them is found anywhere in it. A value that only moves; not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace wharfage::registry {

class TagPatterns {
 public:
  static Status check(const std::vector<std::string>& patterns);  // invalid_parameter

  explicit TagPatterns(const std::vector<std::string>& patterns);  // checked ones
  TagPatterns(TagPatterns&&) noexcept;
  ~TagPatterns();
  bool hold(std::string_view tag) const;

 private:
  std::vector<std::unique_ptr<re2::RE2>> x_patterns;
};

}  // namespace wharfage::registry
