#include "registry/policies.h"

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

}  // namespace

Policies::Policies(Registry& registry, meta::Ids& ids, PolicyOptions options)
    : x_registry(registry), x_ids(ids), x_options(options) {}

Result<ImmutabilityRule> Policies::create_rule(ImmutabilityRule wanted) {
  TRY_STATUS(check_rule(wanted));
  TRY(wanted.id, x_ids.next("immutability_rule"));
  wanted.created_at = wanted.updated_at = x_registry.clock().now();
  return x_registry.db().write([&](meta::Tx& tx) -> Result<ImmutabilityRule> {
    TRY(auto others, records::immutability_rules(tx, wanted.namespace_id));
    if (static_cast<std::int64_t>(others.size()) >= limits::immutability_rules_max)
      return fail(Reason::quota_exceeded, "the namespace has too many immutability rules");
    TRY_STATUS(records::insert_immutability_rule(tx, wanted));
    return wanted;
  });
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

Status Policies::delete_rule(std::int64_t namespace_id, std::int64_t id) {
  return x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY_STATUS(known(tx, namespace_id, id));
    return records::delete_immutability_rule(tx, id);
  });
}

}  // namespace wharfage::registry
