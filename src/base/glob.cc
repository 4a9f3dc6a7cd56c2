#include "base/glob.h"

#include <string>
#include <vector>

#include "base/text.h"

namespace wharfage {
namespace {

// "a{b,c}d" -> "abd", "acd". Fails on nesting, imbalance and explosion.
Result<std::vector<std::string>> expand(std::string_view pattern) {
  std::vector<std::string> expanded{""};
  while (!pattern.empty()) {
    auto brace = pattern.find_first_of("{}");
    for (auto& one : expanded) one += pattern.substr(0, brace);
    if (brace == pattern.npos) break;
    auto end = pattern.find_first_of("{}", brace + 1);
    bool balanced = pattern[brace] == '{' && end != pattern.npos && pattern[end] == '}';
    if (!balanced) return fail(Reason::invalid_parameter, "the pattern's braces are not balanced");
    std::vector<std::string> next;
    for (const auto& front : expanded) {
      for (std::string_view choice : split(pattern.substr(brace + 1, end - brace - 1), ',')) {
        next.push_back(front + std::string(choice));
        if (next.size() > glob_alternatives_max) {
          return fail(Reason::invalid_parameter, "the pattern has too many alternatives");
        }
      }
    }
    expanded = std::move(next);
    pattern.remove_prefix(end + 1);
  }
  return expanded;
}

// Which positions of the text can be reached after each piece of the pattern: no backtracking.
bool match_one(std::string_view pattern, std::string_view text) {
  std::vector<char> reached(text.size() + 1, 0);
  reached[0] = 1;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    std::vector<char> next(text.size() + 1, 0);
    bool star = pattern[at] == '*';
    bool any = star && at + 1 < pattern.size() && pattern[at + 1] == '*';
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (star) {
        bool on = i > 0 && next[i - 1] && (any || text[i - 1] != '/');
        next[i] = reached[i] || on;
      } else if (i < text.size() && reached[i]) {
        bool same = pattern[at] == '?' ? text[i] != '/' : pattern[at] == text[i];
        if (same) next[i + 1] = 1;
      }
    }
    while (star && at + 1 < pattern.size() && pattern[at + 1] == '*') ++at;
    reached = std::move(next);
  }
  return reached[text.size()];
}

}  // namespace

Status check_glob(std::string_view pattern) {
  if (pattern.empty() || pattern.size() > glob_length_max) {
    return fail(Reason::invalid_parameter, "a pattern has 1 to 512 bytes");
  }
  auto expanded = expand(pattern);
  if (!expanded.ok()) return expanded.error();
  return {};
}

bool glob_match(std::string_view pattern, std::string_view text) {
  if (pattern.size() > glob_length_max) return false;
  auto expanded = expand(pattern);
  if (!expanded.ok()) return false;
  for (const auto& one : *expanded) {
    if (match_one(one, text)) return true;
  }
  return false;
}

}  // namespace wharfage
