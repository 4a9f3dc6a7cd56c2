#include "facade/oci/error.h"

#include "base/log.h"
#include "base/retry.h"

namespace wharfage::oci {
namespace {

// Reasons without an OCI code of their own answer by what the caller can do about them.
WireError by_kind(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid:
      return {400, "UNSUPPORTED"};
    case ErrorKind::unauthenticated:
      return {401, "UNAUTHORIZED"};
    case ErrorKind::denied:
      return {403, "DENIED"};
    case ErrorKind::not_found:
      return {404, "NAME_UNKNOWN"};
    case ErrorKind::conflict:
      return {409, "DENIED"};
    case ErrorKind::exhausted:
      return {429, "TOOMANYREQUESTS"};
    case ErrorKind::unavailable:
      return {503, "UNKNOWN"};
    case ErrorKind::internal:
      return {500, "UNKNOWN"};
  }
  return {500, "UNKNOWN"};
}

}  // namespace

WireError wire_error(Reason reason) {
  switch (reason) {
    case Reason::method_not_allowed:
      return {405, "UNSUPPORTED"};
    case Reason::too_large:
      return {413, "SIZE_INVALID"};
    case Reason::name_invalid:
      return {400, "NAME_INVALID"};
    case Reason::digest_invalid:
      return {400, "DIGEST_INVALID"};
    case Reason::malformed_body:
    case Reason::manifest_invalid:
      return {400, "MANIFEST_INVALID"};
    case Reason::manifest_blob_unknown:
      return {404, "MANIFEST_BLOB_UNKNOWN"};
    case Reason::tag_invalid:
      return {400, "MANIFEST_INVALID"};
    case Reason::tag_unknown:
    case Reason::manifest_unknown:
      return {404, "MANIFEST_UNKNOWN"};
    case Reason::blob_unknown:
      return {404, "BLOB_UNKNOWN"};
    case Reason::upload_unknown:
      return {404, "BLOB_UPLOAD_UNKNOWN"};
    case Reason::upload_invalid:
      return {400, "BLOB_UPLOAD_INVALID"};
    case Reason::range_invalid:
      return {416, "BLOB_UPLOAD_INVALID"};
    case Reason::size_invalid:
      return {400, "SIZE_INVALID"};
    case Reason::tag_immutable:
      return {409, "DENIED"};
    case Reason::quota_exceeded:
      return {403, "DENIED"};
    case Reason::disk_full:
      return {507, "UNKNOWN"};
    default:
      return by_kind(reason_kind(reason));
  }
}

http::Response error_response(const Error& error) {
  WireError wire = wire_error(error.reason);
  std::string body =
      "{\"errors\":[{\"code\":" + json_string(wire.code) + ",\"message\":" + json_string(error.message);
  // The detail of an internal error is for our log, not for the caller.
  bool telling = !error.detail.empty() && error.kind() != ErrorKind::internal;
  if (telling) body += ",\"detail\":" + json_string(error.detail);
  http::Response response = http::Response::json(wire.status, body + "}]}");
  if (wire.status == 429 || wire.status == 503)
    response.headers.set("Retry-After", std::to_string(retry_after_s(error)));
  return response;
}

}  // namespace wharfage::oci
