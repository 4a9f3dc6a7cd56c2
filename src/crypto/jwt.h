// JSON Web Tokens signed with ES256 only (RFC 7515, 7518). The header's own key material (jwk, x5c, jku) is
// never looked at: the key is found by kid among our own.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/keys.h"

namespace wharfage::crypto {

// `claims` is a JSON object's text.
Result<std::string> jwt_sign(const EcdsaKey& key, std::string_view kid, std::string_view claims);

// The claims' JSON text when the signature holds. Does not look at exp, aud or iss: that is the caller's.
// Errors: token_invalid.
Result<std::string> jwt_verify(
    std::string_view token,
    const std::function<std::optional<std::string>(std::string_view kid)>& public_pem);

}  // namespace wharfage::crypto
