#include "notify/records.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"

namespace wharfage::notify::records {
namespace {

// id, name, url, event_types, namespace_id, namespace_name, enabled, created_at, updated_at
Webhook webhook_of(const meta::Row& row) {
  Webhook webhook;
  webhook.id = row.integer(0);
  webhook.name = row.text(1);
  webhook.url = row.text(2);
  std::string types = row.text(3);
  for (auto type : split(types, '\n')) {
    if (!type.empty()) webhook.event_types.emplace_back(type);
  }
  webhook.namespace_id = row.integer(4);
  webhook.namespace_name = row.text(5);
  webhook.enabled = row.integer(6) != 0;
  webhook.created_at = row.integer(7);
  webhook.updated_at = row.integer(8);
  return webhook;
}

std::vector<Webhook> webhooks_of(const meta::Rows& rows) {
  std::vector<Webhook> webhooks;
  for (const auto& row : rows) webhooks.push_back(webhook_of(row));
  return webhooks;
}

// id, webhook_id, event_id, event_type, subject, state, attempts, status_code, error, response, body,
// created_at, updated_at
Delivery delivery_of(const meta::Row& row) {
  Delivery delivery;
  delivery.id = row.text(0);
  delivery.webhook_id = row.integer(1);
  delivery.event_id = row.text(2);
  delivery.event_type = row.text(3);
  delivery.subject = row.text(4);
  delivery.state = static_cast<DeliveryState>(row.integer(5));
  delivery.attempts = static_cast<int>(row.integer(6));
  delivery.status_code = static_cast<int>(row.integer(7));
  delivery.error = row.text(8);
  delivery.response = row.text(9);
  delivery.body = row.text(10);
  delivery.created_at = row.integer(11);
  delivery.updated_at = row.integer(12);
  return delivery;
}

std::int64_t page_limit(std::int64_t limit) {
  return std::clamp<std::int64_t>(limit, 0, static_cast<std::int64_t>(limits::list_page_max));
}

std::int64_t page_offset(std::int64_t offset) {
  return std::clamp<std::int64_t>(offset, 0, limits::job_count_max);
}

}  // namespace

Result<std::int64_t> count_webhooks(meta::Tx& tx, std::int64_t namespace_id) {
  TRY(auto row, tx.first(R"sql(
    SELECT count(*) FROM webhooks WHERE (CAST($1 AS BIGINT) = 0 OR namespace_id = CAST($1 AS BIGINT))
  )sql",
                         {namespace_id}));
  return row->integer(0);
}

Status insert(meta::Tx& tx, const Stored& stored) {
  const Webhook& webhook = stored.webhook;
  TRY_STATUS(tx.execute(R"sql(
    INSERT INTO webhooks (id, name, url, event_types, namespace_id, namespace_name, secret, enabled,
                          created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
  )sql",
                        {webhook.id, webhook.name, webhook.url, join(webhook.event_types, "\n"),
                         webhook.namespace_id, webhook.namespace_name, stored.sealed_secret, webhook.enabled,
                         webhook.created_at, webhook.updated_at}));
  return {};
}

Result<bool> update(meta::Tx& tx, const Stored& stored) {
  const Webhook& webhook = stored.webhook;
  TRY(auto changed, tx.execute(R"sql(
    UPDATE webhooks SET name = $2, url = $3, event_types = $4, secret = $5, enabled = $6, updated_at = $7
    WHERE id = $1
  )sql",
                               {webhook.id, webhook.name, webhook.url, join(webhook.event_types, "\n"),
                                stored.sealed_secret, webhook.enabled, webhook.updated_at}));
  return changed == 1;
}

Result<bool> remove(meta::Tx& tx, std::int64_t id) {
  TRY(auto changed, tx.execute(R"sql(DELETE FROM webhooks WHERE id = $1)sql", {id}));
  return changed == 1;
}

Result<std::optional<Stored>> find(meta::Tx& tx, std::int64_t id) {
  TRY(auto row, tx.first(R"sql(
    SELECT id, name, url, event_types, namespace_id, namespace_name, enabled, created_at, updated_at, secret
    FROM webhooks WHERE id = $1
  )sql",
                         {id}));
  if (!row) return std::optional<Stored>();
  return std::optional<Stored>(Stored{webhook_of(*row), row->text(9)});
}

Result<std::vector<Webhook>> list(meta::Tx& tx, std::int64_t namespace_id, std::int64_t offset,
                                  std::int64_t limit) {
  TRY(auto rows, tx.query(R"sql(
    SELECT id, name, url, event_types, namespace_id, namespace_name, enabled, created_at, updated_at
    FROM webhooks WHERE (CAST($1 AS BIGINT) = 0 OR namespace_id = CAST($1 AS BIGINT))
    ORDER BY id LIMIT $2 OFFSET $3
  )sql",
                          {namespace_id, page_limit(limit), page_offset(offset)}));
  return webhooks_of(rows);
}

Result<std::vector<Webhook>> listening(meta::Tx& tx, std::int64_t namespace_id) {
  TRY(auto rows, tx.query(R"sql(
    SELECT id, name, url, event_types, namespace_id, namespace_name, enabled, created_at, updated_at
    FROM webhooks WHERE namespace_id IN (0, CAST($1 AS BIGINT)) AND enabled = 1
    ORDER BY id LIMIT $2
  )sql",
                          {namespace_id, limits::webhooks_max}));
  return webhooks_of(rows);
}

Status insert_delivery(meta::Tx& tx, const Delivery& delivery) {
  TRY_STATUS(
      tx.execute(R"sql(
    INSERT INTO webhook_deliveries (id, webhook_id, event_id, event_type, subject, state, attempts,
                                    status_code, error, response, body, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7, '', $8, $9, $9)
  )sql",
                 {delivery.id, delivery.webhook_id, delivery.event_id, delivery.event_type, delivery.subject,
                  static_cast<int>(delivery.state), delivery.error, delivery.body, delivery.created_at}));
  return {};
}

Result<std::optional<Delivery>> find_delivery(meta::Tx& tx, const std::string& id) {
  TRY(auto row, tx.first(R"sql(
    SELECT id, webhook_id, event_id, event_type, subject, state, attempts, status_code, error, response,
           body, created_at, updated_at
    FROM webhook_deliveries WHERE id = $1
  )sql",
                         {id}));
  if (!row) return std::optional<Delivery>();
  return std::optional<Delivery>(delivery_of(*row));
}

Result<std::vector<Delivery>> list_deliveries(meta::Tx& tx, std::int64_t webhook_id, std::int64_t offset,
                                              std::int64_t limit) {
  TRY(auto rows, tx.query(R"sql(
    SELECT id, webhook_id, event_id, event_type, subject, state, attempts, status_code, error, response,
           '' AS body, created_at, updated_at
    FROM webhook_deliveries WHERE webhook_id = $1
    ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3
  )sql",
                          {webhook_id, page_limit(limit), page_offset(offset)}));
  std::vector<Delivery> deliveries;
  for (const auto& row : rows) deliveries.push_back(delivery_of(row));
  return deliveries;
}

Result<std::int64_t> count_deliveries(meta::Tx& tx, std::int64_t webhook_id) {
  TRY(auto row, tx.first(R"sql(
    SELECT count(*) FROM (SELECT id FROM webhook_deliveries WHERE webhook_id = $1 LIMIT $2) AS counted
  )sql",
                         {webhook_id, limits::job_count_max}));
  return row->integer(0);
}

Result<std::int64_t> count_waiting(meta::Tx& tx, std::int64_t webhook_id) {
  TRY(auto row, tx.first(R"sql(
    SELECT count(*) FROM (SELECT webhook_id FROM webhook_deliveries WHERE webhook_id = $1 AND state = 0
                          LIMIT $2) AS counted
  )sql",
                         {webhook_id, limits::webhook_waiting_max}));
  return row->integer(0);
}

Status update_delivery(meta::Tx& tx, const Delivery& delivery) {
  TRY_STATUS(tx.execute(
      R"sql(
    UPDATE webhook_deliveries SET state = $2, attempts = $3, status_code = $4, error = $5, response = $6,
                                  updated_at = $7
    WHERE id = $1
  )sql",
      {delivery.id, static_cast<int>(delivery.state), delivery.attempts, delivery.status_code, delivery.error,
       delivery.response, delivery.updated_at}));
  return {};
}

Status fail_delivery(meta::Tx& tx, const std::string& id, std::string_view error, TimeMs now) {
  TRY_STATUS(tx.execute(R"sql(
    UPDATE webhook_deliveries SET state = 2, error = $2, updated_at = $3 WHERE id = $1 AND state = 0
  )sql",
                        {id, error, now}));
  return {};
}

Status prune_deliveries(meta::Tx& tx, TimeMs before) {
  TRY_STATUS(tx.execute(R"sql(
    DELETE FROM webhook_deliveries WHERE id IN (
      SELECT id FROM webhook_deliveries WHERE created_at < $1 ORDER BY created_at LIMIT $2)
  )sql",
                        {before, limits::webhook_prune_batch}));
  return {};
}

}  // namespace wharfage::notify::records
