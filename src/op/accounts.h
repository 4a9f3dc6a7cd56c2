// Operations on accounts: users, robots, access keys, grants, sessions, and reading the audit log. Facades
// map these plain structures to their wire names. Their room is auth::Auth, except ListAudit's: op::Audit.
// What concerns only the caller's own things authorises itself in run(); all else is the administrators', and
// grants are also those who manage the namespace. `namespace_id` and `namespace_name` of a request are never
// the client's own words: the facade has resolved them in the registry.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "auth/auth.h"
#include "op/audit.h"
#include "op/operation.h"

namespace wharfage::op::accounts {

struct Slice {
  std::int64_t offset = 0, limit = 50;
};

// ---- users

struct ListUsers {
  static constexpr Declaration declaration{"accounts:ListUsers", auth::Access::administer};
  using Request = Slice;
  using Response = auth::Page<auth::User>;
  static Result<auth::Resource> resource(auth::Auth& room, Context& context, const Request& request);
  static Result<Response> run(auth::Auth& room, Context& context, const Request& request);
};

struct GetUser {
  static constexpr Declaration declaration{"accounts:GetUser", auth::Access::administer};
  struct Request {
    std::string name;
  };
  using Response = auth::User;
  static Result<auth::Resource> resource(auth::Auth& room, Context& context, const Request& request);
  static Result<Response> run(auth::Auth& room, Context& context, const Request& request);
};

struct CreateUser {
  static constexpr Declaration declaration{"accounts:CreateUser", auth::Access::administer};
  struct Request {
    std::string name, password;
    bool administrator = false;
  };
  using Response = auth::User;
  static Result<auth::Resource> resource(auth::Auth& room, Context& context, const Request& request);
  static Result<Response> run(auth::Auth& room, Context& context, const Request& request);
};

struct UpdateUser {
  static constexpr Declaration declaration{"accounts:UpdateUser", auth::Access::administer};
  struct Request {
    std::string name;
    std::optional<std::string> password;
    std::optional<bool> administrator, enabled;
  };
  using Response = auth::User;
  static Result<auth::Resource> resource(auth::Auth& room, Context& context, const Request& request);
  static Result<Response> run(auth::Auth& room, Context& context, const Request& request);
};

struct DeleteUser {
  static constexpr Declaration declaration{"accounts:DeleteUser", auth::Access::administer};
  struct Request {
    std::string name;
  };
  using Response = Nothing;
  static Result<auth::Resource> resource(auth::Auth& room, Context& context, const Request& request);
  static Result<Response> run(auth::Auth& room, Context& context, const Request& request);
};

// ---- robots

struct ListRobots {
  static constexpr Declaration declaration{"accounts:ListRobots", auth::Access::administer};
  using Request = Slice;
  using Response = auth::Page<auth::Robot>;
  static Result<auth::Resource> resource(auth::Auth& room, Context& context, const Request& request);
  static Result<Response> run(auth::Auth& room, Context& context, const Request& request);
};

struct CreateRobot {
  static constexpr Declaration declaration{"accounts:CreateRobot", auth::Access::administer};
  struct Request {
    std::string name, description;
    std::optional<TimeMs> expires_at;
  };
  struct Response {
    auth::Robot robot;
    auth::Secret secret;  // shown once
  };
  static Result<auth::Resource> resource(auth::Auth& room, Context& context, const Request& request);
  static Result<Response> run(auth::Auth& room, Context& context, const Request& request);
};

struct DeleteRobot {
  static constexpr Declaration declaration{"accounts:DeleteRobot", auth::Access::administer};
  struct Request {
    std::string name;  // without "robot$"
  };
  using Response = Nothing;
  static Result<auth::Resource> resource(auth::Auth& room, Context& context, const Request& request);
  static Result<Response> run(auth::Auth& room, Context& context, const Request& request);
};

// ---- access keys: one's own; administrators everybody's. Somebody else's key is simply not found.

struct ListAccessKeys {
  static constexpr Declaration declaration{"accounts:ListAccessKeys", auth::Access::read, true};
  struct Request {
    std::string user;        // "": the caller
    bool everybody = false;  // administrators only
  };
  using Response = std::vector<auth::AccessKey>;
  static Result<auth::Resource> resource(auth::Auth& room, Context& context, const Request& request);
  static Result<Response> run(auth::Auth& room, Context& context, const Request& request);
};

struct CreateAccessKey {
  static constexpr Declaration declaration{"accounts:CreateAccessKey", auth::Access::write, true};
  struct Request {
    std::string user;  // "": the caller
    std::string description;
  };
  struct Response {
    auth::AccessKey key;
    auth::Secret secret;  // shown once
  };
  static Result<auth::Resource> resource(auth::Auth& room, Context& context, const Request& request);
  static Result<Response> run(auth::Auth& room, Context& context, const Request& request);
};

struct UpdateAccessKey {
  static constexpr Declaration declaration{"accounts:UpdateAccessKey", auth::Access::write, true};
  struct Request {
    std::string id;
    bool enabled = true;
  };
  using Response = auth::AccessKey;
  static Result<auth::Resource> resource(auth::Auth& room, Context& context, const Request& request);
  static Result<Response> run(auth::Auth& room, Context& context, const Request& request);
};

struct DeleteAccessKey {
  static constexpr Declaration declaration{"accounts:DeleteAccessKey", auth::Access::write, true};
  struct Request {
    std::string id;
  };
  using Response = Nothing;
  static Result<auth::Resource> resource(auth::Auth& room, Context& context, const Request& request);
  static Result<Response> run(auth::Auth& room, Context& context, const Request& request);
};

// ---- grants

struct ListGrants {
  static constexpr Declaration declaration{"accounts:ListGrants", auth::Access::manage};
  struct Request {
    std::int64_t namespace_id = 0;  // 0: of all namespaces, administrators only
    std::string namespace_name;
  };
  using Response = std::vector<auth::Grant>;
  static Result<auth::Resource> resource(auth::Auth& room, Context& context, const Request& request);
  static Result<Response> run(auth::Auth& room, Context& context, const Request& request);
};

struct PutGrant {
  static constexpr Declaration declaration{"accounts:PutGrant", auth::Access::manage};
  struct Request {
    std::int64_t namespace_id = 0;
    std::string namespace_name;
    auth::Principal::Kind kind = auth::Principal::Kind::user;
    std::string subject_name;
    std::string repository;  // "": the whole namespace; else its full name
    auth::Role role = auth::Role::guest;
  };
  using Response = auth::Grant;
  static Result<auth::Resource> resource(auth::Auth& room, Context& context, const Request& request);
  static Result<Response> run(auth::Auth& room, Context& context, const Request& request);
};

struct DeleteGrant {
  static constexpr Declaration declaration{"accounts:DeleteGrant", auth::Access::manage};
  struct Request {
    std::int64_t id = 0;
    std::int64_t namespace_id = 0;  // 0: wherever it is; else it must lie there
    std::string namespace_name;
  };
  using Response = Nothing;
  static Result<auth::Resource> resource(auth::Auth& room, Context& context, const Request& request);
  static Result<Response> run(auth::Auth& room, Context& context, const Request& request);
};

// ---- the caller himself

struct WhoAmI {
  static constexpr Declaration declaration{"accounts:WhoAmI", auth::Access::read, true};
  using Request = Nothing;
  struct Response {
    auth::Principal who;
    std::optional<auth::User> user;  // of users
  };
  static Result<auth::Resource> resource(auth::Auth& room, Context& context, const Request& request);
  static Result<Response> run(auth::Auth& room, Context& context, const Request& request);
};

// Ends all of the caller's sessions, also the one that is asking.
struct ChangeOwnPassword {
  static constexpr Declaration declaration{"accounts:ChangeOwnPassword", auth::Access::write, true};
  struct Request {
    std::string old_password, new_password;
  };
  using Response = Nothing;
  static Result<auth::Resource> resource(auth::Auth& room, Context& context, const Request& request);
  static Result<Response> run(auth::Auth& room, Context& context, const Request& request);
};

struct IssueToken {
  static constexpr Declaration declaration{"accounts:IssueToken", auth::Access::write, true};
  using Request = Nothing;
  using Response = auth::Auth::Token;
  static Result<auth::Resource> resource(auth::Auth& room, Context& context, const Request& request);
  static Result<Response> run(auth::Auth& room, Context& context, const Request& request);
};

// A docker login that acts as the caller until it expires; what the clouds hand out for their registries.
struct CreateTemporaryLogin {
  static constexpr Declaration declaration{"accounts:CreateTemporaryLogin", auth::Access::write, true};
  struct Request {
    TimeMs lifetime_ms = 0;  // at most 24 h
  };
  struct Response {
    auth::Secret login;
    TimeMs created_at = 0, expires_at = 0;
  };
  static Result<auth::Resource> resource(auth::Auth& room, Context& context, const Request& request);
  static Result<Response> run(auth::Auth& room, Context& context, const Request& request);
};

struct RevokeToken {
  static constexpr Declaration declaration{"accounts:RevokeToken", auth::Access::write, true};
  struct Request {
    std::string token;
  };
  using Response = Nothing;
  static Result<auth::Resource> resource(auth::Auth& room, Context& context, const Request& request);
  static Result<Response> run(auth::Auth& room, Context& context, const Request& request);
};

// ---- the audit log

struct ListAudit {
  static constexpr Declaration declaration{"accounts:ListAudit", auth::Access::administer};
  using Request = Audit::Filter;
  struct Response {
    std::vector<AuditEntry> items;
    std::int64_t next_before_id = 0;  // 0: there are no older ones
  };
  static Result<auth::Resource> resource(Audit& room, Context& context, const Request& request);
  static Result<Response> run(Audit& room, Context& context, const Request& request);
};

}  // namespace wharfage::op::accounts
