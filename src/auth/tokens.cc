// The registry's bearer tokens: JSON Web Tokens with the claims of the distribution project's token
// specification (docs/spec/auth/jwt.md), and one of our own, "wharfage", from which the principal is rebuilt.
#include <boost/json.hpp>

#include "auth/auth.h"
#include "auth/lru.h"
#include "auth/names.h"
#include "auth/records.h"
#include "base/limits.h"
#include "base/memory_only.h"
#include "base/random.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/jwt.h"

namespace wharfage::auth {
namespace {

namespace json = boost::json;

constexpr std::string_view issuer = "wharfage";
constexpr std::string_view sealed_key_name = "registry_token_key";

struct Verified {
  RegistryTokens::Claims claims;
  std::string audience;
  std::int64_t not_before_s = 0, expires_s = 0;
};

json::string_view view(std::string_view text) {
  return {text.data(), text.size()};
}

std::string_view kind_name(Principal::Kind kind) {
  switch (kind) {
    case Principal::Kind::anonymous:
      return "anonymous";
    case Principal::Kind::user:
      return "user";
    case Principal::Kind::robot:
      return "robot";
    case Principal::Kind::system:
      return "system";
  }
  return "";
}

json::value principal_claim(const Principal& who) {
  return {{"kind", view(kind_name(who.kind))},
          {"id", who.id},
          {"administrator", who.administrator},
          {"acts_for_user", who.acts_for_user}};
}

json::array access_claim(const std::vector<RegistryAccess>& access) {
  json::array list;
  for (const RegistryAccess& one : access) {
    json::array actions;
    for (const std::string& action : one.actions) actions.emplace_back(view(action));
    list.push_back({{"type", view(one.type)}, {"name", view(one.name)}, {"actions", std::move(actions)}});
  }
  return list;
}

// ---- reading; whatever is not as we write it is refused

std::optional<std::string> text_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(view(name));
  if (!value || !value->is_string()) return std::nullopt;
  return std::string(value->get_string().data(), value->get_string().size());
}

std::optional<std::int64_t> integer_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(view(name));
  if (!value || !value->is_int64()) return std::nullopt;
  return value->get_int64();
}

std::optional<Principal> read_principal(const json::object& claims) {
  const json::value* own = claims.if_contains("wharfage");
  auto subject = text_in(claims, "sub");
  if (!own || !own->is_object() || !subject) return std::nullopt;
  const json::object& object = own->get_object();
  auto kind = text_in(object, "kind");
  auto id = integer_in(object, "id"), acts_for_user = integer_in(object, "acts_for_user");
  const json::value* administrator = object.if_contains("administrator");
  if (!kind || !id || !acts_for_user || !administrator || !administrator->is_bool()) return std::nullopt;
  for (auto candidate : {Principal::Kind::anonymous, Principal::Kind::user, Principal::Kind::robot}) {
    if (kind_name(candidate) != *kind) continue;
    return Principal{.kind = candidate,
                     .id = *id,
                     .name = *subject,
                     .administrator = administrator->get_bool(),
                     .acts_for_user = *acts_for_user};
  }
  return std::nullopt;
}

std::optional<RegistryAccess> read_access(const json::value& value) {
  if (!value.is_object()) return std::nullopt;
  auto type = text_in(value.get_object(), "type"), name = text_in(value.get_object(), "name");
  const json::value* actions = value.get_object().if_contains("actions");
  if (!type || !name || !actions || !actions->is_array()) return std::nullopt;
  RegistryAccess access{*type, *name, {}};
  for (const json::value& action : actions->get_array()) {
    if (!action.is_string()) return std::nullopt;
    access.actions.emplace_back(action.get_string().data(), action.get_string().size());
  }
  return access;
}

std::optional<Verified> read_claims(std::string_view text) {
  json::parse_options options;
  options.max_depth = limits::json_depth_max;
  json::error_code error;
  json::value value = json::parse(view(text), error, {}, options);
  if (error || !value.is_object()) return std::nullopt;
  const json::object& claims = value.get_object();
  auto who = read_principal(claims);
  auto audience = text_in(claims, "aud");
  auto not_before = integer_in(claims, "nbf"), expires = integer_in(claims, "exp");
  const json::value* access = claims.if_contains("access");
  if (text_in(claims, "iss") != issuer || !who || !audience || !not_before || !expires) return std::nullopt;
  if (!access || !access->is_array()) return std::nullopt;
  Verified verified{.claims = {.who = *std::move(who)},
                    .audience = *std::move(audience),
                    .not_before_s = *not_before,
                    .expires_s = *expires};
  for (const json::value& item : access->get_array()) {
    auto one = read_access(item);
    if (!one) return std::nullopt;
    verified.claims.access.push_back(*std::move(one));
  }
  return verified;
}

}  // namespace

struct RegistryTokens::State {
  State(crypto::EcdsaKey key, const Clock& clock)
      : key(std::move(key)),
        public_pem(this->key.public_pem()),
        key_id(hex(crypto::sha256(public_pem)).substr(0, 16)),
        clock(clock) {}

  Result<std::shared_ptr<const Verified>> verified(std::string_view token);

  crypto::EcdsaKey key;
  std::string public_pem, key_id;
  const Clock& clock;
  Lru<std::shared_ptr<const Verified>> known{limits::registry_token_cache_max};
};

// What the signature says never changes, so it is checked once; times and audience are checked every time.
Result<std::shared_ptr<const Verified>> RegistryTokens::State::verified(std::string_view token) {
  if (token.size() > limits::token_bytes_max) return fail(Reason::token_invalid);
  std::string hash = crypto::sha256(token);
  if (auto found = known.find(hash)) return *std::move(found);
  if (auto miss = MemoryOnly::misses()) return *std::move(miss);
  TRY(std::string text, crypto::jwt_verify(token, [&](std::string_view kid) {
        return kid == key_id ? std::optional(public_pem) : std::nullopt;
      }));
  auto claims = read_claims(text);
  if (!claims) return fail(Reason::token_invalid);
  auto shared = std::make_shared<const Verified>(*std::move(claims));
  if (clock.now() / second_ms < shared->expires_s) known.put(hash, shared, known.version());
  return std::shared_ptr<const Verified>(shared);
}

RegistryTokens::RegistryTokens(crypto::EcdsaKey key, const Clock& clock)
    : x_state(std::make_unique<State>(std::move(key), clock)) {}

RegistryTokens::~RegistryTokens() = default;

const std::string& RegistryTokens::key_id() const {
  return x_state->key_id;
}

Result<RegistryTokens::Issued> RegistryTokens::issue(const Principal& who, std::string_view service,
                                                     const std::vector<RegistryAccess>& access) const {
  if (who.kind == Principal::Kind::system) return fail(Reason::denied);  // it never leaves the process
  std::int64_t now_s = x_state->clock.now() / second_ms;
  json::value claims = {{"iss", view(issuer)},
                        {"sub", view(who.name)},
                        {"aud", view(service)},
                        {"exp", now_s + limits::registry_token_lifetime_s},
                        {"nbf", now_s},
                        {"iat", now_s},
                        {"jti", random_hex(16)},
                        {"access", access_claim(access)},
                        {"wharfage", principal_claim(who)}};
  TRY(std::string text, crypto::jwt_sign(x_state->key, x_state->key_id, json::serialize(claims)));
  return Issued{std::move(text), now_s * second_ms, limits::registry_token_lifetime_s};
}

Result<RegistryTokens::Claims> RegistryTokens::check(std::string_view token, std::string_view service) const {
  TRY(auto verified, x_state->verified(token));
  std::int64_t now_s = x_state->clock.now() / second_ms;
  if (verified->audience != service) return fail(Reason::token_invalid);
  if (verified->not_before_s > now_s + limits::registry_token_leeway_s) return fail(Reason::token_invalid);
  if (now_s >= verified->expires_s) return fail(Reason::token_expired);
  return verified->claims;
}

bool RegistryTokens::Claims::allows(std::string_view repository, std::string_view action) const {
  for (const RegistryAccess& one : access) {
    if (one.type != "repository" || one.name != repository) continue;
    for (const std::string& allowed : one.actions) {
      if (allowed == action || allowed == "*") return true;
    }
  }
  return false;
}

Result<crypto::EcdsaKey> load_or_create_token_key(meta::Db& db, const crypto::Vault& vault) {
  auto find = [](meta::Tx& tx) { return records::find_sealed_key(tx, sealed_key_name); };
  TRY(auto sealed, db.read(find));
  if (!sealed) {
    TRY(crypto::EcdsaKey made, crypto::EcdsaKey::generate());
    std::string pem = vault.seal(made.private_pem(), sealed_key_name);
    // Two nodes may start at once: the first one's key counts for both.
    TRY(sealed, db.write([&](meta::Tx& tx) -> Result<std::optional<std::string>> {
      TRY_STATUS(records::insert_sealed_key(tx, sealed_key_name, pem));
      return find(tx);
    }));
  }
  if (!sealed) return fail(Reason::internal);
  TRY(std::string pem, vault.unseal(*sealed, sealed_key_name));
  return crypto::EcdsaKey::from_pem(pem);
}

}  // namespace wharfage::auth
