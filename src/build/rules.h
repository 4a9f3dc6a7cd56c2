// What people write into providers, sources and rules, checked and applied: clone URLs, names of refs (exact
// or patterns), image tags with variables. Pure. A push name made only of letters, digits and ._/- is exact;
// one with "$version" is ACR's short form for "release-v(?<version>…)"; anything else is a pattern in RE2's
// syntax that must match the whole name, with named groups as (?<name>…) or (?P<name>…).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "build/model.h"

namespace re2 {
class RE2;
}

namespace wharfage::build {

class RefPattern {
 public:
  static Result<RefPattern> parse(std::string_view push_name);  // invalid_parameter
  RefPattern(RefPattern&&) noexcept;
  RefPattern& operator=(RefPattern&&) noexcept;
  ~RefPattern();

  bool exact() const { return x_pattern == nullptr; }
  using Groups = std::map<std::string, std::string>;
  // The named groups' texts when `name` matches.
  std::optional<Groups> match(std::string_view name) const;
  std::vector<std::string> group_names() const;

 private:
  RefPattern();
  std::string x_exact;
  std::unique_ptr<re2::RE2> x_pattern;
};

// "(?<name>" becomes "(?P<name>", outside of classes and escapes.
std::string rewrite_named_groups(std::string_view pattern);

// ${name} or $name: a named group, or ${ref} (the branch or tag, '/' as '-') or ${commit} (12 digits).
// Error: invalid_parameter for an unknown variable.
Result<std::string> fill_tag(std::string_view image_tag, const RefPattern::Groups& variables);
Status check_tag_template(std::string_view image_tag, const RefPattern& pattern);

// The variables of one ref, for fill_tag().
RefPattern::Groups tag_variables(RefPattern::Groups groups, std::string_view ref, std::string_view commit);

Status check_recipe(const Recipe& recipe);  // and normalise() before
Recipe normalise(Recipe recipe);

Status check_provider(const Provider& provider);
Status check_source_path(std::string_view space, std::string_view name);
Result<std::string> clone_url(const Provider& provider, std::string_view space, std::string_view name);

}  // namespace wharfage::build
