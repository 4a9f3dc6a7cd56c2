// The part of IAM that SDKs and Terraform need: tokens by password, the one project, the one domain,
// temporary keys. Source: huawei.md 2.5; times here have microseconds.
#include <fmt/format.h>

#include "base/limits.h"
#include "facade/huawei/route.h"

namespace wharfage::huawei {
namespace {

using wire::field;
using wire::required;

// ---- requests

struct NamedOrId {
  std::optional<std::string> id;
  std::optional<std::string> name;
  static constexpr auto fields() {
    return std::array{field<&NamedOrId::id>("id"), field<&NamedOrId::name>("name")};
  }
};
struct PasswordUser {
  std::optional<std::string> id;
  std::optional<std::string> name;
  std::string password;
  std::optional<NamedOrId> domain;
  static constexpr auto fields() {
    return std::array{field<&PasswordUser::id>("id"), field<&PasswordUser::name>("name"),
                      field<&PasswordUser::password>("password", required),
                      field<&PasswordUser::domain>("domain")};
  }
};
struct Password {
  PasswordUser user;
  static constexpr auto fields() { return std::array{field<&Password::user>("user", required)}; }
};
struct TokenIdentity {
  std::optional<std::string> id;
  std::optional<std::int64_t> duration_seconds;
  static constexpr auto fields() {
    return std::array{field<&TokenIdentity::id>("id"),
                      field<&TokenIdentity::duration_seconds>("duration_seconds")};
  }
};
struct Identity {
  std::vector<std::string> methods;
  std::optional<Password> password;
  std::optional<TokenIdentity> token;
  static constexpr auto fields() {
    return std::array{field<&Identity::methods>("methods", required), field<&Identity::password>("password"),
                      field<&Identity::token>("token")};
  }
};
struct Scope {
  std::optional<NamedOrId> project;
  std::optional<NamedOrId> domain;
  static constexpr auto fields() {
    return std::array{field<&Scope::project>("project"), field<&Scope::domain>("domain")};
  }
};
struct AuthRequest {
  Identity identity;
  std::optional<Scope> scope;
  static constexpr auto fields() {
    return std::array{field<&AuthRequest::identity>("identity", required),
                      field<&AuthRequest::scope>("scope")};
  }
};
struct AuthBody {
  AuthRequest auth;
  static constexpr auto fields() { return std::array{field<&AuthBody::auth>("auth", required)}; }
};
struct TokenQuery {
  std::optional<std::string> nocatalog;
  static constexpr auto fields() { return std::array{field<&TokenQuery::nocatalog>("nocatalog")}; }
};
struct NameQuery {
  std::optional<std::string> name;
  std::optional<std::string> domain_id;
  static constexpr auto fields() {
    return std::array{field<&NameQuery::name>("name"), field<&NameQuery::domain_id>("domain_id")};
  }
};

// ---- replies

struct Links {
  std::string self;
  static constexpr auto fields() { return std::array{field<&Links::self>("self")}; }
};
struct ListLinks {
  std::string self;
  std::optional<std::string> previous;
  std::optional<std::string> next;
  static constexpr auto fields() {
    return std::array{field<&ListLinks::self>("self"), field<&ListLinks::previous>("previous"),
                      field<&ListLinks::next>("next")};
  }
};
struct DomainRef {
  std::string id;
  std::string name;
  static constexpr auto fields() {
    return std::array{field<&DomainRef::id>("id"), field<&DomainRef::name>("name")};
  }
};
struct ProjectRef {
  std::string id;
  std::string name;
  DomainRef domain;
  static constexpr auto fields() {
    return std::array{field<&ProjectRef::id>("id"), field<&ProjectRef::name>("name"),
                      field<&ProjectRef::domain>("domain")};
  }
};
struct UserRef {
  std::string id;
  std::string name;
  DomainRef domain;
  std::string password_expires_at;
  static constexpr auto fields() {
    return std::array{field<&UserRef::id>("id"), field<&UserRef::name>("name"),
                      field<&UserRef::domain>("domain"),
                      field<&UserRef::password_expires_at>("password_expires_at")};
  }
};
struct RoleRef {
  std::string id;
  std::string name;
  static constexpr auto fields() {
    return std::array{field<&RoleRef::id>("id"), field<&RoleRef::name>("name")};
  }
};
struct EndpointRef {
  std::string id;
  std::string interface_name;
  std::string region;
  std::string region_id;
  std::string url;
  static constexpr auto fields() {
    return std::array{field<&EndpointRef::id>("id"), field<&EndpointRef::interface_name>("interface"),
                      field<&EndpointRef::region>("region"), field<&EndpointRef::region_id>("region_id"),
                      field<&EndpointRef::url>("url")};
  }
};
struct CatalogEntry {
  std::string id;
  std::string type;
  std::string name;
  std::vector<EndpointRef> endpoints;
  static constexpr auto fields() {
    return std::array{field<&CatalogEntry::id>("id"), field<&CatalogEntry::type>("type"),
                      field<&CatalogEntry::name>("name"), field<&CatalogEntry::endpoints>("endpoints")};
  }
};
struct Token {
  std::vector<std::string> methods;
  std::string issued_at;
  std::string expires_at;
  UserRef user;
  std::optional<ProjectRef> project;
  std::optional<DomainRef> domain;
  std::vector<RoleRef> roles;
  std::vector<CatalogEntry> catalog;
  static constexpr auto fields() {
    return std::array{field<&Token::methods>("methods"),       field<&Token::issued_at>("issued_at"),
                      field<&Token::expires_at>("expires_at"), field<&Token::user>("user"),
                      field<&Token::project>("project"),       field<&Token::domain>("domain"),
                      field<&Token::roles>("roles"),           field<&Token::catalog>("catalog")};
  }
};
struct TokenReply {
  Token token;
  static constexpr auto fields() { return std::array{field<&TokenReply::token>("token")}; }
};
struct Project {
  std::string id;
  std::string name;
  std::string domain_id;
  std::string parent_id;
  bool is_domain = false;
  bool enabled = true;
  std::string description;
  Links links;
  static constexpr auto fields() {
    return std::array{field<&Project::id>("id"),
                      field<&Project::name>("name"),
                      field<&Project::domain_id>("domain_id"),
                      field<&Project::parent_id>("parent_id"),
                      field<&Project::is_domain>("is_domain"),
                      field<&Project::enabled>("enabled"),
                      field<&Project::description>("description"),
                      field<&Project::links>("links")};
  }
};
struct ProjectList {
  std::vector<Project> projects;
  ListLinks links;
  static constexpr auto fields() {
    return std::array{field<&ProjectList::projects>("projects"), field<&ProjectList::links>("links")};
  }
};
struct Domain {
  std::string id;
  std::string name;
  bool enabled = true;
  std::string description;
  Links links;
  static constexpr auto fields() {
    return std::array{field<&Domain::id>("id"), field<&Domain::name>("name"),
                      field<&Domain::enabled>("enabled"), field<&Domain::description>("description"),
                      field<&Domain::links>("links")};
  }
};
struct DomainList {
  std::vector<Domain> domains;
  ListLinks links;
  static constexpr auto fields() {
    return std::array{field<&DomainList::domains>("domains"), field<&DomainList::links>("links")};
  }
};
struct Region {
  std::string id;
  std::string type;
  std::string description;
  Links links;
  static constexpr auto fields() {
    return std::array{field<&Region::id>("id"), field<&Region::type>("type"),
                      field<&Region::description>("description"), field<&Region::links>("links")};
  }
};
struct RegionList {
  std::vector<Region> regions;
  ListLinks links;
  static constexpr auto fields() {
    return std::array{field<&RegionList::regions>("regions"), field<&RegionList::links>("links")};
  }
};
struct Credential {
  std::string access;
  std::string secret;
  std::string securitytoken;
  std::string expires_at;
  static constexpr auto fields() {
    return std::array{field<&Credential::access>("access"), field<&Credential::secret>("secret"),
                      field<&Credential::securitytoken>("securitytoken"),
                      field<&Credential::expires_at>("expires_at")};
  }
};
struct CredentialReply {
  Credential credential;
  static constexpr auto fields() { return std::array{field<&CredentialReply::credential>("credential")}; }
};

// ---- pieces

const registry::Instance& instance(const Call& call) {
  return call.rooms.registry.instance();
}

std::string base_url(const Call& call) {
  if (!call.options.external_url.empty()) return call.options.external_url;
  return fmt::format("{}://{}", call.request.tls ? "https" : "http", call.request.headers.get("Host"));
}

DomainRef domain_ref(const Call& call) {
  return {instance(call).domain_id, instance(call).domain_name};
}

bool names(const NamedOrId& wanted, const std::string& id, const std::string& name) {
  return (!wanted.id || *wanted.id == id) && (!wanted.name || *wanted.name == name);
}

// A token is for our one project or our one domain; nothing else exists.
Status check_scope(const Call& call, const std::optional<Scope>& scope) {
  if (!scope) return {};
  bool project =
      !scope->project || names(*scope->project, instance(call).project_id, instance(call).project_name);
  bool domain = !scope->domain || names(*scope->domain, instance(call).domain_id, instance(call).domain_name);
  if (!project) return fail(Reason::project_unknown, "The project does not exist.");
  if (!domain) return fail(Reason::invalid_parameter, "The domain does not exist.");
  return {};
}

std::vector<CatalogEntry> catalog(const Call& call) {
  std::vector<CatalogEntry> entries;
  const std::string& region = instance(call).huawei_region;
  const std::string& project = instance(call).project_id;
  for (auto [type, path] :
       {std::pair{"swr", "/v2/" + project}, {"hss", "/v5/" + project}, {"iam", std::string("/v3")}}) {
    entries.push_back({type, type, type, {{type, "public", region, region, base_url(call) + path}}});
  }
  return entries;
}

Token describe(const Call& call, const auth::Principal& who, const std::string& user_id, TimeMs issued_at,
               TimeMs expires_at, const std::optional<Scope>& scope) {
  Token token;
  token.methods = {"password"};
  token.issued_at = rfc3339_us(issued_at);
  token.expires_at = rfc3339_us(expires_at);
  token.user = {user_id, who.name, domain_ref(call), ""};
  if (scope && scope->domain) {
    token.domain = domain_ref(call);
  } else {
    token.project = ProjectRef{instance(call).project_id, instance(call).project_name, domain_ref(call)};
  }
  token.roles = {{"0", who.administrator ? "te_admin" : "readonly"}};
  token.catalog = catalog(call);
  return token;
}

Result<std::string> user_id(const Call& call, const auth::Principal& who) {
  if (who.kind != auth::Principal::Kind::user) return std::string();
  TRY(auto user, call.context.auth.get_user(who.id));
  return user.public_id;
}

// ---- endpoints

Result<TokenReply> create_token(Call& call, const TokenQuery&, const AuthBody& body) {
  const Identity& identity = body.auth.identity;
  bool by_password = identity.methods == std::vector<std::string>{"password"} && identity.password;
  if (!by_password || !identity.password->user.name) {
    return fail(Reason::unsupported, "Only the password method with a user name is supported.");
  }
  const PasswordUser& user = identity.password->user;
  bool ours = !user.domain || names(*user.domain, instance(call).domain_id, instance(call).domain_name);
  if (!ours) return fail(Reason::bad_credentials, "The username or password is wrong.");
  auto who = call.context.auth.check_password(*user.name, user.password, call.context.peer);
  if (!who.ok()) {
    if (who.error().reason != Reason::bad_credentials) return who.error();
    return fail(Reason::bad_credentials, "The username or password is wrong.");
  }
  TRY_STATUS(check_scope(call, body.auth.scope));
  TRY(auto issued, call.context.auth.issue_token(*who));
  TRY(std::string id, user_id(call, *who));
  call.reply_headers.set("X-Subject-Token", issued.text);
  return TokenReply{describe(call, *who, id, issued.issued_at, issued.expires_at, body.auth.scope)};
}

Result<TokenReply> show_token(Call& call, const TokenQuery&, const NoBody&) {
  std::string subject(call.request.headers.get("X-Subject-Token"));
  if (subject.empty())
    return fail(Reason::missing_parameter, "X-Subject-Token is required", "X-Subject-Token");
  auto owner = call.context.auth.check_token(subject);
  if (!owner.ok()) return fail(Reason::not_found, "The token does not exist or has expired.");
  bool own = owner->who.kind == call.context.who.kind && owner->who.id == call.context.who.id;
  if (!own && !call.context.who.administrator) return fail(Reason::denied);
  TRY(std::string id, user_id(call, owner->who));
  call.reply_headers.set("X-Subject-Token", subject);
  return TokenReply{describe(call, owner->who, id, owner->issued_at, owner->expires_at, std::nullopt)};
}

Result<ProjectList> list_projects(Call& call, const NameQuery& query, const NoBody&) {
  ProjectList list;
  list.links.self = base_url(call) + "/v3/projects";
  const auto& ours = instance(call);
  bool wanted = (!query.name || *query.name == ours.project_name) &&
                (!query.domain_id || *query.domain_id == ours.domain_id);
  if (!wanted) return list;
  list.projects.push_back({ours.project_id,
                           ours.project_name,
                           ours.domain_id,
                           ours.domain_id,
                           false,
                           true,
                           "",
                           {list.links.self + "/" + ours.project_id}});
  return list;
}

Result<DomainList> list_domains(Call& call, const NameQuery&, const NoBody&) {
  DomainList list;
  list.links.self = base_url(call) + "/v3/auth/domains";
  const auto& ours = instance(call);
  list.domains.push_back(
      {ours.domain_id, ours.domain_name, true, "", {base_url(call) + "/v3/domains/" + ours.domain_id}});
  return list;
}

Result<RegionList> list_regions(Call& call, const NameQuery&, const NoBody&) {
  RegionList list;
  list.links.self = base_url(call) + "/v3/regions";
  const std::string& region = instance(call).huawei_region;
  list.regions.push_back({region, "public", "", {list.links.self + "/" + region}});
  return list;
}

Result<CredentialReply> create_security_token(Call& call, const NameQuery&, const AuthBody& body) {
  constexpr std::int64_t shortest_s = 15 * 60, longest_s = 24 * 3600;
  const auto& asked = body.auth.identity.token;
  if (body.auth.identity.methods != std::vector<std::string>{"token"}) {
    return fail(Reason::unsupported, "Only the token method is supported.");
  }
  std::int64_t seconds = asked && asked->duration_seconds ? *asked->duration_seconds : shortest_s;
  if (seconds < shortest_s || seconds > longest_s) {
    return fail(Reason::invalid_parameter, "duration_seconds must be between 900 and 86400.",
                "duration_seconds");
  }
  auth::Principal who = call.context.who;
  if (asked && asked->id && !asked->id->empty()) {
    TRY(auto owner, call.context.auth.check_token(*asked->id));
    who = owner.who;
  }
  TRY(auto key, call.context.auth.create_temporary_access_key(who, seconds * second_ms));
  return CredentialReply{{key.id, key.secret, key.security_token, rfc3339_us(key.expires_at)}};
}

}  // namespace

std::span<const Route> iam_routes() {
  static constexpr std::array table{
      route<&create_token>("POST", "/v3/auth/tokens", 201).of(iam).without_credential(),
      route<&show_token>("GET", "/v3/auth/tokens").of(iam),
      route<&list_projects>("GET", "/v3/projects").of(iam),
      route<&list_projects>("GET", "/v3/auth/projects").of(iam),
      route<&list_domains>("GET", "/v3/auth/domains").of(iam),
      route<&list_regions>("GET", "/v3/regions").of(iam),
      route<&create_security_token>("POST", "/v3.0/OS-CREDENTIAL/securitytokens", 201).of(iam),
  };
  return table;
}

}  // namespace wharfage::huawei
