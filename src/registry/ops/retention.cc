#include "registry/ops/retention.h"

namespace wharfage::registry::ops {

Result<auth::Resource> GetRetention::resource(Retention& room, op::Context& context, const Request& request) {
  return inside(room.registry(), context, request);
}

Result<RetentionPolicy> GetRetention::run(Retention& room, op::Context& context, const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request));
  return room.policy(space.id);
}

Result<auth::Resource> SetRetention::resource(Retention& room, op::Context& context, const Request& request) {
  return inside(room.registry(), context, request.space);
}

Result<RetentionPolicy> SetRetention::run(Retention& room, op::Context& context, const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  RetentionPolicy policy = request.policy;
  policy.namespace_id = space.id;
  policy.set_by = context.who.name;
  return room.set_policy(std::move(policy));
}

Result<auth::Resource> RunRetention::resource(Retention& room, op::Context& context, const Request& request) {
  return inside(room.registry(), context, request.space);
}

Result<RetentionRun> RunRetention::run(Retention& room, op::Context& context, const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  return room.run(space.id, request.dry, context.who.name);
}

Result<auth::Resource> ListRetentionRuns::resource(Retention& room, op::Context& context,
                                                   const Request& request) {
  return inside(room.registry(), context, request.space);
}

Result<Page<RetentionRun>> ListRetentionRuns::run(Retention& room, op::Context& context,
                                                  const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  return room.list_runs(space.id, request.slice);
}

Result<auth::Resource> GetRetentionRun::resource(Retention& room, op::Context& context,
                                                 const Request& request) {
  return inside(room.registry(), context, request.space);
}

Result<RetentionRun> GetRetentionRun::run(Retention& room, op::Context& context, const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  return room.get_run(space.id, request.id);
}

Result<auth::Resource> ListRetentionItems::resource(Retention& room, op::Context& context,
                                                    const Request& request) {
  return inside(room.registry(), context, request.space);
}

Result<std::vector<RetentionItem>> ListRetentionItems::run(Retention& room, op::Context& context,
                                                           const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  return room.items(space.id, request.run_id, request.outcome, request.after, request.limit);
}

Result<auth::Resource> CancelRetentionRun::resource(Retention& room, op::Context& context,
                                                    const Request& request) {
  return inside(room.registry(), context, request.space);
}

Result<op::Nothing> CancelRetentionRun::run(Retention& room, op::Context& context, const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  TRY_STATUS(room.cancel(space.id, request.id));
  return op::Nothing{};
}

}  // namespace wharfage::registry::ops
