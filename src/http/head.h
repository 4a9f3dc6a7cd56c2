// Reads the head of an HTTP/1.x request from bytes that arrive piece by piece. Stricter than most readers
// (RFC 9112 with every "MAY be lenient" declined), because a proxy in front of us must never see another
// message boundary than we do: no bare LF, no folded lines, no blank before a colon, one Content-Length,
// "chunked" as the only transfer coding, never both. Pure functions: no socket, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace wharfage::http {

// A request that cannot be served, and the status to say so with.
struct Fault {
  int status = 400;
  Error error;
};

// Finds the end of a head; each byte is looked at once however small the pieces are.
class HeadScanner {
 public:
  enum class Found { more, head, malformed, line_too_long, head_too_long };
  // `bytes` is everything received since the last head; it only grows between two calls.
  Found scan(std::string_view bytes);
  // After Found::head: where the request line starts (blank lines before it are skipped) and what follows.
  std::size_t start() const { return x_start; }
  std::size_t end() const { return x_line; }

 private:
  std::size_t x_at = 0;     // first byte not yet looked at
  std::size_t x_line = 0;   // where the current line starts
  std::size_t x_start = 0;  // where the request line starts
  int x_blanks = 0;
  bool x_request_line_seen = false;
};

enum class Framing { none, length, chunked };

struct Head {
  Request request;
  bool http_1_0 = false;
  bool keep_alive = true;
  bool expects_continue = false;
  Framing framing = Framing::none;
  std::int64_t length = 0;
};

// `text` is what HeadScanner found: lines ended by CRLF, the last one empty. On a fault `head` holds what
// was understood so far.
std::optional<Fault> parse_head(std::string_view text, Head& head);

bool is_token(std::string_view text);
// A client's own request id is passed on when it cannot harm a log or a header.
bool is_sane_request_id(std::string_view text);

}  // namespace wharfage::http
