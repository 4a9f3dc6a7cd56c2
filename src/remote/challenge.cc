#include "remote/challenge.h"

#include "base/text.h"
#include "http/client.h"

namespace wharfage::remote {
namespace {

// Reads name="value" or name=value; commas inside quotes belong to the value.
bool next_parameter(std::string_view& rest, std::string& name, std::string& value) {
  while (!rest.empty() && (rest[0] == ',' || rest[0] == ' ')) rest.remove_prefix(1);
  auto equals = rest.find('=');
  if (equals == rest.npos) return false;
  name = lower(trim(rest.substr(0, equals)));
  rest.remove_prefix(equals + 1);
  value.clear();
  if (!rest.empty() && rest[0] == '"') {
    std::size_t at = 1;
    for (; at < rest.size() && rest[at] != '"'; ++at) {
      if (rest[at] == '\\' && at + 1 < rest.size()) ++at;
      value += rest[at];
    }
    rest.remove_prefix(std::min(at + 1, rest.size()));
  } else {
    auto end = std::min(rest.find(','), rest.size());
    value = trim(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  return true;
}

// The last two labels of a host name; empty for addresses and single labels.
std::string_view domain_of(std::string_view host) {
  if (host.find_first_not_of("0123456789.") == host.npos || host.find(':') != host.npos) return {};
  auto last = host.rfind('.');
  if (last == host.npos || last == 0) return {};
  auto before = host.rfind('.', last - 1);
  return before == host.npos ? host : host.substr(before + 1);
}

}  // namespace

std::optional<Challenge> parse_challenge(std::string_view header) {
  std::string_view scheme = header.substr(0, header.find(' '));
  Challenge challenge;
  challenge.bearer = same_ignoring_case(scheme, "Bearer");
  if (!challenge.bearer && !same_ignoring_case(scheme, "Basic")) return std::nullopt;
  std::string_view rest = header.substr(scheme.size());
  std::string name, value;
  while (next_parameter(rest, name, value)) {
    if (name == "realm") challenge.realm = value;
    if (name == "service") challenge.service = value;
    if (name == "scope") challenge.scope = value;
    if (name == "error") challenge.error = value;
  }
  return challenge;
}

bool trusted_realm(std::string_view registry_url, std::string_view realm) {
  auto registry = http::parse_url(registry_url), token = http::parse_url(realm);
  if (!registry.ok() || !token.ok()) return false;
  bool downgraded = registry->scheme == "https" && token->scheme != "https";
  if (downgraded) return false;
  if (same_ignoring_case(registry->host, token->host)) return true;
  std::string domain = lower(domain_of(registry->host));
  return token->scheme == "https" && !domain.empty() && lower(domain_of(token->host)) == domain;
}

}  // namespace wharfage::remote
