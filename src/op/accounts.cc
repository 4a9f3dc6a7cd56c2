#include "op/accounts.h"

#include <algorithm>

#include "base/limits.h"
#include "op/visible.h"

namespace wharfage::op::accounts {
namespace {

// The installation, under a name for the audit log.
auth::Resource installation(std::string_view what, std::string_view name = {}) {
  std::string text(what);
  if (!name.empty()) text.append("/").append(name);
  return {.name = std::move(text)};
}

}  // namespace

// ---- users

Result<auth::Resource> ListUsers::resource(auth::Auth&, Context&, const Request&) {
  return installation("users");
}

Result<ListUsers::Response> ListUsers::run(auth::Auth& room, Context&, const Request& request) {
  return room.list_users(request.offset, request.limit);
}

Result<auth::Resource> GetUser::resource(auth::Auth&, Context&, const Request& request) {
  return installation("users", request.name);
}

Result<GetUser::Response> GetUser::run(auth::Auth& room, Context&, const Request& request) {
  return room.get_user(request.name);
}

Result<auth::Resource> CreateUser::resource(auth::Auth&, Context&, const Request& request) {
  return installation("users", request.name);
}

Result<CreateUser::Response> CreateUser::run(auth::Auth& room, Context&, const Request& request) {
  return room.create_user(request.name, request.password, request.administrator);
}

Result<auth::Resource> UpdateUser::resource(auth::Auth&, Context&, const Request& request) {
  return installation("users", request.name);
}

Result<UpdateUser::Response> UpdateUser::run(auth::Auth& room, Context&, const Request& request) {
  TRY_STATUS(room.update_user(request.name, request.password, request.administrator, request.enabled));
  return room.get_user(request.name);
}

Result<auth::Resource> DeleteUser::resource(auth::Auth&, Context&, const Request& request) {
  return installation("users", request.name);
}

Result<Nothing> DeleteUser::run(auth::Auth& room, Context&, const Request& request) {
  TRY_STATUS(room.delete_user(request.name));
  return Nothing{};
}

// ---- robots

Result<auth::Resource> ListRobots::resource(auth::Auth&, Context&, const Request&) {
  return installation("robots");
}

Result<ListRobots::Response> ListRobots::run(auth::Auth& room, Context&, const Request& request) {
  return room.list_robots(request.offset, request.limit);
}

Result<auth::Resource> CreateRobot::resource(auth::Auth&, Context&, const Request& request) {
  return installation("robots", request.name);
}

Result<CreateRobot::Response> CreateRobot::run(auth::Auth& room, Context&, const Request& request) {
  TRY(auto made,
      room.create_robot(
          {.name = request.name, .description = request.description, .expires_at = request.expires_at}));
  return Response{std::move(made.first), std::move(made.second)};
}

Result<auth::Resource> DeleteRobot::resource(auth::Auth&, Context&, const Request& request) {
  return installation("robots", request.name);
}

Result<Nothing> DeleteRobot::run(auth::Auth& room, Context&, const Request& request) {
  TRY_STATUS(room.delete_robot(request.name));
  return Nothing{};
}

// ---- grants

namespace {

Result<auth::Resource> place(Context& context, std::int64_t namespace_id, const std::string& name,
                             const Error& absent) {
  if (namespace_id == 0) return installation("grants");
  return visible(context, {.namespace_id = namespace_id, .name = name}, absent);
}

}  // namespace

Result<auth::Resource> ListGrants::resource(auth::Auth&, Context& context, const Request& request) {
  return place(context, request.namespace_id, request.namespace_name,
               fail(Reason::namespace_unknown, {}, request.namespace_name));
}

Result<ListGrants::Response> ListGrants::run(auth::Auth& room, Context&, const Request& request) {
  return room.list_grants(request.namespace_id);
}

Result<auth::Resource> PutGrant::resource(auth::Auth&, Context& context, const Request& request) {
  if (request.namespace_id <= 0) return fail(Reason::namespace_unknown);
  return place(context, request.namespace_id, request.namespace_name,
               fail(Reason::namespace_unknown, {}, request.namespace_name));
}

Result<PutGrant::Response> PutGrant::run(auth::Auth& room, Context&, const Request& request) {
  if (!request.repository.empty() && !request.repository.starts_with(request.namespace_name + "/")) {
    return fail(Reason::name_invalid, "the repository does not lie in the namespace", "repository");
  }
  return room.put_grant({.kind = request.kind,
                         .subject_name = request.subject_name,
                         .namespace_id = request.namespace_id,
                         .repository = request.repository,
                         .role = request.role});
}

Result<auth::Resource> DeleteGrant::resource(auth::Auth& room, Context& context, const Request& request) {
  TRY(auth::Grant grant, room.get_grant(request.id));
  if (request.namespace_id != 0 && grant.namespace_id != request.namespace_id) {
    return fail(Reason::grant_unknown);
  }
  return place(context, grant.namespace_id, request.namespace_name, fail(Reason::grant_unknown));
}

Result<Nothing> DeleteGrant::run(auth::Auth& room, Context&, const Request& request) {
  TRY_STATUS(room.delete_grant(request.id));
  return Nothing{};
}

// ---- the audit log

Result<auth::Resource> ListAudit::resource(Audit&, Context&, const Request&) {
  return installation("audit");
}

Result<ListAudit::Response> ListAudit::run(Audit& room, Context&, const Request& request) {
  Audit::Filter filter = request;
  filter.limit = std::clamp<std::int64_t>(request.limit, 1, limits::list_page_max);
  TRY(auto items, room.list(filter));
  Response response{.items = std::move(items)};
  bool full = static_cast<std::int64_t>(response.items.size()) >= filter.limit;
  if (full) response.next_before_id = response.items.back().id;
  return response;
}

}  // namespace wharfage::op::accounts
