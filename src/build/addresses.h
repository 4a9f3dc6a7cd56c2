// IPv4 addresses and networks as the egress filter needs them. Pure, except for what asks the host: its own
// networks, its resolvers and the addresses behind a name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace wharfage::build {

struct Network4 {
  std::uint32_t address = 0;  // host byte order, bits below the prefix are zero
  int prefix = 32;
  std::string text() const;  // "10.0.0.0/8"
  bool contains(std::uint32_t other) const;
};

std::string address_text(std::uint32_t address);
std::optional<std::uint32_t> parse_address(std::string_view text);
std::optional<Network4> parse_network(std::string_view text);  // a single address is a /32

struct HostPort {
  std::string host;
  int port = 0;  // 0: any
};
// "host", "host:443", "10.0.0.0/8:443". Error: invalid_parameter.
Result<HostPort> parse_host_port(std::string_view text);

// Loopback, private, link-local, shared, benchmarking, multicast and reserved (IANA's special registry).
// Documentation networks are not in it: nothing answers there unless somebody uses them on purpose.
const std::vector<Network4>& special_networks();

std::vector<Network4> host_networks();  // what lies on the host's own links
// From resolv.conf's text: IPv4 servers that are not on loopback.
std::vector<std::uint32_t> resolvers_in(std::string_view resolv_conf);
std::vector<std::uint32_t> host_resolvers();
Result<std::vector<std::uint32_t>> resolve(const std::string& name);  // remote_unreachable

}  // namespace wharfage::build
