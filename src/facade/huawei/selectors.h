// The selectors of SWR's rules of immutable tags and of retention. They have lists where ours have patterns:
// "matches" and "repoMatches" name what is selected, "excludes" and "repoExcludes" what is not; a scope has
// the one key "repository".
#pragma once

#include <map>
#include <string>
#include <vector>

#include "facade/huawei/fields.h"
#include "registry/selector.h"

namespace wharfage::huawei {

using Scope = std::map<std::string, std::vector<Selector>>;

// Error: invalid_parameter for what our selector cannot say.
Result<registry::Selector> read_selector(const std::vector<Selector>& tags, const Scope& scope);
std::vector<Selector> tag_selectors(const registry::Selector& selector);
Scope scope_selectors(const registry::Selector& selector);

}  // namespace wharfage::huawei
