#include "facade/oci/exchange.h"

namespace wharfage::oci {
namespace {

Error wrong_method(const http::Request& request) {
  return fail(Reason::method_not_allowed, request.method + " is not supported here");
}

}  // namespace

http::Response Exchange::answer() {
  if (Status known = authenticate(); !known.ok()) return refuse(known.error());
  const std::string& method = x_request.method;
  bool reading = method == "GET" || method == "HEAD";
  using Kind = Route::Kind;
  switch (x_route.kind) {
    case Kind::ping:
      if (reading) return ping();
      break;
    case Kind::catalog:
      if (reading) return catalog();
      break;
    case Kind::tags:
      if (reading) return list_tags();
      break;
    case Kind::referrers:
      if (reading) return list_referrers();
      break;
    case Kind::manifest:
      if (reading) return get_manifest();
      if (method == "PUT") return put_manifest();
      if (method == "DELETE") return delete_manifest();
      break;
    case Kind::blob:
      if (reading) return get_blob();
      if (method == "DELETE") return delete_blob();
      break;
    case Kind::upload:
      if (reading) return upload_status();
      if (method == "DELETE") return cancel_upload();
      break;
    case Kind::uploads:
      break;
  }
  return refuse(wrong_method(x_request));
}

Opened Exchange::open_body() {
  if (Status known = authenticate(); !known.ok()) return refuse(known.error());
  const std::string& method = x_request.method;
  if (x_route.kind == Route::Kind::uploads && method == "POST") return begin_upload();
  if (x_route.kind == Route::Kind::upload && method != "POST") return continue_upload(method == "PUT");
  return refuse(wrong_method(x_request));
}

http::Response Exchange::ping() {
  bool presented = !x_request.headers.get("Authorization").empty();
  if (!presented) return refuse(fail(Reason::unauthenticated));
  http::Response response = http::Response::json(200, "{}");
  response.headers.set("Docker-Distribution-Api-Version", "registry/2.0");
  return response;
}

}  // namespace wharfage::oci
