// The network namespace of one build: "wfb<N>" with a veth pair to the host and a filter on both sides. From
// inside, this registry is reached at gateway():registry_port (the host redirects that one port), the
// resolvers and public addresses as configured, and nothing else: not the host, not loopback, not other
// builds. Made by open(), removed by the destructor. A file /run/wharfage-build/wfb<N> names the owner, so
// that after a crash each server removes its own leftovers and nobody else's. Needs root, ip and nft.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "build/filter.h"
#include "build/options.h"

namespace wharfage::build {

inline constexpr const char* run_folder = "/run/wharfage-build";

class Network {
 public:
  static Result<std::unique_ptr<Network>> open(const Options& options);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  const std::string& name() const { return x_plan.name; }
  std::string path() const { return "/run/netns/" + x_plan.name; }
  std::string registry() const;  // "10.213.0.1:5000": this registry as the build sees it
  std::string resolv_conf() const;

 private:
  explicit Network(FilterPlan plan) : x_plan(std::move(plan)) {}
  FilterPlan x_plan;
};

// Names whose owner is this work folder: what a crashed server has left.
std::vector<std::string> networks_of(const std::string& work_folder);
void remove_network(const std::string& name);

// The filter without its names and addresses. Errors: invalid_parameter, remote_unreachable.
Result<FilterPlan> plan_filter(const Options& options);

}  // namespace wharfage::build
