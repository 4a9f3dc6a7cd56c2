// SWR enterprise replication: policies, which are our synchronisation rules.
#include <boost/json.hpp>

#include "connect/ops/connections.h"
#include "facade/huawei/fields.h"
#include "facade/huawei/replication.h"
#include "facade/huawei/route.h"
#include "sync/ops/rules.h"

namespace wharfage::huawei {
namespace {

using wire::field;
using wire::required;

struct PolicyPath {
  std::int32_t policy_id = 0;
  static constexpr auto fields() { return std::array{field<&PolicyPath::policy_id>("policy_id", required)}; }
};
struct PolicyListQuery {
  std::optional<std::string> order_column;
  std::optional<std::string> order_type;
  std::optional<std::string> name;
  std::optional<std::int32_t> registry_id;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&PolicyListQuery::order_column>("order_column"),
                      field<&PolicyListQuery::order_type>("order_type").one_of("desc|asc"),
                      field<&PolicyListQuery::name>("name"),
                      field<&PolicyListQuery::registry_id>("registry_id"),
                      field<&PolicyListQuery::offset>("offset"),
                      field<&PolicyListQuery::limit>("limit")};
  }
};
struct RegistryRef {
  std::int64_t id = 0;
  static constexpr auto fields() { return std::array{field<&RegistryRef::id>("id", required)}; }
};
struct Filter {
  std::string type;
  std::string value;
  static constexpr auto fields() {
    return std::array{field<&Filter::type>("type", required).one_of("name|tag"),
                      field<&Filter::value>("value", required)};
  }
};
struct PolicyBody {
  std::string name;
  std::optional<std::string> description;
  std::optional<RegistryRef> src_registry;
  std::optional<RegistryRef> dest_registry;
  std::optional<std::string> dest_namespace;
  std::vector<Filter> filters;
  std::string repo_scope_mode;
  Trigger trigger;
  std::optional<bool> replace;
  bool enabled = false;
  static constexpr auto fields() {
    return std::array{field<&PolicyBody::name>("name", required).range(1, 256),
                      field<&PolicyBody::description>("description"),
                      field<&PolicyBody::src_registry>("src_registry"),
                      field<&PolicyBody::dest_registry>("dest_registry"),
                      field<&PolicyBody::dest_namespace>("dest_namespace"),
                      field<&PolicyBody::filters>("filters", required),
                      field<&PolicyBody::repo_scope_mode>("repo_scope_mode", required),
                      field<&PolicyBody::trigger>("trigger", required),
                      field<&PolicyBody::replace>("override"),
                      field<&PolicyBody::enabled>("enabled", required)};
  }
};
struct Policy {
  std::int32_t id = 0;
  std::string name;
  std::string description;
  std::optional<RegistryRef> src_registry;
  std::optional<RegistryRef> dest_registry;
  std::string dest_namespace;
  std::vector<Filter> filters;
  std::string repo_scope_mode;
  Trigger trigger;
  bool replace = false;
  bool enabled = false;
  std::string created_at;
  std::string updated_at;
  static constexpr auto fields() {
    return std::array{field<&Policy::id>("id"),
                      field<&Policy::name>("name"),
                      field<&Policy::description>("description"),
                      field<&Policy::src_registry>("src_registry"),
                      field<&Policy::dest_registry>("dest_registry"),
                      field<&Policy::dest_namespace>("dest_namespace"),
                      field<&Policy::filters>("filters"),
                      field<&Policy::repo_scope_mode>("repo_scope_mode"),
                      field<&Policy::trigger>("trigger"),
                      field<&Policy::replace>("override"),
                      field<&Policy::enabled>("enabled"),
                      field<&Policy::created_at>("created_at"),
                      field<&Policy::updated_at>("updated_at")};
  }
};
struct PolicyList {
  std::vector<Policy> policies;
  std::int32_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&PolicyList::policies>("policies"), field<&PolicyList::total>("total")};
  }
};

sync::Trigger parse_trigger(std::string_view type) {
  if (type == "event_based") return sync::Trigger::event;
  return type == "scheduled" ? sync::Trigger::scheduled : sync::Trigger::manual;
}

// One side of a policy is ours and left out; the other is a registry.
Result<sync::Rule> to_domain(Call& call, const PolicyBody& body) {
  bool one_side = body.src_registry.has_value() != body.dest_registry.has_value();
  if (!one_side) {
    return fail(Reason::invalid_parameter, "exactly one of src_registry and dest_registry must be given",
                "dest_registry");
  }
  sync::Rule rule;
  rule.name = body.name;
  rule.description = body.description.value_or("");
  rule.direction = body.dest_registry ? sync::Direction::push : sync::Direction::pull;
  rule.connection_id = body.dest_registry ? body.dest_registry->id : body.src_registry->id;
  TRY_STATUS(op::invoke<connect::ops::GetConnection>(call.rooms.connections, call.context,
                                                     {.id = rule.connection_id, .uuid = {}}));
  rule.patterns = sync::Patterns::glob;
  for (const auto& filter : body.filters) {
    (filter.type == "name" ? rule.repository_pattern : rule.tag_pattern) = filter.value;
  }
  // A pattern that begins with a plain namespace belongs to that namespace and its maintainers.
  auto slash = rule.repository_pattern.find('/');
  std::string first = rule.repository_pattern.substr(0, slash);
  bool plain = slash != std::string::npos && first.find_first_of("*?{}") == std::string::npos;
  if (plain) rule.source_namespace = first;
  rule.target_namespace = body.dest_namespace.value_or("");
  rule.trigger = parse_trigger(body.trigger.type);
  if (body.trigger.trigger_settings) rule.cron = body.trigger.trigger_settings->cron.value_or("");
  rule.overwrite = body.replace.value_or(false);
  rule.enabled = body.enabled;
  rule.extras = boost::json::serialize(boost::json::object{{"repo_scope_mode", body.repo_scope_mode}});
  return rule;
}

Policy to_wire(const sync::Rule& rule) {
  Policy policy;
  policy.id = narrow(rule.id);
  policy.name = rule.name;
  policy.description = rule.description;
  (rule.direction == sync::Direction::push ? policy.dest_registry : policy.src_registry) =
      RegistryRef{rule.connection_id};
  policy.dest_namespace = rule.target_namespace;
  if (!rule.repository_pattern.empty()) policy.filters.push_back({"name", rule.repository_pattern});
  if (!rule.tag_pattern.empty()) policy.filters.push_back({"tag", rule.tag_pattern});
  policy.repo_scope_mode = remembered(rule.extras, "repo_scope_mode").value_or("regular");
  policy.trigger.type = trigger_of(rule.trigger);
  if (!rule.cron.empty()) policy.trigger.trigger_settings = TriggerSettings{rule.cron};
  policy.replace = rule.overwrite;
  policy.enabled = rule.enabled;
  policy.created_at = rfc3339(rule.created_at);
  policy.updated_at = rfc3339(rule.updated_at);
  return policy;
}

Result<IdReply> create_policy(Call& call, const NoQuery&, const PolicyBody& body) {
  TRY(auto rule, to_domain(call, body));
  TRY(auto made, op::invoke<sync::ops::CreateRule>(call.rooms.sync, call.context, rule));
  return IdReply{narrow(made.id)};
}

Result<PolicyList> list_policies(Call& call, const PolicyListQuery& query, const NoBody&) {
  TRY(auto slice, swr_page(query.offset, query.limit));
  sync::RuleFilter filter;
  filter.name_contains = query.name.value_or("");
  filter.connection_id = query.registry_id.value_or(0);
  filter.patterns = sync::Patterns::glob;
  filter.descending = query.order_type.value_or("desc") == "desc";
  TRY(auto page, op::invoke<sync::ops::ListRules>(call.rooms.sync, call.context, {filter, slice}));
  PolicyList list;
  for (const auto& rule : page.items) list.policies.push_back(to_wire(rule));
  list.total = narrow(page.total);
  return list;
}

Result<Policy> show_policy(Call& call, const PolicyPath& path, const NoBody&) {
  TRY(auto rule,
      op::invoke<sync::ops::GetRule>(call.rooms.sync, call.context, {.id = path.policy_id, .public_id = {}}));
  return to_wire(rule);
}

Result<Empty> update_policy(Call& call, const PolicyPath& path, const PolicyBody& body) {
  TRY(auto rule, to_domain(call, body));
  rule.id = path.policy_id;
  TRY_STATUS(op::invoke<sync::ops::UpdateRule>(call.rooms.sync, call.context, rule));
  return Empty{};
}

Result<Empty> delete_policy(Call& call, const PolicyPath& path, const NoBody&) {
  TRY_STATUS(op::invoke<sync::ops::DeleteRule>(call.rooms.sync, call.context,
                                               {.id = path.policy_id, .public_id = {}}));
  return Empty{};
}

}  // namespace

std::span<const Route> replication_policy_routes() {
  static constexpr std::array table{
      route<&create_policy>("POST", "/v2/{project_id}/instances/{instance_id}/replication/policies", 201),
      route<&list_policies>("GET", "/v2/{project_id}/instances/{instance_id}/replication/policies"),
      route<&show_policy>("GET", "/v2/{project_id}/instances/{instance_id}/replication/policies/{policy_id}"),
      route<&update_policy>("PUT",
                            "/v2/{project_id}/instances/{instance_id}/replication/policies/{policy_id}"),
      route<&delete_policy>("DELETE",
                            "/v2/{project_id}/instances/{instance_id}/replication/policies/{policy_id}"),
  };
  return table;
}

}  // namespace wharfage::huawei
