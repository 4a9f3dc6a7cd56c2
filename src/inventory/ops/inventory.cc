#include "inventory/ops/inventory.h"

#include "connect/ops/connections.h"

namespace wharfage::inventory::ops {
namespace {

Result<auth::Resource> installation(std::string name = {}) {
  return auth::Resource{.name = std::move(name)};
}

}  // namespace

Result<auth::Resource> CreateTask::resource(Inventory&, op::Context&, const Request&) {
  return installation("inventory");
}
Result<Task> CreateTask::run(Inventory& room, op::Context& context, const Request& request) {
  Request wanted = request;
  wanted.creator = context.who.name;
  return room.create_task(wanted);
}

Result<auth::Resource> GetTask::resource(Inventory&, op::Context& context, const Request&) {
  TRY_STATUS(connect::ops::may_see_connections(context));
  return installation();
}
Result<Task> GetTask::run(Inventory& room, op::Context&, const Request& request) {
  return room.get_task(request.task_id);
}

Result<auth::Resource> ListTasks::resource(Inventory&, op::Context& context, const Request&) {
  TRY_STATUS(connect::ops::may_see_connections(context));
  return installation();
}
Result<Page<Task>> ListTasks::run(Inventory& room, op::Context&, const Request& request) {
  return room.list_tasks(request.filter, request.slice);
}

Result<auth::Resource> ListTaskRegistries::resource(Inventory&, op::Context& context, const Request&) {
  TRY_STATUS(connect::ops::may_see_connections(context));
  return installation();
}
Result<Page<TaskRegistry>> ListTaskRegistries::run(Inventory& room, op::Context&, const Request& request) {
  return room.list_registries(request.task_id, request.filter, request.slice);
}

Result<auth::Resource> ListImages::resource(Inventory&, op::Context&, const Request&) {
  return installation();
}
Result<Page<Image>> ListImages::run(Inventory& room, op::Context& context, const Request& request) {
  ImageFilter filter = request.filter;
  TRY(filter.readable, context.auth.readable_namespaces(context.who));
  filter.own_only = filter.own_only || !connect::ops::may_see_connections(context).ok();
  return room.list_images(filter, request.slice);
}

}  // namespace wharfage::inventory::ops
