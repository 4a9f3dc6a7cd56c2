#include "registry/tag_patterns.h"

#include <re2/re2.h>

#include <algorithm>

#include "registry/policy_limits.h"

namespace wharfage::registry {
namespace {

RE2::Options quiet() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(limits::retention_pattern_memory);
  return options;
}

}  // namespace

Status TagPatterns::check(const std::vector<std::string>& patterns) {
  if (patterns.size() > limits::retention_spared_max)
    return fail(Reason::invalid_parameter, "a rule has at most 20 regular expressions", "spared");
  for (const auto& text : patterns) {
    if (text.empty() || text.size() > limits::retention_pattern_max)
      return fail(Reason::invalid_parameter, "a regular expression has 1 to 512 bytes", "spared");
    RE2 pattern(text, quiet());
    if (!pattern.ok())
      return fail(Reason::invalid_parameter, "not a regular expression: " + pattern.error(), "spared");
  }
  return {};
}

TagPatterns::TagPatterns(const std::vector<std::string>& patterns) {
  for (const auto& text : patterns) x_patterns.push_back(std::make_unique<RE2>(text, quiet()));
}

TagPatterns::TagPatterns(TagPatterns&&) noexcept = default;
TagPatterns::~TagPatterns() = default;

bool TagPatterns::hold(std::string_view tag) const {
  return std::any_of(x_patterns.begin(), x_patterns.end(), [&](const auto& pattern) {
    return RE2::PartialMatch(re2::StringPiece(tag.data(), tag.size()), *pattern);
  });
}

}  // namespace wharfage::registry
