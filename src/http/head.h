// What is asked of a request head beyond its syntax, as checks on what the parser (parser.h) has read:
// RFC 9112 with every "MAY be lenient" declined, because a proxy in front of us must never see another
// message boundary than we do. Exactly one Host, one Content-Length of digits only, "chunked" as the only
// transfer coding, never both. Pure functions: no socket, no clock.
#pragma once

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

enum class Framing { none, length, chunked };

struct Head {
  Request request;
  bool http_1_0 = false;
  bool keep_alive = true;
  bool expects_continue = false;
  Framing framing = Framing::none;
  std::int64_t length = 0;
};

// Takes a head with method, raw target, version and fields as they were sent, and fills in the rest. On a
// fault `head` holds what was understood so far.
std::optional<Fault> check_head(Head& head);

// A Content-Length that is well-formed but beyond every limit.
bool is_huge_length(std::string_view digits);
bool is_token(std::string_view text);
bool is_field_value(std::string_view value);
// A client's own request id is passed on when it cannot harm a log or a header.
bool is_sane_request_id(std::string_view text);

}  // namespace wharfage::http
