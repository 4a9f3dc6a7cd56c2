#include "http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/text.h"

namespace wharfage::http {
namespace {

// Everything the IANA special-purpose registries do not call globally reachable.
constexpr std::string_view private_ranges[] = {
    "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4",
    "::/96",         "::ffff:0:0:0/96", "64:ff9b:1::/48", "100::/64",       "2001::/23",
    "2001:db8::/32", "3fff::/20",       "5f00::/16",      "fc00::/7",       "fe80::/10",
    "fec0::/10",     "ff00::/8"};

constexpr unsigned char mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned char nat64_prefix[12] = {0, 0x64, 0xff, 0x9b};
constexpr unsigned mapped_bits = 96;

Error bad_range(std::string_view text) {
  return fail(Reason::invalid_parameter,
              "an allowed address is not of the form 10.1.0.0/16 or 10.1.2.3/32:5000", std::string(text));
}

}  // namespace

bool AddressRules::Range::holds(const Address& address, std::uint16_t asked_port) const {
  if (port != 0 && port != asked_port) return false;
  unsigned whole = bits / 8;
  if (std::memcmp(address.data(), start.data(), whole) != 0) return false;
  unsigned rest = bits % 8;
  if (rest == 0) return true;
  auto mask = static_cast<unsigned char>(0xff << (8 - rest));
  return (address[whole] & mask) == (start[whole] & mask);
}

// ADDRESS/BITS[:PORT]
Result<AddressRules::Range> AddressRules::read_range(std::string_view text) {
  std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return bad_range(text);
  std::string address(text.substr(0, slash));
  std::string_view rest = text.substr(slash + 1);
  std::size_t colon = rest.find(':');
  auto bits = parse_integer(rest.substr(0, colon));
  auto port = colon == std::string_view::npos ? std::optional<std::int64_t>(0)
                                              : parse_integer(rest.substr(colon + 1));
  Range range;
  unsigned offset = 0;
  if (inet_pton(AF_INET, address.c_str(), &range.start[12]) == 1) {
    std::memcpy(range.start.data(), mapped_prefix, sizeof mapped_prefix);
    offset = mapped_bits;
  } else if (inet_pton(AF_INET6, address.c_str(), range.start.data()) != 1) {
    return bad_range(text);
  }
  if (!bits || *bits < 0 || *bits > 128 - static_cast<int>(offset)) return bad_range(text);
  if (!port || *port < 0 || *port > 65535 || (*port == 0 && colon != std::string_view::npos))
    return bad_range(text);
  range.bits = offset + static_cast<unsigned>(*bits);
  range.port = static_cast<std::uint16_t>(*port);
  return range;
}

AddressRules::AddressRules(const AddressPolicy& policy) : x_allow_private(policy.allow_private) {
  for (std::string_view text : private_ranges) x_private.push_back(read_range(text).value());
  for (const std::string& text : policy.allowed) {
    if (auto range = read_range(text); range.ok()) x_allowed.push_back(*range);
  }
}

bool AddressRules::carried_ipv4(const Address& address, Address& inner) {
  const unsigned char* four = nullptr;
  if (std::memcmp(address.data(), nat64_prefix, sizeof nat64_prefix) == 0) four = &address[12];
  if (address[0] == 0x20 && address[1] == 0x02) four = &address[2];
  if (four == nullptr) return false;
  std::memcpy(inner.data(), mapped_prefix, sizeof mapped_prefix);
  std::memcpy(&inner[12], four, 4);
  return true;
}

bool AddressRules::is_inside(const Address& address) const {
  Address inner;
  const Address& judged = carried_ipv4(address, inner) ? inner : address;
  return std::any_of(x_private.begin(), x_private.end(),
                     [&](const Range& range) { return range.holds(judged, 0); });
}

bool AddressRules::allows(const sockaddr& address) const {
  Address bytes;
  std::uint16_t port;
  if (address.sa_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(address);
    std::memcpy(bytes.data(), mapped_prefix, sizeof mapped_prefix);
    std::memcpy(&bytes[12], &four.sin_addr, 4);
    port = ntohs(four.sin_port);
  } else if (address.sa_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
    std::memcpy(bytes.data(), &six.sin6_addr, 16);
    port = ntohs(six.sin6_port);
  } else {
    return false;
  }
  if (x_allow_private || !is_inside(bytes)) return true;
  return std::any_of(x_allowed.begin(), x_allowed.end(),
                     [&](const Range& range) { return range.holds(bytes, port); });
}

Status check_policy(const AddressPolicy& policy) {
  for (const std::string& text : policy.allowed) TRY_STATUS(AddressRules::read_range(text));
  return {};
}

}  // namespace wharfage::http
