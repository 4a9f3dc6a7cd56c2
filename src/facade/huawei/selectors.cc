#include "facade/huawei/selectors.h"

namespace wharfage::huawei {
namespace {

struct Words {
  std::string_view matches, excludes, parameter;
};
constexpr Words tag_words{"matches", "excludes", "tag_selectors"};
constexpr Words repository_words{"repoMatches", "repoExcludes", "scope_selectors"};

// What doublestar reads in another way than our patterns: classes and escapes, and a leading directory that
// may be missing. To take it literally would select, or exclude, something else.
bool reads_otherwise(std::string_view pattern) {
  return pattern.find_first_of("[]\\") != pattern.npos || pattern.find("**/") != pattern.npos;
}

// At most one selector of each kind: ours have one pattern for each.
Status read_selectors(const std::vector<Selector>& from, const Words& words, std::string& pattern,
                      std::string& except) {
  bool matched = false;
  for (const auto& selector : from) {
    bool matches = selector.decoration == words.matches, excludes = selector.decoration == words.excludes;
    bool known = selector.kind == "doublestar" && (matches || excludes);
    if (!known || (matches ? matched : !except.empty())) {
      return fail(Reason::invalid_parameter,
                  "the selectors must be of kind doublestar, at most one that selects and one that excludes",
                  std::string(words.parameter));
    }
    if (reads_otherwise(selector.pattern))
      return fail(Reason::invalid_parameter, "a pattern has no classes, no backslash and no **/",
                  std::string(words.parameter));
    matched |= matches;
    (matches ? pattern : except) = selector.pattern;
  }
  if (!from.empty()) return {};
  return fail(Reason::invalid_parameter, "a selector is needed", std::string(words.parameter));
}

std::vector<Selector> to_wire(const std::string& pattern, const std::string& except, const Words& words) {
  std::vector<Selector> selectors;
  bool is_all = pattern == registry::Selector{}.tags;
  if (!is_all || except.empty()) selectors.push_back({"doublestar", std::string(words.matches), pattern, {}});
  if (!except.empty()) selectors.push_back({"doublestar", std::string(words.excludes), except, {}});
  return selectors;
}

}  // namespace

Result<registry::Selector> read_selector(const std::vector<Selector>& tags, const Scope& scope) {
  registry::Selector selector;
  TRY_STATUS(read_selectors(tags, tag_words, selector.tags, selector.except_tags));
  auto repositories = scope.find("repository");
  if (scope.size() != 1 || repositories == scope.end())
    return fail(Reason::invalid_parameter, "scope_selectors must hold exactly repository", "scope_selectors");
  TRY_STATUS(read_selectors(repositories->second, repository_words, selector.repositories,
                            selector.except_repositories));
  return selector;
}

std::vector<Selector> tag_selectors(const registry::Selector& selector) {
  return to_wire(selector.tags, selector.except_tags, tag_words);
}

Scope scope_selectors(const registry::Selector& selector) {
  return {{"repository", to_wire(selector.repositories, selector.except_repositories, repository_words)}};
}

}  // namespace wharfage::huawei
