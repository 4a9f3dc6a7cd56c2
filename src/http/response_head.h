// Writes the head of a response. Values that a handler took from elsewhere cannot split the response:
// control characters become blanks and names that are no tokens are left out (RFC 9110 5.5).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"

namespace wharfage::http {

struct ResponseFacts {
  std::string_view date;
  std::string_view request_id;
  bool head_method = false;
  bool http_1_0 = false;
  bool close = false;
};

std::int64_t body_length(const Response& response);
// True when bytes follow the head.
bool sends_body(const Response& response, bool head_method);
// Content-Length, Transfer-Encoding, Connection and Date of the handler are replaced by the truth.
std::string response_head(const Response& response, const ResponseFacts& facts);
// The same for HTTP/2 (RFC 9113 8.3): ":status" first, names in lower case, nothing about the connection.
std::vector<std::pair<std::string, std::string>> response_fields(const Response& response,
                                                                 const ResponseFacts& facts);

}  // namespace wharfage::http
