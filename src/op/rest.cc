#include "op/rest.h"

namespace wharfage::op {
namespace {

std::string decoded(std::string_view segment) {
  std::string once = percent_decode(segment);
  bool twice = once.find("%2F") != once.npos || once.find("%2f") != once.npos;
  return twice ? percent_decode(once) : once;
}

// Cuts the first segment off; the path starts with '/'.
std::string_view next_segment(std::string_view& path) {
  path.remove_prefix(1);
  std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

}  // namespace

bool match_path(std::string_view pattern, std::string_view path, Params& variables) {
  variables.clear();
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  while (!pattern.empty() && !path.empty()) {
    std::string_view expected = next_segment(pattern), given = next_segment(path);
    bool variable = !expected.empty() && expected[0] == '{';
    if (!variable && expected != given) return false;
    if (variable && given.empty()) return false;
    if (variable) variables.emplace_back(expected.substr(1, expected.size() - 2), decoded(given));
  }
  return pattern.empty() && path.empty();
}

}  // namespace wharfage::op
