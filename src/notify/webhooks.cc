#include "notify/webhooks.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.h"
#include "base/random.h"
#include "base/text.h"
#include "notify/cloud_event.h"
#include "notify/records.h"
#include "notify/terms.h"

namespace wharfage::notify {
namespace {

constexpr std::size_t name_max = 128;
constexpr std::size_t event_type_max = 64;
constexpr std::size_t secret_min = 8;

Error refused(std::string message, std::string parameter) {
  return fail(Reason::invalid_parameter, std::move(message), std::move(parameter));
}

bool plain(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// "*", "image.pushed", "scan.*"
bool valid_type(std::string_view type) {
  if (type == "*") return true;
  bool group = type.ends_with(".*");
  if (group) type.remove_suffix(1);
  return std::any_of(event_types.begin(), event_types.end(), [&](std::string_view known) {
    return group ? known.starts_with(type) && type.find('.') + 1 == type.size() : known == type;
  });
}

bool wants(const Webhook& webhook, std::string_view type) {
  if (webhook.event_types.empty()) return true;
  return std::any_of(webhook.event_types.begin(), webhook.event_types.end(), [&](std::string_view wanted) {
    if (wanted.back() != '*') return wanted == type;
    wanted.remove_suffix(1);
    return type.substr(0, wanted.size()) == wanted;
  });
}

Status check(const Webhook& webhook) {
  if (webhook.name.empty() || webhook.name.size() > name_max || !plain(webhook.name)) {
    return refused("a name has 1 to 128 bytes and no control characters", "name");
  }
  if (webhook.url.size() > limits::webhook_url_max) return refused("the URL is too long", "url");
  if (auto url = http::parse_url(webhook.url); !url.ok()) return refused(url.error().message, "url");
  if (webhook.event_types.size() > limits::webhook_event_types_max) {
    return refused("there are too many event types", "event_types");
  }
  return {};
}

// One that is misspelt would never be heard.
Status check_types(const std::vector<std::string>& types) {
  for (const auto& type : types) {
    if (valid_type(type)) continue;
    return refused(fmt::format("there is no event type {}; there are {}, groups of them like scan.*, and *",
                               json_string(std::string_view(type).substr(0, event_type_max)),
                               fmt::join(event_types, ", ")),
                   "event_types");
  }
  return {};
}

Status check_secret(std::string_view secret) {
  if (secret.size() < secret_min || secret.size() > limits::webhook_secret_max || !plain(secret)) {
    return refused("a secret has 8 to 256 bytes and no control characters", "secret");
  }
  return {};
}

Delivery delivery_of(const Webhook& webhook, const job::Event& event, std::string_view source) {
  Delivery delivery;
  delivery.webhook_id = webhook.id;
  delivery.event_id = event.id;
  delivery.event_type = event.type;
  delivery.subject = event.subject;
  delivery.body = cloud_event(event, source);
  return delivery;
}

Result<records::Stored> stored(meta::Tx& tx, std::int64_t id) {
  TRY(auto found, records::find(tx, id));
  if (!found) return fail(Reason::webhook_unknown, {}, std::to_string(id));
  return *std::move(found);
}

Result<Delivery> delivery_in(meta::Tx& tx, std::int64_t webhook_id, const std::string& id) {
  TRY(auto found, records::find_delivery(tx, id));
  if (!found || found->webhook_id != webhook_id) return fail(Reason::delivery_unknown, {}, id);
  return *std::move(found);
}

}  // namespace

std::string_view delivery_state_name(DeliveryState state) {
  constexpr std::string_view names[] = {"waiting", "delivered", "failed"};
  return names[static_cast<int>(state)];
}

Webhooks::Webhooks(meta::Db& db, meta::Ids& ids, job::Queue& queue, job::Events& events,
                   const crypto::Vault& vault, http::Client& client, const Clock& clock, Log log,
                   std::string source)
    : x_db(db),
      x_ids(ids),
      x_queue(queue),
      x_events(events),
      x_vault(vault),
      x_client(client),
      x_clock(clock),
      x_log(std::move(log)),
      x_source(std::move(source)) {}

void Webhooks::start() {
  job::Kind kind;
  kind.name = "notify.deliver";
  kind.concurrency = limits::webhook_deliveries_at_once;
  kind.run = [this](job::Run& run) { return deliver(run); };
  kind.settle = [this](meta::Tx& tx, const job::Job& job, const Error& error) {
    return settle(tx, job, error);
  };
  kind.retry_base_ms = limits::webhook_retry_base_ms;
  kind.keep_ms = day_ms;  // the delivery keeps what matters
  x_queue.add_kind(std::move(kind));
  x_events.subscribe("notify", "", [this](meta::Tx& tx, const job::Event& event) { return take(tx, event); });
}

Result<Webhooks::Created> Webhooks::create(const NewWebhook& wanted) {
  records::Stored made;
  made.webhook = {.name = wanted.name,
                  .url = wanted.url,
                  .event_types = wanted.event_types,
                  .namespace_id = wanted.namespace_id,
                  .namespace_name = wanted.namespace_name,
                  .enabled = wanted.enabled,
                  .created_at = x_clock.now(),
                  .updated_at = x_clock.now()};
  TRY_STATUS(check(made.webhook));
  TRY_STATUS(check_types(made.webhook.event_types));
  std::string secret = wanted.secret.value_or("");
  if (secret.empty()) secret = generate_secret();
  TRY_STATUS(check_secret(secret));
  TRY(made.webhook.id, x_ids.next("webhook"));
  made.sealed_secret = x_vault.seal(secret, secret_purpose(made.webhook.id));
  TRY_STATUS(x_db.write([&](meta::Tx& tx) -> Status {
    TRY(auto count, records::count_webhooks(tx, 0));
    if (count >= limits::webhooks_max) return fail(Reason::quota_exceeded, "there are too many webhooks");
    return records::insert(tx, made);
  }));
  return Created{made.webhook, secret};
}

Result<Webhook> Webhooks::get(std::int64_t id) {
  return x_db.read([&](meta::Tx& tx) -> Result<Webhook> {
    TRY(auto found, stored(tx, id));
    return found.webhook;
  });
}

Result<Page<Webhook>> Webhooks::list(std::int64_t namespace_id, std::int64_t offset, std::int64_t limit) {
  return x_db.read([&](meta::Tx& tx) -> Result<Page<Webhook>> {
    Page<Webhook> page;
    TRY(page.items, records::list(tx, namespace_id, offset, limit));
    TRY(page.total, records::count_webhooks(tx, namespace_id));
    return page;
  });
}

Result<Webhook> Webhooks::update(std::int64_t id, const Change& change) {
  return x_db.write([&](meta::Tx& tx) -> Result<Webhook> {
    TRY(auto found, stored(tx, id));
    Webhook& webhook = found.webhook;
    webhook.name = change.name.value_or(webhook.name);
    webhook.url = change.url.value_or(webhook.url);
    if (change.event_types) TRY_STATUS(check_types(*change.event_types));
    webhook.event_types = change.event_types.value_or(webhook.event_types);
    webhook.enabled = change.enabled.value_or(webhook.enabled);
    webhook.updated_at = x_clock.now();
    TRY_STATUS(check(webhook));
    if (change.secret && *change.secret != masked_secret) {
      TRY_STATUS(check_secret(*change.secret));
      found.sealed_secret = x_vault.seal(*change.secret, secret_purpose(id));
    }
    TRY_STATUS(records::update(tx, found));
    return webhook;
  });
}

Status Webhooks::remove(std::int64_t id) {
  return x_db.write([&](meta::Tx& tx) -> Status {
    TRY(bool removed, records::remove(tx, id));
    if (!removed) return fail(Reason::webhook_unknown, {}, std::to_string(id));
    return {};
  });
}

Result<Page<Delivery>> Webhooks::deliveries(std::int64_t webhook_id, std::int64_t offset,
                                            std::int64_t limit) {
  return x_db.read([&](meta::Tx& tx) -> Result<Page<Delivery>> {
    TRY_STATUS(stored(tx, webhook_id));
    Page<Delivery> page;
    TRY(page.items, records::list_deliveries(tx, webhook_id, offset, limit));
    TRY(page.total, records::count_deliveries(tx, webhook_id));
    return page;
  });
}

Result<Delivery> Webhooks::get_delivery(std::int64_t webhook_id, const std::string& id) {
  return x_db.read([&](meta::Tx& tx) { return delivery_in(tx, webhook_id, id); });
}

Result<Delivery> Webhooks::redeliver(std::int64_t webhook_id, const std::string& id) {
  return x_db.write([&](meta::Tx& tx) -> Result<Delivery> {
    TRY(auto found, stored(tx, webhook_id));
    if (!found.webhook.enabled) return fail(Reason::conflict, "the webhook is disabled");
    TRY(auto old, delivery_in(tx, webhook_id, id));
    Delivery again;
    again.webhook_id = webhook_id;
    again.event_id = old.event_id;
    again.event_type = old.event_type;
    again.subject = old.subject;
    again.body = old.body;
    return send(tx, found.webhook, std::move(again));
  });
}

Result<Delivery> Webhooks::ping(std::int64_t webhook_id) {
  return x_db.write([&](meta::Tx& tx) -> Result<Delivery> {
    TRY(auto found, stored(tx, webhook_id));
    job::Event event{.id = random_uuid(),
                     .type = std::string(ping_type),
                     .subject = found.webhook.name,
                     .namespace_id = found.webhook.namespace_id,
                     .data = R"({"webhook_id":)" + std::to_string(webhook_id) + "}",
                     .at = x_clock.now()};
    return send(tx, found.webhook, delivery_of(found.webhook, event, x_source));
  });
}

Status Webhooks::take(meta::Tx& tx, const job::Event& event) {
  TRY(auto listening, records::listening(tx, event.namespace_id));
  for (const Webhook& webhook : listening) {
    if (!wants(webhook, event.type)) continue;
    auto sent = send(tx, webhook, delivery_of(webhook, event, x_source));
    if (sent.ok()) continue;
    // A receiver that is down must not fill the database: it misses what comes meanwhile.
    if (sent.error().reason != Reason::quota_exceeded) return sent.error();
    x_log.warning("webhook misses an event", {{"webhook", webhook.id}, {"event", event.id}});
  }
  return records::prune_deliveries(tx, x_clock.now() - limits::webhook_delivery_kept_ms);
}

Result<Delivery> Webhooks::send(meta::Tx& tx, const Webhook& webhook, Delivery delivery) {
  delivery.id = random_uuid();
  delivery.created_at = delivery.updated_at = x_clock.now();
  TRY(auto waiting, records::count_waiting(tx, webhook.id));
  if (waiting >= limits::webhook_waiting_max) {
    return fail(Reason::quota_exceeded, "too many deliveries to this webhook are waiting");
  }
  TRY_STATUS(records::insert_delivery(tx, delivery));
  TRY_STATUS(x_queue.enqueue(tx, {.kind = "notify.deliver",
                                  .payload = delivery_payload(delivery.id),
                                  .subject = delivery.event_type + " to " + webhook.name,
                                  .attempts_max = limits::webhook_attempts_max}));
  return delivery;
}

}  // namespace wharfage::notify
