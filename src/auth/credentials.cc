// Logins with a name and a password: users, robots and temporary logins, and Huawei's stateless ones.
#include <algorithm>

#include "auth/auth.h"
#include "auth/names.h"
#include "auth/state.h"
#include "base/memory_only.h"
#include "base/random.h"
#include "base/retry.h"
#include "base/text.h"
#include "crypto/digest.h"

namespace wharfage::auth {
namespace {

const std::string& nobodys_secret_hash() {
  static const std::string hash(64, '0');
  return hash;
}

TimeMs earlier(TimeMs time, std::optional<TimeMs> other) {
  return other ? std::min(time, *other) : time;
}

// Robots and temporary logins have random secrets: no hash is made to look at a try.
bool is_cheap(std::string_view name) {
  return name.starts_with(robot_prefix) || name.starts_with(temporary_prefix);
}

Status refuse_for(std::int64_t wait_ms) {
  if (wait_ms <= 0) return {};
  return try_again_in(wait_ms, Reason::throttled, "too many wrong passwords");
}

}  // namespace

std::string Auth::State::credential_key(std::string_view name, std::string_view password) const {
  return crypto::hmac_sha256(salt,
                             std::to_string(name.size()) + ":" + std::string(name) + std::string(password));
}

// An unknown name costs what a wrong password costs.
Result<std::optional<Credential>> Auth::State::verify_user(std::string_view name, std::string_view password) {
  TRY(auto row, db.read([&](meta::Tx& tx) { return records::find_user(tx, name); }));
  TRY(bool right, crypto::verify_password(password, row ? row->password : nobodys_password));
  if (!right || !row || !row->user.enabled) return std::optional<Credential>();
  const User& user = row->user;
  Principal who{
      .kind = Principal::Kind::user, .id = user.id, .name = user.name, .administrator = user.administrator};
  return std::optional(Credential{who, clock.now() + limits::credential_cache_lifetime_ms});
}

Result<std::optional<Credential>> Auth::State::verify_robot(std::string_view name, std::string_view secret) {
  TimeMs now = clock.now();
  TRY(auto row, db.read([&](meta::Tx& tx) { return records::find_robot(tx, name); }));
  bool right = same_secret(secret_hash(secret), row ? row->secret_hash : nobodys_secret_hash());
  if (!right || !row || !row->robot.enabled) return std::optional<Credential>();
  const Robot& robot = row->robot;
  if (robot.expires_at && now >= *robot.expires_at) return std::optional<Credential>();
  Principal who{.kind = Principal::Kind::robot,
                .id = robot.id,
                .name = std::string(robot_prefix) + robot.name,
                .acts_for_user = row->acts_for_user};
  return std::optional(
      Credential{who, earlier(now + limits::credential_cache_lifetime_ms, robot.expires_at)});
}

Result<std::optional<Credential>> Auth::State::verify_temporary(std::string_view name,
                                                                std::string_view secret) {
  TimeMs now = clock.now();
  return db.read([&](meta::Tx& tx) -> Result<std::optional<Credential>> {
    std::optional<Credential> nobody;
    TRY(auto row, records::find_login(tx, name));
    bool right = same_secret(secret_hash(secret), row ? row->secret_hash : nobodys_secret_hash());
    if (!right || !row || now >= row->expires_at) return nobody;
    TRY(Standing standing, read_standing(tx, row->subject));
    if (!standing.active_at(now)) return nobody;
    TimeMs until = earlier(now + limits::credential_cache_lifetime_ms, standing.expires_at);
    Principal who = standing.principal(row->subject);
    who.temporary = true;
    return std::optional(Credential{std::move(who), std::min(until, row->expires_at)});
  });
}

Result<std::optional<Credential>> Auth::State::verify(std::string_view name, std::string_view password) {
  if (name.size() > limits::login_name_max || password.size() > limits::password_bytes_max) {
    return std::optional<Credential>();
  }
  if (name.starts_with(robot_prefix)) return verify_robot(name.substr(robot_prefix.size()), password);
  if (name.starts_with(temporary_prefix)) return verify_temporary(name, password);
  return verify_user(name, password);
}

// The name is logged only when it can be one: people do type their password into the wrong field.
void Auth::State::login_failed(std::string_view name, std::string_view peer) {
  if (!throttle.failed(name, peer, !is_cheap(name))) return;
  std::string shown(check_account_name(name).ok() ? name : "");
  log.warning("too many wrong passwords; logins from this address are refused for a while",
              {{"user", shown}, {"peer", std::string(peer)}});
}

Status Auth::State::admit_login(std::string_view name, std::string_view peer) {
  return refuse_for(throttle.blocked_for(name, peer));
}

Result<Principal> Auth::check_password(std::string_view name, std::string_view password,
                                       std::string_view peer) {
  State& state = *x_state;
  TRY_STATUS(state.admit_login(name, peer));
  std::string key = state.credential_key(name, password);
  auto known = state.credentials.find(key);
  if (known && state.clock.now() < known->valid_until) return std::move(known->who);

  if (auto miss = MemoryOnly::misses()) return *std::move(miss);
  if (!is_cheap(name)) TRY_STATUS(refuse_for(state.throttle.blocked_for(peer)));
  // Whoever comes after a change must not get an answer that was begun before it.
  std::uint64_t version = state.credentials.version();
  TRY(auto verified,
      state.verifications.run(key + std::to_string(version), [&] { return state.verify(name, password); }));
  if (!verified) {
    state.login_failed(name, peer);
    return fail(Reason::bad_credentials);
  }
  state.throttle.succeeded(name, peer);
  state.credentials.put(key, *verified, version);
  return std::move(verified->who);
}

Result<Principal> Auth::check_access_key_login(std::string_view user, std::string_view password,
                                               std::string_view peer) {
  State& state = *x_state;
  auto at = user.rfind('@');
  std::string_view id = at == user.npos ? std::string_view() : user.substr(at + 1);
  if (id.starts_with(temporary_prefix)) return check_password(id, password, peer);
  TRY_STATUS(state.admit_login(user, peer));

  auto key = find_access_key(id);
  if (!key.ok() && key.error().kind() != ErrorKind::unauthenticated) return std::move(key).error();
  // A temporary key's security token cannot be presented here, so such a key cannot log in.
  bool usable = key.ok() && key->security_token.empty();
  std::string expected = hex(crypto::hmac_sha256(usable ? key->secret : state.salt, id));
  if (!same_secret(lower(password.substr(0, limits::password_bytes_max)), expected) || !usable) {
    state.login_failed(user, peer);
    return fail(Reason::bad_credentials);
  }
  state.throttle.succeeded(user, peer);
  return std::move(key->who);
}

}  // namespace wharfage::auth
