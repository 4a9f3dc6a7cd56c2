#include "crypto/digest.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/text.h"

namespace wharfage {
namespace {

// Fetched once: an implicit fetch costs more than hashing a small text (and takes a lock).
const EVP_MD* fetched(const char* name) {
  const EVP_MD* md = EVP_MD_fetch(nullptr, name, nullptr);
  CHECK(md != nullptr, "OpenSSL lacks a digest we need");
  return md;
}

const EVP_MD* message_digest(DigestAlgorithm algorithm) {
  static const EVP_MD* const sha256 = fetched("SHA2-256");
  static const EVP_MD* const sha512 = fetched("SHA2-512");
  return algorithm == DigestAlgorithm::sha256 ? sha256 : sha512;
}

std::string_view prefix(DigestAlgorithm algorithm) {
  return algorithm == DigestAlgorithm::sha256 ? "sha256:" : "sha512:";
}

std::size_t hex_size(DigestAlgorithm algorithm) {
  return algorithm == DigestAlgorithm::sha256 ? 64 : 128;
}

bool lower_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

std::string one_shot(const EVP_MD* md, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  unsigned size = 0;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, md, nullptr) == 1, "hashing failed");
  return {reinterpret_cast<const char*>(out.data()), size};
}

// A MAC context that already knows its digest; duplicating it saves the two fetches of a fresh one.
EVP_MAC_CTX* mac_template(const char* digest) {
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EVP_MAC_CTX* context = EVP_MAC_CTX_new(mac);
  EVP_MAC_free(mac);
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(digest), 0),
      OSSL_PARAM_construct_end()};
  CHECK(context && EVP_MAC_CTX_set_params(context, params) == 1, "OpenSSL lacks HMAC");
  return context;
}

std::string hmac(const EVP_MAC_CTX* ready, std::string_view key, std::string_view message) {
  std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context(EVP_MAC_CTX_dup(ready), EVP_MAC_CTX_free);
  CHECK(context != nullptr, "out of memory");
  // A null key would mean "the one set before", so an empty one still needs an address.
  auto bytes = [](std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data() ? text.data() : "");
  };
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  std::size_t size = 0;
  bool done = EVP_MAC_init(context.get(), bytes(key), key.size(), nullptr) == 1 &&
              EVP_MAC_update(context.get(), bytes(message), message.size()) == 1 &&
              EVP_MAC_final(context.get(), out.data(), &size, out.size()) == 1;
  CHECK(done, "HMAC failed");
  return {reinterpret_cast<const char*>(out.data()), size};
}

}  // namespace

Result<Digest> Digest::parse(std::string_view text) {
  for (auto algorithm : {DigestAlgorithm::sha256, DigestAlgorithm::sha512}) {
    if (!text.starts_with(prefix(algorithm))) continue;
    std::string_view digits = text.substr(prefix(algorithm).size());
    if (digits.size() != hex_size(algorithm) || !std::all_of(digits.begin(), digits.end(), lower_hex)) break;
    return Digest(algorithm, std::string(text));
  }
  return fail(Reason::digest_invalid);
}

Digest Digest::of(std::string_view bytes, DigestAlgorithm algorithm) {
  return Digest(algorithm,
                std::string(prefix(algorithm)) + wharfage::hex(one_shot(message_digest(algorithm), bytes)));
}

struct Hasher::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

Hasher::Hasher(DigestAlgorithm algorithm) : x_state(std::make_unique<State>()), x_algorithm(algorithm) {
  bool ready =
      x_state->context && EVP_DigestInit_ex2(x_state->context, message_digest(algorithm), nullptr) == 1;
  CHECK(ready, "out of memory");
}

Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(x_state->context, bytes.data(), bytes.size()) == 1, "hashing failed");
}

Digest Hasher::finish() const {
  State copy;
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  unsigned size = 0;
  bool done = copy.context && EVP_MD_CTX_copy_ex(copy.context, x_state->context) == 1 &&
              EVP_DigestFinal_ex(copy.context, out.data(), &size) == 1;
  CHECK(done, "hashing failed");
  return Digest(x_algorithm, std::string(prefix(x_algorithm)) +
                                 hex(std::string_view(reinterpret_cast<const char*>(out.data()), size)));
}

namespace crypto {

std::string sha256(std::string_view bytes) {
  return one_shot(message_digest(DigestAlgorithm::sha256), bytes);
}

std::string hmac_sha256(std::string_view key, std::string_view message) {
  static const EVP_MAC_CTX* const ready = mac_template("SHA2-256");
  return hmac(ready, key, message);
}

std::string hmac_sha1(std::string_view key, std::string_view message) {
  static const EVP_MAC_CTX* const ready = mac_template("SHA1");
  return hmac(ready, key, message);
}

}  // namespace crypto
}  // namespace wharfage
