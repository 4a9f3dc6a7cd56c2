// What Auth holds, shared by the files that implement it. Every cache is bounded and dropped by changed().
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/auth.h"
#include "auth/lru.h"
#include "auth/nonces.h"
#include "auth/records.h"
#include "auth/shared_work.h"
#include "auth/standing.h"
#include "auth/throttle.h"
#include "base/limits.h"

namespace wharfage::auth {

// A login that was verified: whose it is, and until when it need not be verified again.
struct Credential {
  Principal who;
  TimeMs valid_until = 0;
};

struct KnownAccessKey {
  AccessKeyOwner owner;
  std::optional<TimeMs> expires_at;
  TimeMs read_at = 0;
};

struct Auth::State {
  State(meta::Db& db, meta::Ids& ids, const crypto::Vault& vault, const Clock& clock, Log log);

  // The account's rights, credentials or existence changed: nothing that was remembered of it holds.
  void changed(const records::Subject& subject);

  // Keyed by a hash under a salt of this process, so that memory holds no password and no usable hash of one.
  std::string credential_key(std::string_view name, std::string_view password) const;
  // Nothing when the name or the password is wrong.
  Result<std::optional<Credential>> verify(std::string_view name, std::string_view password);
  Result<std::optional<Credential>> verify_user(std::string_view name, std::string_view password);
  Result<std::optional<Credential>> verify_robot(std::string_view name, std::string_view secret);
  Result<std::optional<Credential>> verify_temporary(std::string_view name, std::string_view secret);
  Status admit_login(std::string_view name, std::string_view peer);  // throttled
  void login_failed(std::string_view name, std::string_view peer);

  // Whose tokens, logins and keys `who` may make: himself, if he is an active user or robot.
  Result<records::Subject> creator(const Principal& who);
  // Now plus a lifetime that lies in bounds. Error: invalid_parameter.
  Result<TimeMs> expiry(TimeMs lifetime_ms) const;

  meta::Db& db;
  meta::Ids& ids;
  const crypto::Vault& vault;
  const Clock& clock;
  Log log;
  std::string salt;
  const std::string nobodys_password = crypto::hash_of_no_password();
  Lru<Credential> credentials{limits::credential_cache_max};
  SharedWork<Result<std::optional<Credential>>> verifications;
  Lru<std::shared_ptr<const KnownAccessKey>> access_keys{limits::access_key_cache_max};
  Standings standings;
  Throttle throttle;
  Nonces nonces{limits::nonce_cache_max};
};

// Of a random secret: enough, because it cannot be guessed.
std::string secret_hash(std::string_view secret);
std::string random_secret();  // 64 hex digits

// Pages as asked for, brought into bounds.
std::int64_t page_offset(std::int64_t asked);
std::int64_t page_limit(std::int64_t asked);

}  // namespace wharfage::auth
