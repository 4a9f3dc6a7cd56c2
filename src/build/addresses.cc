#include "build/addresses.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>

#include <bit>
#include <fstream>
#include <iterator>
#include <memory>

#include "base/text.h"

namespace wharfage::build {
namespace {

constexpr std::uint32_t mask(int prefix) {
  return prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix);
}

constexpr std::uint32_t quad(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

std::uint32_t address_of(const sockaddr* address) {
  return ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr);
}

std::string read_text(const char* file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

std::string Network4::text() const {
  return fmt::format("{}/{}", address_text(address), prefix);
}

bool Network4::contains(std::uint32_t other) const {
  return (other & mask(prefix)) == address;
}

std::string address_text(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}

std::optional<std::uint32_t> parse_address(std::string_view text) {
  in_addr address{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return {};
  return ntohl(address.s_addr);
}

std::optional<Network4> parse_network(std::string_view text) {
  auto slash = text.find('/');
  auto address = parse_address(text.substr(0, slash));
  std::optional<std::int64_t> prefix = 32;
  if (slash != text.npos) prefix = parse_integer(text.substr(slash + 1));
  if (!address || !prefix || *prefix < 0 || *prefix > 32) return {};
  return Network4{*address & mask(static_cast<int>(*prefix)), static_cast<int>(*prefix)};
}

Result<HostPort> parse_host_port(std::string_view text) {
  HostPort result{std::string(text)};
  if (auto colon = text.rfind(':'); colon != text.npos) {
    auto port = parse_integer(text.substr(colon + 1));
    if (!port || *port < 1 || *port > 65535) {
      return fail(Reason::invalid_parameter, "this is not host:port", std::string(text));
    }
    result = {std::string(text.substr(0, colon)), static_cast<int>(*port)};
  }
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-/_";
  if (result.host.empty() || result.host.find_first_not_of(allowed) != std::string::npos) {
    return fail(Reason::invalid_parameter, "this is not a host name or address", std::string(text));
  }
  return result;
}

const std::vector<Network4>& special_networks() {
  static const std::vector<Network4> networks = {
      {quad(0, 0, 0, 0), 8},     {quad(10, 0, 0, 0), 8},     {quad(100, 64, 0, 0), 10},
      {quad(127, 0, 0, 0), 8},   {quad(169, 254, 0, 0), 16}, {quad(172, 16, 0, 0), 12},
      {quad(192, 0, 0, 0), 24},  {quad(192, 88, 99, 0), 24}, {quad(192, 168, 0, 0), 16},
      {quad(198, 18, 0, 0), 15}, {quad(224, 0, 0, 0), 3},
  };
  return networks;
}

std::vector<Network4> host_networks() {
  std::vector<Network4> networks;
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return networks;
  std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(first, freeifaddrs);
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
    int prefix = one->ifa_netmask == nullptr ? 32 : std::popcount(address_of(one->ifa_netmask));
    networks.push_back({address_of(one->ifa_addr) & mask(prefix), prefix});
  }
  return networks;
}

std::vector<std::uint32_t> resolvers_in(std::string_view resolv_conf) {
  std::vector<std::uint32_t> servers;
  for (std::string_view line : split(resolv_conf, '\n')) {
    line = trim(line);
    if (line.substr(0, 10) != "nameserver") continue;
    auto server = parse_address(trim(line.substr(10)));
    if (server && *server >> 24 != 127 && servers.size() < 3) servers.push_back(*server);
  }
  return servers;
}

std::vector<std::uint32_t> host_resolvers() {
  auto servers = resolvers_in(read_text("/etc/resolv.conf"));
  // systemd's stub listens on loopback, which a build cannot reach; behind it are the real ones.
  if (servers.empty()) servers = resolvers_in(read_text("/run/systemd/resolve/resolv.conf"));
  return servers;
}

Result<std::vector<std::uint32_t>> resolve(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  if (getaddrinfo(name.c_str(), nullptr, &hints, &first) != 0) {
    return fail(Reason::remote_unreachable, fmt::format("the name {} has no address", name), name);
  }
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(first, freeaddrinfo);
  std::vector<std::uint32_t> addresses;
  for (const addrinfo* one = first; one != nullptr; one = one->ai_next) {
    addresses.push_back(address_of(one->ai_addr));
  }
  return addresses;
}

}  // namespace wharfage::build
