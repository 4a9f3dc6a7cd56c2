// SWR enterprise immutable tags.
#include "facade/huawei/paths.h"
#include "facade/huawei/route.h"
#include "facade/huawei/selectors.h"
#include "registry/ops/policies.h"

namespace wharfage::huawei {
namespace {

namespace ops = registry::ops;
using wire::field;
using wire::required;

struct RulePath {
  std::string namespace_name;
  std::int32_t id = 0;
  static constexpr auto fields() {
    return std::array{field<&RulePath::namespace_name>("namespace_name", required),
                      field<&RulePath::id>("immutable_rule_id", required)};
  }
};
struct RuleListQuery {
  std::optional<std::int32_t> namespace_id;
  std::optional<std::int64_t> offset, limit;
  static constexpr auto fields() {
    return std::array{field<&RuleListQuery::namespace_id>("namespace_id"),
                      field<&RuleListQuery::offset>("offset"), field<&RuleListQuery::limit>("limit")};
  }
};
struct RuleBody {
  std::optional<std::int32_t> priority;
  std::optional<bool> disabled;
  std::optional<std::string> action, rule_template;
  std::vector<Selector> tag_selectors;
  Scope scope_selectors;
  static constexpr auto fields() {
    return std::array{field<&RuleBody::priority>("priority"),
                      field<&RuleBody::disabled>("disabled"),
                      field<&RuleBody::action>("action").one_of("immutable"),
                      field<&RuleBody::rule_template>("template").one_of("immutable_template"),
                      field<&RuleBody::tag_selectors>("tag_selectors", required),
                      field<&RuleBody::scope_selectors>("scope_selectors", required)};
  }
};
struct Rule {
  std::int32_t id = 0, namespace_id = 0;
  std::string namespace_name;
  std::int32_t priority = 0;
  bool disabled = false;
  std::string action = "immutable", rule_template = "immutable_template";
  std::vector<Selector> tag_selectors;
  Scope scope_selectors;
  static constexpr auto fields() {
    return std::array{field<&Rule::id>("id"),
                      field<&Rule::namespace_id>("namespace_id"),
                      field<&Rule::namespace_name>("namespace_name"),
                      field<&Rule::priority>("priority"),
                      field<&Rule::disabled>("disabled"),
                      field<&Rule::action>("action"),
                      field<&Rule::rule_template>("template"),
                      field<&Rule::tag_selectors>("tag_selectors"),
                      field<&Rule::scope_selectors>("scope_selectors")};
  }
};
struct RuleList {
  std::vector<Rule> rules;
  std::int32_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&RuleList::rules>("immutable_rules"), field<&RuleList::total>("total")};
  }
};

// ---- between wire and domain

Result<registry::ImmutabilityRule> to_domain(const RuleBody& body) {
  registry::ImmutabilityRule rule;
  rule.enabled = !body.disabled.value_or(false);
  TRY(rule.selector, read_selector(body.tag_selectors, body.scope_selectors));
  return rule;
}

Rule to_wire(const registry::LocatedRule& from) {
  Rule rule;
  rule.id = narrow(from.rule.id);
  rule.namespace_id = narrow(from.rule.namespace_id);
  rule.namespace_name = from.namespace_name;
  rule.disabled = !from.rule.enabled;
  rule.tag_selectors = tag_selectors(from.rule.selector);
  rule.scope_selectors = scope_selectors(from.rule.selector);
  return rule;
}

// ---- endpoints

// Rules have no name in this API; ours want one.
Result<IdReply> create_rule(Call& call, const NamespacePath& path, const RuleBody& body) {
  TRY(auto rule, to_domain(body));
  rule.name = "immutable tags";
  TRY(auto made,
      op::invoke<ops::CreateImmutabilityRule>(call.rooms.policies, call.context,
                                              {ops::space_of(path.namespace_name), std::move(rule)}));
  return IdReply{narrow(made.id)};
}

Result<RuleList> list_rules(Call& call, const RuleListQuery& query, const NoBody&) {
  TRY(auto slice, swr_page(query.offset, query.limit));
  TRY(auto page, op::invoke<ops::ListAllImmutabilityRules>(call.rooms.policies, call.context,
                                                           {query.namespace_id.value_or(0), slice}));
  RuleList list;
  for (const auto& rule : page.items) list.rules.push_back(to_wire(rule));
  list.total = narrow(page.total);
  return list;
}

Result<Empty> update_rule(Call& call, const RulePath& path, const RuleBody& body) {
  TRY(auto known, op::invoke<ops::GetImmutabilityRule>(call.rooms.policies, call.context,
                                                       {ops::space_of(path.namespace_name), path.id}));
  TRY(auto rule, to_domain(body));
  rule.id = path.id;
  rule.name = known.name;
  TRY_STATUS(op::invoke<ops::UpdateImmutabilityRule>(call.rooms.policies, call.context,
                                                     {ops::space_of(path.namespace_name), std::move(rule)}));
  return Empty{};
}

Result<Empty> delete_rule(Call& call, const RulePath& path, const NoBody&) {
  TRY_STATUS(op::invoke<ops::DeleteImmutabilityRule>(call.rooms.policies, call.context,
                                                     {ops::space_of(path.namespace_name), path.id}));
  return Empty{};
}

constexpr std::string_view rules =
    "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}/immutabletagrules";
constexpr std::string_view rule =
    "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}/immutabletagrules/"
    "{immutable_rule_id}";

}  // namespace

std::span<const Route> immutable_routes() {
  static constexpr std::array table{
      route<&create_rule>("POST", rules, 201),
      route<&list_rules>("GET", "/v2/{project_id}/instances/{instance_id}/immutabletagrules"),
      route<&update_rule>("PUT", rule),
      route<&delete_rule>("DELETE", rule),
  };
  return table;
}

}  // namespace wharfage::huawei
