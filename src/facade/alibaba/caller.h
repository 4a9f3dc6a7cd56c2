// Who calls: the request's signature (V3 or V1) or bearer token, really verified.
#pragma once

#include "auth/auth.h"
#include "base/result.h"
#include "base/text.h"
#include "http/message.h"

namespace wharfage::alibaba {

// `params` are query and form together. Errors: those of crypto/cloud_signature.h, access_key_unknown,
// access_key_inactive, signature_expired, nonce_replayed, token_invalid, token_expired.
Result<auth::Principal> authenticate(auth::Auth& auth, const Clock& clock, const http::Request& request,
                                     const Params& params);

}  // namespace wharfage::alibaba
