#include "http/head.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/limits.h"
#include "base/text.h"

namespace wharfage::http {
namespace {

constexpr std::size_t method_max = 32;
constexpr std::size_t length_digits_max = 18;

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Asked for every byte of every field name.
constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= 'z'; ++c)
    table[c] = is_alpha(static_cast<char>(c)) || is_digit(static_cast<char>(c));
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> token_table = make_token_table();

bool is_token_char(char c) {
  return token_table[static_cast<unsigned char>(c)];
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

// Splits the raw target; the absolute form gives its authority to Host.
std::optional<Fault> read_target(Head& head, std::string& authority) {
  Request& request = head.request;
  std::string_view target = request.target;
  if (target.empty() || !is_target(target)) return malformed("the request target is not valid");
  if (target.front() != '/' && !(target == "*" && request.method == "OPTIONS")) {
    auto found = absolute_authority(target);
    if (!found || found->empty()) return malformed("the request target is not valid");
    authority = *found;
    target.remove_prefix(static_cast<std::size_t>(found->data() - target.data()) + found->size());
    request.target =
        target.empty() || target.front() == '?' ? "/" + std::string(target) : std::string(target);
  }
  std::size_t mark = request.target.find('?');
  request.path = request.target.substr(0, mark);
  if (mark != std::string::npos) request.query = request.target.substr(mark + 1);
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
  if (is_huge_length(digits)) {
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

std::optional<Fault> check_head(Head& head) {
  const std::string& method = head.request.method;
  if (!is_token(method) || method.size() > method_max) return malformed("the method is not valid");
  std::string authority;
  if (auto bad = read_target(head, authority)) return bad;
  if (auto bad = read_host(head, authority)) return bad;
  if (auto bad = read_framing(head)) return bad;
  return read_connection(head);
}

bool is_huge_length(std::string_view digits) {
  return digits.size() > length_digits_max && std::all_of(digits.begin(), digits.end(), is_digit);
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool is_field_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

bool is_sane_request_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return is_alpha(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace wharfage::http
