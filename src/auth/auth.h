// Accounts, credentials and grants. Passwords are Argon2id, robot secrets and access key secrets are random;
// access key secrets must be known to check an HMAC, so they are sealed, all others are hashed. Verified
// password credentials are remembered in a bounded cache for a short time; failures are throttled per user
// and address. Every change of an account, key or grant takes effect at once on this node (other nodes of the
// same database follow within credential_cache_lifetime_ms). Thread-safe, blocking.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/principal.h"
#include "base/log.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/keys.h"
#include "meta/db.h"

namespace wharfage::auth {

std::vector<meta::Migration> schema();

struct User {
  std::int64_t id = 0;
  std::string name;       // [a-z0-9][a-z0-9._-]{0,63}
  std::string public_id;  // 32 hex digits: the Huawei user id
  bool administrator = false, enabled = true;
  TimeMs created_at = 0;
};
struct Robot {
  std::int64_t id = 0;
  std::string name;  // shown and logged in with as "robot$<name>"
  std::string description;
  bool enabled = true;
  std::optional<TimeMs> expires_at;
  TimeMs created_at = 0;
};
struct AccessKey {
  std::string id;  // what the clouds call AccessKeyId / AK
  std::int64_t user_id = 0;
  std::string user_name, description;
  bool enabled = true;
  TimeMs created_at = 0;
};
struct Grant {
  std::int64_t id = 0;
  Principal::Kind kind = Principal::Kind::user;  // user or robot
  std::int64_t subject_id = 0;
  std::string subject_name;
  std::int64_t namespace_id = 0;
  std::string repository;  // "" : every repository of the namespace; else its full name "root/app"
  Role role = Role::guest;
};
struct Secret {  // shown once
  std::string id, secret;
};
template <class T>
struct Page {
  std::vector<T> items;
  std::int64_t total = 0;
};

struct TemporaryAccessKey {
  std::string id, secret, security_token;
  TimeMs expires_at = 0;
};

struct AccessKeyOwner {
  Principal who;
  std::string secret;          // to check the HMAC with; never leaves the facade
  std::string security_token;  // of a temporary key: must be presented; "" for a permanent one
  std::string key_id;
};

class Auth {
 public:
  Auth(meta::Db& db, meta::Ids& ids, const crypto::Vault& vault, const Clock& clock, Log log);
  ~Auth();

  // ---- first start: creates user "admin" when there is no user; returns whether it did.
  Result<bool> ensure_admin(std::string_view password);
  // Gives the user this key, or this secret if he has the key already. Error: conflict (somebody else's).
  Status put_access_key(std::string_view user, std::string_view id, std::string_view secret);

  // ---- accounts (callers have already been authorised)
  Result<User> create_user(std::string_view name, std::string_view password, bool administrator);
  Result<User> get_user(std::string_view name);
  Result<User> get_user(std::int64_t id);
  Result<Page<User>> list_users(std::int64_t offset, std::int64_t limit);
  // A new password, and disabling, also end the user's tokens, temporary logins and temporary access keys.
  // What the registry's token service has issued (RegistryTokens) runs out by itself, within minutes.
  Status update_user(std::string_view name, std::optional<std::string> password,
                     std::optional<bool> administrator,
                     std::optional<bool> enabled);  // conflict: the last administrator
  // With his keys, grants, tokens, logins and the one-job robots that act for him.
  Status delete_user(std::string_view name);  // conflict: the last administrator

  struct NewRobot {
    std::string name, description;
    std::optional<TimeMs> expires_at;
    std::int64_t acts_for_user = 0;
  };
  Result<std::pair<Robot, Secret>> create_robot(const NewRobot& robot);
  Result<Robot> get_robot(std::string_view name);
  Result<Page<Robot>> list_robots(std::int64_t offset, std::int64_t limit);  // without one-job robots
  Status delete_robot(std::string_view name);

  // Errors: user_unknown, quota_exceeded.
  Result<std::pair<AccessKey, Secret>> create_access_key(std::int64_t user_id, std::string_view description);
  Result<std::vector<AccessKey>> list_access_keys(std::int64_t user_id);  // 0: of everybody, bounded
  Result<AccessKey> get_access_key(std::string_view id);                  // not_found, as the next two
  Status set_access_key_enabled(std::string_view id, bool enabled);
  Status delete_access_key(std::string_view id);

  // id 0; replaces the role of the same subject and place. The subject is found by subject_name when
  // subject_id is 0. Errors: user_unknown, robot_unknown, name_invalid, quota_exceeded.
  Result<Grant> put_grant(const Grant& grant);
  Result<Grant> get_grant(std::int64_t id);
  Result<std::vector<Grant>> list_grants(std::int64_t namespace_id);  // 0: all, bounded
  Status delete_grant(std::int64_t id);
  // When a repository, or (repository "") a whole namespace, is deleted: who creates it anew must not inherit
  // the old one's grants.
  Status drop_grants(std::int64_t namespace_id, std::string_view repository);

  // ---- credentials
  // Errors: bad_credentials (also for unknown, disabled, expired), throttled.
  Result<Principal> check_password(std::string_view name, std::string_view password, std::string_view peer);
  // Errors: access_key_unknown, access_key_inactive.
  Result<AccessKeyOwner> find_access_key(std::string_view id);
  // Huawei's stateless docker login: user "<project>@<AK>", password hex(HMAC-SHA256(SK, AK)). Also takes
  // "<project>@<name of a temporary login>". The project is the caller's to check. Errors: bad_credentials,
  // throttled.
  Result<Principal> check_access_key_login(std::string_view user, std::string_view password,
                                           std::string_view peer);

  // Temporary docker logins the clouds hand out (GetAuthorizationToken, temp-credential): name + password.
  // Acts as its creator. At most 24 h; the newest tokens_per_subject_max of a creator stay valid.
  Result<Secret> create_temporary_login(const Principal& who, TimeMs lifetime_ms);
  // For users only; signs as its creator until it expires. At most 24 h.
  Result<TemporaryAccessKey> create_temporary_access_key(const Principal& who, TimeMs lifetime_ms);
  // Somebody's principal as it is now, for work done in his name later. Errors: user_unknown, robot_unknown
  // (also for disabled and expired).
  Result<Principal> find_principal(Principal::Kind kind, std::int64_t id);

  // ---- what somebody may do
  // Judged by the account as it is now, whatever the principal was when it was made: disabled, deleted and
  // demoted accounts lose their rights at once, also those that hold a registry token. The installation
  // itself (no namespace) may be read by every user, lists being filtered by readable_namespaces(); all else
  // there needs an administrator. Errors: unauthenticated (anonymous), denied.
  Status authorise(const Principal& who, Access access, const Resource& on);
  // Namespaces somebody may read as a whole; nullopt: all of them (administrators). Public ones are not
  // included, nor those of which only single repositories were granted.
  Result<std::optional<std::vector<std::int64_t>>> readable_namespaces(const Principal& who);

  // ---- IAM tokens (X-Auth-Token, console sessions): random, hashed at rest, 24 h.
  struct Token {
    std::string text;
    TimeMs issued_at = 0, expires_at = 0;
  };
  Result<Token> issue_token(const Principal& who);
  struct TokenOwner {
    Principal who;
    TimeMs issued_at = 0, expires_at = 0;
  };
  Result<TokenOwner> check_token(std::string_view token);  // token_invalid, token_expired
  Status revoke_token(std::string_view token);

  // True the first time this pair is seen within the window (Alibaba's SignatureNonce). Bounded:
  // nonce_cache_max.
  bool remember_nonce(std::string_view access_key, std::string_view nonce, TimeMs valid_until);

  Status tidy();  // drops expired tokens, robots and logins; called every few minutes

 private:
  struct State;
  std::unique_ptr<State> x_state;
};

// Signs and checks the registry's bearer tokens (ES256). The key is made at first start and kept sealed.
// Verified tokens are remembered, bounded, until they expire: checking a signature costs more than a
// manifest. A token says what was granted when it was made; ask Auth::authorise() too, or a disabled account
// keeps its access until the token expires. Thread-safe.
struct RegistryAccess {
  std::string type, name;            // "repository", "root/app"
  std::vector<std::string> actions;  // pull, push, delete, *
};
class RegistryTokens {
 public:
  RegistryTokens(crypto::EcdsaKey key, const Clock& clock);
  ~RegistryTokens();
  struct Issued {
    std::string text;
    TimeMs issued_at = 0;
    std::int64_t lifetime_s = 0;
  };
  Result<Issued> issue(const Principal& who, std::string_view service,
                       const std::vector<RegistryAccess>& access) const;
  struct Claims {
    Principal who;
    std::vector<RegistryAccess> access;
    bool allows(std::string_view repository, std::string_view action) const;
  };
  Result<Claims> check(std::string_view token,
                       std::string_view service) const;  // token_invalid, token_expired
  const std::string& key_id() const;

 private:
  struct State;
  std::unique_ptr<State> x_state;
};
Result<crypto::EcdsaKey> load_or_create_token_key(meta::Db& db, const crypto::Vault& vault);

}  // namespace wharfage::auth
