// What the load client pushes: bodies of any size that exist only as a short head and one block that repeats,
// so that a gigabyte costs the client neither memory nor hashing while it is measured. A body is either noise
// (nothing in it compresses) or zb's: 4 KiB of noise, then zeros. Sizes in bytes. Immutable once made.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

class Content {
 public:
  enum class Kind { noise, sparse };
  // Bodies with different seeds differ in their head.
  Content(Kind kind, std::int64_t size, std::uint64_t seed);
  static Content of(std::string text);

  std::int64_t size() const { return x_size; }
  const std::string& digest() const { return x_digest; }  // "sha256:…"
  // Up to `pieces_max` pieces of memory from `offset` on; none at the end.
  std::vector<iovec> pieces(std::int64_t offset, std::size_t pieces_max = 4) const;

 private:
  Content(std::string head, const std::string* block, std::int64_t size);
  std::string digest_of() const;

  std::string x_head;
  const std::string* x_block;
  std::int64_t x_size;
  std::string x_digest;
};

}  // namespace bench
