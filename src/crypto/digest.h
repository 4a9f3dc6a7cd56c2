// Digests as OCI names content (image-spec descriptor.md, "Digests"): sha256 and sha512.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace wharfage {

enum class DigestAlgorithm { sha256, sha512 };

// A valid digest. Cheap to copy; compares and hashes by value.
class Digest {
 public:
  // "sha256:<64 hex>" or "sha512:<128 hex>", lower case. Error: digest_invalid.
  static Result<Digest> parse(std::string_view text);
  static Digest of(std::string_view bytes, DigestAlgorithm algorithm = DigestAlgorithm::sha256);

  DigestAlgorithm algorithm() const { return x_algorithm; }
  std::string_view hex() const { return std::string_view(x_text).substr(7); }
  const std::string& text() const { return x_text; }
  friend bool operator==(const Digest& a, const Digest& b) { return a.x_text == b.x_text; }
  friend auto operator<=>(const Digest& a, const Digest& b) { return a.x_text <=> b.x_text; }

 private:
  friend class Hasher;
  Digest(DigestAlgorithm algorithm, std::string text) : x_algorithm(algorithm), x_text(std::move(text)) {}
  DigestAlgorithm x_algorithm;
  std::string x_text;
};

// Digests a stream. Movable, not thread-safe.
class Hasher {
 public:
  explicit Hasher(DigestAlgorithm algorithm = DigestAlgorithm::sha256);
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  void update(std::string_view bytes);
  Digest finish() const;  // of what was seen so far; more may follow
  DigestAlgorithm algorithm() const { return x_algorithm; }

 private:
  struct State;
  std::unique_ptr<State> x_state;
  DigestAlgorithm x_algorithm;
};

namespace crypto {
std::string sha256(std::string_view bytes);                               // 32 raw bytes
std::string hmac_sha256(std::string_view key, std::string_view message);  // 32 raw bytes
std::string hmac_sha1(std::string_view key, std::string_view message);    // 20 raw bytes
}  // namespace crypto

}  // namespace wharfage
