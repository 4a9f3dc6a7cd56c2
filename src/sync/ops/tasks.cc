#include "sync/ops/tasks.h"

#include "op/visible.h"
#include "registry/ops/scope.h"
#include "sync/ops/access.h"

namespace wharfage::sync::ops {
namespace {

registry::ops::RepositoryRef source_of(const CreateTask::Request& request) {
  return {.namespace_name = request.source_namespace,
          .name = request.source_name,
          .public_id = request.repository_public_id};
}

// A copy that has not yet found its place here, or came from an administrator's rule, is administrators' to
// see.
Result<auth::Resource> resource_of(Sync& room, op::Context& context, const std::string& public_id) {
  TRY(Task task, room.get_task(public_id));
  if (task.namespace_id) {
    TRY(auto resource, namespace_resource(room, task.namespace_id));
    return op::visible(context, resource, fail(Reason::task_unknown));
  }
  bool hidden = !context.auth.authorise(context.who, auth::Access::administer, {}).ok();
  return hidden ? Result<auth::Resource>(fail(Reason::task_unknown)) : auth::Resource{};
}

}  // namespace

Result<connect::Connection> find_target(Sync& room, const std::string& link, const std::string& alias,
                                        const std::string& region) {
  if (!link.empty()) return room.connections().get_by_reference(link);
  return room.connections().get_by_alias(alias, region);
}

Result<auth::Resource> CreateTask::resource(Sync& room, op::Context& context, const Request& request) {
  return registry::ops::inside(room.registry(), context, source_of(request));
}
Result<Task> CreateTask::run(Sync& room, op::Context& context, const Request& request) {
  TRY(auto repository, registry::ops::find_repository(room.registry(), context, source_of(request)));
  TRY(auto target, find_target(room, request.link, request.alias, request.region));
  const std::string& name =
      request.target_namespace.empty() ? repository.namespace_name : request.target_namespace;
  const std::string& below = request.target_repository.empty() ? repository.name : request.target_repository;
  TRY_STATUS(authorise_target(room, context, target.id, name, below));
  return room.create_task({.repository_id = repository.id,
                           .tag = request.tag,
                           .connection_id = target.id,
                           .target_namespace = request.target_namespace,
                           .target_repository = request.target_repository,
                           .target_tag = request.target_tag,
                           .overwrite = request.overwrite});
}

Result<auth::Resource> CreateTaskByRule::resource(Sync& room, op::Context& context, const Request& request) {
  return registry::ops::inside(room.registry(), context,
                               registry::ops::RepositoryRef{.public_id = request.repository_public_id});
}
Result<Task> CreateTaskByRule::run(Sync& room, op::Context& context, const Request& request) {
  TRY(auto repository, room.registry().get_repository_by_public_id(request.repository_public_id));
  TRY(Rule rule, room.get_rule(std::string_view(request.rule_public_id)));
  // A rule of another namespace is not to be seen from here.
  if (rule.namespace_id && rule.namespace_id != repository.namespace_id) {
    return fail(Reason::sync_rule_unknown);
  }
  Side to = target_of(rule, {0, repository.namespace_name, repository.name, request.tag});
  TRY_STATUS(authorise_target(room, context, rule.connection_id, to.namespace_name, to.repository));
  return room.create_task_by_rule(rule.id, repository.id, request.tag);
}

Result<auth::Resource> GetTask::resource(Sync& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.public_id);
}
Result<GetTask::Response> GetTask::run(Sync& room, op::Context&, const Request& request) {
  TRY(Task task, room.get_task(request.public_id));
  TRY(auto layers, room.layers_of(task.id));
  return Response{std::move(task), std::move(layers)};
}

Result<auth::Resource> ListTasks::resource(Sync&, op::Context&, const Request&) {
  return auth::Resource{};
}
Result<Page<Task>> ListTasks::run(Sync& room, op::Context& context, const Request& request) {
  TaskFilter filter = request.filter;
  TRY(filter.readable, context.auth.readable_namespaces(context.who));
  return room.list_tasks(filter, request.slice);
}

Result<auth::Resource> CancelTask::resource(Sync& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.public_id);
}
Result<op::Nothing> CancelTask::run(Sync& room, op::Context&, const Request& request) {
  TRY_STATUS(room.cancel_task(request.public_id));
  return op::Nothing{};
}

Result<auth::Resource> ListCopies::resource(Sync& room, op::Context& context, const Request& request) {
  return registry::ops::inside(room.registry(), context,
                               registry::ops::RepositoryRef{.id = request.repository_id});
}
Result<std::vector<Copy>> ListCopies::run(Sync& room, op::Context&, const Request& request) {
  return room.copies_of(request.repository_id, request.digest);
}

}  // namespace wharfage::sync::ops
