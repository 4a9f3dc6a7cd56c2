#include "facade/alibaba/alibaba.h"

#include <fmt/format.h>

#include "base/limits.h"
#include "base/random.h"
#include "facade/alibaba/action.h"
#include "facade/alibaba/caller.h"
#include "facade/alibaba/error.h"

namespace wharfage::alibaba {
namespace {

constexpr std::size_t form_max = 1024 * 1024;

// Parameters may come in the query or in a form body, whatever the documentation says.
Params merged(const http::Request& request) {
  Params params = parse_query(request.query);
  std::string_view type = request.headers.get("Content-Type");
  bool form = same_ignoring_case(trim(type.substr(0, type.find(';'))), "application/x-www-form-urlencoded");
  if (!form) return params;
  for (auto& pair : parse_query(request.body)) params.push_back(std::move(pair));
  return params;
}

// V3 names the action in (signed) headers, V1 in parameters.
std::string chosen(const http::Request& request, const Params& params, std::string_view header,
                   std::string_view parameter) {
  bool v1 = request.headers.get("Authorization").empty() && find_param(params, "Signature");
  if (!v1 && request.headers.has(header)) return std::string(request.headers.get(header));
  return find_param(params, parameter).value_or("");
}

Dialect dialect_of(std::string_view version, const Action* action) {
  if (version == sas_version) return Dialect::sas;
  bool code = !action || action->envelope == Envelope::cr || action->envelope == Envelope::cr_text;
  return code ? Dialect::cr : Dialect::cr_status;
}

std::string enveloped(Envelope envelope, const std::string& request_id, const std::string& reply) {
  std::string_view head;
  switch (envelope) {
    case Envelope::cr:
      head = R"("Code":"success","IsSuccess":true,)";
      break;
    case Envelope::cr_number:
      head = R"("Code":200,)";
      break;
    case Envelope::cr_text:
      head = R"("Code":"success",)";
      break;
    case Envelope::request_id:
      break;
  }
  std::string members = reply.substr(1, reply.size() - 2);
  return fmt::format(R"({{{}"RequestId":"{}"{}{}}})", head, request_id, members.empty() ? "" : ",", members);
}

}  // namespace

Alibaba::Alibaba(Rooms rooms, auth::Auth& auth, op::Audit& audit, const Clock& clock, Options options,
                 Log log)
    : x_rooms(rooms),
      x_auth(auth),
      x_audit(audit),
      x_clock(clock),
      x_options(std::move(options)),
      x_log(std::move(log)) {}

http::Plan Alibaba::plan(const http::Request&) {
  return http::Buffered{form_max, [this](http::Request& request) { return answer(request); }};
}

http::Response Alibaba::answer(const http::Request& request) {
  std::string request_id = random_uuid_upper();
  std::string_view host = request.headers.get("Host");
  Params params = merged(request);
  std::string version = chosen(request, params, "x-acs-version", "Version");
  const Action* action = find_action(version, chosen(request, params, "x-acs-action", "Action"));
  auto refuse = [&](const Error& error) {
    return error_response(error, request_id, host, dialect_of(version, action));
  };

  if (request.method != "GET" && request.method != "POST") return refuse(fail(Reason::method_not_allowed));
  if (!action) {
    return refuse(
        fail(Reason::unknown_action, "Specified api is not found, please check your url and method."));
  }
  auto who = authenticate(x_auth, x_clock, request, params);
  if (!who.ok()) return refuse(who.error());

  Call call{x_rooms,
            {*who, request_id, request.peer, "alibaba", x_auth, x_audit, x_clock,
             x_log.with("request", request_id)},
            x_options,
            request_id};
  auto reply = action->run(call, params);
  if (!reply.ok()) return refuse(reply.error());
  http::Response response = http::Response::json(200, enveloped(action->envelope, request_id, *reply));
  response.headers.set("x-acs-request-id", request_id);
  return response;
}

}  // namespace wharfage::alibaba
