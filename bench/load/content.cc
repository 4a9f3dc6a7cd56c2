#include "load/content.h"

#include <openssl/evp.h>

#include <algorithm>
#include <random>

namespace bench {
namespace {

constexpr std::size_t head_bytes = 4096, block_bytes = 1 << 20;

std::string noise(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

const std::string& block_of(Content::Kind kind) {
  static const std::string random = noise(block_bytes, 1), zeros(block_bytes, '\0');
  return kind == Content::Kind::noise ? random : zeros;
}

}  // namespace

Content::Content(std::string head, const std::string* block, std::int64_t size)
    : x_head(std::move(head)), x_block(block), x_size(size), x_digest(digest_of()) {}

Content::Content(Kind kind, std::int64_t size, std::uint64_t seed)
    : Content(noise(std::min<std::size_t>(head_bytes, static_cast<std::size_t>(size)), seed + 1000),
              &block_of(kind), size) {}

Content Content::of(std::string text) {
  auto size = static_cast<std::int64_t>(text.size());
  return {std::move(text), &block_of(Kind::sparse), size};
}

std::vector<iovec> Content::pieces(std::int64_t offset, std::size_t pieces_max) const {
  std::vector<iovec> found;
  auto head = static_cast<std::int64_t>(x_head.size()), block = static_cast<std::int64_t>(x_block->size());
  while (offset < x_size && found.size() < pieces_max) {
    bool in_head = offset < head;
    const std::string& from = in_head ? x_head : *x_block;
    std::int64_t start = in_head ? offset : (offset - head) % block;
    std::int64_t length = std::min(static_cast<std::int64_t>(from.size()) - start, x_size - offset);
    found.push_back({const_cast<char*>(from.data()) + start, static_cast<std::size_t>(length)});
    offset += length;
  }
  return found;
}

std::string Content::digest_of() const {
  unsigned char sum[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
  for (std::int64_t offset = 0; offset < x_size;) {
    for (const iovec& piece : pieces(offset)) {
      EVP_DigestUpdate(context, piece.iov_base, piece.iov_len);
      offset += static_cast<std::int64_t>(piece.iov_len);
    }
  }
  EVP_DigestFinal_ex(context, sum, &length);
  EVP_MD_CTX_free(context);
  std::string text = "sha256:";
  for (unsigned i = 0; i < length; ++i) {
    text += "0123456789abcdef"[sum[i] >> 4];
    text += "0123456789abcdef"[sum[i] & 15];
  }
  return text;
}

}  // namespace bench
