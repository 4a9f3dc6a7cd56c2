#include "registry/policies.h"

#include <algorithm>

#include "registry/policy_limits.h"
#include "registry/policy_records.h"

// Immutability rules.
namespace wharfage::registry {
namespace {

Status check_rule(const ImmutabilityRule& rule) {
  if (rule.name.empty() || rule.name.size() > limits::policy_name_max)
    return fail(Reason::invalid_parameter, "a rule's name has 1 to 128 bytes", "name");
  return rule.selector.check();
}

Result<ImmutabilityRule> known(meta::Tx& tx, std::int64_t namespace_id, std::int64_t id) {
  TRY(auto found, records::find_immutability_rule(tx, id));
  if (!found || found->namespace_id != namespace_id)
    return fail(Reason::not_found, "the immutability rule does not exist", std::to_string(id));
  return *std::move(found);
}

bool is_about_everything(const ImmutabilityRule& rule) {
  const Selector everything;
  return rule.enabled && rule.selector.repositories == everything.repositories &&
         rule.selector.tags == everything.tags && rule.selector.except_repositories.empty() &&
         rule.selector.except_tags.empty();
}

Result<ImmutabilityRule> insert(meta::Tx& tx, const ImmutabilityRule& rule) {
  TRY(auto others, records::immutability_rules(tx, rule.namespace_id));
  if (static_cast<std::int64_t>(others.size()) >= limits::immutability_rules_max)
    return fail(Reason::quota_exceeded, "the namespace has too many immutability rules");
  TRY_STATUS(records::insert_immutability_rule(tx, rule));
  return rule;
}

}  // namespace

Policies::Policies(Registry& registry, meta::Ids& ids, PolicyOptions options)
    : x_registry(registry), x_ids(ids), x_options(options) {}

Result<ImmutabilityRule> Policies::create_rule(ImmutabilityRule wanted) {
  TRY_STATUS(check_rule(wanted));
  TRY(wanted.id, x_ids.next("immutability_rule"));
  wanted.created_at = wanted.updated_at = x_registry.clock().now();
  return x_registry.db().write([&](meta::Tx& tx) { return insert(tx, wanted); });
}

Result<std::vector<ImmutabilityRule>> Policies::list_rules(std::int64_t namespace_id) {
  return x_registry.db().read([&](meta::Tx& tx) { return records::immutability_rules(tx, namespace_id); });
}

Result<ImmutabilityRule> Policies::get_rule(std::int64_t namespace_id, std::int64_t id) {
  return x_registry.db().read([&](meta::Tx& tx) { return known(tx, namespace_id, id); });
}

Result<ImmutabilityRule> Policies::update_rule(const ImmutabilityRule& rule) {
  TRY_STATUS(check_rule(rule));
  return x_registry.db().write([&](meta::Tx& tx) -> Result<ImmutabilityRule> {
    TRY(auto changed, known(tx, rule.namespace_id, rule.id));
    changed.name = rule.name;
    changed.selector = rule.selector;
    changed.enabled = rule.enabled;
    changed.updated_at = x_registry.clock().now();
    TRY_STATUS(records::update_immutability_rule(tx, changed));
    return changed;
  });
}

Result<Page<LocatedRule>> Policies::list_rules(const std::optional<std::vector<std::int64_t>>& readable,
                                               std::int64_t namespace_id, Slice slice) {
  return x_registry.db().read(
      [&](meta::Tx& tx) { return records::immutability_rules_in(tx, readable, namespace_id, slice); });
}

Result<bool> Policies::holds_everything(std::int64_t namespace_id) {
  TRY(auto rules, list_rules(namespace_id));
  return std::any_of(rules.begin(), rules.end(), is_about_everything);
}

Status Policies::hold_everything(std::int64_t namespace_id, bool wanted, std::string_view actor) {
  ImmutabilityRule rule{.namespace_id = namespace_id, .name = "all tags", .creator = std::string(actor)};
  TRY(rule.id, x_ids.next("immutability_rule"));
  rule.created_at = rule.updated_at = x_registry.clock().now();
  return x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY(auto rules, records::immutability_rules(tx, namespace_id));
    std::erase_if(rules, [](const auto& one) { return !is_about_everything(one); });
    if (wanted && rules.empty()) TRY_STATUS(insert(tx, rule));
    for (const auto& one : rules) {
      if (!wanted) TRY_STATUS(records::delete_immutability_rule(tx, one.id));
    }
    return {};
  });
}

Status Policies::delete_rule(std::int64_t namespace_id, std::int64_t id) {
  return x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY_STATUS(known(tx, namespace_id, id));
    return records::delete_immutability_rule(tx, id);
  });
}

}  // namespace wharfage::registry
