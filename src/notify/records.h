// All SQL of this room. Every function runs in the transaction it is given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "meta/db.h"
#include "notify/webhook.h"

namespace wharfage::notify::records {

struct Stored {
  Webhook webhook;
  std::string sealed_secret;
};

Result<std::int64_t> count_webhooks(meta::Tx& tx, std::int64_t namespace_id);  // 0: all
Status insert(meta::Tx& tx, const Stored& stored);
Result<bool> update(meta::Tx& tx, const Stored& stored);
Result<bool> remove(meta::Tx& tx, std::int64_t id);
Result<std::optional<Stored>> find(meta::Tx& tx, std::int64_t id);
Result<std::vector<Webhook>> list(meta::Tx& tx, std::int64_t namespace_id, std::int64_t offset,
                                  std::int64_t limit);
// Enabled ones that hear of this namespace.
Result<std::vector<Webhook>> listening(meta::Tx& tx, std::int64_t namespace_id);

Status insert_delivery(meta::Tx& tx, const Delivery& delivery);
Result<std::optional<Delivery>> find_delivery(meta::Tx& tx, const std::string& id);
Result<std::vector<Delivery>> list_deliveries(meta::Tx& tx, std::int64_t webhook_id, std::int64_t offset,
                                              std::int64_t limit);
Result<std::int64_t> count_deliveries(meta::Tx& tx, std::int64_t webhook_id);
Result<std::int64_t> count_waiting(meta::Tx& tx, std::int64_t webhook_id);
// State, attempts, status_code, error, response and updated_at.
Status update_delivery(meta::Tx& tx, const Delivery& delivery);
Status fail_delivery(meta::Tx& tx, const std::string& id, std::string_view error, TimeMs now);
// Drops at most limits::webhook_prune_batch deliveries made before.
Status prune_deliveries(meta::Tx& tx, TimeMs before);

}  // namespace wharfage::notify::records
