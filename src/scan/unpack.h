// Turns a layer blob (gzip, zstd or plain) into its uncompressed bytes while hashing them: the diffID is what
// names a layer's content whatever its compression. Streams in constant memory. Hostile input ends in an
// error: too many bytes, too high a ratio, truncated or damaged streams. One thread, not shared.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/limits.h"
#include "base/result.h"
#include "crypto/digest.h"

namespace wharfage::scan {

// Bytes that arrive piece by piece. A piece is valid until the next call; an empty one is the end.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual Result<std::string_view> next() = 0;
};

struct UnpackLimits {
  std::int64_t bytes_max = limits::layer_bytes_max;
  std::int64_t ratio_max = limits::layer_ratio_max;
  std::int64_t ratio_from = limits::layer_ratio_from;
};

class Unpacker final : public ByteSource {
 public:
  Unpacker(ByteSource& packed, const UnpackLimits& limits);
  ~Unpacker() override;

  // Errors: scan_impossible (damaged, truncated, beyond a limit), or the source's own.
  Result<std::string_view> next() override;
  std::int64_t bytes() const;  // unpacked so far
  Digest diff_id() const;      // of the bytes unpacked so far

 private:
  struct State;
  std::unique_ptr<State> x_state;
};

}  // namespace wharfage::scan
