// Reads requests from bytes that arrive piece by piece: Boost.Beast's parser (1.81) does the reading, this
// wrapper feeds it from the connection's own buffers and refuses what Beast lets pass and we do not (folded
// lines, long lines, bare LF; check_head() for the rest). Bodies lose their framing in place, so no byte is
// copied for a Content-Length and only chunk heads cut in two are for chunks. Chunk extensions and trailers
// are bounded and dropped: nothing in a trailer may change how a request is understood. No socket, no clock;
// belongs to one connection's thread. The format is RFC 9112.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "http/head.h"

namespace wharfage::http {

class RequestParser {
 public:
  RequestParser();
  ~RequestParser();
  RequestParser(RequestParser&&) noexcept;
  RequestParser& operator=(RequestParser&&) noexcept;

  void restart();  // for the next request, and before the first

  enum class Found { more, head, refused };
  // `bytes` is everything received since the restart; it only grows between two calls.
  Found read_head(std::string_view bytes);
  std::size_t head_size() const;  // after Found::head: how many of the bytes it took, blank lines included
  Head take_head();               // once, after Found::head or Found::refused: then what was understood
  Fault take_fault();             // once, after Found::refused

  struct Step {
    std::size_t consumed = 0;  // less than the size given only at the end of the body or when malformed
    std::size_t produced = 0;
  };
  // After Found::head: reads `size` bytes at `bytes` and leaves the payload at their start.
  Step read_body(char* bytes, std::size_t size);
  bool done() const;       // the request has no body, or all of it was read
  bool malformed() const;  // the body's framing is

 private:
  struct State;
  std::unique_ptr<State> x_state;
};

}  // namespace wharfage::http
