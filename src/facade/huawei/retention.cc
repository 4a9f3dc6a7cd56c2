// SWR enterprise image retention. A namespace has one policy, whose id is the namespace's, and which is what
// the native API calls its retention rules; the rules of single repositories (repository_retention.cc) are
// not shown and stay.
#include "facade/huawei/retention.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "facade/huawei/paths.h"
#include "facade/huawei/selectors.h"

namespace wharfage::huawei {
namespace {

namespace ops = registry::ops;
using wire::field;
using wire::required;

// ---- paths

struct PolicyListQuery {
  std::optional<std::string> name;
  std::optional<std::int32_t> namespace_id;
  std::optional<std::int64_t> offset, limit;
  static constexpr auto fields() {
    return std::array{field<&PolicyListQuery::name>("name"),
                      field<&PolicyListQuery::namespace_id>("namespace_id"),
                      field<&PolicyListQuery::offset>("offset"), field<&PolicyListQuery::limit>("limit")};
  }
};
// ---- bodies

constexpr std::string_view always = "always";  // our own word: whatever is selected stays

struct Rule {
  std::optional<std::int32_t> id;
  std::int32_t priority = 0;
  std::optional<bool> disabled;
  std::string action, rule_template;
  std::map<std::string, wire::Json> params;
  std::vector<Selector> tag_selectors;
  Scope scope_selectors;
  std::string repo_scope_mode;
  static constexpr auto fields() {
    return std::array{field<&Rule::id>("id"),
                      field<&Rule::priority>("priority"),
                      field<&Rule::disabled>("disabled"),
                      field<&Rule::action>("action", required).one_of("retain"),
                      field<&Rule::rule_template>("template", required)
                          .one_of("latestPulledN|latestPushedK|nDaysSinceLastPush|nDaysSinceLastPull|always"),
                      field<&Rule::params>("params", required),
                      field<&Rule::tag_selectors>("tag_selectors", required),
                      field<&Rule::scope_selectors>("scope_selectors", required),
                      field<&Rule::repo_scope_mode>("repo_scope_mode", required).one_of("regular|selection")};
  }
};
struct PolicyBody {
  std::string name, algorithm;
  bool enabled = false;
  std::vector<Rule> rules;
  Trigger trigger;
  static constexpr auto fields() {
    return std::array{field<&PolicyBody::name>("name", required).range(1, 256),
                      field<&PolicyBody::algorithm>("algorithm", required).one_of("or"),
                      field<&PolicyBody::enabled>("enabled", required),
                      field<&PolicyBody::rules>("rules", required),
                      field<&PolicyBody::trigger>("trigger", required)};
  }
};
struct Policy {
  std::int32_t id = 0;
  std::string algorithm = "or";
  std::vector<Rule> rules;
  Trigger trigger;
  bool enabled = false;
  std::string name;
  std::int32_t namespace_id = 0;
  std::string namespace_name;
  static constexpr auto fields() {
    return std::array{field<&Policy::id>("id"),
                      field<&Policy::algorithm>("algorithm"),
                      field<&Policy::rules>("rules"),
                      field<&Policy::trigger>("trigger"),
                      field<&Policy::enabled>("enabled"),
                      field<&Policy::name>("name"),
                      field<&Policy::namespace_id>("namespace_id"),
                      field<&Policy::namespace_name>("namespace_name")};
  }
};
struct PolicyList {
  std::int32_t total = 0;
  std::vector<Policy> retentions;
  static constexpr auto fields() {
    return std::array{field<&PolicyList::total>("total"), field<&PolicyList::retentions>("retentions")};
  }
};
// ---- between wire and domain

using registry::Keep;

struct Template {
  std::string_view name;
  Keep keep;
};
// SWR counts images, not tags. Rules that count tags are shown as if they did, too: who sends them back keeps
// more than before.
constexpr std::array<Template, 7> templates{{{"latestPulledN", Keep::pulled_images},
                                             {"latestPushedK", Keep::pushed_images},
                                             {"nDaysSinceLastPush", Keep::pushed_days},
                                             {"nDaysSinceLastPull", Keep::pulled_days},
                                             {always, Keep::all},
                                             {"latestPulledN", Keep::pulled_count},
                                             {"latestPushedK", Keep::pushed_count}}};

// The parameter has the template's name; its value is a number, of some clients as a text.
Result<std::int64_t> value_of(const Rule& rule) {
  if (rule.rule_template == always) return 0;
  auto found = rule.params.find(rule.rule_template);
  std::string_view text = found == rule.params.end() ? std::string_view() : found->second.text;
  if (text.size() > 2 && text.front() == '"') text = text.substr(1, text.size() - 2);
  auto number = parse_integer(text);
  if (rule.params.size() == 1 && number && *number >= 1) return *number;
  return fail(Reason::invalid_parameter,
              "params must hold exactly " + rule.rule_template + ", a number from 1 on", "params");
}

constexpr std::string_view untagged_too = R"({"untagged":true})";

// Only what is selected can be said to include images without a tag; ours is never about them otherwise.
Result<bool> is_about_untagged(const std::vector<Selector>& selectors) {
  bool found = false;
  for (const auto& selector : selectors) {
    if (!has_flag(selector.extras.value_or(""), "untagged")) continue;
    if (selector.decoration != "matches")
      return fail(Reason::invalid_parameter, "images without a tag cannot be excluded", "tag_selectors");
    found = true;
  }
  return found;
}

Result<registry::RetentionRule> to_domain(const Rule& from) {
  registry::RetentionRule rule;
  TRY(rule.selector, read_selector(from.tag_selectors, from.scope_selectors));
  TRY(rule.value, value_of(from));
  auto named = std::find_if(templates.begin(), templates.end(),
                            [&](const auto& one) { return one.name == from.rule_template; });
  if (named == templates.end()) return fail(Reason::invalid_parameter, "an unknown template", "template");
  rule.keep = named->keep;
  rule.enabled = !from.disabled.value_or(false);
  TRY(rule.untagged, is_about_untagged(from.tag_selectors));
  rule.name = from.rule_template + " " + std::to_string(rule.value);
  return rule;
}

Rule to_wire(const registry::RetentionRule& from, std::int32_t number) {
  Rule rule;
  rule.id = number;
  rule.disabled = !from.enabled;
  rule.action = "retain";
  for (const auto& one : templates) {
    if (one.keep == from.keep) rule.rule_template = one.name;
  }
  if (from.keep != Keep::all) rule.params[rule.rule_template] = {std::to_string(from.value)};
  rule.tag_selectors = tag_selectors(from.selector);
  if (from.untagged) {
    bool excludes = rule.tag_selectors.front().decoration == "excludes";
    if (excludes) rule.tag_selectors.insert(rule.tag_selectors.begin(), {"doublestar", "matches", "**", {}});
    rule.tag_selectors.front().extras = untagged_too;
  }
  rule.scope_selectors = scope_selectors(from.selector);
  rule.repo_scope_mode = "regular";
  return rule;
}

Result<registry::RetentionPolicy> to_domain(const PolicyBody& body) {
  registry::RetentionPolicy policy;
  policy.name = body.name;
  policy.enabled = body.enabled;
  if (body.rules.empty()) return fail(Reason::invalid_parameter, "rules must not be empty", "rules");
  for (const auto& rule : body.rules) {
    TRY(auto converted, to_domain(rule));
    policy.rules.push_back(std::move(converted));
  }
  if (body.trigger.type == "manual") return policy;
  if (body.trigger.type != "scheduled")
    return fail(Reason::invalid_parameter, "retention is triggered manual or scheduled", "trigger.type");
  if (body.trigger.trigger_settings) policy.cron = body.trigger.trigger_settings->cron.value_or("");
  if (!policy.cron.empty()) return policy;
  return fail(Reason::missing_parameter, "a scheduled trigger needs a cron", "trigger.trigger_settings.cron");
}

Policy to_wire(const registry::RetentionPolicy& from, const std::string& namespace_name) {
  Policy policy;
  policy.id = policy.namespace_id = narrow(from.namespace_id);
  policy.namespace_name = namespace_name;
  policy.name = from.name.empty() ? "retention" : from.name;
  policy.enabled = from.enabled;
  policy.trigger.type = from.cron.empty() ? "manual" : "scheduled";
  if (!from.cron.empty()) policy.trigger.trigger_settings = TriggerSettings{from.cron};
  for (const auto& rule : from.rules) {
    if (rule.repository_id != 0) continue;
    policy.rules.push_back(to_wire(rule, narrow(static_cast<std::int64_t>(policy.rules.size()) + 1)));
  }
  return policy;
}

// ---- endpoints

Result<registry::RetentionPolicy> current(Call& call, const std::string& namespace_name) {
  return op::invoke<ops::GetRetention>(call.rooms.retention, call.context, ops::space_of(namespace_name));
}

bool has_own_rules(const registry::RetentionPolicy& policy) {
  return std::any_of(policy.rules.begin(), policy.rules.end(),
                     [](const auto& rule) { return rule.repository_id == 0; });
}

// Something that is not shown here, and that who sends back what is shown would undo.
bool spares_unseen(const registry::RetentionPolicy& policy) {
  return std::any_of(policy.rules.begin(), policy.rules.end(),
                     [](const auto& rule) { return rule.repository_id == 0 && !rule.spared.empty(); });
}

Result<registry::RetentionPolicy> set(Call& call, const std::string& namespace_name,
                                      registry::RetentionPolicy policy) {
  return op::invoke<ops::SetRetention>(call.rooms.retention, call.context,
                                       {ops::space_of(namespace_name), std::move(policy)});
}

Result<IdReply> create_policy(Call& call, const NamespacePath& path, const PolicyBody& body) {
  TRY(auto known, current(call, path.namespace_name));
  TRY(auto wanted, to_domain(body));
  if (has_own_rules(known)) return fail(Reason::conflict, "the namespace has a retention policy already");
  TRY(auto made, set(call, path.namespace_name, std::move(wanted)));
  return IdReply{narrow(made.namespace_id)};
}

Result<PolicyList> list_policies(Call& call, const PolicyListQuery& query, const NoBody&) {
  TRY(auto slice, swr_page(query.offset, query.limit));
  TRY(auto page,
      op::invoke<ops::ListAllRetention>(call.rooms.retention, call.context,
                                        {query.namespace_id.value_or(0), query.name.value_or(""), slice}));
  PolicyList list;
  for (const auto& one : page.items) list.retentions.push_back(to_wire(one.policy, one.namespace_name));
  list.total = narrow(page.total);
  return list;
}

Result<Policy> show_policy(Call& call, const PolicyPath& path, const NoBody&) {
  TRY(auto policy, named_retention(call, path.namespace_name, path.policy_id));
  return to_wire(policy, path.namespace_name);
}

Result<Empty> update_policy(Call& call, const PolicyPath& path, const PolicyBody& body) {
  TRY(auto known, named_retention(call, path.namespace_name, path.policy_id));
  TRY(auto wanted, to_domain(body));
  if (spares_unseen(known))
    return fail(Reason::conflict,
                "rules of the policy spare tags by regular expressions, which would be lost");
  TRY_STATUS(set(call, path.namespace_name, std::move(wanted)));
  return Empty{};
}

Result<Empty> delete_policy(Call& call, const PolicyPath& path, const NoBody&) {
  TRY_STATUS(named_retention(call, path.namespace_name, path.policy_id));
  TRY_STATUS(set(call, path.namespace_name, {}));
  return Empty{};
}

constexpr std::string_view policies =
    "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}/retention/policies";
constexpr std::string_view policy =
    "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}/retention/policies/{policy_id}";
}  // namespace

Result<registry::RetentionPolicy> named_retention(Call& call, const std::string& namespace_name,
                                                  std::int32_t policy_id) {
  TRY(auto policy, current(call, namespace_name));
  if (policy.namespace_id == policy_id && has_own_rules(policy)) return policy;
  return fail(Reason::not_found, "the retention policy does not exist", std::to_string(policy_id));
}

std::span<const Route> retention_routes() {
  static constexpr std::array table{
      route<&create_policy>("POST", policies, 201),
      route<&list_policies>("GET", "/v2/{project_id}/instances/{instance_id}/retention/policies"),
      route<&show_policy>("GET", policy),
      route<&update_policy>("PUT", policy),
      route<&delete_policy>("DELETE", policy),
  };
  return table;
}

}  // namespace wharfage::huawei
