#include <boost/json.hpp>

#include "base/glob.h"
#include "job/cron.h"
#include "sign/signing.h"

namespace wharfage::sign {
namespace {

namespace json = boost::json;

bool excludes(const Selector& selector) {
  return selector.decoration.ends_with("xcludes");
}

bool all_accept(const std::vector<Selector>& selectors, std::string_view text) {
  for (const auto& selector : selectors) {
    if (glob_match(selector.pattern, text) == excludes(selector)) return false;
  }
  return true;
}

// extras is a string holding JSON: {"untagged":true} also selects what has no tag.
bool wants_untagged(const std::vector<Selector>& selectors) {
  for (const auto& selector : selectors) {
    json::error_code error;
    json::value extras = json::parse(selector.extras, error);
    if (error || !extras.is_object()) continue;
    auto* untagged = extras.get_object().if_contains("untagged");
    if (untagged && untagged->is_bool() && untagged->get_bool()) return true;
  }
  return false;
}

Status check_selectors(const std::vector<Selector>& selectors, std::string_view what) {
  if (selectors.size() != 1) {
    return fail(Reason::invalid_parameter, "a rule has exactly one selector", std::string(what));
  }
  const Selector& selector = selectors[0];
  if (selector.kind != "doublestar") {
    return fail(Reason::invalid_parameter, "kind must be doublestar", std::string(what));
  }
  constexpr std::string_view known[] = {"matches", "excludes", "repoMatches", "repoExcludes"};
  if (std::find(std::begin(known), std::end(known), selector.decoration) == std::end(known)) {
    return fail(Reason::invalid_parameter,
                "decoration must be matches, excludes, repoMatches or repoExcludes", std::string(what));
  }
  return check_glob(selector.pattern);
}

}  // namespace

bool selects_repository(const Policy& policy, std::string_view repository) {
  for (const auto& rule : policy.rules) {
    if (all_accept(rule.repositories, repository)) return true;
  }
  return false;
}

bool selects_tag(const Policy& policy, std::string_view repository, std::string_view tag) {
  for (const auto& rule : policy.rules) {
    if (!all_accept(rule.repositories, repository)) continue;
    if (tag.empty() ? wants_untagged(rule.tags) : all_accept(rule.tags, tag)) return true;
  }
  return false;
}

Status check_policy(const Policy& policy) {
  if (policy.name.empty() || policy.name.size() > 256) {
    return fail(Reason::invalid_parameter, "name must have 1 to 256 bytes", "name");
  }
  if (policy.algorithm != "ECDSA_SHA_256") {
    return fail(Reason::unsupported, "only ECDSA_SHA_256 is supported", "signature_algorithm");
  }
  bool known = policy.trigger == "manual" || policy.trigger == "event_based" || policy.trigger == "scheduled";
  if (!known)
    return fail(Reason::invalid_parameter, "type must be manual, scheduled or event_based", "trigger");
  if (policy.trigger == "scheduled") {
    auto cron = job::Cron::parse(policy.cron);
    if (!cron.ok()) return cron.error();
  }
  if (policy.rules.empty() || policy.rules.size() > 16) {
    return fail(Reason::invalid_parameter, "a policy has 1 to 16 scope rules", "scope_rules");
  }
  for (const auto& rule : policy.rules) {
    TRY_STATUS(check_selectors(rule.repositories, "scope_selectors"));
    TRY_STATUS(check_selectors(rule.tags, "tag_selectors"));
  }
  return {};
}

}  // namespace wharfage::sign
