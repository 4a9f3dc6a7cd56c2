#include "crypto/keys.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>

#include "base/check.h"
#include "base/text.h"
#include "crypto/digest.h"

namespace wharfage::crypto {
namespace {

template <auto destroy>
struct Destroy {
  template <class T>
  void operator()(T* object) const {
    destroy(object);
  }
};
using Bio = std::unique_ptr<BIO, Destroy<BIO_free>>;
using Pkey = std::unique_ptr<EVP_PKEY, Destroy<EVP_PKEY_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, Destroy<EVP_PKEY_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Destroy<ECDSA_SIG_free>>;

constexpr int scalar_size = 32;  // r and s of P-256

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data() ? text.data() : "");
}

// OpenSSL's error queue belongs to the thread; what we leave there would be blamed on the next TLS call.
template <class T>
T forgetting_errors(T value) {
  ERR_clear_error();
  return value;
}

Bio reader(std::string_view text) {
  Bio bio(BIO_new_mem_buf(text.data() ? text.data() : "", static_cast<int>(text.size())));
  CHECK(bio != nullptr, "out of memory");
  return bio;
}

Bio writer() {
  Bio bio(BIO_new(BIO_s_mem()));
  CHECK(bio != nullptr, "out of memory");
  return bio;
}

std::string written(const Bio& bio) {
  char* data = nullptr;
  long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

// An encrypted PEM must fail, not ask the terminal for a passphrase.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

bool is_p256(const EVP_PKEY* key) {
  std::array<char, 64> group{};
  return EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1 &&
         std::string_view(group.data()) == SN_X9_62_prime256v1;
}

// The 65-byte point of a PEM that is written the usual way: one block, a named curve, no compression. Every
// such key begins with the same 26 bytes (RFC 5480), and the rest is the point.
std::string usual_point(std::string_view pem) {
  constexpr std::string_view begin = "-----BEGIN PUBLIC KEY-----\n", end = "-----END PUBLIC KEY-----";
  static const std::string prefix = unhex("3059301306072a8648ce3d020106082a8648ce3d030107034200").value();
  pem = trim(pem);
  if (!pem.starts_with(begin) || !pem.ends_with(end)) return {};
  std::string digits(pem.substr(begin.size(), pem.size() - begin.size() - end.size()));
  std::erase(digits, '\n');
  auto der = unbase64(digits);
  if (!der.ok() || der->size() != prefix.size() + 65 || !der->starts_with(prefix)) return {};
  return der->substr(prefix.size());
}

// OpenSSL's own PEM reader takes 240 us, four times as long as the verification that follows; giving it the
// point takes a tenth. It still checks that the point is on the curve.
Pkey key_at(std::string_view point) {
  static EVP_PKEY* const curve = EVP_EC_gen(SN_X9_62_prime256v1);
  Pkey key(EVP_PKEY_new());
  bool good = curve && key && EVP_PKEY_copy_parameters(key.get(), curve) == 1 &&
              EVP_PKEY_set1_encoded_public_key(key.get(), bytes_of(point), point.size()) == 1;
  return good ? std::move(key) : Pkey();
}

Pkey read_pem(std::string_view pem) {
  Bio bio = reader(pem);
  Pkey key(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr));
  return key && is_p256(key.get()) ? std::move(key) : Pkey();
}

Result<Pkey> read_public(std::string_view pem) {
  const std::string point = usual_point(pem);
  Pkey key = forgetting_errors(point.empty() ? read_pem(pem) : key_at(point));
  if (!key) return fail(Reason::invalid_parameter, "the public key is not a PEM-encoded P-256 key");
  return key;
}

Result<std::string> der_of(Signature signature) {
  unsigned char* der = nullptr;
  int size = i2d_ECDSA_SIG(signature.get(), &der);
  CHECK(size > 0, "out of memory");
  std::string text(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return text;
}

Result<bool> verify(EVP_PKEY* key, std::string_view message, std::string_view der) {
  const std::string hash = sha256(message);
  PkeyContext context(EVP_PKEY_CTX_new(key, nullptr));
  CHECK(context && EVP_PKEY_verify_init(context.get()) == 1, "OpenSSL lacks ECDSA");
  int outcome = EVP_PKEY_verify(context.get(), bytes_of(der), der.size(), bytes_of(hash), hash.size());
  return forgetting_errors(outcome == 1);
}

}  // namespace

struct EcdsaKey::State {
  Pkey key;
};

Result<EcdsaKey> EcdsaKey::generate() {
  Pkey key(EVP_EC_gen(SN_X9_62_prime256v1));
  if (!forgetting_errors(key != nullptr)) return fail(Reason::internal, "a signing key cannot be generated");
  return EcdsaKey(std::make_shared<State>(State{std::move(key)}));
}

Result<EcdsaKey> EcdsaKey::from_pem(std::string_view private_pem) {
  Bio bio = reader(private_pem);
  Pkey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  bool good = key && is_p256(key.get());
  if (good) {
    PkeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
    good = context && EVP_PKEY_check(context.get()) == 1;  // the two halves belong together
  }
  if (!forgetting_errors(good)) {
    return fail(Reason::invalid_parameter, "the private key is not an unencrypted, PEM-encoded P-256 key");
  }
  return EcdsaKey(std::make_shared<State>(State{std::move(key)}));
}

std::string EcdsaKey::private_pem() const {
  Bio bio = writer();
  int done =
      PEM_write_bio_PKCS8PrivateKey(bio.get(), x_state->key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  CHECK(done == 1, "out of memory");
  return written(bio);
}

std::string EcdsaKey::public_pem() const {
  Bio bio = writer();
  CHECK(PEM_write_bio_PUBKEY(bio.get(), x_state->key.get()) == 1, "out of memory");
  return written(bio);
}

Result<std::string> EcdsaKey::sign(std::string_view message) const {
  const std::string hash = sha256(message);
  std::array<unsigned char, 80> der;  // at most 72 for P-256
  std::size_t size = der.size();
  PkeyContext context(EVP_PKEY_CTX_new(x_state->key.get(), nullptr));
  bool done = context && EVP_PKEY_sign_init(context.get()) == 1 &&
              EVP_PKEY_sign(context.get(), der.data(), &size, bytes_of(hash), hash.size()) == 1;
  if (!forgetting_errors(done)) return fail(Reason::internal, "signing failed");
  return std::string(reinterpret_cast<char*>(der.data()), size);
}

Result<std::string> EcdsaKey::sign_raw(std::string_view message) const {
  TRY(std::string der, sign(message));
  const unsigned char* at = bytes_of(der);
  Signature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  std::array<unsigned char, 2 * scalar_size> raw;
  bool done =
      signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw.data(), scalar_size) == scalar_size &&
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw.data() + scalar_size, scalar_size) == scalar_size;
  if (!forgetting_errors(done)) return fail(Reason::internal, "signing failed");
  return std::string(reinterpret_cast<char*>(raw.data()), raw.size());
}

Result<bool> ecdsa_verify(std::string_view public_pem, std::string_view message, std::string_view der) {
  TRY(Pkey key, read_public(public_pem));
  return verify(key.get(), message, der);
}

Result<bool> ecdsa_verify_raw(std::string_view public_pem, std::string_view message, std::string_view raw) {
  TRY(Pkey key, read_public(public_pem));
  if (raw.size() != 2 * scalar_size) return false;
  Signature signature(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(bytes_of(raw), scalar_size, nullptr);
  BIGNUM* s = BN_bin2bn(bytes_of(raw) + scalar_size, scalar_size, nullptr);
  CHECK(signature && r && s && ECDSA_SIG_set0(signature.get(), r, s) == 1, "out of memory");
  TRY(std::string der, der_of(std::move(signature)));
  return verify(key.get(), message, der);
}

}  // namespace wharfage::crypto
