// The operations on webhooks and their deliveries. Their room is Webhooks. Whoever manages a namespace
// manages its webhooks; those of the whole installation are the administrators'. `namespace_id` and
// `namespace_name` of a request are never the client's own words: the facade has resolved them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "notify/webhooks.h"
#include "op/operation.h"

namespace wharfage::notify {

struct CreateWebhook {
  static constexpr op::Declaration declaration{"notify:CreateWebhook", auth::Access::manage};
  using Request = Webhooks::NewWebhook;
  using Response = Webhooks::Created;
  static Result<auth::Resource> resource(Webhooks& room, op::Context& context, const Request& request);
  static Result<Response> run(Webhooks& room, op::Context& context, const Request& request);
};

struct ListWebhooks {
  static constexpr op::Declaration declaration{"notify:ListWebhooks", auth::Access::manage};
  struct Request {
    std::int64_t namespace_id = 0;  // 0: all
    std::string namespace_name;
    std::int64_t offset = 0, limit = 50;
  };
  using Response = Page<Webhook>;
  static Result<auth::Resource> resource(Webhooks& room, op::Context& context, const Request& request);
  static Result<Response> run(Webhooks& room, op::Context& context, const Request& request);
};

struct WebhookId {
  std::int64_t id = 0;
};

struct GetWebhook {
  static constexpr op::Declaration declaration{"notify:GetWebhook", auth::Access::manage};
  using Request = WebhookId;
  using Response = Webhook;
  static Result<auth::Resource> resource(Webhooks& room, op::Context& context, const Request& request);
  static Result<Response> run(Webhooks& room, op::Context& context, const Request& request);
};

struct UpdateWebhook {
  static constexpr op::Declaration declaration{"notify:UpdateWebhook", auth::Access::manage};
  struct Request {
    std::int64_t id = 0;
    Webhooks::Change change;
  };
  using Response = Webhook;
  static Result<auth::Resource> resource(Webhooks& room, op::Context& context, const Request& request);
  static Result<Response> run(Webhooks& room, op::Context& context, const Request& request);
};

struct DeleteWebhook {
  static constexpr op::Declaration declaration{"notify:DeleteWebhook", auth::Access::manage};
  using Request = WebhookId;
  using Response = op::Nothing;
  static Result<auth::Resource> resource(Webhooks& room, op::Context& context, const Request& request);
  static Result<Response> run(Webhooks& room, op::Context& context, const Request& request);
};

struct ListDeliveries {
  static constexpr op::Declaration declaration{"notify:ListDeliveries", auth::Access::manage};
  struct Request {
    std::int64_t id = 0;  // of the webhook
    std::int64_t offset = 0, limit = 50;
  };
  using Response = Page<Delivery>;
  static Result<auth::Resource> resource(Webhooks& room, op::Context& context, const Request& request);
  static Result<Response> run(Webhooks& room, op::Context& context, const Request& request);
};

struct DeliveryId {
  std::int64_t id = 0;  // of the webhook
  std::string delivery_id;
};

struct GetDelivery {  // with its body
  static constexpr op::Declaration declaration{"notify:GetDelivery", auth::Access::manage};
  using Request = DeliveryId;
  using Response = Delivery;
  static Result<auth::Resource> resource(Webhooks& room, op::Context& context, const Request& request);
  static Result<Response> run(Webhooks& room, op::Context& context, const Request& request);
};

struct Redeliver {
  static constexpr op::Declaration declaration{"notify:Redeliver", auth::Access::manage};
  using Request = DeliveryId;
  using Response = Delivery;
  static Result<auth::Resource> resource(Webhooks& room, op::Context& context, const Request& request);
  static Result<Response> run(Webhooks& room, op::Context& context, const Request& request);
};

struct PingWebhook {
  static constexpr op::Declaration declaration{"notify:PingWebhook", auth::Access::manage};
  using Request = WebhookId;
  using Response = Delivery;
  static Result<auth::Resource> resource(Webhooks& room, op::Context& context, const Request& request);
  static Result<Response> run(Webhooks& room, op::Context& context, const Request& request);
};

}  // namespace wharfage::notify
