#include "connect/ops/connections.h"

#include <algorithm>

namespace wharfage::connect::ops {
namespace {

// Connections belong to the installation, not to a namespace.
Result<auth::Resource> installation(std::string name = {}) {
  return auth::Resource{.name = std::move(name)};
}

Result<Connection> find(Connections& room, const Key& key) {
  return key.id ? room.get(key.id) : room.get_by_uuid(key.uuid);
}

Result<auth::Resource> resource_of(Connections& room, const Key& key) {
  TRY(auto connection, find(room, key));
  return installation("connection " + connection.name);
}

bool administers(op::Context& context) {
  return context.auth.authorise(context.who, auth::Access::administer, {}).ok();
}

void conceal(Connection& connection) {
  connection.username.clear();
  connection.has_password = false;
}

}  // namespace

Status may_see_connections(op::Context& context) {
  TRY(auto readable, context.auth.readable_namespaces(context.who));
  bool copies = !readable || std::any_of(readable->begin(), readable->end(), [&](std::int64_t space) {
    return context.auth.authorise(context.who, auth::Access::write, {.namespace_id = space, .name = {}}).ok();
  });
  if (copies) return {};
  return context.auth.authorise(context.who, auth::Access::administer, {});
}

Result<auth::Resource> ListConnections::resource(Connections&, op::Context& context, const Request&) {
  TRY_STATUS(may_see_connections(context));
  return installation();
}
Result<Page<Connection>> ListConnections::run(Connections& room, op::Context& context,
                                              const Request& request) {
  TRY(auto page, room.list(request.filter, request.slice));
  if (!administers(context)) std::for_each(page.items.begin(), page.items.end(), conceal);
  return page;
}

// In the words of what does not exist.
Result<auth::Resource> GetConnection::resource(Connections& room, op::Context& context,
                                               const Request& request) {
  TRY(auto connection, find(room, request));
  Status seen = connection.own() ? Status() : may_see_connections(context);
  if (!seen.ok() && seen.error().reason == Reason::denied) return fail(Reason::connection_unknown);
  TRY_STATUS(std::move(seen));
  return installation("connection " + connection.name);
}
Result<Connection> GetConnection::run(Connections& room, op::Context& context, const Request& request) {
  TRY(auto connection, find(room, request));
  if (!administers(context)) conceal(connection);
  return connection;
}

Result<auth::Resource> CreateConnection::resource(Connections&, op::Context&, const Request& request) {
  return installation("connection " + request.name);
}
Result<Connection> CreateConnection::run(Connections& room, op::Context&, const Request& request) {
  return room.create(request);
}

Result<auth::Resource> UpdateConnection::resource(Connections& room, op::Context&, const Request& request) {
  return resource_of(room, request.key);
}
Result<Connection> UpdateConnection::run(Connections& room, op::Context&, const Request& request) {
  TRY(auto connection, find(room, request.key));
  TRY_STATUS(room.update(connection.id, request.change));
  return room.get(connection.id);
}

Result<auth::Resource> DeleteConnections::resource(Connections& room, op::Context&, const Request& request) {
  return request.keys.size() == 1 ? resource_of(room, request.keys.front()) : installation("connections");
}
Result<op::Nothing> DeleteConnections::run(Connections& room, op::Context&, const Request& request) {
  for (const Key& key : request.keys) {
    TRY(auto connection, find(room, key));
    TRY_STATUS(room.remove(connection.id));
  }
  return op::Nothing{};
}

Result<auth::Resource> CheckConnection::resource(Connections& room, op::Context&, const Request& request) {
  return resource_of(room, request);
}
Result<CheckConnection::Response> CheckConnection::run(Connections& room, op::Context&,
                                                       const Request& request) {
  TRY(auto connection, find(room, request));
  Status outcome = room.check(connection.id);
  return Response{outcome.ok(), outcome.ok() ? std::string() : outcome.error().message};
}

Result<auth::Resource> RefreshToken::resource(Connections& room, op::Context&, const Request& request) {
  return resource_of(room, request);
}
Result<RefreshToken::Response> RefreshToken::run(Connections& room, op::Context&, const Request& request) {
  TRY(auto connection, find(room, request));
  TRY(std::string token, room.refresh_token(connection.id));
  return Response{token};
}

Result<auth::Resource> CountConnections::resource(Connections&, op::Context& context, const Request&) {
  TRY_STATUS(may_see_connections(context));
  return installation();
}
Result<CountConnections::Response> CountConnections::run(Connections& room, op::Context&,
                                                         const Request& request) {
  TRY(auto page, room.list(request, {0, INT32_MAX}));
  Response response{.total = page.total};
  for (const Connection& one : page.items) {
    response.success += one.status == "success";
    response.fail += one.status == "fail";
  }
  return response;
}

}  // namespace wharfage::connect::ops
