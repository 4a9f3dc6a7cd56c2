#include "registry/ops/retention.h"

namespace wharfage::registry::ops {

Result<RetentionPolicy> GetRetention::run(Retention& room, op::Context& context, const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request));
  return room.policy(space.id);
}

Result<RetentionPolicy> SetRetention::run(Retention& room, op::Context& context, const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  RetentionPolicy policy = request.policy;
  policy.namespace_id = space.id;
  policy.set_by = context.who.name;
  return room.set_policy(std::move(policy));
}

Result<RetentionRun> RunRetention::run(Retention& room, op::Context& context, const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  return room.run(space.id, request.dry, context.who.name);
}

Result<Page<RetentionRun>> ListRetentionRuns::run(Retention& room, op::Context& context,
                                                  const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  return room.list_runs(space.id, request.slice);
}

Result<RetentionRun> GetRetentionRun::run(Retention& room, op::Context& context, const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  return room.get_run(space.id, request.id);
}

Result<std::vector<RetentionItem>> ListRetentionItems::run(Retention& room, op::Context& context,
                                                           const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  return room.items(space.id, request.run_id, request.outcome, request.after, request.limit);
}

Result<op::Nothing> CancelRetentionRun::run(Retention& room, op::Context& context, const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  TRY_STATUS(room.cancel(space.id, request.id));
  return op::Nothing{};
}

Result<auth::Resource> ListAllRetention::resource(Retention&, op::Context&, const Request&) {
  return auth::Resource{.name = "retention policies"};
}

Result<Page<LocatedRetention>> ListAllRetention::run(Retention& room, op::Context& context,
                                                     const Request& request) {
  TRY(auto readable, context.auth.readable_namespaces(context.who));
  return room.list_policies(readable, request.namespace_id, request.name, request.slice);
}

Result<Page<RetentionTask>> ListRetentionTasks::run(Retention& room, op::Context& context,
                                                    const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  return room.tasks(space.id, request.run_id, request.status, request.slice);
}

Result<ListRetentionTaskItems::Response> ListRetentionTaskItems::run(Retention& room, op::Context& context,
                                                                     const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  Response response;
  TRY(response.task, room.task(space.id, request.run_id, request.repository_id));
  TRY(response.items,
      room.task_items(space.id, request.run_id, response.task, request.outcome, request.slice));
  return response;
}

// ---------------------------------------------------------------- the rules of one repository

Result<GetRepositoryRetention::Response> GetRepositoryRetention::run(Retention& room, op::Context& context,
                                                                     const Request& request) {
  Response response;
  TRY(response.repository, find_repository(room.registry(), context, request));
  TRY(response.rules, room.repository_rules(response.repository));
  return response;
}

Result<Repository> SetRepositoryRetention::run(Retention& room, op::Context& context,
                                               const Request& request) {
  TRY(Repository repository, find_repository(room.registry(), context, request.repository));
  TRY_STATUS(room.set_repository_rules(repository, request.rules, context.who.name));
  return repository;
}

Result<Page<TagChange>> ListRemovedTags::run(Retention& room, op::Context& context, const Request& request) {
  TRY(Repository repository, find_repository(room.registry(), context, request.repository));
  return room.removed_tags(repository, request.slice);
}

}  // namespace wharfage::registry::ops
