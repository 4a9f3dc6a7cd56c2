// Access keys: what the clouds' request signatures are made with. Their secrets must be known to check an
// HMAC, so they are sealed, each for its own row.
#include <algorithm>

#include "auth/auth.h"
#include "auth/names.h"
#include "auth/state.h"
#include "base/random.h"
#include "base/text.h"

namespace wharfage::auth {
namespace {

constexpr std::size_t secret_bytes_min = 8, secret_bytes_max = 256;  // of a secret that somebody brings

std::string secret_purpose(std::string_view id) {
  return "access_key:" + std::string(id);
}

std::string token_purpose(std::string_view id) {
  return "access_key_token:" + std::string(id);
}

// 20 upper-case letters and digits, the form both clouds' clients expect; 16 of them random.
std::string new_key_id() {
  return "WHRF" + upper(random_id(""));
}

// 40 letters and digits, as Huawei's.
std::string new_key_secret() {
  return random_password() + random_id("");
}

Status check_secret(std::string_view secret) {
  auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
  if (secret.size() < secret_bytes_min || secret.size() > secret_bytes_max ||
      !std::all_of(secret.begin(), secret.end(), visible)) {
    return fail(Reason::invalid_parameter, "an access key secret is 8 to 256 visible ASCII characters",
                "secret");
  }
  return {};
}

Error no_such_key() {
  return fail(Reason::not_found, "the access key does not exist");
}

Result<KnownAccessKey> open_key(const crypto::Vault& vault, const records::AccessKeyRow& row) {
  KnownAccessKey known{.owner = {.key_id = row.key.id}, .expires_at = row.expires_at};
  TRY(known.owner.secret, vault.unseal(row.sealed_secret, secret_purpose(row.key.id)));
  if (!row.sealed_token.empty()) {
    TRY(known.owner.security_token, vault.unseal(row.sealed_token, token_purpose(row.key.id)));
  }
  return known;
}

// The key with the principal it signs as.
Result<KnownAccessKey> read_key(meta::Tx& tx, const crypto::Vault& vault, std::string_view id, TimeMs now) {
  TRY(auto row, records::find_access_key(tx, id));
  if (!row) return fail(Reason::access_key_unknown);
  records::Subject owner{Principal::Kind::user, row->key.user_id};
  TRY(Standing standing, read_standing(tx, owner));
  if (!row->key.enabled || !standing.active) return fail(Reason::access_key_inactive);
  TRY(KnownAccessKey known, open_key(vault, *row));
  known.owner.who = standing.principal(owner);
  known.read_at = now;
  return known;
}

}  // namespace

Status Auth::put_access_key(std::string_view user, std::string_view id, std::string_view secret) {
  TRY_STATUS(check_access_key_id(id));
  TRY_STATUS(check_secret(secret));
  const crypto::Vault& vault = x_state->vault;
  TimeMs now = x_state->clock.now();
  TRY_STATUS(x_state->db.write([&](meta::Tx& tx) -> Status {
    TRY(auto owner, records::find_user(tx, user));
    if (!owner) return fail(Reason::user_unknown);
    TRY(auto row, records::find_access_key(tx, id));
    if (!row) {
      records::AccessKeyRow added{
          .key = {.id = std::string(id), .user_id = owner->user.id, .enabled = true, .created_at = now},
          .sealed_secret = vault.seal(secret, secret_purpose(id))};
      TRY_STATUS(records::insert_access_key(tx, added));
      return {};
    }
    if (row->key.user_id != owner->user.id || row->expires_at) {
      return fail(Reason::conflict, "the access key belongs to somebody else", std::string(id));
    }
    auto before = vault.unseal(row->sealed_secret, secret_purpose(id));
    if (before.ok() && same_secret(*before, secret)) return {};
    return records::reseal_access_key(tx, id, vault.seal(secret, secret_purpose(id)));
  }));
  x_state->access_keys.erase(std::string(id));
  return {};
}

Result<std::pair<AccessKey, Secret>> Auth::create_access_key(std::int64_t user_id,
                                                             std::string_view description) {
  TRY_STATUS(check_description(description));
  Secret secret{new_key_id(), new_key_secret()};
  records::AccessKeyRow row{.key = {.id = secret.id,
                                    .user_id = user_id,
                                    .description = std::string(description),
                                    .created_at = x_state->clock.now()},
                            .sealed_secret = x_state->vault.seal(secret.secret, secret_purpose(secret.id))};
  TRY(row.key.user_name, x_state->db.write([&](meta::Tx& tx) -> Result<std::string> {
    TRY(auto owner, records::find_user(tx, user_id));
    if (!owner) return fail(Reason::user_unknown);
    TRY(std::int64_t count, records::count_access_keys(tx, user_id));
    if (count >= static_cast<std::int64_t>(limits::access_keys_per_user_max)) {
      return fail(Reason::quota_exceeded, "the user has too many access keys");
    }
    TRY(bool added, records::insert_access_key(tx, row));
    if (!added) return fail(Reason::conflict);
    return std::move(owner->user.name);
  }));
  return std::pair(std::move(row.key), std::move(secret));
}

Result<std::vector<AccessKey>> Auth::list_access_keys(std::int64_t user_id) {
  return x_state->db.read([&](meta::Tx& tx) {
    constexpr std::int64_t all = limits::list_page_max;
    return user_id == 0 ? records::list_access_keys(tx, all) : records::access_keys_of(tx, user_id, all);
  });
}

Result<AccessKey> Auth::get_access_key(std::string_view id) {
  return x_state->db.read([&](meta::Tx& tx) -> Result<AccessKey> {
    TRY(auto row, records::find_access_key(tx, id));
    if (!row) return no_such_key();
    return std::move(row->key);
  });
}

Status Auth::set_access_key_enabled(std::string_view id, bool enabled) {
  TRY(bool found,
      x_state->db.write([&](meta::Tx& tx) { return records::set_access_key_enabled(tx, id, enabled); }));
  x_state->access_keys.erase(std::string(id));
  return found ? Status() : no_such_key();
}

Status Auth::delete_access_key(std::string_view id) {
  TRY(bool found, x_state->db.write([&](meta::Tx& tx) { return records::delete_access_key(tx, id); }));
  x_state->access_keys.erase(std::string(id));
  return found ? Status() : no_such_key();
}

Result<TemporaryAccessKey> Auth::create_temporary_access_key(const Principal& who, TimeMs lifetime_ms) {
  if (who.kind == Principal::Kind::robot) return fail(Reason::denied);
  TRY(records::Subject subject, x_state->creator(who));
  TRY(TimeMs expires_at, x_state->expiry(lifetime_ms));
  TemporaryAccessKey key{new_key_id(), new_key_secret(), random_secret(), expires_at};
  records::AccessKeyRow row{.key = {.id = key.id, .user_id = subject.id, .created_at = x_state->clock.now()},
                            .sealed_secret = x_state->vault.seal(key.secret, secret_purpose(key.id)),
                            .sealed_token = x_state->vault.seal(key.security_token, token_purpose(key.id)),
                            .expires_at = expires_at};
  TRY_STATUS(x_state->db.write([&](meta::Tx& tx) -> Status {
    TRY(bool added, records::insert_access_key(tx, row));
    if (!added) return fail(Reason::conflict);
    return records::trim_temporary_access_keys(tx, subject.id);
  }));
  return key;
}

Result<AccessKeyOwner> Auth::find_access_key(std::string_view id) {
  if (!check_access_key_id(id).ok()) return fail(Reason::access_key_unknown);
  std::string name(id);
  TimeMs now = x_state->clock.now();
  auto known = x_state->access_keys.find(name);
  if (known) {
    TimeMs age = now - (*known)->read_at;
    if (age < 0 || age >= limits::credential_cache_lifetime_ms) known.reset();
  }
  if (!known) {
    std::uint64_t version = x_state->access_keys.version();
    TRY(KnownAccessKey read,
        x_state->db.read([&](meta::Tx& tx) { return read_key(tx, x_state->vault, id, now); }));
    known = std::make_shared<const KnownAccessKey>(std::move(read));
    x_state->access_keys.put(name, *known, version);
  }
  if ((*known)->expires_at && now >= *(*known)->expires_at) return fail(Reason::access_key_inactive);
  return (*known)->owner;
}

}  // namespace wharfage::auth
