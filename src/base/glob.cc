#include "base/glob.h"

#include <algorithm>
#include <functional>
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

using Positions = std::vector<char>;  // of the text: 1 where what was matched so far may end

Positions advance(std::string_view piece, std::string_view text, Positions reached) {
  for (std::size_t at = 0; at < piece.size(); ++at) {
    Positions next(text.size() + 1, 0);
    bool star = piece[at] == '*', any = star && at + 1 < piece.size() && piece[at + 1] == '*', alive = false;
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (star) {
        bool on = i > 0 && next[i - 1] && (any || text[i - 1] != '/');
        next[i] = reached[i] || on;
        alive |= next[i] != 0;
      } else if (i < text.size() && reached[i]) {
        bool same = piece[at] == '?' ? text[i] != '/' : piece[at] == text[i];
        if (same) next[i + 1] = 1;
        alive |= same;
      }
    }
    while (star && at + 1 < piece.size() && piece[at + 1] == '*') ++at;
    reached = std::move(next);
    if (!alive) break;
  }
  return reached;
}

// What any of the alternatives reaches.
Positions advance_by_any(std::string_view choices, std::string_view text, const Positions& from) {
  Positions reached(from.size(), 0);
  for (std::string_view choice : split(choices, ',')) {
    Positions one = advance(choice, text, from);
    std::transform(reached.begin(), reached.end(), one.begin(), reached.begin(), std::bit_or<char>());
  }
  return reached;
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

// No backtracking and no expanding: the pattern's length times the text's, whatever they say.
bool glob_match(std::string_view pattern, std::string_view text) {
  if (pattern.size() > glob_length_max) return false;
  Positions reached(text.size() + 1, 0);
  reached[0] = 1;
  for (;;) {
    auto brace = pattern.find_first_of("{}");
    reached = advance(pattern.substr(0, brace), text, std::move(reached));
    if (brace == pattern.npos) return reached[text.size()] != 0;
    auto end = pattern.find_first_of("{}", brace + 1);
    if (pattern[brace] != '{' || end == pattern.npos || pattern[end] != '}') return false;
    reached = advance_by_any(pattern.substr(brace + 1, end - brace - 1), text, reached);
    pattern.remove_prefix(end + 1);
  }
}

}  // namespace wharfage
