#include "facade/huawei/caller.h"

#include "base/text.h"
#include "crypto/cloud_signature.h"

namespace wharfage::huawei {
namespace {

constexpr TimeMs window_ms = 15 * minute_ms;

}  // namespace

Result<auth::Principal> authenticate(auth::Auth& auth, const Clock& clock, const http::Request& request) {
  if (auto token = request.headers.get("X-Auth-Token"); !token.empty()) {
    TRY(auto owner, auth.check_token(token));
    return owner.who;
  }
  auto claim = crypto::read_huawei_signature(
      {request.method, request.path, request.query, request.headers.fields(), request.body});
  if (!claim.ok()) {
    if (claim.error().reason != Reason::unauthenticated) return claim.error();
    return fail(Reason::unauthenticated, "x-auth-token not found");
  }
  auto owner = auth.find_access_key(claim->access_key);
  if (!owner.ok()) return fail(owner.error().reason, owner.error().message, cut(claim->access_key, 64));
  TRY_STATUS(crypto::check_signature(*claim, owner->secret));
  TRY(TimeMs time, crypto::signature_time(*claim));
  if (time < clock.now() - window_ms || time > clock.now() + window_ms) {
    return fail(
        Reason::signature_expired,
        "the signature has expired: X-Sdk-Date is not within 15 minutes of " + basic_iso8601(clock.now()));
  }
  // Some clients sign the token of a temporary key, others only send it.
  if (!same_secret(request.headers.get("X-Security-Token"), owner->security_token)) {
    return fail(Reason::token_invalid);
  }
  std::string_view type = request.headers.get("Content-Type");
  bool json = type.find("json") != type.npos;
  if (!claim->body_signed && json) return fail(Reason::signature_malformed, "a JSON body must be signed");
  return owner->who;
}

}  // namespace wharfage::huawei
