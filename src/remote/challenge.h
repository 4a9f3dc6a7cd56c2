// WWW-Authenticate of a registry (RFC 9110 11.6.1; distribution "Token Authentication").
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wharfage::remote {

struct Challenge {
  bool bearer = false;  // else Basic
  std::string realm, service, scope, error;
};

// Nullopt for a scheme we do not speak.
std::optional<Challenge> parse_challenge(std::string_view header);

// Whether credentials for `registry_url` may be sent to `realm`: the same host, or over https a host of the
// same domain (registry-1.example.io and auth.example.io). An attacker's challenge must not collect
// passwords.
bool trusted_realm(std::string_view registry_url, std::string_view realm);

}  // namespace wharfage::remote
