// The second half of records.h: access keys, tokens, temporary logins and the program's own keys.
#include "auth/numbers.h"
#include "auth/records.h"
#include "base/limits.h"

namespace wharfage::auth::records {
namespace {

AccessKey access_key_at(const meta::Row& row) {
  return {.id = row.text(0),
          .user_id = row.integer(1),
          .user_name = row.text(2),
          .description = row.text(3),
          .enabled = row.integer(4) != 0,
          .created_at = row.integer(5)};
}

AccessKeyRow access_key_row_at(const meta::Row& row) {
  return {.key = access_key_at(row),
          .sealed_secret = row.text(6),
          .sealed_token = row.text(7),
          .expires_at = row.optional_integer(8)};
}

std::vector<AccessKey> access_keys_in(const meta::Rows& rows) {
  std::vector<AccessKey> keys;
  keys.reserve(rows.size());
  for (const meta::Row& row : rows) keys.push_back(access_key_at(row));
  return keys;
}

Subject subject_at(const meta::Row& row, std::size_t column) {
  return {.kind = kind_of_number(row.integer(column)), .id = row.integer(column + 1)};
}

constexpr auto keep_max = static_cast<std::int64_t>(limits::tokens_per_subject_max);
constexpr std::int64_t trim_at_once = 64;

}  // namespace

// ---- access keys

Result<bool> insert_access_key(meta::Tx& tx, const AccessKeyRow& row) {
  const AccessKey& key = row.key;
  TRY(std::int64_t count, tx.execute(R"sql(
        INSERT INTO auth_access_keys
          (id, user_id, description, enabled, created_at, sealed_secret, sealed_token, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING
      )sql",
                                     {key.id, key.user_id, key.description, key.enabled, key.created_at,
                                      row.sealed_secret, row.sealed_token, row.expires_at}));
  return count > 0;
}

Result<std::optional<AccessKeyRow>> find_access_key(meta::Tx& tx, std::string_view id) {
  TRY(auto row, tx.first(R"sql(
      SELECT k.id, k.user_id, u.name, k.description, k.enabled, k.created_at,
             k.sealed_secret, k.sealed_token, k.expires_at
      FROM auth_access_keys k JOIN auth_users u ON u.id = k.user_id WHERE k.id = $1
    )sql",
                         {id}));
  if (!row) return std::optional<AccessKeyRow>();
  return std::optional<AccessKeyRow>(access_key_row_at(*row));
}

Result<std::vector<AccessKey>> list_access_keys(meta::Tx& tx, std::int64_t limit) {
  TRY(auto rows, tx.query(R"sql(
      SELECT k.id, k.user_id, u.name, k.description, k.enabled, k.created_at
      FROM auth_access_keys k JOIN auth_users u ON u.id = k.user_id
      WHERE k.expires_at IS NULL ORDER BY k.user_id, k.created_at, k.id LIMIT $1
    )sql",
                          {limit}));
  return access_keys_in(rows);
}

Result<std::vector<AccessKey>> access_keys_of(meta::Tx& tx, std::int64_t user_id, std::int64_t limit) {
  TRY(auto rows, tx.query(R"sql(
      SELECT k.id, k.user_id, u.name, k.description, k.enabled, k.created_at
      FROM auth_access_keys k JOIN auth_users u ON u.id = k.user_id
      WHERE k.user_id = $1 AND k.expires_at IS NULL ORDER BY k.created_at, k.id LIMIT $2
    )sql",
                          {user_id, limit}));
  return access_keys_in(rows);
}

Result<std::int64_t> count_access_keys(meta::Tx& tx, std::int64_t user_id) {
  TRY(auto row, tx.first(R"sql(
      SELECT COUNT(*) FROM auth_access_keys WHERE user_id = $1 AND expires_at IS NULL
    )sql",
                         {user_id}));
  return row ? row->integer(0) : 0;
}

Status reseal_access_key(meta::Tx& tx, std::string_view id, std::string_view sealed_secret) {
  TRY_STATUS(tx.execute(R"sql( UPDATE auth_access_keys SET sealed_secret = $2 WHERE id = $1 )sql",
                        {id, sealed_secret}));
  return {};
}

Result<bool> set_access_key_enabled(meta::Tx& tx, std::string_view id, bool enabled) {
  TRY(std::int64_t count,
      tx.execute(R"sql( UPDATE auth_access_keys SET enabled = $2 WHERE id = $1 )sql", {id, enabled}));
  return count > 0;
}

Result<bool> delete_access_key(meta::Tx& tx, std::string_view id) {
  TRY(std::int64_t count, tx.execute(R"sql( DELETE FROM auth_access_keys WHERE id = $1 )sql", {id}));
  return count > 0;
}

Status trim_temporary_access_keys(meta::Tx& tx, std::int64_t user_id) {
  TRY_STATUS(tx.execute(R"sql(
      DELETE FROM auth_access_keys WHERE id IN (
        SELECT id FROM auth_access_keys WHERE user_id = $1 AND expires_at IS NOT NULL
        ORDER BY created_at DESC, id LIMIT $2 OFFSET $3)
    )sql",
                        {user_id, trim_at_once, keep_max}));
  return {};
}

Status delete_temporary_access_keys(meta::Tx& tx, std::int64_t user_id) {
  TRY_STATUS(tx.execute(R"sql(
      DELETE FROM auth_access_keys WHERE user_id = $1 AND expires_at IS NOT NULL
    )sql",
                        {user_id}));
  return {};
}

// ---- tokens and temporary logins

Status insert_token(meta::Tx& tx, const TokenRow& row) {
  TRY_STATUS(
      tx.execute(R"sql(
      INSERT INTO auth_tokens (hash, subject_kind, subject_id, issued_at, expires_at)
      VALUES ($1, $2, $3, $4, $5)
    )sql",
                 {row.hash, number_of(row.subject.kind), row.subject.id, row.issued_at, row.expires_at}));
  return {};
}

Result<std::optional<TokenRow>> find_token(meta::Tx& tx, std::string_view hash) {
  TRY(auto row, tx.first(R"sql(
      SELECT hash, subject_kind, subject_id, issued_at, expires_at FROM auth_tokens WHERE hash = $1
    )sql",
                         {hash}));
  if (!row) return std::optional<TokenRow>();
  return std::optional<TokenRow>(TokenRow{.hash = row->text(0),
                                          .subject = subject_at(*row, 1),
                                          .issued_at = row->integer(3),
                                          .expires_at = row->integer(4)});
}

Result<bool> delete_token(meta::Tx& tx, std::string_view hash) {
  TRY(std::int64_t count, tx.execute(R"sql( DELETE FROM auth_tokens WHERE hash = $1 )sql", {hash}));
  return count > 0;
}

Status insert_login(meta::Tx& tx, const LoginRow& row) {
  TRY_STATUS(tx.execute(R"sql(
      INSERT INTO auth_temporary_logins (name, secret_hash, subject_kind, subject_id, issued_at, expires_at)
      VALUES ($1, $2, $3, $4, $5, $6)
    )sql",
                        {row.name, row.secret_hash, number_of(row.subject.kind), row.subject.id,
                         row.issued_at, row.expires_at}));
  return {};
}

Result<std::optional<LoginRow>> find_login(meta::Tx& tx, std::string_view name) {
  TRY(auto row, tx.first(R"sql(
      SELECT name, secret_hash, subject_kind, subject_id, issued_at, expires_at
      FROM auth_temporary_logins WHERE name = $1
    )sql",
                         {name}));
  if (!row) return std::optional<LoginRow>();
  return std::optional<LoginRow>(LoginRow{.name = row->text(0),
                                          .secret_hash = row->text(1),
                                          .subject = subject_at(*row, 2),
                                          .issued_at = row->integer(4),
                                          .expires_at = row->integer(5)});
}

Status trim_tokens(meta::Tx& tx, const Subject& subject) {
  TRY_STATUS(tx.execute(R"sql(
      DELETE FROM auth_tokens WHERE hash IN (
        SELECT hash FROM auth_tokens WHERE subject_kind = $1 AND subject_id = $2
        ORDER BY issued_at DESC, hash LIMIT $3 OFFSET $4)
    )sql",
                        {number_of(subject.kind), subject.id, trim_at_once, keep_max}));
  return {};
}

Status trim_logins(meta::Tx& tx, const Subject& subject) {
  TRY_STATUS(tx.execute(R"sql(
      DELETE FROM auth_temporary_logins WHERE name IN (
        SELECT name FROM auth_temporary_logins WHERE subject_kind = $1 AND subject_id = $2
        ORDER BY issued_at DESC, name LIMIT $3 OFFSET $4)
    )sql",
                        {number_of(subject.kind), subject.id, trim_at_once, keep_max}));
  return {};
}

Status delete_sessions_of(meta::Tx& tx, const Subject& subject) {
  TRY_STATUS(tx.execute(R"sql( DELETE FROM auth_tokens WHERE subject_kind = $1 AND subject_id = $2 )sql",
                        {number_of(subject.kind), subject.id}));
  TRY_STATUS(tx.execute(R"sql(
      DELETE FROM auth_temporary_logins WHERE subject_kind = $1 AND subject_id = $2
    )sql",
                        {number_of(subject.kind), subject.id}));
  return {};
}

Status delete_expired(meta::Tx& tx, TimeMs now) {
  TRY_STATUS(tx.execute(R"sql( DELETE FROM auth_tokens WHERE expires_at <= $1 )sql", {now}));
  TRY_STATUS(tx.execute(R"sql( DELETE FROM auth_temporary_logins WHERE expires_at <= $1 )sql", {now}));
  TRY_STATUS(tx.execute(R"sql( DELETE FROM auth_access_keys WHERE expires_at <= $1 )sql", {now}));
  return {};
}

// ---- the program's own keys

Result<std::optional<std::string>> find_sealed_key(meta::Tx& tx, std::string_view name) {
  TRY(auto row, tx.first(R"sql( SELECT sealed FROM auth_sealed_keys WHERE name = $1 )sql", {name}));
  if (!row) return std::optional<std::string>();
  return std::optional<std::string>(row->text(0));
}

Status insert_sealed_key(meta::Tx& tx, std::string_view name, std::string_view sealed) {
  TRY_STATUS(tx.execute(R"sql(
      INSERT INTO auth_sealed_keys (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING
    )sql",
                        {name, sealed}));
  return {};
}

}  // namespace wharfage::auth::records
