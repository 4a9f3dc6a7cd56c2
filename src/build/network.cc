#include "build/network.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "build/launch.h"
#include "build/process.h"

namespace wharfage::build {
namespace {

Result<std::string> output_of(std::vector<std::string> arguments, std::string input = {}) {
  Command command{.arguments = std::move(arguments), .input = std::move(input)};
  command.environment = {fmt::format("PATH={}", search_path), "LC_ALL=C"};
  return capture(command, limits::build_tool_timeout_ms);
}

Status tool(std::vector<std::string> arguments, std::string input = {}) {
  auto output = output_of(std::move(arguments), std::move(input));
  if (!output.ok()) return output.error();
  return {};
}

bool shows(std::vector<std::string> arguments, const std::string& text) {
  auto output = output_of(std::move(arguments));
  return output.ok() && output->find(text) != output->npos;
}

bool write_setting(const std::string& file, std::string_view value) {
  Handle setting(open(file.c_str(), O_WRONLY | O_CLOEXEC));
  return setting && write(setting.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

// The device of the default route decides how large a packet may be.
int default_mtu() {
  std::ifstream routes("/proc/net/route");
  std::string line;
  while (std::getline(routes, line)) {
    std::istringstream fields(line);
    std::string device, target;
    fields >> device >> target;
    int mtu = 0;
    if (target == "00000000" && std::ifstream("/sys/class/net/" + device + "/mtu") >> mtu) {
      return std::clamp(mtu, 1280, 1500);
    }
  }
  return 1500;
}

Status add_links(const FilterPlan& plan) {
  int mtu = default_mtu();
  std::string host = fmt::format(
      "link add {0}h mtu {1} type veth peer name eth0 netns {0}\n"
      "link set {0}h alias {3} addrgenmode none\naddr add {2}/30 dev {0}h\nlink set {0}h up\n",
      plan.name, mtu, address_text(plan.host_address), plan.tag);
  std::string inside = fmt::format(
      "link set lo up\nlink set eth0 addrgenmode none mtu {}\nlink set eth0 up\n"
      "addr add {}/30 dev eth0\nroute add default via {}\n",
      mtu, address_text(plan.build_address), address_text(plan.host_address));
  TRY_STATUS(tool({"ip", "-batch", "-"}, host));
  return tool({"ip", "-n", plan.name, "-batch", "-"}, inside);
}

Status allow_routing(const FilterPlan& plan) {
  std::string device = fmt::format("/proc/sys/net/ipv4/conf/{}h/", plan.name);
  // The registry may listen on loopback only; redirecting to it needs this on the device it comes from.
  if (!write_setting(device + "route_localnet", "1") || !write_setting(device + "forwarding", "1")) {
    return fail(Reason::unsupported, "the network settings of the build's device cannot be changed");
  }
  std::string forwarding;
  std::ifstream("/proc/sys/net/ipv4/ip_forward") >> forwarding;
  if (forwarding != "1" && !write_setting("/proc/sys/net/ipv4/ip_forward", "1")) {
    return fail(Reason::unsupported, "the host does not forward packets and forwarding cannot be enabled");
  }
  return {};
}

// Somebody whose claims we do not see has the name: see claim.h.
bool taken(const Error& error) {
  return error.message.find("File exists") != std::string::npos;
}

// The filter stands before the link does.
Status set_up(const FilterPlan& plan) {
  TRY_STATUS(tool({"ip", "netns", "add", plan.name}));
  TRY_STATUS(tool({"nft", "-f", "-"}, host_rules(plan)));
  TRY_STATUS(tool({"nsenter", "--net=/run/netns/" + plan.name, "nft", "-f", "-"}, inside_rules(plan)));
  TRY_STATUS(add_links(plan));
  return allow_routing(plan);
}

Result<std::vector<Network4>> targets_of(const std::string& host) {
  if (auto network = parse_network(host)) return std::vector<Network4>{*network};
  TRY(auto addresses, resolve(host));
  std::vector<Network4> networks;
  for (std::uint32_t address : addresses) networks.push_back({address, 32});
  return networks;
}

Status add_resolvers(const Egress& egress, FilterPlan& plan) {
  for (const std::string& text : egress.resolvers) {
    auto address = parse_address(text);
    if (!address) return fail(Reason::invalid_parameter, "a resolver is not an IPv4 address", text);
    plan.resolvers.push_back(*address);
  }
  if (plan.resolvers.empty()) plan.resolvers = host_resolvers();
  return {};
}

}  // namespace

Result<FilterPlan> plan_filter(const Options& options) {
  FilterPlan plan;
  TRY(HostPort registry, parse_host_port(options.registry_address));
  auto address = parse_address(registry.host == "localhost" ? "127.0.0.1" : registry.host);
  if (!address || registry.port == 0) {
    return fail(Reason::invalid_parameter, "the registry's address for builds is not IPv4 and port",
                options.registry_address);
  }
  plan.registry_address = *address == 0 ? *parse_address("127.0.0.1") : *address;
  plan.registry_port = registry.port;
  plan.public_addresses = options.egress.public_addresses;
  TRY_STATUS(add_resolvers(options.egress, plan));
  for (const std::string& text : options.egress.allow) {
    TRY(HostPort target, parse_host_port(text));
    TRY(auto networks, targets_of(target.host));
    for (const Network4& network : networks) plan.allowed.push_back({network, target.port});
  }
  plan.denied = special_networks();
  for (const Network4& network : host_networks()) plan.denied.push_back(network);
  for (const std::string& text : options.egress.deny) {
    auto network = parse_network(text);
    if (!network) return fail(Reason::invalid_parameter, "a denied network is not one", text);
    plan.denied.push_back(*network);
  }
  return plan;
}

Result<std::unique_ptr<Network>> Network::open(const Options& options) {
  auto range = parse_network(options.network_range);
  if (!range || range->prefix > 30) {
    return fail(Reason::invalid_parameter, "the builds' network range is not one", options.network_range);
  }
  TRY(FilterPlan plan, plan_filter(options));
  plan.denied.push_back(*range);
  std::size_t room = std::size_t{1} << std::min(30 - range->prefix, 16);
  for (std::size_t number = 0; number < std::min(room, limits::build_networks_max); ++number) {
    auto claim = build::claim(number, options.work_folder);
    if (!claim) continue;
    plan.name = claim->name;
    plan.tag = claim->tag;
    plan.host_address = range->address + static_cast<std::uint32_t>(number) * 4 + 1;
    plan.build_address = plan.host_address + 1;
    std::unique_ptr<Network> network(new Network(plan, *claim));
    Status done = set_up(plan);
    if (done.ok()) return network;
    if (!taken(done.error())) return fail(Reason::unsupported, done.error().message);
  }
  return fail(Reason::quota_exceeded, "too many builds run at once on this machine");
}

Network::~Network() {
  remove_network(x_claim);
}

std::string Network::registry() const {
  return fmt::format("{}:{}", address_text(x_plan.host_address), x_plan.registry_port);
}

std::string Network::resolv_conf() const {
  std::string text;
  for (std::uint32_t server : x_plan.resolvers) text += fmt::format("nameserver {}\n", address_text(server));
  return text;
}

// Every step may find its work done already, or somebody else's work under the same name.
void remove_network(const Claim& claim) {
  if (shows({"ip", "link", "show", "dev", claim.name + "h"}, "alias " + claim.tag)) {
    (void)tool({"ip", "link", "delete", claim.name + "h"}).ok();
  }
  if (shows({"nft", "list", "table", "inet", claim.name}, claim.tag)) {
    (void)tool({"nft", "delete", "table", "inet", claim.name}).ok();
  }
  (void)tool({"ip", "netns", "delete", claim.name}).ok();
  release(claim);
}

}  // namespace wharfage::build
