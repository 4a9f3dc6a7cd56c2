// Webhooks and what was sent to them.
#include "facade/native/route.h"
#include "notify/ops.h"
#include "registry/ops/scope.h"

namespace wharfage::native {
namespace {

using wire::field;
using wire::required;

struct WebhookQuery {
  std::optional<std::string> namespace_name;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&WebhookQuery::namespace_name>("namespace"),
                      field<&WebhookQuery::offset>("offset"), field<&WebhookQuery::limit>("limit")};
  }
};
struct WebhookKey {
  std::int64_t id = 0;
  static constexpr auto fields() { return std::array{field<&WebhookKey::id>("id", required)}; }
};
struct DeliveryQuery {
  std::int64_t id = 0;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&DeliveryQuery::id>("id", required), field<&DeliveryQuery::offset>("offset"),
                      field<&DeliveryQuery::limit>("limit")};
  }
};
struct DeliveryKey {
  std::int64_t id = 0;
  std::string delivery;
  static constexpr auto fields() {
    return std::array{field<&DeliveryKey::id>("id", required),
                      field<&DeliveryKey::delivery>("delivery", required)};
  }
};
struct Webhook {
  std::int64_t id = 0;
  std::string name;
  std::string url;
  std::vector<std::string> event_types;
  std::optional<std::string> namespace_name;
  bool enabled = false;
  std::string created_at;
  std::string updated_at;
  static constexpr auto fields() {
    return std::array{field<&Webhook::id>("id"),
                      field<&Webhook::name>("name"),
                      field<&Webhook::url>("url"),
                      field<&Webhook::event_types>("event_types"),
                      field<&Webhook::namespace_name>("namespace"),
                      field<&Webhook::enabled>("enabled"),
                      field<&Webhook::created_at>("created_at"),
                      field<&Webhook::updated_at>("updated_at")};
  }
};
struct WebhookList {
  std::vector<Webhook> items;
  std::int64_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&WebhookList::items>("items"), field<&WebhookList::total>("total")};
  }
};
struct NewWebhook {
  std::string name;
  std::string url;
  std::vector<std::string> event_types;
  std::optional<std::string> namespace_name;
  std::optional<std::string> secret;
  std::optional<bool> enabled;
  static constexpr auto fields() {
    return std::array{
        field<&NewWebhook::name>("name", required),     field<&NewWebhook::url>("url", required),
        field<&NewWebhook::event_types>("event_types"), field<&NewWebhook::namespace_name>("namespace"),
        field<&NewWebhook::secret>("secret"),           field<&NewWebhook::enabled>("enabled")};
  }
};
struct WebhookCreated {
  Webhook webhook;
  std::string secret;
  static constexpr auto fields() {
    return std::array{field<&WebhookCreated::webhook>("webhook"),
                      field<&WebhookCreated::secret>("secret").about("shown this once")};
  }
};
struct WebhookChange {
  std::optional<std::string> name;
  std::optional<std::string> url;
  std::optional<std::string> secret;
  std::optional<std::vector<std::string>> event_types;
  std::optional<bool> enabled;
  static constexpr auto fields() {
    return std::array{field<&WebhookChange::name>("name"), field<&WebhookChange::url>("url"),
                      field<&WebhookChange::secret>("secret"),
                      field<&WebhookChange::event_types>("event_types"),
                      field<&WebhookChange::enabled>("enabled")};
  }
};
struct Delivery {
  std::string id;
  std::string event_type;
  std::string subject;
  std::string state;
  std::int64_t attempts = 0;
  std::int64_t status_code = 0;
  std::optional<std::string> error;
  std::optional<std::string> response;
  std::optional<std::string> body;
  std::string created_at;
  std::string updated_at;
  static constexpr auto fields() {
    return std::array{field<&Delivery::id>("id"),
                      field<&Delivery::event_type>("event_type"),
                      field<&Delivery::subject>("subject"),
                      field<&Delivery::state>("state"),
                      field<&Delivery::attempts>("attempts"),
                      field<&Delivery::status_code>("status_code"),
                      field<&Delivery::error>("error"),
                      field<&Delivery::response>("response"),
                      field<&Delivery::body>("body"),
                      field<&Delivery::created_at>("created_at"),
                      field<&Delivery::updated_at>("updated_at")};
  }
};
struct DeliveryList {
  std::vector<Delivery> items;
  std::int64_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&DeliveryList::items>("items"), field<&DeliveryList::total>("total")};
  }
};

Webhook to_wire(const notify::Webhook& hook) {
  return {hook.id,
          hook.name,
          hook.url,
          hook.event_types,
          unless_empty(hook.namespace_name),
          hook.enabled,
          rfc3339(hook.created_at),
          rfc3339(hook.updated_at)};
}

Delivery to_wire(const notify::Delivery& from) {
  return {from.id,
          from.event_type,
          from.subject,
          std::string(notify::delivery_state_name(from.state)),
          from.attempts,
          from.status_code,
          unless_empty(from.error),
          unless_empty(from.response),
          unless_empty(from.body),
          rfc3339(from.created_at),
          rfc3339(from.updated_at)};
}

// The id of a namespace somebody names; 0 without a name.
Result<std::int64_t> namespace_id(Call& call, const std::optional<std::string>& name) {
  if (!name) return 0;
  TRY(auto found, registry::ops::find_namespace(call.rooms.registry, call.context, {.name = *name}));
  return found.id;
}

Result<WebhookList> list_webhooks(Call& call, const WebhookQuery& query, const NoBody&) {
  TRY(auto slice, page_of(query.offset, query.limit));
  TRY(auto id, namespace_id(call, query.namespace_name));
  TRY(auto page,
      op::invoke<notify::ListWebhooks>(call.rooms.webhooks, call.context,
                                       {id, query.namespace_name.value_or(""), slice.offset, slice.limit}));
  WebhookList list;
  for (const auto& hook : page.items) list.items.push_back(to_wire(hook));
  list.total = page.total;
  return list;
}

Result<WebhookCreated> create_webhook(Call& call, const NoBody&, const NewWebhook& body) {
  TRY(auto id, namespace_id(call, body.namespace_name));
  TRY(auto made, op::invoke<notify::CreateWebhook>(
                     call.rooms.webhooks, call.context,
                     {body.name, body.url, body.event_types, id, body.namespace_name.value_or(""),
                      body.secret, body.enabled.value_or(true)}));
  return WebhookCreated{to_wire(made.webhook), made.secret};
}

Result<Webhook> get_webhook(Call& call, const WebhookKey& query, const NoBody&) {
  TRY(auto hook, op::invoke<notify::GetWebhook>(call.rooms.webhooks, call.context, {query.id}));
  return to_wire(hook);
}

Result<Webhook> update_webhook(Call& call, const WebhookKey& query, const WebhookChange& body) {
  TRY(auto hook, op::invoke<notify::UpdateWebhook>(
                     call.rooms.webhooks, call.context,
                     {query.id, {body.name, body.url, body.secret, body.event_types, body.enabled}}));
  return to_wire(hook);
}

Result<Empty> delete_webhook(Call& call, const WebhookKey& query, const NoBody&) {
  TRY_STATUS(op::invoke<notify::DeleteWebhook>(call.rooms.webhooks, call.context, {query.id}));
  return Empty{};
}

Result<Delivery> ping_webhook(Call& call, const WebhookKey& query, const NoBody&) {
  TRY(auto delivery, op::invoke<notify::PingWebhook>(call.rooms.webhooks, call.context, {query.id}));
  return to_wire(delivery);
}

Result<DeliveryList> list_deliveries(Call& call, const DeliveryQuery& query, const NoBody&) {
  TRY(auto slice, page_of(query.offset, query.limit));
  TRY(auto page, op::invoke<notify::ListDeliveries>(call.rooms.webhooks, call.context,
                                                    {query.id, slice.offset, slice.limit}));
  DeliveryList list;
  for (const auto& delivery : page.items) list.items.push_back(to_wire(delivery));
  list.total = page.total;
  return list;
}

Result<Delivery> get_delivery(Call& call, const DeliveryKey& query, const NoBody&) {
  TRY(auto delivery,
      op::invoke<notify::GetDelivery>(call.rooms.webhooks, call.context, {query.id, query.delivery}));
  return to_wire(delivery);
}

Result<Delivery> redeliver(Call& call, const DeliveryKey& query, const NoBody&) {
  TRY(auto delivery,
      op::invoke<notify::Redeliver>(call.rooms.webhooks, call.context, {query.id, query.delivery}));
  return to_wire(delivery);
}

}  // namespace

std::span<const Route> webhook_routes() {
  static constexpr std::array table{
      route<&list_webhooks>("GET", "/api/v1/webhooks").about("list webhooks"),
      route<&create_webhook>("POST", "/api/v1/webhooks", 201)
          .about("create a webhook; its secret is shown once"),
      route<&get_webhook>("GET", "/api/v1/webhooks/{id}").about("show a webhook"),
      route<&update_webhook>("PUT", "/api/v1/webhooks/{id}").about("change a webhook"),
      route<&delete_webhook>("DELETE", "/api/v1/webhooks/{id}").about("delete a webhook"),
      route<&ping_webhook>("POST", "/api/v1/webhooks/{id}/ping").about("send a test event"),
      route<&list_deliveries>("GET", "/api/v1/webhooks/{id}/deliveries").about("what was sent, newest first"),
      route<&get_delivery>("GET", "/api/v1/webhooks/{id}/deliveries/{delivery}")
          .about("one delivery with its body"),
      route<&redeliver>("POST", "/api/v1/webhooks/{id}/deliveries/{delivery}/redeliver")
          .about("send it again"),
  };
  return table;
}

}  // namespace wharfage::native
