// The network namespace of one build: "wfb<N>" with a veth pair to the host and a filter on both sides. From
// inside, this registry is reached at gateway():registry_port (the host redirects that one port), the
// resolvers and public addresses as configured, and nothing else: not the host, not loopback, not other
// builds. Made by open(), removed by the destructor; after a crash by remove_network() for each of
// claims_of(): see claim.h. Needs root, ip and nft.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "build/claim.h"
#include "build/filter.h"
#include "build/options.h"

namespace wharfage::build {

class Network {
 public:
  static Result<std::unique_ptr<Network>> open(const Options& options);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  const Claim& claim() const { return x_claim; }
  std::string path() const { return "/run/netns/" + x_plan.name; }
  std::string registry() const;  // "10.213.0.1:5000": this registry as the build sees it
  std::string resolv_conf() const;

 private:
  Network(FilterPlan plan, Claim claim) : x_plan(std::move(plan)), x_claim(std::move(claim)) {}
  FilterPlan x_plan;
  Claim x_claim;
};

// Removes what carries the claim's tag, and the claim.
void remove_network(const Claim& claim);

// The filter without its names and addresses. Errors: invalid_parameter, remote_unreachable.
Result<FilterPlan> plan_filter(const Options& options);

}  // namespace wharfage::build
