// The token service (distribution "Token Authentication Specification"): GET with Basic credentials or none,
// and the OAuth2 POST that containerd and containers/image use. Grants are intersected, never refused.
#include <fmt/format.h>

#include "base/limits.h"
#include "base/log.h"
#include "facade/oci/error.h"
#include "facade/oci/exchange.h"

namespace wharfage::oci {
namespace {

constexpr std::size_t scopes_max = 64;

http::Response refuse_token(const Error& error) {
  http::Response response = error_response(error);
  if (response.status == 401) response.headers.set("WWW-Authenticate", "Basic realm=\"wharfage\"");
  return response;
}

// "type[(class)]:name:actions": the type ends at the first colon, the actions begin after the last one, since
// a name may hold a colon (host:port).
std::optional<auth::RegistryAccess> parse_scope(std::string_view text) {
  auto first = text.find(':'), last = text.rfind(':');
  if (first == text.npos || last == first || last + 1 >= text.size()) return std::nullopt;
  auth::RegistryAccess scope;
  scope.type = text.substr(0, std::min(first, text.find('(')));
  scope.name = text.substr(first + 1, last - first - 1);
  for (std::string_view action : split(text.substr(last + 1), ',')) {
    if (!action.empty() && scope.actions.size() < 8) scope.actions.emplace_back(action);
  }
  return scope;
}

std::vector<auth::RegistryAccess> parse_scopes(const Params& params) {
  std::vector<auth::RegistryAccess> scopes;
  for (const auto& [name, value] : params) {
    if (name != "scope") continue;
    for (std::string_view text : split(value, ' ')) {
      auto scope = parse_scope(text);
      if (scope && scopes.size() < scopes_max) scopes.push_back(*std::move(scope));
    }
  }
  return scopes;
}

std::optional<auth::Access> access_of(std::string_view action) {
  if (action == "pull") return auth::Access::read;
  if (action == "push") return auth::Access::write;
  if (action == "delete" || action == "*") return auth::Access::remove;
  return std::nullopt;
}

auth::RegistryAccess intersect(registry::Registry& registry, auth::Auth& auth, const Options& options,
                               const auth::Principal& who, const auth::RegistryAccess& wanted) {
  auth::RegistryAccess granted{wanted.type, wanted.name, {}};
  if (wanted.type == "registry") {
    bool catalog = wanted.name == "catalog" && who.kind != auth::Principal::Kind::anonymous;
    if (catalog) granted.actions = {"*"};
    return granted;
  }
  auto name = registry::Name::parse(wanted.name);
  if (wanted.type != "repository" || !name.ok()) return granted;
  auth::Resource resource = resource_of(registry, *name);
  for (const std::string& action : wanted.actions) {
    auto access = access_of(action);
    if (access && authorise(options, auth, who, *access, resource).ok()) granted.actions.push_back(action);
  }
  return granted;
}

Result<auth::Principal> from_basic(registry::Registry& registry, auth::Auth& auth,
                                   const http::Request& request) {
  std::string_view header = request.headers.get("Authorization");
  if (header.empty()) return auth::Principal::anonymous();
  if (!same_ignoring_case(header.substr(0, 6), "Basic ")) return fail(Reason::bad_credentials);
  auto decoded = unbase64(trim(header.substr(6)));
  auto colon = decoded.ok() ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) return fail(Reason::bad_credentials);
  // Some clients present their lack of a login as an empty one.
  if (*decoded == ":") return auth::Principal::anonymous();
  return check_login(registry, auth, decoded->substr(0, colon), decoded->substr(colon + 1), request.peer);
}

Result<auth::Principal> from_form(registry::Registry& registry, auth::Auth& auth, const Params& form,
                                  const http::Request& request) {
  std::string grant = find_param(form, "grant_type").value_or("");
  if (grant == "password") {
    return check_login(registry, auth, find_param(form, "username").value_or(""),
                       find_param(form, "password").value_or(""), request.peer);
  }
  if (grant == "refresh_token") {
    TRY(auto owner, auth.check_token(find_param(form, "refresh_token").value_or("")));
    return owner.who;
  }
  return fail(Reason::invalid_parameter, "grant_type must be password or refresh_token", "grant_type");
}

// It ends a day after the password was shown: who shows a refresh token gets the same one back. None for a
// temporary login, which it would outlast.
Result<std::string> refresh_token(auth::Auth& auth, const auth::Principal& who, const Params& form) {
  if (auto shown = find_param(form, "refresh_token");
      shown && find_param(form, "grant_type") == "refresh_token")
    return *shown;
  if (who.temporary) return std::string();
  TRY(auto token, auth.issue_token(who));
  return token.text;
}

std::string scope_text(const std::vector<auth::RegistryAccess>& access) {
  std::string text;
  for (const auto& scope : access) {
    text +=
        fmt::format("{}{}:{}:{}", text.empty() ? "" : " ", scope.type, scope.name, join(scope.actions, ","));
  }
  return text;
}

}  // namespace

http::Response answer_token(registry::Registry& registry, auth::Auth& auth,
                            const auth::RegistryTokens& tokens, const Options& options,
                            const http::Request& request) {
  bool post = request.method == "POST";
  if (!post && request.method != "GET") return error_response(fail(Reason::method_not_allowed));
  Params params = parse_query(post ? request.body : request.query);
  auto who = post ? from_form(registry, auth, params, request) : from_basic(registry, auth, request);
  if (!who.ok()) return refuse_token(who.error());

  std::vector<auth::RegistryAccess> granted;
  for (const auto& wanted : parse_scopes(params))
    granted.push_back(intersect(registry, auth, options, *who, wanted));
  auto token = tokens.issue(*who, options.service, granted);
  if (!token.ok()) return refuse_token(token.error());
  std::string text = json_string(token->text);
  std::string body = fmt::format(R"({{"token":{},"access_token":{},"expires_in":{},"issued_at":"{}")", text,
                                 text, token->lifetime_s, rfc3339(token->issued_at));
  if (post) body += ",\"scope\":" + json_string(scope_text(granted));
  if (post && find_param(params, "access_type") == "offline") {
    auto refresh = refresh_token(auth, *who, params);
    if (!refresh.ok()) return refuse_token(refresh.error());
    if (!refresh->empty()) body += ",\"refresh_token\":" + json_string(*refresh);
  }
  http::Response response = http::Response::json(200, body + "}");
  response.headers.set("Cache-Control", "no-store");
  return response;
}

}  // namespace wharfage::oci
