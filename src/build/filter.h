// The rules that hold a build's network, as nftables text. The same decision is made twice: inside the
// namespace (output) and on the host (input and forward), where nothing that runs in the build could change
// it. Pure: the text is tested, and tried for real by the isolation test.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "build/addresses.h"

namespace wharfage::build {

struct AllowedTarget {
  Network4 network;
  int port = 0;  // 0: any
};

struct FilterPlan {
  std::string name;  // "wfb3": the namespace; its host side is "wfb3h"
  std::string tag;   // the table's comment: whose it is
  std::uint32_t host_address = 0, build_address = 0;
  std::uint32_t registry_address = 0;  // where the server listens on the host
  int registry_port = 0;               // reached from inside as host_address:registry_port
  std::vector<std::uint32_t> resolvers;
  std::vector<AllowedTarget> allowed;
  std::vector<Network4> denied;
  bool public_addresses = true;
};

std::string host_rules(const FilterPlan& plan);
std::string inside_rules(const FilterPlan& plan);

}  // namespace wharfage::build
