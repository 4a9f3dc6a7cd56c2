// Tells other programs what happens here. A webhook is an address, a choice of events and a secret. Each
// matching event becomes a delivery row and a job in the transaction that dispatches the event; the job sends
// it, retries with growing delays, and keeps what the receiver answered. Addresses are the user's words, so
// the client's address policy decides (SSRF), redirects are not followed, and every answer is bounded.
// Secrets are sealed. Callers have been authorised. Thread-safe, blocking.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/keys.h"
#include "http/client.h"
#include "job/events.h"
#include "job/queue.h"
#include "meta/db.h"
#include "notify/webhook.h"

namespace wharfage::notify {

std::vector<meta::Migration> schema();

// What a client sends for a secret it does not know: it stays as it is.
constexpr std::string_view masked_secret = "********";

class Webhooks {
 public:
  // `source` names this installation in every event: "wharfage/cri-…".
  Webhooks(meta::Db& db, meta::Ids& ids, job::Queue& queue, job::Events& events, const crypto::Vault& vault,
           http::Client& client, const Clock& clock, Log log, std::string source);

  // Adds the job kind "notify.deliver" and the subscriber "notify": before the queue and the events start.
  void start();

  struct NewWebhook {
    std::string name, url;
    std::vector<std::string> event_types;
    std::int64_t namespace_id = 0;
    std::string namespace_name;
    std::optional<std::string> secret;  // made here when missing
    bool enabled = true;
  };
  struct Created {
    Webhook webhook;
    std::string secret;  // shown this once
  };
  // Errors: invalid_parameter (detail: which), quota_exceeded.
  Result<Created> create(const NewWebhook& wanted);
  Result<Webhook> get(std::int64_t id);  // webhook_unknown, as below
  Result<Page<Webhook>> list(std::int64_t namespace_id, std::int64_t offset, std::int64_t limit);  // 0: all
  struct Change {
    std::optional<std::string> name, url, secret;
    std::optional<std::vector<std::string>> event_types;
    std::optional<bool> enabled;
  };
  Result<Webhook> update(std::int64_t id, const Change& change);
  Status remove(std::int64_t id);  // with its deliveries

  Result<Page<Delivery>> deliveries(std::int64_t webhook_id, std::int64_t offset,
                                    std::int64_t limit);                          // newest first
  Result<Delivery> get_delivery(std::int64_t webhook_id, const std::string& id);  // delivery_unknown
  // The same event once more, as a new delivery. Ping sends a "wharfage.webhook.ping" of its own, also to a
  // webhook that is not enabled.
  Result<Delivery> redeliver(std::int64_t webhook_id, const std::string& id);
  Result<Delivery> ping(std::int64_t webhook_id);

 private:
  Status take(meta::Tx& tx, const job::Event& event);
  Result<Delivery> send(meta::Tx& tx, const Webhook& webhook, Delivery delivery);
  Status deliver(job::Run& run);
  Status record(job::Run& run, const Delivery& delivery, const Status& outcome);
  Status settle(meta::Tx& tx, const job::Job& job, const Error& error);

  meta::Db& x_db;
  meta::Ids& x_ids;
  job::Queue& x_queue;
  job::Events& x_events;
  const crypto::Vault& x_vault;
  http::Client& x_client;
  const Clock& x_clock;
  const Log x_log;
  const std::string x_source;
};

}  // namespace wharfage::notify
