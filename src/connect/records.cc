#include "connect/records.h"

#include "meta/rows.h"

namespace wharfage::connect::records {
using namespace meta::rows;
namespace {

Connection connection_of(const meta::Row& row) {
  Connection connection;
  connection.id = row.integer(0);
  connection.uuid = row.text(1);
  connection.name = row.text(2);
  connection.description = row.text(3);
  connection.kind = parse_kind(row.text(4)).value_or(Kind::oci);
  connection.driver = row.text(5);
  connection.url = row.text(6);
  connection.verify_tls = row.integer(7) != 0;
  connection.ca_pem = row.text(8);
  connection.username = row.text(9);
  connection.has_password = row.integer(10) != 0;
  connection.has_token = row.integer(11) != 0;
  connection.alias = row.text(12);
  connection.alias_region = row.text(13);
  connection.vendor = {row.text(14), row.text(15), row.text(16)};
  connection.status = row.text(17);
  connection.fail_reason = row.text(18);
  connection.image_count = row.integer(19);
  connection.synced_at = row.integer(20);
  connection.created_at = row.integer(21);
  connection.updated_at = row.integer(22);
  return connection;
}

}  // namespace

Status insert(meta::Tx& tx, const Connection& one, const std::string& password_sealed) {
  return done(tx.execute(
      R"sql(
    INSERT INTO registry_connections (id, uuid, name, description, kind, driver, url, verify_tls, ca_pem, username,
      password_sealed, alias, alias_region, sas, hss, swr, status, fail_reason, image_count, synced_at, created_at,
      updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, '', 0, 0, $18, $18))sql",
      {one.id, one.uuid, one.name, one.description, kind_name(one.kind), one.driver, one.url,
       one.verify_tls ? 1 : 0, one.ca_pem, one.username, password_sealed, one.alias, one.alias_region,
       one.vendor.sas, one.vendor.hss, one.vendor.swr, one.status, one.created_at}));
}

Status update(meta::Tx& tx, const Connection& one, const std::string& password_sealed) {
  return done(
      tx.execute(R"sql(
    UPDATE registry_connections SET name = $2, description = $3, kind = $4, url = $5, verify_tls = $6, ca_pem = $7,
      username = $8, password_sealed = $9, alias = $10, alias_region = $11, sas = $12, hss = $13, swr = $14,
      status = $15, fail_reason = $16, updated_at = $17 WHERE id = $1)sql",
                 {one.id, one.name, one.description, kind_name(one.kind), one.url, one.verify_tls ? 1 : 0,
                  one.ca_pem, one.username, password_sealed, one.alias, one.alias_region, one.vendor.sas,
                  one.vendor.hss, one.vendor.swr, one.status, one.fail_reason, one.updated_at}));
}

Result<std::int64_t> remove(meta::Tx& tx, std::int64_t id) {
  return tx.execute(R"sql(DELETE FROM registry_connections WHERE id = $1)sql", {id});
}

Result<std::optional<Connection>> find(meta::Tx& tx, std::int64_t id) {
  return one(tx.first(R"sql(
    SELECT id, uuid, name, description, kind, driver, url, verify_tls, ca_pem, username,
      CASE WHEN password_sealed = '' THEN 0 ELSE 1 END, CASE WHEN token_hash IS NULL THEN 0 ELSE 1 END, alias,
      alias_region, sas, hss, swr, status, fail_reason, image_count, synced_at, created_at, updated_at
    FROM registry_connections WHERE id = $1)sql",
                      {id}),
             connection_of);
}

Result<std::optional<Connection>> find_by_uuid(meta::Tx& tx, std::string_view uuid) {
  return one(tx.first(R"sql(
    SELECT id, uuid, name, description, kind, driver, url, verify_tls, ca_pem, username,
      CASE WHEN password_sealed = '' THEN 0 ELSE 1 END, CASE WHEN token_hash IS NULL THEN 0 ELSE 1 END, alias,
      alias_region, sas, hss, swr, status, fail_reason, image_count, synced_at, created_at, updated_at
    FROM registry_connections WHERE uuid = $1)sql",
                      {uuid}),
             connection_of);
}

Result<std::optional<Connection>> find_by_alias(meta::Tx& tx, std::string_view alias,
                                                std::string_view region) {
  return one(tx.first(R"sql(
    SELECT id, uuid, name, description, kind, driver, url, verify_tls, ca_pem, username,
      CASE WHEN password_sealed = '' THEN 0 ELSE 1 END, CASE WHEN token_hash IS NULL THEN 0 ELSE 1 END, alias,
      alias_region, sas, hss, swr, status, fail_reason, image_count, synced_at, created_at, updated_at
    FROM registry_connections WHERE alias = $1 AND ($2 = '' OR alias_region = $2))sql",
                      {alias, region}),
             connection_of);
}

Result<std::optional<Connection>> find_by_token(meta::Tx& tx, std::string_view token_hash) {
  return one(tx.first(R"sql(
    SELECT id, uuid, name, description, kind, driver, url, verify_tls, ca_pem, username,
      CASE WHEN password_sealed = '' THEN 0 ELSE 1 END, CASE WHEN token_hash IS NULL THEN 0 ELSE 1 END, alias,
      alias_region, sas, hss, swr, status, fail_reason, image_count, synced_at, created_at, updated_at
    FROM registry_connections WHERE token_hash = $1)sql",
                      {token_hash}),
             connection_of);
}

Result<std::optional<Connection>> find_own(meta::Tx& tx) {
  return one(tx.first(R"sql(
    SELECT id, uuid, name, description, kind, driver, url, verify_tls, ca_pem, username,
      CASE WHEN password_sealed = '' THEN 0 ELSE 1 END, CASE WHEN token_hash IS NULL THEN 0 ELSE 1 END, alias,
      alias_region, sas, hss, swr, status, fail_reason, image_count, synced_at, created_at, updated_at
    FROM registry_connections WHERE kind = 'own' ORDER BY id LIMIT 1)sql"),
             connection_of);
}

Result<std::string> password_sealed(meta::Tx& tx, std::int64_t id) {
  TRY(auto row, tx.first(R"sql(SELECT password_sealed FROM registry_connections WHERE id = $1)sql", {id}));
  return row ? row->text(0) : std::string();
}

Result<std::vector<Connection>> all(meta::Tx& tx) {
  TRY(auto rows, tx.query(R"sql(
    SELECT id, uuid, name, description, kind, driver, url, verify_tls, ca_pem, username,
      CASE WHEN password_sealed = '' THEN 0 ELSE 1 END, CASE WHEN token_hash IS NULL THEN 0 ELSE 1 END, alias,
      alias_region, sas, hss, swr, status, fail_reason, image_count, synced_at, created_at, updated_at
    FROM registry_connections ORDER BY id LIMIT 1000)sql"));
  std::vector<Connection> connections;
  for (const auto& row : rows) connections.push_back(connection_of(row));
  return connections;
}

Result<std::int64_t> count(meta::Tx& tx) {
  TRY(auto row, tx.first(R"sql(SELECT count(*) FROM registry_connections)sql"));
  return row ? row->integer(0) : 0;
}

Result<std::int64_t> set_token(meta::Tx& tx, std::int64_t id, std::string_view token_hash, TimeMs now) {
  return tx.execute(R"sql(UPDATE registry_connections SET token_hash = $2, updated_at = $3 WHERE id = $1)sql",
                    {id, token_hash, now});
}

Status set_status(meta::Tx& tx, std::int64_t id, std::string_view status, std::string_view reason) {
  return done(
      tx.execute(R"sql(UPDATE registry_connections SET status = $2, fail_reason = $3 WHERE id = $1)sql",
                 {id, status, reason}));
}

Status set_inventory(meta::Tx& tx, std::int64_t id, std::int64_t images, TimeMs now) {
  return done(
      tx.execute(R"sql(UPDATE registry_connections SET image_count = $2, synced_at = $3 WHERE id = $1)sql",
                 {id, images, now}));
}

}  // namespace wharfage::connect::records
