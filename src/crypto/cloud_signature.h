// Request signatures of the two clouds, as pure functions over what was received. Reading and checking are
// two steps, because the secret is found by the access key that the request names:
//   TRY(auto claim, crypto::read_huawei_signature(request));   // what is claimed, nothing is proved yet
//   ... find the secret of claim.access_key, judge crypto::signature_time(claim) and claim.nonce ...
//   TRY_STATUS(crypto::check_signature(claim, secret));
// Paths, queries and headers go in as they came over the wire (no normalisation); the canonical forms are
// made here. Thread-safe: no state. Errors: unauthenticated (nothing is signed), signature_malformed (detail
// names the culprit), signature_unsupported, signature_mismatch, too_large.
//
// Wire formats: Alibaba "Request syntax and signature method V3" (ACS3-HMAC-SHA256) and the RPC signature of
// before (HMAC-SHA1, SignatureVersion 1.0); Huawei "AK/SK signing" (SDK-HMAC-SHA256). Where pages and clients
// disagree, the official SDKs decide: tests/captures holds their requests.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace wharfage::crypto {

// A request as it was received. It refers to its parts and must not outlive them.
struct SignedRequest {
  std::string_view method;
  std::string_view path;   // raw, still percent-encoded
  std::string_view query;  // raw, without '?'
  const std::vector<std::pair<std::string, std::string>>&
      headers;            // in wire order, Host as the client sent it
  std::string_view body;  // decoded from chunks
};

enum class SignatureScheme { alibaba_v3, alibaba_v1, huawei };

// What a request says about itself.
struct SignatureClaim {
  SignatureScheme scheme;
  std::string access_key;
  std::string date;                          // as written; see signature_time
  std::string nonce;                         // empty for Huawei, which has none
  std::string security_token;                // empty for permanent keys
  std::vector<std::string> signed_headers;   // lower case, as listed; empty for alibaba_v1
  bool body_signed = true;                   // false for Huawei's UNSIGNED-PAYLOAD
  std::string signature;                     // as written: hex, or base64 for alibaba_v1
  std::vector<std::string> strings_to_sign;  // any may be the one that was signed; likeliest first
};

// V3 where there is an Authorization header, else V1. With V1 no header is signed: take Action and Version
// from the parameters then, and read a body as nothing but a form. Parameters named twice are refused, since
// the signature would not tell which of the two comes first.
Result<SignatureClaim> read_alibaba_signature(const SignedRequest& request);

Result<SignatureClaim> read_huawei_signature(const SignedRequest& request);

// Whether `secret` made the claimed signature. Compares in constant time. Error: signature_mismatch.
Status check_signature(const SignatureClaim& claim, std::string_view secret);

// The claimed date. Whether it is recent enough is the caller's to say. Error: signature_malformed.
Result<TimeMs> signature_time(const SignatureClaim& claim);

}  // namespace wharfage::crypto
