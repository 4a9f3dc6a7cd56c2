#include "http/client.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"

namespace wharfage::http {
namespace {

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

bool is_host_name(std::string_view host) {
  auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  };
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), allowed);
}

bool is_bracketed_address(std::string_view host) {
  if (host.size() < 4 || host.front() != '[' || host.back() != ']') return false;
  in6_addr address;
  return inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), &address) == 1;
}

std::uint16_t default_port(std::string_view scheme) {
  return scheme == "https" ? 443 : 80;
}

Error bad_url(std::string message) {
  return fail(Reason::invalid_parameter, std::move(message), "url");
}

// Splits host[:port]; an IPv6 address keeps its brackets.
Status read_authority(std::string_view authority, Url& url) {
  std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) != std::string_view::npos) {
    colon = std::string_view::npos;
  }
  url.host = lower(authority.substr(0, colon));
  if (!is_host_name(url.host) && !is_bracketed_address(url.host)) {
    return bad_url("the host of the URL is not valid");
  }
  url.port = default_port(url.scheme);
  if (colon == std::string_view::npos) return {};
  std::string_view digits = authority.substr(colon + 1);
  bool numeric = !digits.empty() &&
                 std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  auto port = numeric ? parse_integer(digits) : std::nullopt;
  if (!port || *port < 1 || *port > 65535) return bad_url("the port of the URL is not valid");
  url.port = static_cast<std::uint16_t>(*port);
  return {};
}

}  // namespace

std::string Url::origin() const {
  std::string text = scheme + "://" + host;
  if (port != default_port(scheme)) text += ":" + std::to_string(port);
  return text;
}

Result<Url> parse_url(std::string_view text) {
  if (text.size() > limits::remote_url_max) return bad_url("the URL is too long");
  if (!is_plain(text)) return bad_url("the URL holds a space, a control or a non-ASCII character");
  std::size_t mark = text.find("://");
  if (mark == std::string_view::npos) return bad_url("the URL has no scheme");
  Url url;
  url.scheme = lower(text.substr(0, mark));
  if (url.scheme != "http" && url.scheme != "https") return bad_url("the URL is neither http nor https");

  std::string_view rest = text.substr(mark + 3);
  rest = rest.substr(0, rest.find('#'));
  std::string_view authority = rest.substr(0, rest.find_first_of("/?\\"));
  if (authority.find('@') != std::string_view::npos) return bad_url("the URL may not hold user information");
  TRY_STATUS(read_authority(authority, url));

  std::string_view path = rest.substr(authority.size());
  if (path.find('\\') != std::string_view::npos) return bad_url("the URL holds a backslash");
  url.path_and_query = (path.empty() || path.front() == '?' ? "/" : "") + std::string(path);
  return url;
}

}  // namespace wharfage::http
