#include "http/crowd.h"

#include <arpa/inet.h>

namespace wharfage::http {
namespace {

constexpr std::size_t network_bytes = 8;  // of an IPv6 address

std::string key_of(const std::string& peer) {
  in6_addr six{};
  if (inet_pton(AF_INET6, peer.c_str(), &six) != 1) return peer;
  return std::string(reinterpret_cast<const char*>(six.s6_addr), network_bytes);
}

}  // namespace

Crowd::Verdict Crowd::admit(const std::string& peer, std::size_t max, std::size_t per_address_max) {
  if (x_count >= max) return Verdict::full;
  std::string key = key_of(peer);
  std::lock_guard lock(x_mutex);
  auto found = x_by_address.find(key);
  if (found != x_by_address.end() && found->second >= per_address_max) return Verdict::address_full;
  ++x_by_address[std::move(key)];
  ++x_count;
  return Verdict::admitted;
}

void Crowd::leave(const std::string& peer) {
  std::lock_guard lock(x_mutex);
  auto found = x_by_address.find(key_of(peer));
  if (found != x_by_address.end() && --found->second == 0) x_by_address.erase(found);
  --x_count;
}

}  // namespace wharfage::http
