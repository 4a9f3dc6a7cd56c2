// Users, robots, access keys, grants and tokens.
#include "op/accounts.h"
#include "facade/native/route.h"
#include "registry/ops/scope.h"

namespace wharfage::native {
namespace {

using wire::field;
using wire::required;

struct PageQuery {
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&PageQuery::offset>("offset"), field<&PageQuery::limit>("limit")};
  }
};
struct NameQuery {
  std::string name;
  static constexpr auto fields() { return std::array{field<&NameQuery::name>("name", required)}; }
};
struct IdQuery {
  std::string id;
  static constexpr auto fields() { return std::array{field<&IdQuery::id>("id", required)}; }
};
struct NoQuery {
  static constexpr auto fields() { return std::array<wire::Field, 0>{}; }
};
struct User {
  std::string name;
  std::string id;
  bool administrator = false;
  bool enabled = false;
  std::string created_at;
  static constexpr auto fields() {
    return std::array{field<&User::name>("name"), field<&User::id>("id"),
                      field<&User::administrator>("administrator"), field<&User::enabled>("enabled"),
                      field<&User::created_at>("created_at")};
  }
};
struct UserList {
  std::vector<User> items;
  std::int64_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&UserList::items>("items"), field<&UserList::total>("total")};
  }
};
struct NewUser {
  std::string name;
  std::string password;
  std::optional<bool> administrator;
  static constexpr auto fields() {
    return std::array{field<&NewUser::name>("name", required),
                      field<&NewUser::password>("password", required).range(8, 128),
                      field<&NewUser::administrator>("administrator")};
  }
};
struct UserChange {
  std::optional<std::string> password;
  std::optional<bool> administrator;
  std::optional<bool> enabled;
  static constexpr auto fields() {
    return std::array{field<&UserChange::password>("password"),
                      field<&UserChange::administrator>("administrator"),
                      field<&UserChange::enabled>("enabled")};
  }
};
struct Robot {
  std::string name;
  std::string login;
  std::string description;
  bool enabled = false;
  std::optional<std::string> expires_at;
  std::string created_at;
  static constexpr auto fields() {
    return std::array{field<&Robot::name>("name"),
                      field<&Robot::login>("login"),
                      field<&Robot::description>("description"),
                      field<&Robot::enabled>("enabled"),
                      field<&Robot::expires_at>("expires_at"),
                      field<&Robot::created_at>("created_at")};
  }
};
struct RobotList {
  std::vector<Robot> items;
  std::int64_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&RobotList::items>("items"), field<&RobotList::total>("total")};
  }
};
struct NewRobot {
  std::string name;
  std::optional<std::string> description;
  std::optional<std::int64_t> expires_in_days;
  static constexpr auto fields() {
    return std::array{field<&NewRobot::name>("name", required), field<&NewRobot::description>("description"),
                      field<&NewRobot::expires_in_days>("expires_in_days").range(1, 3650)};
  }
};
struct RobotCreated {
  Robot robot;
  std::string secret;
  static constexpr auto fields() {
    return std::array{field<&RobotCreated::robot>("robot"),
                      field<&RobotCreated::secret>("secret").about("shown this once")};
  }
};
struct AccessKey {
  std::string id;
  std::string user;
  std::string description;
  bool enabled = false;
  std::string created_at;
  static constexpr auto fields() {
    return std::array{field<&AccessKey::id>("id"), field<&AccessKey::user>("user"),
                      field<&AccessKey::description>("description"), field<&AccessKey::enabled>("enabled"),
                      field<&AccessKey::created_at>("created_at")};
  }
};
struct AccessKeyList {
  std::vector<AccessKey> items;
  static constexpr auto fields() { return std::array{field<&AccessKeyList::items>("items")}; }
};
struct AccessKeyQuery {
  std::optional<std::string> user;
  std::optional<bool> everybody;
  static constexpr auto fields() {
    return std::array{field<&AccessKeyQuery::user>("user"), field<&AccessKeyQuery::everybody>("everybody")};
  }
};
struct NewAccessKey {
  std::optional<std::string> user;
  std::optional<std::string> description;
  static constexpr auto fields() {
    return std::array{field<&NewAccessKey::user>("user"), field<&NewAccessKey::description>("description")};
  }
};
struct AccessKeyCreated {
  AccessKey key;
  std::string secret;
  static constexpr auto fields() {
    return std::array{field<&AccessKeyCreated::key>("key"),
                      field<&AccessKeyCreated::secret>("secret").about("shown this once")};
  }
};
struct AccessKeyChange {
  bool enabled = false;
  static constexpr auto fields() { return std::array{field<&AccessKeyChange::enabled>("enabled", required)}; }
};
struct Grant {
  std::int64_t id = 0;
  std::string kind;
  std::string subject;
  std::int64_t namespace_id = 0;
  std::optional<std::string> repository;
  std::string role;
  static constexpr auto fields() {
    return std::array{field<&Grant::id>("id"),
                      field<&Grant::kind>("kind"),
                      field<&Grant::subject>("subject"),
                      field<&Grant::namespace_id>("namespace_id"),
                      field<&Grant::repository>("repository"),
                      field<&Grant::role>("role")};
  }
};
struct GrantList {
  std::vector<Grant> items;
  static constexpr auto fields() { return std::array{field<&GrantList::items>("items")}; }
};
struct GrantQuery {
  std::optional<std::string> namespace_name;
  static constexpr auto fields() { return std::array{field<&GrantQuery::namespace_name>("namespace")}; }
};
struct NewGrant {
  std::string kind;
  std::string subject;
  std::string namespace_name;
  std::optional<std::string> repository;
  std::string role;
  static constexpr auto fields() {
    return std::array{field<&NewGrant::kind>("kind", required).one_of("user|robot"),
                      field<&NewGrant::subject>("subject", required),
                      field<&NewGrant::namespace_name>("namespace", required),
                      field<&NewGrant::repository>("repository"),
                      field<&NewGrant::role>("role", required).one_of("guest|developer|maintainer")};
  }
};
struct GrantKey {
  std::int64_t id = 0;
  static constexpr auto fields() { return std::array{field<&GrantKey::id>("id", required)}; }
};
struct Token {
  std::string token;
  std::string issued_at;
  std::string expires_at;
  static constexpr auto fields() {
    return std::array{field<&Token::token>("token"), field<&Token::issued_at>("issued_at"),
                      field<&Token::expires_at>("expires_at")};
  }
};
struct Caller {
  std::string kind;
  std::string name;
  bool administrator = false;
  std::optional<std::string> id;
  static constexpr auto fields() {
    return std::array{field<&Caller::kind>("kind"), field<&Caller::name>("name"),
                      field<&Caller::administrator>("administrator"), field<&Caller::id>("id")};
  }
};
struct PasswordChange {
  std::string old_password;
  std::string new_password;
  static constexpr auto fields() {
    return std::array{field<&PasswordChange::old_password>("old_password", required),
                      field<&PasswordChange::new_password>("new_password", required).range(8, 128)};
  }
};

namespace ops = op::accounts;

User to_wire(const auth::User& user) {
  return {user.name, user.public_id, user.administrator, user.enabled, rfc3339(user.created_at)};
}

Robot to_wire(const auth::Robot& robot) {
  std::optional<std::string> expires;
  if (robot.expires_at) expires = rfc3339(*robot.expires_at);
  return {robot.name, "robot$" + robot.name,    robot.description, robot.enabled,
          expires,    rfc3339(robot.created_at)};
}

AccessKey to_wire(const auth::AccessKey& key) {
  return {key.id, key.user_name, key.description, key.enabled, rfc3339(key.created_at)};
}

Grant to_wire(const auth::Grant& grant) {
  std::optional<std::string> repository;
  if (!grant.repository.empty()) repository = grant.repository;
  return {grant.id,           grant.kind == auth::Principal::Kind::robot ? "robot" : "user",
          grant.subject_name, grant.namespace_id,
          repository,         std::string(auth::role_name(grant.role))};
}

template <class Op>
auto invoke(Call& call, const typename Op::Request& request) {
  return op::invoke<Op>(call.context.auth, call.context, request);
}

// The id of a namespace somebody names; 0 without a name.
Result<std::int64_t> namespace_id(Call& call, const std::optional<std::string>& name) {
  if (!name) return 0;
  TRY(auto found, registry::ops::find_namespace(call.rooms.registry, call.context, {.name = *name}));
  return found.id;
}

Result<UserList> list_users(Call& call, const PageQuery& query, const NoBody&) {
  TRY(auto slice, page_of(query.offset, query.limit));
  TRY(auto page, invoke<ops::ListUsers>(call, {slice.offset, slice.limit}));
  UserList list;
  for (const auto& user : page.items) list.items.push_back(to_wire(user));
  list.total = page.total;
  return list;
}

Result<User> create_user(Call& call, const NoQuery&, const NewUser& body) {
  TRY(auto user,
      invoke<ops::CreateUser>(call, {body.name, body.password, body.administrator.value_or(false)}));
  return to_wire(user);
}

Result<User> get_user(Call& call, const NameQuery& query, const NoBody&) {
  TRY(auto user, invoke<ops::GetUser>(call, {query.name}));
  return to_wire(user);
}

Result<User> update_user(Call& call, const NameQuery& query, const UserChange& body) {
  TRY(auto user,
      invoke<ops::UpdateUser>(call, {query.name, body.password, body.administrator, body.enabled}));
  return to_wire(user);
}

Result<Empty> delete_user(Call& call, const NameQuery& query, const NoBody&) {
  TRY_STATUS(invoke<ops::DeleteUser>(call, {query.name}));
  return Empty{};
}

Result<RobotList> list_robots(Call& call, const PageQuery& query, const NoBody&) {
  TRY(auto slice, page_of(query.offset, query.limit));
  TRY(auto page, invoke<ops::ListRobots>(call, {slice.offset, slice.limit}));
  RobotList list;
  for (const auto& robot : page.items) list.items.push_back(to_wire(robot));
  list.total = page.total;
  return list;
}

Result<RobotCreated> create_robot(Call& call, const NoQuery&, const NewRobot& body) {
  std::optional<TimeMs> expires;
  if (body.expires_in_days) expires = call.context.clock.now() + *body.expires_in_days * day_ms;
  TRY(auto made, invoke<ops::CreateRobot>(call, {body.name, body.description.value_or(""), expires}));
  return RobotCreated{to_wire(made.robot), made.secret.secret};
}

Result<Empty> delete_robot(Call& call, const NameQuery& query, const NoBody&) {
  TRY_STATUS(invoke<ops::DeleteRobot>(call, {query.name}));
  return Empty{};
}

Result<AccessKeyList> list_access_keys(Call& call, const AccessKeyQuery& query, const NoBody&) {
  TRY(auto keys,
      invoke<ops::ListAccessKeys>(call, {query.user.value_or(""), query.everybody.value_or(false)}));
  AccessKeyList list;
  for (const auto& key : keys) list.items.push_back(to_wire(key));
  return list;
}

Result<AccessKeyCreated> create_access_key(Call& call, const NoQuery&, const NewAccessKey& body) {
  TRY(auto made, invoke<ops::CreateAccessKey>(call, {body.user.value_or(""), body.description.value_or("")}));
  return AccessKeyCreated{to_wire(made.key), made.secret.secret};
}

Result<AccessKey> update_access_key(Call& call, const IdQuery& query, const AccessKeyChange& body) {
  TRY(auto key, invoke<ops::UpdateAccessKey>(call, {query.id, body.enabled}));
  return to_wire(key);
}

Result<Empty> delete_access_key(Call& call, const IdQuery& query, const NoBody&) {
  TRY_STATUS(invoke<ops::DeleteAccessKey>(call, {query.id}));
  return Empty{};
}

Result<GrantList> list_grants(Call& call, const GrantQuery& query, const NoBody&) {
  TRY(auto id, namespace_id(call, query.namespace_name));
  TRY(auto grants, invoke<ops::ListGrants>(call, {id, query.namespace_name.value_or("")}));
  GrantList list;
  for (const auto& grant : grants) list.items.push_back(to_wire(grant));
  return list;
}

Result<Grant> put_grant(Call& call, const NoQuery&, const NewGrant& body) {
  TRY(auto id, namespace_id(call, body.namespace_name));
  auto kind = body.kind == "robot" ? auth::Principal::Kind::robot : auth::Principal::Kind::user;
  TRY(auto grant,
      invoke<ops::PutGrant>(call, {id, body.namespace_name, kind, body.subject, body.repository.value_or(""),
                                   auth::parse_role(body.role).value_or(auth::Role::guest)}));
  return to_wire(grant);
}

Result<Empty> delete_grant(Call& call, const GrantKey& query, const NoBody&) {
  TRY_STATUS(invoke<ops::DeleteGrant>(call, {query.id, 0, ""}));
  return Empty{};
}

Result<Token> create_token(Call& call, const NoQuery&, const NoBody&) {
  TRY(auto token, invoke<ops::IssueToken>(call, {}));
  return Token{token.text, rfc3339(token.issued_at), rfc3339(token.expires_at)};
}

Result<Empty> delete_token(Call& call, const NoQuery&, const NoBody&) {
  std::string_view header = call.request.headers.get("Authorization");
  if (!same_ignoring_case(header.substr(0, 7), "Bearer ")) {
    return fail(Reason::invalid_parameter, "the token to revoke is the one the request is signed in with");
  }
  TRY_STATUS(invoke<ops::RevokeToken>(call, {std::string(trim(header.substr(7)))}));
  return Empty{};
}

Result<Caller> who_am_i(Call& call, const NoQuery&, const NoBody&) {
  TRY(auto me, invoke<ops::WhoAmI>(call, {}));
  std::optional<std::string> id;
  if (me.user) id = me.user->public_id;
  return Caller{me.who.kind == auth::Principal::Kind::robot ? "robot" : "user", me.who.name,
                me.who.administrator, id};
}

Result<Empty> change_password(Call& call, const NoQuery&, const PasswordChange& body) {
  TRY_STATUS(invoke<ops::ChangeOwnPassword>(call, {body.old_password, body.new_password}));
  return Empty{};
}

}  // namespace

std::span<const Route> account_routes() {
  static constexpr std::array table{
      route<&who_am_i>("GET", "/api/v1/whoami").about("who the caller is"),
      route<&change_password>("PUT", "/api/v1/whoami/password").about("change one's own password"),
      route<&create_token>("POST", "/api/v1/tokens", 201)
          .about("a token for 24 hours, for Authorization: Bearer"),
      route<&delete_token>("DELETE", "/api/v1/tokens").about("end the token the request is signed in with"),
      route<&list_users>("GET", "/api/v1/users").about("list users"),
      route<&create_user>("POST", "/api/v1/users", 201).about("create a user"),
      route<&get_user>("GET", "/api/v1/users/{name}").about("show a user"),
      route<&update_user>("PUT", "/api/v1/users/{name}").about("change a user's password, rank or state"),
      route<&delete_user>("DELETE", "/api/v1/users/{name}").about("delete a user with keys and grants"),
      route<&list_robots>("GET", "/api/v1/robots").about("list robots"),
      route<&create_robot>("POST", "/api/v1/robots", 201).about("create a robot; its secret is shown once"),
      route<&delete_robot>("DELETE", "/api/v1/robots/{name}").about("delete a robot"),
      route<&list_access_keys>("GET", "/api/v1/access-keys")
          .about("list access keys: one's own, a user's, all"),
      route<&create_access_key>("POST", "/api/v1/access-keys", 201)
          .about("create an access key for both clouds' APIs"),
      route<&update_access_key>("PUT", "/api/v1/access-keys/{id}").about("enable or disable an access key"),
      route<&delete_access_key>("DELETE", "/api/v1/access-keys/{id}").about("delete an access key"),
      route<&list_grants>("GET", "/api/v1/grants").about("who may do what in a namespace"),
      route<&put_grant>("POST", "/api/v1/grants", 201).about("give a role in a namespace or one repository"),
      route<&delete_grant>("DELETE", "/api/v1/grants/{id}").about("take a role away"),
  };
  return table;
}

}  // namespace wharfage::native
