// The operations on registry connections. Only administrators connect, change and remove them and see whom we
// are over there. Who may start copies in some namespace sees which registries there are; all others see our
// own instance and nothing else. Nobody sees passwords.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "connect/connections.h"
#include "op/operation.h"

namespace wharfage::connect::ops {

// Whether the caller may know which registries are connected: denied, unauthenticated.
Status may_see_connections(op::Context& context);

// A connection is named by number (sas, SWR) or by UUID (HSS): whichever is set.
struct Key {
  std::int64_t id = 0;
  std::string uuid;
};

struct ListConnections {
  static constexpr op::Declaration declaration{"connect:ListConnections", auth::Access::read};
  struct Request {
    Filter filter;
    Slice slice;
  };
  using Response = Page<Connection>;
  static Result<auth::Resource> resource(Connections& room, op::Context& context, const Request& request);
  static Result<Response> run(Connections& room, op::Context& context, const Request& request);
};

struct GetConnection {
  static constexpr op::Declaration declaration{"connect:GetConnection", auth::Access::read};
  using Request = Key;
  using Response = Connection;
  static Result<auth::Resource> resource(Connections& room, op::Context& context, const Request& request);
  static Result<Response> run(Connections& room, op::Context& context, const Request& request);
};

struct CreateConnection {
  static constexpr op::Declaration declaration{"connect:CreateConnection", auth::Access::administer};
  using Request = NewConnection;
  using Response = Connection;
  static Result<auth::Resource> resource(Connections& room, op::Context& context, const Request& request);
  static Result<Response> run(Connections& room, op::Context& context, const Request& request);
};

struct UpdateConnection {
  static constexpr op::Declaration declaration{"connect:UpdateConnection", auth::Access::administer};
  struct Request {
    Key key;
    Change change;
  };
  using Response = Connection;  // as it is now
  static Result<auth::Resource> resource(Connections& room, op::Context& context, const Request& request);
  static Result<Response> run(Connections& room, op::Context& context, const Request& request);
};

// All or nothing is not promised: it stops at the first that cannot go.
struct DeleteConnections {
  static constexpr op::Declaration declaration{"connect:DeleteConnections", auth::Access::administer};
  struct Request {
    std::vector<Key> keys;
  };
  using Response = op::Nothing;
  static Result<auth::Resource> resource(Connections& room, op::Context& context, const Request& request);
  static Result<Response> run(Connections& room, op::Context& context, const Request& request);
};

// Signs in at the registry now. Reports the outcome; an unreachable registry is not an error of the call.
struct CheckConnection {
  static constexpr op::Declaration declaration{"connect:CheckConnection", auth::Access::administer};
  using Request = Key;
  struct Response {
    bool reachable = false;
    std::string reason;
  };
  static Result<auth::Resource> resource(Connections& room, op::Context& context, const Request& request);
  static Result<Response> run(Connections& room, op::Context& context, const Request& request);
};

struct RefreshToken {
  static constexpr op::Declaration declaration{"connect:RefreshToken", auth::Access::administer};
  using Request = Key;
  struct Response {
    std::string token;
  };
  static Result<auth::Resource> resource(Connections& room, op::Context& context, const Request& request);
  static Result<Response> run(Connections& room, op::Context& context, const Request& request);
};

// How many answer and how many do not (HSS ListRegistryStatistics).
struct CountConnections {
  static constexpr op::Declaration declaration{"connect:CountConnections", auth::Access::read};
  using Request = Filter;
  struct Response {
    std::int64_t success = 0, fail = 0, total = 0;
  };
  static Result<auth::Resource> resource(Connections& room, op::Context& context, const Request& request);
  static Result<Response> run(Connections& room, op::Context& context, const Request& request);
};

}  // namespace wharfage::connect::ops
