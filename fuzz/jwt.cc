// Tokens of strangers, which must never hold, and our own around hostile claims, which must. A first line
// "kid" asks for the second.
#include <optional>
#include <string>

#include "crypto/jwt.h"
#include "input.h"

using namespace wharfage;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const crypto::EcdsaKey key = *crypto::EcdsaKey::generate();
  static const std::string pem = key.public_pem();
  auto find = [](std::string_view) { return std::optional<std::string>(pem); };
  std::string_view text = fuzz::text_of(data, size);
  fuzz::demand(!crypto::jwt_verify(text, find).ok());
  std::string_view kid = fuzz::take_line(text);
  auto token = crypto::jwt_sign(key, kid, text);
  if (!token.ok()) return 0;
  auto claims = crypto::jwt_verify(*token, find);
  fuzz::demand(!claims.ok() || *claims == text);
  token->back() = token->back() == 'A' ? 'Q' : 'A';
  fuzz::demand(!crypto::jwt_verify(*token, find).ok());
  return 0;
}
