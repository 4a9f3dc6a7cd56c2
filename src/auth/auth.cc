#include "auth/auth.h"

#include <algorithm>

#include "auth/names.h"
#include "auth/state.h"
#include "base/random.h"
#include "base/text.h"
#include "crypto/digest.h"

namespace wharfage::auth {

std::string secret_hash(std::string_view secret) {
  return hex(crypto::sha256(secret));
}

std::string random_secret() {
  return random_hex(32);
}

std::int64_t page_offset(std::int64_t asked) {
  return std::max<std::int64_t>(asked, 0);
}

std::int64_t page_limit(std::int64_t asked) {
  return std::clamp<std::int64_t>(asked, 1, limits::list_page_max);
}

Auth::State::State(meta::Db& db, meta::Ids& ids, const crypto::Vault& vault, const Clock& clock, Log log)
    : db(db),
      ids(ids),
      vault(vault),
      clock(clock),
      log(std::move(log)),
      salt(random_bytes(32)),
      standings(db, clock),
      throttle(clock) {}

void Auth::State::changed(const records::Subject& subject) {
  standings.drop(subject);
  credentials.erase_if([&](const std::string&, const Credential& known) {
    return known.who.kind == subject.kind && known.who.id == subject.id;
  });
  access_keys.erase_if([&](const std::string&, const std::shared_ptr<const KnownAccessKey>& known) {
    return known->owner.who.kind == subject.kind && known->owner.who.id == subject.id;
  });
}

Result<records::Subject> Auth::State::creator(const Principal& who) {
  bool account = who.kind == Principal::Kind::user || who.kind == Principal::Kind::robot;
  if (!account || who.acts_for_user != 0 || who.temporary) return fail(Reason::denied);
  records::Subject subject{who.kind, who.id};
  TRY(auto standing, standings.of(subject));
  if (!standing->active_at(clock.now()) || standing->acts_for_user != 0) return fail(Reason::denied);
  return subject;
}

Result<TimeMs> Auth::State::expiry(TimeMs lifetime_ms) const {
  if (lifetime_ms <= 0 || lifetime_ms > limits::temporary_credential_lifetime_max_ms) {
    return fail(Reason::invalid_parameter, "a temporary credential lives for at most 24 hours", "lifetime");
  }
  return clock.now() + lifetime_ms;
}

Auth::Auth(meta::Db& db, meta::Ids& ids, const crypto::Vault& vault, const Clock& clock, Log log)
    : x_state(std::make_unique<State>(db, ids, vault, clock, std::move(log))) {}

Auth::~Auth() = default;

bool Auth::remember_nonce(std::string_view access_key, std::string_view nonce, TimeMs valid_until) {
  return x_state->nonces.remember(access_key, nonce, valid_until, x_state->clock.now());
}

Result<Principal> Auth::find_principal(Principal::Kind kind, std::int64_t id) {
  bool robot = kind == Principal::Kind::robot;
  if (robot || kind == Principal::Kind::user) {
    TRY(auto standing, x_state->standings.of({kind, id}));
    if (standing->active_at(x_state->clock.now())) return standing->principal({kind, id});
  }
  return fail(robot ? Reason::robot_unknown : Reason::user_unknown);
}

Status Auth::tidy() {
  constexpr std::int64_t robots_at_once = 1000;
  TimeMs now = x_state->clock.now();
  TRY(auto robots, x_state->db.write([&](meta::Tx& tx) -> Result<std::vector<std::int64_t>> {
    TRY_STATUS(records::delete_expired(tx, now));
    TRY(auto ids, records::expired_robots(tx, now, robots_at_once));
    for (std::int64_t id : ids) TRY_STATUS(records::delete_robot(tx, id));
    return ids;
  }));
  for (std::int64_t id : robots) x_state->changed({Principal::Kind::robot, id});
  return {};
}

// ---- what somebody may do

Status Auth::authorise(const Principal& who, Access access, const Resource& on) {
  if (who.kind == Principal::Kind::system) return {};
  bool open = access == Access::read && on.publicly_readable;
  if (who.kind == Principal::Kind::anonymous) return open ? Status() : fail(Reason::unauthenticated);

  TimeMs now = x_state->clock.now();
  TRY(auto standing, x_state->standings.of({who.kind, who.id}));
  if (!standing->active_at(now)) return fail(Reason::denied);
  if (standing->administrator && who.administrator) return {};
  if (open || standing->allows(access, on)) return {};
  if (access != Access::read) return fail(Reason::denied);
  if (on.namespace_id == 0) return who.kind == Principal::Kind::user ? Status() : fail(Reason::denied);
  if (standing->acts_for_user != 0) {
    TRY(auto creator, x_state->standings.of({Principal::Kind::user, standing->acts_for_user}));
    if (creator->active_at(now) && (creator->administrator || creator->allows(access, on))) return {};
  }
  return fail(Reason::denied);
}

Result<std::optional<std::vector<std::int64_t>>> Auth::readable_namespaces(const Principal& who) {
  using Namespaces = std::optional<std::vector<std::int64_t>>;
  if (who.kind == Principal::Kind::system) return Namespaces();
  std::vector<std::int64_t> ids;
  if (who.kind == Principal::Kind::anonymous) return Namespaces(ids);

  TimeMs now = x_state->clock.now();
  TRY(auto standing, x_state->standings.of({who.kind, who.id}));
  if (!standing->active_at(now)) return Namespaces(ids);
  if (standing->administrator && who.administrator) return Namespaces();
  standing->add_readable_namespaces(ids);
  if (standing->acts_for_user != 0) {
    TRY(auto creator, x_state->standings.of({Principal::Kind::user, standing->acts_for_user}));
    if (creator->active_at(now)) {
      if (creator->administrator) return Namespaces();
      creator->add_readable_namespaces(ids);
    }
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return Namespaces(std::move(ids));
}

}  // namespace wharfage::auth
