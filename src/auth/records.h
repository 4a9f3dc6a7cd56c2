// The room's SQL. Each function runs in the transaction it is given and decides nothing. Names, limits and
// secrets have been checked, hashed or sealed by the caller.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/auth.h"
#include "meta/db.h"

namespace wharfage::auth::records {

// Who a grant, token or login belongs to: a user or a robot.
struct Subject {
  Principal::Kind kind = Principal::Kind::user;
  std::int64_t id = 0;
};

// ---- users
struct UserRow {
  User user;
  std::string password;  // PHC
};
Result<bool> insert_user(meta::Tx& tx, const UserRow& row);  // false: the name is taken
Result<std::optional<UserRow>> find_user(meta::Tx& tx, std::string_view name);
Result<std::optional<UserRow>> find_user(meta::Tx& tx, std::int64_t id);
Result<std::vector<User>> list_users(meta::Tx& tx, std::int64_t offset, std::int64_t limit);
Result<std::int64_t> count_users(meta::Tx& tx);
Result<bool> any_user(meta::Tx& tx);
Status update_user(meta::Tx& tx, const UserRow& row);
Result<bool> other_administrator(meta::Tx& tx, std::int64_t but_id);
Status delete_user(meta::Tx& tx, std::int64_t id);  // with its grants, keys, tokens and logins

// ---- robots
struct RobotRow {
  Robot robot;
  std::string secret_hash;
  std::int64_t acts_for_user = 0;
};
Result<bool> insert_robot(meta::Tx& tx, const RobotRow& row);  // false: the name is taken
Result<std::optional<RobotRow>> find_robot(meta::Tx& tx, std::string_view name);
Result<std::optional<RobotRow>> find_robot(meta::Tx& tx, std::int64_t id);
Result<std::vector<Robot>> list_robots(meta::Tx& tx, std::int64_t offset, std::int64_t limit);
Result<std::int64_t> count_robots(meta::Tx& tx);
Result<std::vector<std::int64_t>> robots_acting_for(meta::Tx& tx, std::int64_t user_id);
Result<std::vector<std::int64_t>> expired_robots(meta::Tx& tx, TimeMs now, std::int64_t limit);
Status delete_robot(meta::Tx& tx, std::int64_t id);  // with its grants, tokens and logins

// ---- access keys
struct AccessKeyRow {
  AccessKey key;
  std::string sealed_secret, sealed_token;  // no token: a permanent key
  std::optional<TimeMs> expires_at;
};
Result<bool> insert_access_key(meta::Tx& tx, const AccessKeyRow& row);  // false: the id is taken
Result<std::optional<AccessKeyRow>> find_access_key(meta::Tx& tx, std::string_view id);
Result<std::vector<AccessKey>> list_access_keys(meta::Tx& tx, std::int64_t limit);  // permanent ones
Result<std::vector<AccessKey>> access_keys_of(meta::Tx& tx, std::int64_t user_id, std::int64_t limit);
Result<std::int64_t> count_access_keys(meta::Tx& tx, std::int64_t user_id);  // permanent ones
Status reseal_access_key(meta::Tx& tx, std::string_view id, std::string_view sealed_secret);
Result<bool> set_access_key_enabled(meta::Tx& tx, std::string_view id, bool enabled);
Result<bool> delete_access_key(meta::Tx& tx, std::string_view id);
Status trim_temporary_access_keys(meta::Tx& tx, std::int64_t user_id);
Status delete_temporary_access_keys(meta::Tx& tx, std::int64_t user_id);

// ---- grants
Result<std::int64_t> upsert_grant(meta::Tx& tx, const Grant& grant);  // the id it has or had
Result<std::optional<Grant>> find_grant(meta::Tx& tx, std::int64_t id);
// Without those of one-job robots: they come and go by themselves.
Result<std::vector<Grant>> list_grants(meta::Tx& tx, std::int64_t limit);
Result<std::vector<Grant>> grants_in(meta::Tx& tx, std::int64_t namespace_id, std::int64_t limit);
Result<std::vector<Grant>> grants_of(meta::Tx& tx, const Subject& subject);  // ordered by namespace
Result<std::int64_t> count_grants(meta::Tx& tx, const Subject& subject);
Result<bool> delete_grant(meta::Tx& tx, std::int64_t id);
Status delete_grants_of(meta::Tx& tx, const Subject& subject);
// Whose they were. Of the whole namespace when `repository` is "".
Result<std::vector<Subject>> delete_grants_at(meta::Tx& tx, std::int64_t namespace_id,
                                              std::string_view repository);

// ---- tokens and temporary logins
struct TokenRow {
  std::string hash;
  Subject subject;
  TimeMs issued_at = 0, expires_at = 0;
};
Status insert_token(meta::Tx& tx, const TokenRow& row);
Result<std::optional<TokenRow>> find_token(meta::Tx& tx, std::string_view hash);
Result<bool> delete_token(meta::Tx& tx, std::string_view hash);

struct LoginRow {
  std::string name, secret_hash;
  Subject subject;
  TimeMs issued_at = 0, expires_at = 0;
};
Status insert_login(meta::Tx& tx, const LoginRow& row);
Result<std::optional<LoginRow>> find_login(meta::Tx& tx, std::string_view name);

Status trim_tokens(meta::Tx& tx, const Subject& subject);  // keeps the newest tokens_per_subject_max
Status trim_logins(meta::Tx& tx, const Subject& subject);
Status delete_sessions_of(meta::Tx& tx, const Subject& subject);  // tokens and temporary logins
Status delete_expired(meta::Tx& tx, TimeMs now);                  // tokens, logins, temporary access keys

// ---- the program's own keys
Result<std::optional<std::string>> find_sealed_key(meta::Tx& tx, std::string_view name);
Status insert_sealed_key(meta::Tx& tx, std::string_view name,
                         std::string_view sealed);  // the first one stays

}  // namespace wharfage::auth::records
