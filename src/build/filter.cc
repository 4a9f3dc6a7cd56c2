#include "build/filter.h"

#include <fmt/format.h>

namespace wharfage::build {
namespace {

constexpr std::string_view refuse = "counter reject with icmpx type admin-prohibited";

// What may leave, in order; every line is prefixed with `where`.
std::string leaving(const FilterPlan& plan, std::string_view where) {
  std::string rules;
  for (std::uint32_t resolver : plan.resolvers) {
    rules += fmt::format("    {}ip daddr {} meta l4proto {{ tcp, udp }} th dport 53 accept\n", where,
                         address_text(resolver));
  }
  for (const AllowedTarget& target : plan.allowed) {
    std::string port = target.port == 0 ? "meta l4proto tcp" : fmt::format("tcp dport {}", target.port);
    rules += fmt::format("    {}ip daddr {} {} accept\n", where, target.network.text(), port);
  }
  for (const Network4& network : plan.denied) {
    rules += fmt::format("    {}ip daddr {} {}\n", where, network.text(), refuse);
  }
  if (plan.public_addresses) rules += fmt::format("    {}meta nfproto ipv4 meta l4proto tcp accept\n", where);
  rules += fmt::format("    {}{}\n", where, refuse);
  return rules;
}

// The host itself is opened port by port only: allowing 10.0.0.0/8 does not mean its own services.
std::string to_the_host(const FilterPlan& plan, std::string_view from) {
  std::string rules;
  for (const AllowedTarget& target : plan.allowed) {
    if (target.network.prefix != 32 || target.port == 0) continue;
    rules += fmt::format("    {}ip saddr {} ip daddr {} tcp dport {} accept\n", from,
                         address_text(plan.build_address), address_text(target.network.address), target.port);
  }
  return rules;
}

}  // namespace

std::string host_rules(const FilterPlan& plan) {
  std::string side = plan.name + "h", host = address_text(plan.host_address);
  std::string build = address_text(plan.build_address), registry = address_text(plan.registry_address);
  std::string from = fmt::format("iifname \"{}\" ", side);
  // "create" fails when somebody else has a table of this name.
  std::string text =
      fmt::format("create table inet {0} {{ comment \"{1}\"; }}\ntable inet {0} {{\n", plan.name, plan.tag);
  text += fmt::format(
      "  chain arriving {{\n    type nat hook prerouting priority -110; policy accept;\n"
      "    {}ip saddr {} ip daddr {} tcp dport {} dnat ip to {}:{}\n  }}\n",
      from, build, host, plan.registry_port, registry, plan.registry_port);
  text += fmt::format(
      "  chain incoming {{\n    type filter hook input priority -10; policy accept;\n"
      "    {}ct state established,related accept\n"
      "    {}ip saddr {} ct status dnat ip daddr {} tcp dport {} accept\n{}    {}{}\n  }}\n",
      from, from, build, registry, plan.registry_port, to_the_host(plan, from), from, refuse);
  text += fmt::format(
      "  chain passing {{\n    type filter hook forward priority -10; policy accept;\n"
      "    oifname \"{}\" ct state established,related accept\n    oifname \"{}\" drop\n"
      "    {}meta nfproto ipv6 drop\n    {}ip saddr != {} drop\n"
      "    {}ct state established,related accept\n",
      side, side, from, from, build, from);
  text += leaving(plan, from) + "  }\n";
  text += fmt::format(
      "  chain leaving {{\n    type nat hook postrouting priority 100; policy accept;\n"
      "    ip saddr {} oifname != \"{}\" masquerade\n  }}\n}}\n",
      build, side);
  return text;
}

std::string inside_rules(const FilterPlan& plan) {
  std::string text =
      "table inet build {\n"
      "  chain incoming {\n    type filter hook input priority 0; policy drop;\n"
      "    iif lo accept\n    ct state established,related accept\n  }\n"
      "  chain outgoing {\n    type filter hook output priority 0; policy drop;\n"
      "    oif lo accept\n    ct state established,related accept\n    meta nfproto ipv6 drop\n";
  text += fmt::format("    ip daddr {} tcp dport {} accept\n", address_text(plan.host_address),
                      plan.registry_port);
  return text + leaving(plan, "") + "  }\n}\n";
}

}  // namespace wharfage::build
