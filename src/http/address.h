// Decides which addresses a connection may go to, after names were resolved: the only point where a
// request cannot be talked into reaching the inside of a network (SSRF). Addresses that carry an IPv4
// address inside (mapped, NAT64, 6to4) are judged by it. Immutable after construction, thread-safe.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/client.h"

namespace wharfage::http {

class AddressRules {
 public:
  // Entries that cannot be read allow nothing; see check_policy.
  explicit AddressRules(const AddressPolicy& policy);
  bool allows(const sockaddr& address) const;

 private:
  using Address = std::array<unsigned char, 16>;  // IPv4 as ::ffff:a.b.c.d
  struct Range {
    Address start{};
    unsigned bits = 0;
    std::uint16_t port = 0;  // 0: any
    bool holds(const Address& address, std::uint16_t asked_port) const;
  };
  friend Status check_policy(const AddressPolicy& policy);
  static Result<Range> read_range(std::string_view text);
  bool is_inside(const Address& address) const;
  static bool carried_ipv4(const Address& address, Address& inner);

  bool x_allow_private;
  std::vector<Range> x_private;
  std::vector<Range> x_allowed;
};

}  // namespace wharfage::http
