#include "sync/ops/rules.h"

#include "op/visible.h"
#include "sync/ops/access.h"

namespace wharfage::sync::ops {
namespace {

Result<Rule> find(Sync& room, const RuleKey& key) {
  return key.id ? room.get_rule(key.id) : room.get_rule(std::string_view(key.public_id));
}

// A rule as asked for, before it is stored: only what decides whose it is.
Result<auth::Resource> resource_of(Sync& room, op::Context& context, Rule rule) {
  TRY_STATUS(check_shape(rule));
  // What fetches with the installation's credentials, or spans namespaces, is nobody's but administrators'.
  bool installation = rule.direction == Direction::pull || rule.source_namespace.empty();
  if (installation) return auth::Resource{.name = "sync rule " + rule.name};
  TRY(auto source, room.registry().get_namespace(rule.source_namespace));
  return op::visible(context, {.namespace_id = source.id, .name = source.name},
                     fail(Reason::namespace_unknown, {}, rule.source_namespace));
}

// What spans namespaces tells of all of them: nobody but administrators sees it. What fetches from elsewhere
// is seen by who may read where it goes, and changed and run by administrators.
Result<auth::Resource> resource_of(Sync& room, op::Context& context, const RuleKey& key,
                                   auth::Access access) {
  TRY(Rule rule, find(room, key));
  auth::Resource installation{.name = "sync rule " + rule.name};
  if (!rule.namespace_id) {
    bool hidden = !context.auth.authorise(context.who, auth::Access::administer, {}).ok();
    return hidden ? Result<auth::Resource>(fail(Reason::sync_rule_unknown)) : installation;
  }
  if (rule.direction == Direction::pull && access != auth::Access::read) return installation;
  TRY(auto resource, namespace_resource(room, rule.namespace_id));
  return op::visible(context, resource, fail(Reason::sync_rule_unknown));
}

Result<auth::Resource> resource_of_execution(Sync& room, op::Context& context, std::int64_t id,
                                             auth::Access access) {
  TRY(Execution execution, room.get_execution(id));
  auto resource = resource_of(room, context, RuleKey{.id = execution.rule_id}, access);
  bool hidden = !resource.ok() && resource.error().reason == Reason::sync_rule_unknown;
  return hidden ? Result<auth::Resource>(fail(Reason::execution_unknown)) : resource;
}

// Where a rule that copies inside this registry writes to.
Status authorise_target_of(Sync& room, op::Context& context, const Rule& rule) {
  const std::string& name = rule.target_namespace.empty() ? rule.source_namespace : rule.target_namespace;
  return authorise_target(room, context, rule.connection_id, name, rule.target_repository);
}

}  // namespace

Result<auth::Resource> CreateRule::resource(Sync& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request);
}
Result<Rule> CreateRule::run(Sync& room, op::Context& context, const Request& request) {
  Rule rule = request;
  rule.creator = context.who.name;
  TRY_STATUS(check_shape(rule));
  TRY_STATUS(authorise_target_of(room, context, rule));
  return room.create_rule(rule);
}

Result<auth::Resource> GetRule::resource(Sync& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request, declaration.access);
}
Result<Rule> GetRule::run(Sync& room, op::Context&, const Request& request) {
  return find(room, request);
}

// A namespace to list by may be one of the other side: what it holds is told by what the caller may read.
Result<auth::Resource> ListRules::resource(Sync&, op::Context&, const Request&) {
  return auth::Resource{};
}
Result<Page<Rule>> ListRules::run(Sync& room, op::Context& context, const Request& request) {
  RuleFilter filter = request.filter;
  TRY(filter.readable, context.auth.readable_namespaces(context.who));
  return room.list_rules(filter, request.slice);
}

// Both what the rule is and what it is to become must be the caller's.
Result<auth::Resource> UpdateRule::resource(Sync& room, op::Context& context, const Request& request) {
  return resource_of(room, context, RuleKey{.id = request.id, .public_id = request.public_id},
                     declaration.access);
}
Result<Rule> UpdateRule::run(Sync& room, op::Context& context, const Request& request) {
  Rule rule = request;
  TRY(Rule old, find(room, {.id = request.id, .public_id = request.public_id}));
  rule.id = old.id;
  TRY(auto becomes, resource_of(room, context, rule));
  TRY_STATUS(context.auth.authorise(context.who, declaration.access, becomes));
  TRY_STATUS(check_shape(rule));
  TRY_STATUS(authorise_target_of(room, context, rule));
  return room.update_rule(rule);
}

Result<auth::Resource> DeleteRule::resource(Sync& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request, declaration.access);
}
Result<op::Nothing> DeleteRule::run(Sync& room, op::Context&, const Request& request) {
  TRY(Rule rule, find(room, request));
  TRY_STATUS(room.delete_rule(rule.id));
  return op::Nothing{};
}

Result<auth::Resource> ExecuteRule::resource(Sync& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request, declaration.access);
}
Result<ExecuteRule::Response> ExecuteRule::run(Sync& room, op::Context& context, const Request& request) {
  TRY(Rule rule, find(room, request));
  TRY_STATUS(authorise_target_of(room, context, rule));
  TRY(auto id, room.execute(rule.id));
  return Response{id};
}

Result<auth::Resource> ListExecutions::resource(Sync& room, op::Context& context, const Request& request) {
  if (!request.rule_id) return auth::Resource{};
  return resource_of(room, context, RuleKey{.id = request.rule_id}, declaration.access);
}
Result<Page<Execution>> ListExecutions::run(Sync& room, op::Context& context, const Request& request) {
  if (request.rule_id) return room.list_executions(request.rule_id, std::nullopt, request.slice);
  TRY(auto readable, context.auth.readable_namespaces(context.who));
  return room.list_executions(0, readable, request.slice);
}

Result<auth::Resource> GetExecution::resource(Sync& room, op::Context& context, const Request& request) {
  return resource_of_execution(room, context, request.execution_id, declaration.access);
}
Result<Execution> GetExecution::run(Sync& room, op::Context&, const Request& request) {
  return room.get_execution(request.execution_id);
}

Result<auth::Resource> StopExecution::resource(Sync& room, op::Context& context, const Request& request) {
  return resource_of_execution(room, context, request.execution_id, declaration.access);
}
Result<op::Nothing> StopExecution::run(Sync& room, op::Context&, const Request& request) {
  TRY_STATUS(room.stop_execution(request.execution_id));
  return op::Nothing{};
}

Result<auth::Resource> ListGroups::resource(Sync& room, op::Context& context, const Request& request) {
  return resource_of_execution(room, context, request.execution_id, declaration.access);
}
Result<Page<Group>> ListGroups::run(Sync& room, op::Context&, const Request& request) {
  return room.list_groups(request.execution_id, request.slice);
}

Result<auth::Resource> ListGroupTasks::resource(Sync& room, op::Context& context, const Request& request) {
  return resource_of_execution(room, context, request.execution_id, declaration.access);
}
Result<Page<Task>> ListGroupTasks::run(Sync& room, op::Context&, const Request& request) {
  TRY(Group group, room.get_group(request.execution_id, request.group_id));
  return room.list_tasks({.group_id = group.id, .state = request.state, .readable = {}}, request.slice);
}

}  // namespace wharfage::sync::ops
