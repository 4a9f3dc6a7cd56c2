#include <fmt/format.h>

#include <algorithm>

#include "base/glob.h"
#include "base/limits.h"
#include "facade/oci/error.h"
#include "facade/oci/exchange.h"

namespace wharfage::oci {
namespace {

constexpr std::int64_t nobodys_namespace = -1;

// Only what a Host header can sensibly hold; anything else must not be echoed into a challenge.
bool plain_host(std::string_view host) {
  if (host.empty() || host.size() > 255) return false;
  return host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]") ==
         host.npos;
}

std::string_view action_of(auth::Access access) {
  if (access == auth::Access::read) return "pull";
  return access == auth::Access::write ? "push" : "delete";
}

std::string scope_of(const Route& route, auth::Access wanted) {
  if (route.kind == Route::Kind::catalog) return "registry:catalog:*";
  if (route.name.empty()) return {};
  std::string_view actions = wanted == auth::Access::write ? "pull,push" : action_of(wanted);
  return fmt::format("repository:{}:{}", route.name, actions);
}

}  // namespace

std::string external_base(const Options& options, const http::Request& request) {
  bool by_host = options.comes_by_host && options.comes_by_host(request.peer);
  if (!options.external_url.empty() && !by_host) return options.external_url;
  std::string_view scheme = request.tls ? "https" : "http";
  std::string_view host = request.headers.get("Host");
  if (options.trust_forwarded) {
    if (std::string_view given = request.headers.get("X-Forwarded-Proto");
        given == "https" || given == "http") {
      scheme = given;
    }
    if (std::string_view given = request.headers.get("X-Forwarded-Host"); plain_host(given)) host = given;
  }
  return fmt::format("{}://{}", scheme, plain_host(host) ? host : "localhost");
}

Result<auth::Principal> check_login(registry::Registry& registry, auth::Auth& auth, const std::string& user,
                                    const std::string& password, const std::string& peer) {
  auto at = user.find('@');
  if (at == std::string::npos) return auth.check_password(user, password, peer);
  const registry::Instance& ours = registry.instance();
  std::string project = user.substr(0, at);
  if (project != ours.project_name && project != ours.project_id) return fail(Reason::bad_credentials);
  return auth.check_access_key_login(user, password, peer);
}

auth::Resource resource_of(registry::Registry& registry, const registry::Name& name) {
  if (auto repository = registry.find_repository(name); repository.ok()) {
    return repository->resource();
  }
  auto space = registry.get_namespace(name.namespace_name);
  return {space.ok() ? space->id : nobodys_namespace, name.full(), false};
}

bool open_to_all(const Options& options, auth::Access access, const auth::Resource& on) {
  bool images = access <= auth::Access::remove && on.namespace_id > 0;
  if (!images || access > options.anonymous_access) return false;
  std::string_view space = std::string_view(on.name).substr(0, on.name.find('/'));
  return std::any_of(options.anonymous_namespaces.begin(), options.anonymous_namespaces.end(),
                     [&](const std::string& pattern) { return glob_match(pattern, space); });
}

Status authorise(const Options& options, auth::Auth& auth, const auth::Principal& who, auth::Access access,
                 const auth::Resource& on) {
  if (open_to_all(options, access, on)) return {};
  return auth.authorise(who, access, on);
}

Exchange::Exchange(Oci& oci, const http::Request& request, Route route)
    : x_oci(oci), x_request(request), x_route(std::move(route)), x_query(parse_query(request.query)) {}

Status Exchange::authenticate() {
  std::string_view header = x_request.headers.get("Authorization");
  if (header.empty()) return {};
  std::string_view scheme = header.substr(0, header.find(' '));
  std::string_view credential = trim(header.substr(scheme.size()));
  if (same_ignoring_case(scheme, "Bearer")) {
    TRY(x_claims, x_oci.x_tokens.check(credential, x_oci.x_options.service));
    x_who = x_claims->who;
    return {};
  }
  if (!same_ignoring_case(scheme, "Basic"))
    return fail(Reason::bad_credentials, "use Basic or Bearer credentials");
  auto decoded = unbase64(credential);
  auto colon = decoded.ok() ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) return fail(Reason::bad_credentials);
  std::string user = decoded->substr(0, colon), password = decoded->substr(colon + 1);
  TRY(x_who, check_login(x_oci.x_registry, x_oci.x_auth, user, password, x_request.peer));
  return {};
}

// A bearer token must name the action, and the account behind it must still be allowed it: a revoked grant
// counts at once, not when the token runs out.
Status Exchange::allow(auth::Access access, const auth::Resource& resource, const std::string& name) {
  x_wanted = access;
  if (open_to_all(x_oci.x_options, access, resource)) return {};
  TRY_STATUS(x_oci.x_auth.authorise(x_who, access, resource));
  if (!x_claims || x_claims->allows(name, action_of(access))) return {};
  bool public_pull = access == auth::Access::read && resource.publicly_readable;
  if (public_pull) return {};
  x_short_scope = true;
  return fail(Reason::unauthenticated, "the token does not cover this action", name);
}

Result<registry::Repository> Exchange::repository(auth::Access access, bool create) {
  return repository_named(x_route.name, access, create);
}

Result<registry::Repository> Exchange::repository_named(const std::string& text, auth::Access access,
                                                        bool create) {
  TRY(registry::Name name, registry::Name::parse(text));
  auth::Resource resource = resource_of(registry(), name);
  TRY_STATUS(allow(access, resource, text));
  if (!create) return registry().find_repository(name);
  bool new_namespace = resource.namespace_id == nobodys_namespace && x_who.administrator;
  if (new_namespace && x_oci.x_options.create_namespaces) {
    auto made = registry().create_namespace({.name = name.namespace_name});
    if (!made.ok() && made.error().reason != Reason::namespace_exists) return made.error();
    audit("oci:CreateNamespace", name.namespace_name);
  }
  return registry().ensure_repository(name);
}

http::Response Exchange::refuse(const Error& error) const {
  http::Response response = error_response(error);
  response.headers.set("Docker-Distribution-Api-Version", "registry/2.0");
  if (response.status == 401) {
    std::string challenge =
        fmt::format("Bearer realm=\"{}{}\",service=\"{}\"", external_base(x_oci.x_options, x_request),
                    token_path, x_oci.x_options.service);
    std::string scope = scope_of(x_route, x_wanted);
    if (!scope.empty() && scope.find_first_of("\"\\") == scope.npos)
      challenge += fmt::format(",scope=\"{}\"", scope);
    if (x_short_scope) challenge += ",error=\"insufficient_scope\"";
    if (error.reason == Reason::token_expired || error.reason == Reason::token_invalid) {
      challenge += ",error=\"invalid_token\"";
    }
    response.headers.set("WWW-Authenticate", challenge);
  }
  return response;
}

void Exchange::audit(std::string_view action, std::string_view resource, const Error* error) const {
  x_oci.x_audit.count(action, error ? reason_name(error->reason) : "ok", 0);
  x_oci.x_audit.record({.at = x_oci.x_clock.now(),
                        .actor = x_who.kind == auth::Principal::Kind::anonymous ? "anonymous" : x_who.name,
                        .action = std::string(action),
                        .resource = std::string(resource),
                        .outcome = std::string(error ? reason_name(error->reason) : "ok"),
                        .facade = "oci",
                        .peer = x_request.peer,
                        .request_id = x_request.id});
}

}  // namespace wharfage::oci
