// Undoes the chunked transfer coding (RFC 9112 7.1) in place, piece by piece. Extensions and trailers are
// bounded and dropped: nothing in a trailer may change how a request is understood.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wharfage::http {

class ChunkDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;  // less than the size given only at the end of the body or when malformed
    std::size_t produced = 0;
  };
  // Reads `size` bytes at `bytes` and leaves the payload at their start.
  Step decode(char* bytes, std::size_t size);
  bool done() const { return x_state == State::done; }
  bool malformed() const { return x_state == State::malformed; }

 private:
  enum class State {
    size_start,
    size,
    extension,
    size_end,
    data,
    data_cr,
    data_end,
    trailer,
    trailer_text,
    trailer_end,
    last_end,
    done,
    malformed
  };
  State next(char c);
  State next_size(char c);
  bool overhead();  // false when there is too much of it

  State x_state = State::size_start;
  std::int64_t x_left = 0;     // payload bytes of the current chunk still to come
  std::size_t x_line = 0;      // length of the current chunk-size line
  std::size_t x_overhead = 0;  // extension and trailer bytes of the whole body
};

}  // namespace wharfage::http
