#include "http/h2_head.h"

#include "base/limits.h"
#include "base/text.h"
#include "http/limits.h"

namespace wharfage::http {
namespace {

constexpr std::size_t field_overhead = 32;  // RFC 9113 6.5.2

Fault too_large(int status, const char* what) {
  return {status, fail(Reason::too_large, what)};
}
Fault malformed(const char* what) {
  return {400, fail(Reason::invalid_parameter, what)};
}

}  // namespace

void H2Head::add_pseudo(std::string_view name, std::string_view value) {
  Request& request = x_head.request;
  if (name == ":method") request.method = value;
  if (name == ":authority") x_authority = value;
  if (name != ":path") return;
  if (value.size() > limits::request_line_max) x_fault = too_large(414, "the request target is too long");
  request.target = value.substr(0, limits::request_line_max);
}

void H2Head::add(std::string_view name, std::string_view value) {
  if (x_fault) return;
  x_bytes += name.size() + value.size() + field_overhead;
  if (x_bytes > limits::h2_headers_max) {
    x_fault = too_large(431, "the request head is too long");
  } else if (name.starts_with(':')) {
    add_pseudo(name, value);
  } else if (x_head.request.headers.fields().size() >= limits::request_fields_max) {
    x_fault = too_large(431, "the request has too many header fields");
  } else if (name == "cookie") {  // may come in crumbs (RFC 9113 8.2.3)
    x_cookies += (x_cookies.empty() ? "" : "; ") + std::string(value);
  } else {
    x_head.request.headers.add(std::string(name), std::string(value));
  }
}

std::pair<Head, std::optional<Fault>> H2Head::finish(bool ended) {
  Headers& headers = x_head.request.headers;
  if (!x_cookies.empty()) headers.add("cookie", std::move(x_cookies));
  std::string_view host = headers.get("Host");
  if (!x_fault && !host.empty() && !x_authority.empty() && !same_ignoring_case(host, x_authority)) {
    x_fault = malformed("the Host field contradicts the request's authority");
  }
  if (!x_authority.empty()) headers.set("Host", x_authority);
  const std::string& target = x_head.request.target;
  if (!x_fault && target != "*" && !target.starts_with('/'))
    x_fault = malformed("the request target is not valid");
  if (!x_fault) x_fault = check_head(x_head);
  x_head.keep_alive = true;
  if (ended) {
    x_head.framing = Framing::none;
  } else if (x_head.framing == Framing::none) {
    x_head.framing = Framing::chunked;  // a length nobody knows yet
  }
  return {std::move(x_head), std::move(x_fault)};
}

}  // namespace wharfage::http
