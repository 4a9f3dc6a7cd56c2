// Who calls: X-Auth-Token, or the request's SDK-HMAC-SHA256 signature, really verified.
#pragma once

#include "auth/auth.h"
#include "http/message.h"

namespace wharfage::huawei {

// Errors: unauthenticated, those of crypto/cloud_signature.h, access_key_unknown (detail: the key),
// access_key_inactive, signature_expired, token_invalid, token_expired.
Result<auth::Principal> authenticate(auth::Auth& auth, const Clock& clock, const http::Request& request);

}  // namespace wharfage::huawei
