// What a connection has received and not yet understood, and the body of its request on the way from the
// socket to whoever takes it: read, and its framing taken away. Used by one thread at a time: the
// connection's loop, or for a streamed body the worker whose turn it is. During such a turn the loop touches
// neither this nor the transport. The format is RFC 9112.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "http/parser.h"
#include "http/transport.h"

namespace wharfage::http {

class Intake {
 public:
  explicit Intake(Transport& transport) : x_transport(&transport) {}

  std::string in;
  RequestParser parser;

  void begin_body(const Head& head);  // before its first byte is read

  // Reads body bytes into `buffer`; `produced` of them are payload, and maybe none.
  Io receive(char* buffer, std::size_t size, std::size_t& produced);
  // The same until the buffer is full or `state` says why there is no more. Returns the payload's size.
  std::size_t fill(char* buffer, std::size_t size, Io& state);
  // The payload that came along with the head, not copied.
  std::string take_early();

  bool complete() const { return x_complete; }
  bool malformed() const { return parser.malformed(); }
  std::size_t take_moved() { return std::exchange(x_moved, 0); }  // received since asked last

 private:
  std::size_t strip(char* bytes, std::size_t size);

  Transport* x_transport;
  bool x_chunked = false;
  bool x_complete = false;
  std::int64_t x_left = 0;  // of a body whose length is known
  std::size_t x_moved = 0;
};

}  // namespace wharfage::http
