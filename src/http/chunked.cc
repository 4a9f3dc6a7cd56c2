#include "http/chunked.h"

#include <algorithm>
#include <cstring>

#include "base/limits.h"

namespace wharfage::http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_text(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

}  // namespace

bool ChunkDecoder::overhead() {
  return ++x_overhead <= limits::chunk_overhead_max;
}

ChunkDecoder::State ChunkDecoder::next_size(char c) {
  if (++x_line > limits::chunk_line_max) return State::malformed;
  if (int digit = hex_digit(c); digit >= 0) {
    if (x_left >> 56 != 0) return State::malformed;
    x_left = x_left * 16 + digit;
    return State::size;
  }
  if (x_state == State::size_start) return State::malformed;
  if (c == ';') return State::extension;
  return c == '\r' ? State::size_end : State::malformed;
}

ChunkDecoder::State ChunkDecoder::next(char c) {
  switch (x_state) {
    case State::size_start:
    case State::size:
      return next_size(c);
    case State::extension:
      if (++x_line > limits::chunk_line_max || !overhead()) return State::malformed;
      if (c == '\r') return State::size_end;
      return is_text(c) ? State::extension : State::malformed;
    case State::size_end:
      x_line = 0;
      if (c != '\n') return State::malformed;
      return x_left > 0 ? State::data : State::trailer;
    case State::data_cr:
      return c == '\r' ? State::data_end : State::malformed;
    case State::data_end:
      return c == '\n' ? State::size_start : State::malformed;
    case State::trailer:
      if (c == '\r') return State::last_end;
      [[fallthrough]];
    case State::trailer_text:
      if (!overhead()) return State::malformed;
      if (c == '\r') return State::trailer_end;
      return is_text(c) ? State::trailer_text : State::malformed;
    case State::trailer_end:
      return c == '\n' ? State::trailer : State::malformed;
    case State::last_end:
      return c == '\n' ? State::done : State::malformed;
    default:
      return State::malformed;
  }
}

ChunkDecoder::Step ChunkDecoder::decode(char* bytes, std::size_t size) {
  Step step;
  while (step.consumed < size && x_state != State::done && x_state != State::malformed) {
    if (x_state != State::data) {
      x_state = next(bytes[step.consumed++]);
      continue;
    }
    std::size_t count = std::min(size - step.consumed, static_cast<std::size_t>(x_left));
    std::memmove(bytes + step.produced, bytes + step.consumed, count);
    step.consumed += count;
    step.produced += count;
    x_left -= static_cast<std::int64_t>(count);
    if (x_left == 0) x_state = State::data_cr;
  }
  return step;
}

}  // namespace wharfage::http
