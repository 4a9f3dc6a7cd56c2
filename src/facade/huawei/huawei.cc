#include "facade/huawei/huawei.h"

#include "base/limits.h"
#include "facade/huawei/caller.h"
#include "facade/huawei/error.h"
#include "facade/huawei/route.h"

namespace wharfage::huawei {
namespace {

constexpr std::size_t body_max = 1024 * 1024;

// Every path that names a project or an instance must name ours.
Status check_place(const Params& variables, const registry::Instance& ours) {
  for (const auto& [name, value] : variables) {
    if (name == "project_id" && value != ours.project_id) return fail(Reason::project_unknown);
    if (name == "instance_id" && value != ours.uuid) return fail(Reason::instance_unknown);
  }
  return {};
}

}  // namespace

Huawei::Huawei(Rooms rooms, auth::Auth& auth, op::Audit& audit, const Clock& clock, Options options, Log log)
    : x_rooms(rooms),
      x_auth(auth),
      x_audit(audit),
      x_clock(clock),
      x_options(std::move(options)),
      x_log(std::move(log)) {}

http::Plan Huawei::plan(const http::Request&) {
  return http::Buffered{body_max, [this](http::Request& request) { return answer(request); }};
}

http::Response Huawei::answer(const http::Request& request) {
  Match match = find_route(request.method, request.path);
  auto refuse = [&](const Error& error) { return error_response(match.service, error, request.id); };
  auth::Principal who;
  if (!match.route || !match.route->anonymous) {
    auto known = authenticate(x_auth, x_clock, request);
    if (!known.ok()) return refuse(known.error());
    who = *known;
  }
  if (!match.route) {
    return refuse(match.other_method ? fail(Reason::method_not_allowed)
                                     : fail(Reason::unknown_action, "URL not found"));
  }
  Status ours = check_place(match.variables, x_rooms.registry.instance());
  if (!ours.ok()) return refuse(ours.error());
  Params params = std::move(match.variables);
  for (auto& pair : parse_query(request.query)) params.push_back(std::move(pair));
  Call call{
      x_rooms,
      {who, request.id, request.peer, "huawei", x_auth, x_audit, x_clock, x_log.with("request", request.id)},
      x_options,
      request,
      {}};
  auto reply = match.route->run(call, params, request.body);
  if (!reply.ok()) return refuse(reply.error());
  http::Response response = http::Response::json(match.route->status, *reply);
  if (reply->empty()) response.headers.remove("Content-Type");
  for (const auto& [name, value] : call.reply_headers.fields()) response.headers.set(name, value);
  return response;
}

}  // namespace wharfage::huawei
