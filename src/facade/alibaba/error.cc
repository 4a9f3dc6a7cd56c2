#include "facade/alibaba/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/log.h"
#include "base/text.h"

namespace wharfage::alibaba {
namespace {

// "Name" of "Name.1" or "Name.Member", as it stands in Missing… codes. Other rooms may have named something
// that is no parameter of ours.
std::string coded(std::string_view head, const Error& error) {
  std::string name = error.detail.substr(0, error.detail.find('.'));
  bool parameter =
      !name.empty() && name[0] >= 'A' && name[0] <= 'Z' &&
      std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) != 0; });
  return std::string(head) + (parameter ? name : "Parameter");
}

// namespace_unknown: NAMESPACE_NOT_EXIST. namespace_exists: NAMESPACE_ALREADY_EXIST.
std::string coded(Reason reason) {
  std::string name = upper(reason_name(reason));
  for (auto [ours, theirs] : {std::pair("_UNKNOWN", "_NOT_EXIST"), std::pair("_EXISTS", "_ALREADY_EXIST")}) {
    std::string_view end(ours);
    if (name.size() > end.size() && name.ends_with(end))
      return name.substr(0, name.size() - end.size()) + theirs;
  }
  return name;
}

WireError by_kind(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::invalid:
      return {400, "InvalidParameter", false};
    case ErrorKind::unauthenticated:
      return {400, "InvalidCredentials", false};
    case ErrorKind::denied:
      return {403, "NoPrivilege", false};
    case ErrorKind::not_found:
      return {404, coded(error.reason), true};
    case ErrorKind::conflict:
      return {400, coded(error.reason), true};
    case ErrorKind::exhausted:
      return {400, "Throttling", false};
    case ErrorKind::unavailable:
      return {503, "ServiceUnavailable", false};
    case ErrorKind::internal:
      return {500, "SystemError", false};
  }
  return {500, "SystemError", false};
}

}  // namespace

WireError wire_error(const Error& error) {
  switch (error.reason) {
    case Reason::missing_parameter:
      return {400, coded("Missing", error), false};
    case Reason::invalid_parameter:
      return {400, coded("Invalid", error), false};
    case Reason::unknown_action:
      return {404, "InvalidAction.NotFound", false};
    case Reason::method_not_allowed:
      return {400, "UnsupportedHTTPMethod", false};
    case Reason::malformed_body:
      return {400, "InvalidParameter.Format", false};
    case Reason::unauthenticated:
      return {400, "MissingAccessKeyId", false};
    case Reason::access_key_unknown:
      return {404, "InvalidAccessKeyId.NotFound", false};
    case Reason::access_key_inactive:
      return {400, "InvalidAccessKeyId.Inactive", false};
    case Reason::signature_mismatch:
      return {400, "SignatureDoesNotMatch", false};
    case Reason::signature_malformed:
      return {400, "IncompleteSignature", false};
    case Reason::signature_unsupported:
      return {400, "InvalidSignatureMethod", false};
    case Reason::signature_expired:
      return {400, "InvalidTimeStamp.Expired", false};
    case Reason::nonce_replayed:
      return {400, "SignatureNonceUsed", false};
    case Reason::token_invalid:
    case Reason::token_expired:
      return {400, "InvalidSecurityToken.Expired", false};
    case Reason::unsupported:
      return {400, "UnsupportedOperation", false};
    case Reason::quota_exceeded:
      return {400, "QUOTA_EXCEEDED", true};
    case Reason::disk_full:
      return {503, "ServiceUnavailable", false};
    case Reason::throttled:
      return {400, "Throttling.User", false};
    case Reason::instance_unknown:
      return {404, "INSTANCE_NOT_EXIST", true};
    case Reason::namespace_unknown:
      return {404, "NAMESPACE_NOT_EXIST", true};
    case Reason::namespace_exists:
      return {400, "NAMESPACE_ALREADY_EXIST", true};
    case Reason::namespace_not_empty:
      return {400, "NAMESPACE_NOT_EMPTY", true};
    case Reason::repository_unknown:
      return {404, "REPO_NOT_EXIST", true};
    case Reason::repository_exists:
      return {400, "REPO_ALREADY_EXIST", true};
    case Reason::tag_unknown:
    case Reason::manifest_unknown:
      return {404, "REPO_TAG_NOT_EXIST", true};
    case Reason::tag_immutable:
      return {400, "REPO_TAG_IMMUTABLE", true};
    case Reason::source_unknown:
      return {404, "SOURCE_CODE_REPO_NOT_EXIST", true};
    case Reason::source_exists:
      return {400, "SOURCE_CODE_REPO_ALREADY_EXIST", true};
    case Reason::build_rule_unknown:
      return {404, "BUILD_RULE_NOT_EXIST", true};
    case Reason::build_record_unknown:
      return {404, "BUILD_RECORD_NOT_EXIST", true};
    case Reason::scan_task_unknown:
      return {404, "SCAN_TASK_NOT_EXIST", true};
    case Reason::scan_rule_unknown:
      return {404, "SCAN_RULE_NOT_EXIST", true};
    case Reason::scan_rule_exists:
      return {400, "SCAN_RULE_ALREADY_EXIST", true};
    case Reason::scan_impossible:
      return {400, "SCAN_NOT_POSSIBLE", true};
    case Reason::sync_rule_unknown:
      return {404, "SYNC_RULE_NOT_EXIST", true};
    case Reason::sync_rule_exists:
      return {400, "SYNC_RULE_ALREADY_EXIST", true};
    case Reason::task_unknown:
      return {404, "SYNC_TASK_NOT_EXIST", true};
    default:
      return by_kind(error);
  }
}

http::Response error_response(const Error& error, const std::string& request_id, std::string_view host,
                              Dialect dialect) {
  WireError wire = wire_error(error);
  bool no_permission = dialect == Dialect::sas && error.reason == Reason::denied;
  std::string code = no_permission ? "NoPermission" : wire.code;
  std::string body = fmt::format(R"({{"RequestId":"{}","HostId":{},"Code":{},"Message":{},"Recommend":"")",
                                 request_id, json_string(host), json_string(code),
                                 json_string(error.message.empty() ? code : error.message));
  bool business = wire.business && dialect == Dialect::cr;
  if (business) body += R"(,"IsSuccess":false)";
  http::Response response = http::Response::json(business ? 200 : wire.status, body + "}");
  response.headers.set("x-acs-request-id", request_id);
  if (code.rfind("Throttling", 0) == 0) response.headers.set("x-acs-retry-after", "1000");
  return response;
}

}  // namespace wharfage::alibaba
