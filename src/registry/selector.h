// What a rule of a namespace is about: repositories and tags, each by one pattern that must match and one,
// which may be empty, that must not. Patterns are those of base/glob.h, as signature policies and
// synchronisation rules have them. A repository's name is the part below its namespace.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace wharfage::registry {

struct Selector {
  std::string repositories = "**", except_repositories;
  std::string tags = "**", except_tags;

  Status check() const;  // invalid_parameter
  bool selects_repository(std::string_view name) const;
  bool selects_tag(std::string_view tag) const;  // of a repository that is selected
};

}  // namespace wharfage::registry
