#include "facade/native/native.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/retry.h"
#include "base/text.h"
#include "facade/native/route.h"

namespace wharfage::native {
namespace {

constexpr std::size_t body_max = 1024 * 1024;
constexpr std::string_view root = "/api/v1";

int status_of(const Error& error) {
  if (error.reason == Reason::too_large) return 413;
  if (error.reason == Reason::method_not_allowed) return 405;
  switch (error.kind()) {
    case ErrorKind::invalid:
      return 400;
    case ErrorKind::unauthenticated:
      return 401;
    case ErrorKind::denied:
      return 403;
    case ErrorKind::not_found:
      return 404;
    case ErrorKind::conflict:
      return 409;
    case ErrorKind::exhausted:
      return 429;
    case ErrorKind::unavailable:
      return 503;
    case ErrorKind::internal:
      return 500;
  }
  return 500;
}

http::Response refuse(const Error& error, const std::string& request_id) {
  std::string detail = error.kind() == ErrorKind::internal ? "" : error.detail;
  http::Response response = http::Response::json(
      status_of(error), fmt::format(R"({{"error":{{"code":{},"message":{},"detail":{},"request_id":{}}}}})",
                                    json_string(reason_name(error.reason)), json_string(error.message),
                                    json_string(detail), json_string(request_id)));
  if (response.status == 401) response.headers.set("WWW-Authenticate", "Basic realm=\"wharfage\"");
  if (response.status == 429) response.headers.set("Retry-After", std::to_string(retry_after_s(error)));
  return response;
}

Result<auth::Principal> authenticate(auth::Auth& auth, const http::Request& request) {
  std::string_view header = request.headers.get("Authorization");
  if (header.empty()) return auth::Principal::anonymous();
  std::string_view scheme = header.substr(0, header.find(' '));
  std::string_view credential = trim(header.substr(scheme.size()));
  if (same_ignoring_case(scheme, "Bearer")) {
    TRY(auto owner, auth.check_token(credential));
    return owner.who;
  }
  auto decoded =
      same_ignoring_case(scheme, "Basic") ? unbase64(credential) : Result<std::string>(std::string());
  auto colon = decoded.ok() ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) return fail(Reason::bad_credentials, "use Basic or Bearer credentials");
  TRY(auto who, auth.check_password(decoded->substr(0, colon), decoded->substr(colon + 1), request.peer));
  if (who.temporary) return fail(Reason::bad_credentials, "a temporary login is good for the registry only");
  return who;
}

struct Found {
  const Route* route = nullptr;
  bool other_method = false;
  Params variables;
};

Found find_route(std::string_view method, std::string_view path) {
  Found found;
  for (const Route* route : routes()) {
    Params variables;
    if (!op::match_path(route->path, path, variables)) continue;
    found.other_method = route->method != method;
    if (found.other_method) continue;
    found.route = route;
    found.variables = std::move(variables);
    return found;
  }
  return found;
}

}  // namespace

Native::Native(Rooms rooms, auth::Auth& auth, op::Audit& audit, const Clock& clock, std::string version,
               Log log)
    : x_rooms(rooms),
      x_auth(auth),
      x_audit(audit),
      x_clock(clock),
      x_version(std::move(version)),
      x_openapi(openapi_document(x_version)),
      x_log(std::move(log)) {}

http::Plan Native::plan(const http::Request&) {
  return http::Buffered{body_max, [this](http::Request& request) { return answer(request); }};
}

http::Response Native::answer(const http::Request& request) {
  if (request.path == std::string(root) + "/openapi.json") return http::Response::json(200, x_openapi);
  auto who = authenticate(x_auth, request);
  if (!who.ok()) return refuse(who.error(), request.id);
  Found found = find_route(request.method, request.path);
  if (!found.route) {
    return refuse(fail(found.other_method ? Reason::method_not_allowed : Reason::not_found), request.id);
  }
  bool unknown = who->kind == auth::Principal::Kind::anonymous && !found.route->anonymous;
  if (unknown) return refuse(fail(Reason::unauthenticated), request.id);
  Params params = std::move(found.variables);
  for (auto& pair : parse_query(request.query)) params.push_back(std::move(pair));
  Call call{
      x_rooms,
      {*who, request.id, request.peer, "native", x_auth, x_audit, x_clock, x_log.with("request", request.id)},
      request};
  auto reply = found.route->run(call, params, request.body);
  if (!reply.ok()) return refuse(reply.error(), request.id);
  http::Response response = http::Response::json(reply->empty() ? 204 : found.route->status, *reply);
  if (reply->empty()) response.headers.remove("Content-Type");
  response.headers.set("Cache-Control", "no-store");
  return response;
}

}  // namespace wharfage::native
