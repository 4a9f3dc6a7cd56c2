#include "http/intake.h"

#include <algorithm>
#include <cstring>

namespace wharfage::http {

void Intake::begin_body(const Head& head) {
  x_chunked = head.framing == Framing::chunked;
  x_complete = head.framing == Framing::none;
  x_left = head.length;
  x_moved = 0;
}

// Takes the framing away; what lies behind the body goes back in front of the input. Returns the payload's
// size.
std::size_t Intake::strip(char* bytes, std::size_t size) {
  x_moved += size;
  RequestParser::Step step = parser.read_body(bytes, size);
  if (!x_chunked) x_left -= static_cast<std::int64_t>(step.produced);
  x_complete = parser.done();
  if (x_complete) in.insert(0, bytes + step.consumed, size - step.consumed);
  return step.produced;
}

Io Intake::receive(char* buffer, std::size_t size, std::size_t& produced) {
  if (!x_chunked) size = std::min(size, static_cast<std::size_t>(x_left));
  std::size_t count = std::min(size, in.size());
  if (count > 0) {
    std::memcpy(buffer, in.data(), count);
    in.erase(0, count);
  } else {
    Moved moved = x_transport->read(buffer, size);
    if (moved.state != Io::done) return moved.state;
    count = moved.bytes;
  }
  produced = strip(buffer, count);
  return Io::done;
}

std::size_t Intake::fill(char* buffer, std::size_t size, Io& state) {
  std::size_t filled = 0;
  while (filled < size && !x_complete && !malformed()) {
    std::size_t produced = 0;
    state = receive(buffer + filled, size - filled, produced);
    if (state != Io::done) break;
    filled += produced;
  }
  return filled;
}

std::string Intake::take_early() {
  if (x_complete || in.empty()) return {};
  std::string bytes = std::exchange(in, {});
  if (!x_chunked && bytes.size() > static_cast<std::size_t>(x_left)) {
    in = bytes.substr(static_cast<std::size_t>(x_left));
    bytes.resize(static_cast<std::size_t>(x_left));
  }
  bytes.resize(strip(bytes.data(), bytes.size()));
  return bytes;
}

}  // namespace wharfage::http
