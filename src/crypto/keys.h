// ECDSA P-256 keys, sealed secrets and password hashes. The only room that knows OpenSSL and Argon2.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace wharfage::crypto {

// A P-256 private key in memory. Copies share it. Thread-safe.
class EcdsaKey {
 public:
  static Result<EcdsaKey> generate();
  static Result<EcdsaKey> from_pem(std::string_view private_pem);  // PKCS#8; invalid_parameter
  std::string private_pem() const;  // PKCS#8, unencrypted: seal it before it is stored
  std::string public_pem() const;   // SubjectPublicKeyInfo
  Result<std::string> sign(std::string_view message) const;      // DER, over SHA-256 of the message
  Result<std::string> sign_raw(std::string_view message) const;  // r||s, 64 bytes: JOSE (RFC 7518 3.4)

 private:
  struct State;
  explicit EcdsaKey(std::shared_ptr<State> state) : x_state(std::move(state)) {}
  std::shared_ptr<State> x_state;
};

// Signature in DER over SHA-256 of the message. False for a wrong signature; invalid_parameter for a bad key.
Result<bool> ecdsa_verify(std::string_view public_pem, std::string_view message, std::string_view der);
Result<bool> ecdsa_verify_raw(std::string_view public_pem, std::string_view message, std::string_view raw);

// Secrets at rest: AES-256-GCM under the installation's master key, bound to a purpose
// ("connection:17:password") so that a sealed value cannot be moved to another row.
class Vault {
 public:
  // Reads the 32-byte master key (hex) from `file`, or creates it with mode 0600. Error: storage_failed.
  static Result<Vault> open(const std::string& file);
  static Vault ephemeral();                                                   // for tests
  std::string seal(std::string_view secret, std::string_view purpose) const;  // text, "v1.…"
  Result<std::string> unseal(std::string_view sealed, std::string_view purpose) const;

 private:
  explicit Vault(std::string key) : x_key(std::move(key)) {}
  std::string x_key;
};

// Argon2id in its PHC string form. Slow on purpose (some 20 ms): never on the event loop.
// Error: throttled (too many at once, or no memory: nothing is known of the password).
Result<std::string> hash_password(std::string_view password);
// False also when `phc` is no such hash.
Result<bool> verify_password(std::string_view password, std::string_view phc);
std::string hash_of_no_password();  // matches nothing and is as dear to verify as a real one

}  // namespace wharfage::crypto
