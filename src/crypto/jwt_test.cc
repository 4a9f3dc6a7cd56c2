#include "crypto/jwt.h"

#include <doctest/doctest.h>

#include "base/limits.h"
#include "base/text.h"
#include "crypto/digest.h"

using namespace wharfage;
using namespace wharfage::crypto;

namespace {

struct Signer {
  EcdsaKey key = EcdsaKey::generate().value();
  EcdsaKey stranger = EcdsaKey::generate().value();
  std::string pem = key.public_pem();
  std::string claims = R"({"sub":"admin","access":[]})";

  Result<std::string> verify(std::string_view token) const {
    return jwt_verify(token, [&](std::string_view kid) {
      return kid == "k1" ? std::optional<std::string>(pem) : std::nullopt;
    });
  }
  bool refuses(std::string_view token) const {
    auto verified = verify(token);
    return !verified.ok() && verified.error().reason == Reason::token_invalid;
  }
  // A token with a header of one's own, correctly signed.
  std::string with_header(std::string_view header) const { return with_header(header, key); }
  std::string with_header(std::string_view header, const EcdsaKey& by) const {
    std::string signed_text = base64_url(header) + "." + base64_url(claims);
    return signed_text + "." + base64_url(by.sign_raw(signed_text).value());
  }
};

}  // namespace

TEST_CASE("a token we signed gives its claims back") {
  Signer signer;
  std::string token = jwt_sign(signer.key, "k1", signer.claims).value();
  CHECK(signer.verify(token).value() == signer.claims);
  CHECK(unbase64(split(token, '.')[0]).value() == R"({"typ":"JWT","alg":"ES256","kid":"k1"})");
  CHECK(jwt_sign(signer.key, "a\"b", "{}").ok());
}

TEST_CASE("only JSON objects of bounded size become tokens") {
  Signer signer;
  for (std::string_view bad : {"", "[]", "1", "{", "{}x"}) {
    CHECK(jwt_sign(signer.key, "k1", bad).error().reason == Reason::invalid_parameter);
  }
  std::string large = "{\"x\":\"" + std::string(limits::token_bytes_max, 'x') + "\"}";
  CHECK(jwt_sign(signer.key, "k1", large).error().reason == Reason::too_large);
}

TEST_CASE("another algorithm than ES256 is refused, whatever the signature") {
  Signer signer;
  for (std::string_view alg : {"none", "None", "", "HS256", "es256", "ES384", "RS256", "EdDSA"}) {
    CAPTURE(alg);
    CHECK(
        signer.refuses(signer.with_header(R"({"typ":"JWT","kid":"k1","alg":")" + std::string(alg) + "\"}")));
  }
  CHECK(signer.refuses(signer.with_header(R"({"kid":"k1"})")));
  CHECK(signer.refuses(signer.with_header(R"({"kid":"k1","alg":1})")));
  std::string unsigned_text = base64_url(R"({"alg":"none","kid":"k1"})") + "." + base64_url(signer.claims);
  CHECK(signer.refuses(unsigned_text + "."));
  std::string hs256 = base64_url(R"({"alg":"HS256","kid":"k1"})") + "." + base64_url(signer.claims);
  CHECK(signer.refuses(hs256 + "." + base64_url(hmac_sha256(signer.pem, hs256))));
  std::string es256 = base64_url(R"({"alg":"ES256","kid":"k1"})") + "." + base64_url(signer.claims);
  CHECK(signer.refuses(es256 + "." + base64_url(hmac_sha256(signer.pem, es256))));
}

TEST_CASE("a token altered anywhere is refused") {
  Signer signer;
  const std::string token = jwt_sign(signer.key, "k1", signer.claims).value();
  for (std::size_t at = 0; at < token.size(); ++at) {
    std::string altered = token;
    altered[at] = altered[at] == 'A' ? 'B' : 'A';
    CAPTURE(altered);
    CHECK(signer.refuses(altered));
    CHECK(signer.refuses(token.substr(0, at)));
  }
  auto parts = split(token, '.');
  std::string other = base64_url(R"({"sub":"admin","access":["*"]})");
  CHECK(signer.refuses(std::string(parts[0]) + "." + other + "." + std::string(parts[2])));
  for (std::string extra : {".", "=", "A", " ", "\n", ".AAAA"}) {
    CHECK(signer.refuses(token + extra));
    CHECK(signer.refuses(extra + token));
  }
}

TEST_CASE("the key is found by kid among our own, never in the token") {
  Signer signer;
  CHECK(signer.refuses(jwt_sign(signer.key, "k2", signer.claims).value()));
  CHECK(signer.refuses(signer.with_header(R"({"alg":"ES256"})")));
  CHECK(signer.refuses(signer.with_header(R"({"alg":"ES256","kid":""})")));
  CHECK(signer.refuses(signer.with_header(R"({"alg":"ES256","kid":["k1"]})")));
  // The stranger's own key beside the signature does not help; with our signature it does not matter.
  std::string header = R"({"alg":"ES256","kid":"k1","jku":"http://x/","x5c":["AA"],)"
                       R"("jwk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}})";
  CHECK(signer.refuses(signer.with_header(header, signer.stranger)));
  CHECK(signer.verify(signer.with_header(header)).value() == signer.claims);
  CHECK(signer.refuses(jwt_sign(signer.stranger, "k1", signer.claims).value()));
}

TEST_CASE("a header that demands more than we understand is refused") {
  Signer signer;
  CHECK(signer.verify(signer.with_header(R"({"alg":"ES256","kid":"k1"})")).ok());
  CHECK(signer.refuses(signer.with_header(R"({"alg":"ES256","kid":"k1","b64":false,"crit":["b64"]})")));
  std::string deep = std::string(100, '[') + std::string(100, ']');
  CHECK(signer.refuses(signer.with_header(R"({"alg":"ES256","kid":"k1","x":)" + deep + "}")));
}

TEST_CASE("what is no token is refused, large or small") {
  Signer signer;
  for (std::string_view bad :
       {"", ".", "..", "...", "a.b.c", "e30.e30.e30", "e30..", "\xff.\xff.\xff", "Bearer x.y.z"}) {
    CAPTURE(bad);
    CHECK(signer.refuses(bad));
  }
  CHECK(signer.refuses(signer.with_header("[\"ES256\"]")));
  CHECK(signer.refuses(signer.with_header("{\"alg\":\"ES256\",\"kid\":\"k1\"")));
  // Larger than the limit, though correctly signed.
  signer.claims = "{\"x\":\"" + std::string(limits::token_bytes_max, 'x') + "\"}";
  CHECK(signer.refuses(signer.with_header(R"({"alg":"ES256","kid":"k1"})")));
}

TEST_CASE("a broken key of our own refuses the token instead of failing otherwise") {
  Signer signer;
  std::string token = jwt_sign(signer.key, "k1", signer.claims).value();
  auto verified = jwt_verify(token, [](std::string_view) { return std::optional<std::string>("not a key"); });
  CHECK(verified.error().reason == Reason::token_invalid);
}
