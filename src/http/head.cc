#include "http/head.h"

#include <algorithm>
#include <cstring>

#include "base/limits.h"
#include "base/text.h"

namespace wharfage::http {
namespace {

constexpr int leading_blank_lines_max = 4;
constexpr std::size_t method_max = 32;
constexpr std::size_t length_digits_max = 18;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_token_char(char c) {
  return is_alpha(c) || is_digit(c) || (c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr);
}

Fault fault(int status, Reason reason, std::string message) {
  return {status, fail(reason, std::move(message))};
}
Fault malformed(std::string message) {
  return fault(400, Reason::invalid_parameter, std::move(message));
}

bool is_target(std::string_view target) {
  return std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
}

bool is_field_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

bool is_authority(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) {
    return is_alpha(c) || is_digit(c) || (c != '\0' && std::strchr("-._~%:[]", c) != nullptr);
  });
}

// The authority of an absolute-form target, which then wins over the Host field (RFC 9112 3.2.2).
std::optional<std::string_view> absolute_authority(std::string_view target) {
  std::size_t mark = target.find("://");
  if (mark == std::string_view::npos) return std::nullopt;
  std::string_view scheme = target.substr(0, mark);
  if (!same_ignoring_case(scheme, "http") && !same_ignoring_case(scheme, "https")) return std::nullopt;
  std::string_view rest = target.substr(mark + 3);
  return rest.substr(0, rest.find_first_of("/?"));
}

std::optional<Fault> read_target(std::string_view target, Head& head, std::string& authority) {
  Request& request = head.request;
  if (target.empty() || !is_target(target)) return malformed("the request target is not valid");
  if (target.front() != '/' && !(target == "*" && request.method == "OPTIONS")) {
    auto found = absolute_authority(target);
    if (!found || found->empty()) return malformed("the request target is not valid");
    authority = *found;
    target.remove_prefix(static_cast<std::size_t>(found->data() - target.data()) + found->size());
  }
  request.target = target.empty() || target.front() == '?' ? "/" + std::string(target) : std::string(target);
  std::size_t mark = request.target.find('?');
  request.path = request.target.substr(0, mark);
  if (mark != std::string::npos) request.query = request.target.substr(mark + 1);
  return std::nullopt;
}

std::optional<Fault> read_request_line(std::string_view line, Head& head, std::string& authority) {
  std::size_t first = line.find(' ');
  std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return malformed("the request line is not valid");
  std::string_view method = line.substr(0, first);
  std::string_view version = line.substr(last + 1);
  if (!is_token(method) || method.size() > method_max) return malformed("the method is not valid");
  head.request.method = method;
  bool is_version = version.size() == 8 && version.substr(0, 5) == "HTTP/" && is_digit(version[5]) &&
                    version[6] == '.' && is_digit(version[7]);
  if (!is_version) return malformed("the request line is not valid");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return fault(505, Reason::unsupported, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  }
  head.http_1_0 = version == "HTTP/1.0";
  return read_target(line.substr(first + 1, last - first - 1), head, authority);
}

std::optional<Fault> read_field(std::string_view line, Headers& headers) {
  std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return malformed("a header field is not valid");
  }
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  if (!is_field_value(value)) return malformed("a header field is not valid");
  if (headers.fields().size() >= limits::request_fields_max) {
    return fault(431, Reason::too_large, "the request has too many header fields");
  }
  headers.add(std::string(line.substr(0, colon)), std::string(value));
  return std::nullopt;
}

std::size_t count(const Headers& headers, std::string_view name) {
  const auto& fields = headers.fields();
  return static_cast<std::size_t>(std::count_if(fields.begin(), fields.end(), [&](const auto& field) {
    return same_ignoring_case(field.first, name);
  }));
}

std::optional<Fault> read_host(Head& head, const std::string& authority) {
  std::size_t hosts = count(head.request.headers, "Host");
  if (hosts > 1 || (hosts == 0 && !head.http_1_0)) return malformed("exactly one Host field is required");
  if (!authority.empty()) head.request.headers.set("Host", authority);
  if (!is_authority(head.request.headers.get("Host"))) return malformed("the Host field is not valid");
  return std::nullopt;
}

std::optional<Fault> read_framing(Head& head) {
  const Headers& headers = head.request.headers;
  std::size_t codings = count(headers, "Transfer-Encoding");
  std::size_t lengths = count(headers, "Content-Length");
  if (codings > 0) {
    if (lengths > 0) return malformed("Content-Length and Transfer-Encoding exclude each other");
    if (head.http_1_0) return malformed("HTTP/1.0 has no Transfer-Encoding");
    if (codings > 1 || !same_ignoring_case(headers.get("Transfer-Encoding"), "chunked")) {
      return fault(501, Reason::unsupported, "chunked is the only transfer coding understood here");
    }
    head.framing = Framing::chunked;
    return std::nullopt;
  }
  if (lengths == 0) return std::nullopt;
  std::string_view digits = headers.get("Content-Length");
  bool valid = lengths == 1 && !digits.empty() && std::all_of(digits.begin(), digits.end(), is_digit);
  if (!valid) return malformed("the Content-Length field is not valid");
  if (digits.size() > length_digits_max) {
    return fault(413, Reason::too_large, "the request body is too large");
  }
  head.length = *parse_integer(digits);
  head.framing = head.length > 0 ? Framing::length : Framing::none;
  return std::nullopt;
}

std::optional<Fault> read_connection(Head& head) {
  bool close = false;
  bool keep = false;
  std::string connection = head.request.headers.all("Connection");
  for (std::string_view option : split(connection, ',')) {
    close = close || same_ignoring_case(trim(option), "close");
    keep = keep || same_ignoring_case(trim(option), "keep-alive");
  }
  head.keep_alive = !close && (keep || !head.http_1_0);
  std::string expect = head.request.headers.all("Expect");
  if (expect.empty() || head.http_1_0) return std::nullopt;
  if (!same_ignoring_case(expect, "100-continue")) {
    return fault(417, Reason::unsupported, "the expectation cannot be met");
  }
  head.expects_continue = head.framing != Framing::none;
  return std::nullopt;
}

}  // namespace

HeadScanner::Found HeadScanner::scan(std::string_view bytes) {
  if (x_at == 0 && !bytes.empty() && !is_token_char(bytes[0]) && bytes[0] != '\r') return Found::malformed;
  while (x_at < bytes.size()) {
    std::size_t newline = bytes.find('\n', x_at);
    if (newline == std::string_view::npos) break;
    if (newline == x_line || bytes[newline - 1] != '\r') return Found::malformed;
    std::size_t length = newline - 1 - x_line;
    x_at = newline + 1;
    bool blank = length == 0;
    if (!x_request_line_seen && !blank) {
      if (length > limits::request_line_max) return Found::line_too_long;
      x_request_line_seen = true;
      x_start = x_line;
    } else if (!x_request_line_seen && ++x_blanks > leading_blank_lines_max) {
      return Found::malformed;
    }
    x_line = x_at;
    if (x_line > limits::request_headers_max) return Found::head_too_long;
    if (blank && x_request_line_seen) return Found::head;
  }
  x_at = bytes.size();
  if (!x_request_line_seen && bytes.size() - x_line > limits::request_line_max) return Found::line_too_long;
  return bytes.size() > limits::request_headers_max ? Found::head_too_long : Found::more;
}

std::optional<Fault> parse_head(std::string_view text, Head& head) {
  std::string authority;
  bool first = true;
  while (!text.empty()) {
    std::size_t end = text.find("\r\n");
    if (end == std::string_view::npos) return malformed("the request head is not valid");
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 2);
    if (line.empty()) break;
    auto bad = first ? read_request_line(line, head, authority) : read_field(line, head.request.headers);
    if (bad) return bad;
    first = false;
  }
  if (first) return malformed("the request line is not valid");
  if (auto bad = read_host(head, authority)) return bad;
  if (auto bad = read_framing(head)) return bad;
  return read_connection(head);
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool is_sane_request_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return is_alpha(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace wharfage::http
