#include "facade/alibaba/caller.h"

#include "crypto/cloud_signature.h"

namespace wharfage::alibaba {
namespace {

constexpr TimeMs window_v3_ms = 15 * minute_ms;
constexpr TimeMs window_v1_ms = 31 * minute_ms;
constexpr std::size_t nonce_length_max = 256;

// The bearer token of either signature version, or empty.
std::string bearer_token(const http::Request& request, const Params& params) {
  if (auto token = request.headers.get("x-acs-bearer-token"); !token.empty()) return std::string(token);
  bool bearer = find_param(params, "SignatureType") == "BEARERTOKEN";
  return bearer ? find_param(params, "BearerToken").value_or("") : std::string();
}

Status check_time(const crypto::SignatureClaim& claim, TimeMs now, TimeMs window) {
  auto time = crypto::signature_time(claim);
  if (!time.ok())
    return fail(Reason::invalid_parameter, "Specified time stamp or date value is not well formatted.",
                "TimeStamp.Format");
  if (*time < now - window || *time > now + window) {
    return fail(Reason::signature_expired, "Specified time stamp or date value is expired.");
  }
  return {};
}

// The same words as the vendor's, with what we signed: it is what people look for when their client is wrong.
Error mismatch(const crypto::SignatureClaim& claim) {
  std::string text = "Specified signature is not matched with our calculation.";
  if (!claim.strings_to_sign.empty())
    text += " server string to sign is:" + cut(claim.strings_to_sign[0], 4096);
  return fail(Reason::signature_mismatch, text);
}

}  // namespace

Result<auth::Principal> authenticate(auth::Auth& auth, const Clock& clock, const http::Request& request,
                                     const Params& params) {
  if (std::string token = bearer_token(request, params); !token.empty()) {
    TRY(auto owner, auth.check_token(token));
    return owner.who;
  }
  auto claim = crypto::read_alibaba_signature(
      {request.method, request.path, request.query, request.headers.fields(), request.body});
  if (!claim.ok()) {
    if (claim.error().reason == Reason::signature_mismatch) return mismatch({});
    if (claim.error().reason != Reason::unauthenticated) return claim.error();
    return fail(Reason::unauthenticated, "AccessKeyId is mandatory for this action.");
  }
  TRY(auto owner, auth.find_access_key(claim->access_key));
  TimeMs window = claim->scheme == crypto::SignatureScheme::alibaba_v3 ? window_v3_ms : window_v1_ms;
  TRY_STATUS(check_time(*claim, clock.now(), window));
  if (!crypto::check_signature(*claim, owner.secret).ok()) return mismatch(*claim);
  if (!same_secret(claim->security_token, owner.security_token)) {
    return fail(Reason::token_invalid, "Specified SecurityToken is not valid.");
  }
  bool usable = !claim->nonce.empty() && claim->nonce.size() <= nonce_length_max;
  if (!usable) return fail(Reason::missing_parameter, "SignatureNonce is mandatory.", "SignatureNonce");
  // The window's last millisecond is still in it.
  TimeMs forgotten_at = clock.now() + 2 * window + 1;
  if (!auth.remember_nonce(claim->access_key, claim->nonce, forgotten_at)) {
    return fail(Reason::nonce_replayed, "Specified signature nonce was used already.");
  }
  return owner.who;
}

}  // namespace wharfage::alibaba
