#include "registry/selector.h"

#include "base/glob.h"

namespace wharfage::registry {
namespace {

Status check_one(const std::string& pattern, bool may_be_empty, const char* what) {
  if (pattern.empty() && may_be_empty) return {};
  Status good = check_glob(pattern);
  if (good.ok()) return {};
  return fail(Reason::invalid_parameter, good.error().message, what);
}

bool selects(const std::string& pattern, const std::string& except, std::string_view text) {
  return glob_match(pattern, text) && (except.empty() || !glob_match(except, text));
}

}  // namespace

Status Selector::check() const {
  TRY_STATUS(check_one(repositories, false, "repositories"));
  TRY_STATUS(check_one(except_repositories, true, "except_repositories"));
  TRY_STATUS(check_one(tags, false, "tags"));
  return check_one(except_tags, true, "except_tags");
}

bool Selector::selects_repository(std::string_view name) const {
  return selects(repositories, except_repositories, name);
}

bool Selector::selects_tag(std::string_view tag) const {
  return selects(tags, except_tags, tag);
}

}  // namespace wharfage::registry
