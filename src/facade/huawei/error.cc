#include "facade/huawei/error.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/retry.h"

namespace wharfage::huawei {
namespace {

int status_of(Reason reason) {
  switch (reason) {
    case Reason::too_large:
      return 413;
    case Reason::method_not_allowed:
      return 405;
    case Reason::namespace_not_empty:
    case Reason::repository_not_empty:
      return 406;
    default:
      break;
  }
  switch (reason_kind(reason)) {
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

std::string_view swr_code(Reason reason, int status) {
  switch (reason) {
    case Reason::namespace_unknown:
      return "SVCSTG.SWR.4040058";
    case Reason::namespace_exists:
      return "SVCSTG.SWR.4090060";
    case Reason::namespace_not_empty:
      return "SVCSTG.SWR.4060074";
    case Reason::repository_unknown:
    case Reason::manifest_unknown:
      return "SVCSTG.SWR.4040010";
    case Reason::repository_exists:
      return "SVCSTG.SWR.4090006";
    case Reason::repository_not_empty:
      return "SVCSTG.SWR.4060012";
    case Reason::tag_unknown:
      return "SVCSTG.SWR.4040048";
    case Reason::unknown_action:
      return "SVCSTG.SWR.4040083";
    case Reason::denied:
      return "SVCSTG.SWR.4039002";
    default:
      break;
  }
  switch (status) {
    case 400:
      return "SVCSTG.SWR.4000014";
    case 403:
      return "SVCSTG.SWR.4039002";
    case 404:
      return "SWR.404001";
    case 409:
      return "SWR.409001";
    case 429:
      return "APIGW.0308";
    default:
      return status >= 500 ? "SWR.500001" : "SWR.400001";
  }
}

std::string_view hss_code(int status) {
  switch (status) {
    case 400:
      return "HSS.0001";
    case 403:
      return "HSS.0003";
    case 404:
      return "HSS.0004";
    case 409:
      return "HSS.0005";
    case 429:
      return "APIGW.0308";
    default:
      return status >= 500 ? "HSS.0041" : "HSS.0001";
  }
}

std::string_view title(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 409:
      return "Conflict";
    case 413:
      return "Request Entity Too Large";
    case 429:
      return "Too Many Requests";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

// What the gateway says of a credential.
std::string gateway_words(const Error& error) {
  switch (error.reason) {
    case Reason::signature_mismatch:
      return "verify aksk signature fail";
    case Reason::access_key_unknown:
      return fmt::format("Get secretKey failed,ak:{},err:ak not exist", error.detail);
    case Reason::access_key_inactive:
      return "the access key is disabled";
    case Reason::token_invalid:
      return "decrypt token fail";
    default:
      return error.message;
  }
}

}  // namespace

WireError wire_error(Service service, Reason reason) {
  int status = status_of(reason);
  if (service == Service::iam) return {status, title(status)};
  if (status == 401) return {status, "APIGW.0301"};
  return {status, service == Service::hss ? hss_code(status) : swr_code(reason, status)};
}

http::Response error_response(Service service, const Error& error, const std::string& request_id) {
  WireError wire = wire_error(service, error.reason);
  std::string message = json_string(error.message);
  if (service == Service::iam) {
    return http::Response::json(
        wire.status, fmt::format(R"({{"error":{{"code":{},"message":{},"title":"{}"}}}})", wire.status,
                                 message, wire.code));
  }
  if (wire.status == 401) {
    message = json_string("Incorrect IAM authentication information: " + gateway_words(error));
  }
  std::string body = fmt::format(R"({{"error_code":"{}","error_msg":{})", wire.code, message);
  if (service == Service::hss) body += ",\"error_description\":" + message;
  http::Response response =
      http::Response::json(wire.status, body + fmt::format(R"(,"request_id":{}}})", json_string(request_id)));
  if (wire.status == 429) response.headers.set("Retry-After", std::to_string(retry_after_s(error)));
  return response;
}

}  // namespace wharfage::huawei
