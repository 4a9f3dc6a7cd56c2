#include "sign/ops.h"

#include "registry/ops/scope.h"

namespace wharfage::sign {
namespace {

Result<auth::Resource> installation() {
  return auth::Resource{};
}

// Policies are not public with their namespace.
Result<auth::Resource> of_namespace(Signing& room, op::Context& context, const std::string& name) {
  return registry::ops::inside(room.registry(), context, registry::ops::NamespaceRef{name});
}

Result<Policy> policy_in(Signing& room, const PolicyPath& path) {
  TRY(auto found, room.registry().get_namespace(path.namespace_name));
  return room.get_policy(found.id, path.policy_id);
}

}  // namespace

Result<auth::Resource> CreateKey::resource(Signing&, op::Context&, const Request&) {
  return installation();
}
Result<Key> CreateKey::run(Signing& room, op::Context&, const Request& request) {
  return room.create_key(request.name);
}

Result<auth::Resource> GetKey::resource(Signing&, op::Context&, const Request&) {
  return installation();
}
Result<Key> GetKey::run(Signing& room, op::Context&, const Request& request) {
  return room.get_key(request.uuid);
}

Result<auth::Resource> ListKeys::resource(Signing&, op::Context&, const Request&) {
  return installation();
}
Result<std::vector<Key>> ListKeys::run(Signing& room, op::Context&, const Request&) {
  return room.list_keys();
}

Result<auth::Resource> DeleteKey::resource(Signing&, op::Context&, const Request&) {
  return installation();
}
Result<op::Nothing> DeleteKey::run(Signing& room, op::Context&, const Request& request) {
  TRY_STATUS(room.delete_key(request.uuid));
  return op::Nothing{};
}

Result<auth::Resource> CreatePolicy::resource(Signing& room, op::Context& context, const Request& request) {
  return of_namespace(room, context, request.policy.namespace_name);
}
Result<Policy> CreatePolicy::run(Signing& room, op::Context& context, const Request& request) {
  TRY(auto found, room.registry().get_namespace(request.policy.namespace_name));
  Policy policy = request.policy;
  policy.namespace_id = found.id;
  policy.creator = context.who.name;
  return room.create_policy(std::move(policy));
}

Result<auth::Resource> ListPolicies::resource(Signing&, op::Context&, const Request&) {
  return installation();
}
Result<Page<Policy>> ListPolicies::run(Signing& room, op::Context& context, const Request& request) {
  TRY(auto readable, context.auth.readable_namespaces(context.who));
  return room.list_policies(readable, request.slice);
}

Result<auth::Resource> GetPolicy::resource(Signing& room, op::Context& context, const Request& request) {
  return of_namespace(room, context, request.namespace_name);
}
Result<Policy> GetPolicy::run(Signing& room, op::Context&, const Request& request) {
  return policy_in(room, request);
}

Result<auth::Resource> UpdatePolicy::resource(Signing& room, op::Context& context, const Request& request) {
  return of_namespace(room, context, request.policy.namespace_name);
}
Result<op::Nothing> UpdatePolicy::run(Signing& room, op::Context&, const Request& request) {
  TRY(Policy current, policy_in(room, {request.policy.namespace_name, request.policy.id}));
  Policy policy = request.policy;
  policy.namespace_id = current.namespace_id;
  TRY_STATUS(room.update_policy(std::move(policy)));
  return op::Nothing{};
}

Result<auth::Resource> DeletePolicy::resource(Signing& room, op::Context& context, const Request& request) {
  return of_namespace(room, context, request.namespace_name);
}
Result<op::Nothing> DeletePolicy::run(Signing& room, op::Context&, const Request& request) {
  TRY(Policy policy, policy_in(room, request));
  TRY_STATUS(room.delete_policy(policy.namespace_id, policy.id));
  return op::Nothing{};
}

Result<auth::Resource> ExecutePolicy::resource(Signing& room, op::Context& context, const Request& request) {
  return of_namespace(room, context, request.namespace_name);
}
Result<std::int64_t> ExecutePolicy::run(Signing& room, op::Context&, const Request& request) {
  TRY(Policy policy, policy_in(room, request));
  return room.execute(policy, "manual");
}

Result<auth::Resource> ListExecutions::resource(Signing& room, op::Context& context, const Request& request) {
  return of_namespace(room, context, request.namespace_name);
}
Result<Page<Execution>> ListExecutions::run(Signing& room, op::Context&, const Request& request) {
  TRY(Policy policy, policy_in(room, request));
  return room.list_executions(policy.id, request.slice);
}

Result<auth::Resource> ListTasks::resource(Signing& room, op::Context& context, const Request& request) {
  return of_namespace(room, context, request.namespace_name);
}
Result<Page<Task>> ListTasks::run(Signing& room, op::Context&, const Request& request) {
  TRY(Policy policy, policy_in(room, request));
  TRY(Execution execution, room.get_execution(policy.id, request.execution_id));
  return room.list_tasks(execution.id, request.slice);
}

Result<auth::Resource> ListSubTasks::resource(Signing& room, op::Context& context, const Request& request) {
  return of_namespace(room, context, request.namespace_name);
}
Result<Page<SubTask>> ListSubTasks::run(Signing& room, op::Context&, const Request& request) {
  TRY(Policy policy, policy_in(room, request));
  TRY(Execution execution, room.get_execution(policy.id, request.execution_id));
  return room.list_sub_tasks(execution.id, request.task_id, request.status, request.slice);
}

}  // namespace wharfage::sign
