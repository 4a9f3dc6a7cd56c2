// Puts the fields of an HTTP/2 request together into the same Head that HTTP/1.1 requests have, under the
// same checks (head.h) and bounds. Expects what libnghttp2 has let through: valid names in lower case, each
// pseudo-field once and first, no field about the connection (RFC 9113 8.2, 8.3). No socket, no clock.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/head.h"

namespace wharfage::http {

class H2Head {
 public:
  void add(std::string_view name, std::string_view value);  // keeps nothing beyond the bounds
  // `ended`: no body follows. With a fault, the head holds what was understood so far.
  std::pair<Head, std::optional<Fault>> finish(bool ended);

 private:
  void add_pseudo(std::string_view name, std::string_view value);

  Head x_head;
  std::string x_authority, x_cookies;
  std::size_t x_bytes = 0;
  std::optional<Fault> x_fault;
};

}  // namespace wharfage::http
