#include "notify/ops.h"

#include "op/visible.h"

namespace wharfage::notify {
namespace {

// Ids are small numbers: to whom a webhook does not belong, it does not exist.
Result<auth::Resource> resource_of(Webhooks& room, op::Context& context, std::int64_t webhook_id) {
  TRY(auto webhook, room.get(webhook_id));
  auth::Resource resource{webhook.namespace_id, webhook.namespace_name, false};
  Status allowed = context.auth.authorise(context.who, auth::Access::manage, resource);
  if (!allowed.ok() && allowed.error().reason == Reason::denied) {
    return fail(Reason::webhook_unknown, {}, std::to_string(webhook_id));
  }
  return resource;
}

// Whose a webhook is to be, or whose are asked for.
Result<auth::Resource> place(op::Context& context, std::int64_t namespace_id, const std::string& name) {
  auth::Resource resource{namespace_id, name, false};
  if (namespace_id == 0) return resource;
  return op::visible(context, resource, fail(Reason::namespace_unknown, {}, name));
}

Result<op::Nothing> nothing(const Status& status) {
  if (!status.ok()) return status.error();
  return op::Nothing{};
}

}  // namespace

Result<auth::Resource> CreateWebhook::resource(Webhooks&, op::Context& context, const Request& request) {
  return place(context, request.namespace_id, request.namespace_name);
}
Result<CreateWebhook::Response> CreateWebhook::run(Webhooks& room, op::Context&, const Request& request) {
  return room.create(request);
}

Result<auth::Resource> ListWebhooks::resource(Webhooks&, op::Context& context, const Request& request) {
  return place(context, request.namespace_id, request.namespace_name);
}
Result<ListWebhooks::Response> ListWebhooks::run(Webhooks& room, op::Context&, const Request& request) {
  return room.list(request.namespace_id, request.offset, request.limit);
}

Result<auth::Resource> GetWebhook::resource(Webhooks& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.id);
}
Result<GetWebhook::Response> GetWebhook::run(Webhooks& room, op::Context&, const Request& request) {
  return room.get(request.id);
}

Result<auth::Resource> UpdateWebhook::resource(Webhooks& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.id);
}
Result<UpdateWebhook::Response> UpdateWebhook::run(Webhooks& room, op::Context&, const Request& request) {
  return room.update(request.id, request.change);
}

Result<auth::Resource> DeleteWebhook::resource(Webhooks& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.id);
}
Result<DeleteWebhook::Response> DeleteWebhook::run(Webhooks& room, op::Context&, const Request& request) {
  return nothing(room.remove(request.id));
}

Result<auth::Resource> ListDeliveries::resource(Webhooks& room, op::Context& context,
                                                const Request& request) {
  return resource_of(room, context, request.id);
}
Result<ListDeliveries::Response> ListDeliveries::run(Webhooks& room, op::Context&, const Request& request) {
  return room.deliveries(request.id, request.offset, request.limit);
}

Result<auth::Resource> GetDelivery::resource(Webhooks& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.id);
}
Result<GetDelivery::Response> GetDelivery::run(Webhooks& room, op::Context&, const Request& request) {
  return room.get_delivery(request.id, request.delivery_id);
}

Result<auth::Resource> Redeliver::resource(Webhooks& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.id);
}
Result<Redeliver::Response> Redeliver::run(Webhooks& room, op::Context&, const Request& request) {
  return room.redeliver(request.id, request.delivery_id);
}

Result<auth::Resource> PingWebhook::resource(Webhooks& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.id);
}
Result<PingWebhook::Response> PingWebhook::run(Webhooks& room, op::Context&, const Request& request) {
  return room.ping(request.id);
}

}  // namespace wharfage::notify
