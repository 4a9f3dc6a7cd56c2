#include "build/filter.h"

#include <doctest/doctest.h>

#include "base/test_folder.h"
#include "build/buildah.h"
#include "build/control_group.h"
#include "build/network.h"
#include "build/stores.h"

using namespace wharfage;
using namespace wharfage::build;
namespace fs = std::filesystem;

namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

// The position of a rule, which has to be there.
std::size_t at(const std::string& text, std::string_view part) {
  auto position = text.find(part);
  REQUIRE_MESSAGE(position != text.npos, part);
  return position;
}

std::string read(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("addresses and networks are read and compared") {
  CHECK(parse_network("10.1.2.3/8")->text() == "10.0.0.0/8");
  CHECK(parse_network("1.2.3.4")->text() == "1.2.3.4/32");
  CHECK(parse_network("0.0.0.0/0")->contains(0xffffffff));
  for (const char* wrong : {"", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/-1", "::1", "x"})
    CHECK_FALSE(parse_network(wrong));
  CHECK(parse_host_port("a.b:443")->port == 443);
  CHECK(parse_host_port("10.0.0.0/8:443")->host == "10.0.0.0/8");
  CHECK(parse_host_port("a.b")->port == 0);
  for (const char* wrong : {"", ":1", "a:0", "a:65536", "a:x", "a b", "a;drop"})
    CHECK_FALSE(parse_host_port(wrong).ok());
  CHECK(resolvers_in(
            "# x\nnameserver 127.0.0.53\nnameserver 10.0.0.2\nnameserver ::1\nnameserver\t9.9.9.9\n") ==
        std::vector<std::uint32_t>{0x0a000002, 0x09090909});
}

TEST_CASE("everything that is not public is special") {
  auto special = [](std::string_view text) {
    for (const Network4& network : special_networks()) {
      if (network.contains(*parse_address(text))) return true;
    }
    return false;
  };
  for (const char* address :
       {"0.0.0.0", "10.1.1.1", "100.64.0.1", "127.0.0.1", "127.255.255.255", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.168.1.1", "198.19.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"}) {
    CAPTURE(address);
    CHECK(special(address));
  }
  for (const char* address :
       {"1.1.1.1", "8.8.8.8", "100.128.0.1", "172.32.0.1", "192.169.0.1", "223.255.255.255"}) {
    CAPTURE(address);
    CHECK_FALSE(special(address));
  }
}

TEST_CASE("the filter allows in the right order and ends with a refusal") {
  FilterPlan plan{.name = "wfb3",
                  .host_address = 0x0ad5000d,
                  .build_address = 0x0ad5000e,
                  .registry_address = 0x7f000001,
                  .registry_port = 5000,
                  .resolvers = {0x0a000035},
                  .allowed = {{{0x0a010203, 32}, 443}, {{0x0a020000, 16}, 0}},
                  .denied = special_networks()};
  for (const std::string& rules : {host_rules(plan), inside_rules(plan)}) {
    auto dns = at(rules, "ip daddr 10.0.0.53 meta l4proto { tcp, udp } th dport 53 accept");
    auto allowed = at(rules, "ip daddr 10.1.2.3/32 tcp dport 443 accept");
    CHECK(has(rules, "ip daddr 10.2.0.0/16 meta l4proto tcp accept"));
    auto denied = at(rules, "ip daddr 10.0.0.0/8 counter reject");
    auto open = at(rules, "meta nfproto ipv4 meta l4proto tcp accept");
    CHECK(dns < denied);
    CHECK(allowed < denied);
    CHECK(denied < open);
    CHECK(rules.find("counter reject", open) != rules.npos);
  }
  std::string host = host_rules(plan);
  CHECK(has(host,
            "iifname \"wfb3h\" ip saddr 10.213.0.14 ip daddr 10.213.0.13 tcp dport 5000 dnat ip to "
            "127.0.0.1:5000"));
  auto registry = at(host, "ct status dnat ip daddr 127.0.0.1 tcp dport 5000 accept");
  CHECK(host.find("iifname \"wfb3h\" counter reject", registry) != host.npos);
  // The host opens single ports only.
  auto incoming =
      host.substr(at(host, "chain incoming"), at(host, "chain passing") - at(host, "chain incoming"));
  CHECK(has(incoming, "ip daddr 10.1.2.3 tcp dport 443 accept"));
  CHECK_FALSE(has(incoming, "10.2.0.0"));
  plan.public_addresses = false;
  CHECK_FALSE(has(host_rules(plan), "meta nfproto ipv4 meta l4proto tcp accept"));
  CHECK_FALSE(has(inside_rules(plan), "meta nfproto ipv4 meta l4proto tcp accept"));
}

TEST_CASE("the plan follows the settings and refuses what it cannot mean") {
  Options options;
  options.registry_address = "0.0.0.0:5000";
  options.egress.allow = {"10.9.0.0/16:443"};
  options.egress.deny = {"203.0.113.0/24"};
  options.egress.resolvers = {"10.0.0.1"};
  auto plan = plan_filter(options);
  REQUIRE(plan.ok());
  CHECK(address_text(plan->registry_address) == "127.0.0.1");
  CHECK(plan->registry_port == 5000);
  CHECK(plan->resolvers == std::vector<std::uint32_t>{0x0a000001});
  REQUIRE(plan->allowed.size() == 1);
  CHECK(plan->allowed[0].network.text() == "10.9.0.0/16");
  CHECK(plan->denied.back().text() == "203.0.113.0/24");
  // The host's own networks are denied too, whatever addresses they have.
  for (const Network4& own : host_networks()) {
    CHECK(std::any_of(plan->denied.begin(), plan->denied.end(),
                      [&](auto& one) { return one.text() == own.text(); }));
  }
  for (const char* wrong : {"", "5000", "[::1]:5000", "127.0.0.1", "host.example:5000"}) {
    options.registry_address = wrong;
    CHECK_FALSE(plan_filter(options).ok());
  }
}

TEST_CASE("registries and logins cover every name of this registry") {
  Options options;
  options.registry_address = "127.0.0.1:5000";
  options.registry_names = {"registry.example.com"};
  CHECK(own_names(options) ==
        std::vector<std::string>{"registry.example.com", "127.0.0.1:5000", "localhost:5000"});
  std::string conf = registries_conf(options, "10.213.0.1:5000");
  CHECK(has(conf, "unqualified-search-registries = [\"registry.example.com\", \"docker.io\"]\n"));
  CHECK(has(conf, "prefix = \"localhost:5000\"\nlocation = \"10.213.0.1:5000\"\ninsecure = true\n"));
  CHECK(login_file(options, "10.213.0.1:5000", {"a", "b"}) ==
        "{\"auths\":{\"registry.example.com\":{\"auth\":\"YTpi\"},\"127.0.0.1:5000\":{\"auth\":\"YTpi\"},"
        "\"localhost:5000\":{\"auth\":\"YTpi\"},\"10.213.0.1:5000\":{\"auth\":\"YTpi\"}}}");
  options.registry_names.clear();
  options.registry_address = "0.0.0.0:80";
  CHECK(own_names(options) == std::vector<std::string>{"127.0.0.1:80", "localhost:80"});
}

TEST_CASE("a foreign platform needs an emulator that the kernel can open everywhere") {
  TestFolder folder;
  CHECK(platform_obstacle(host_platform(), folder.path()) == "");
  std::string foreign = host_platform() == "linux/arm64" ? "linux/amd64" : "linux/arm64";
  std::string handler = foreign == "linux/arm64" ? "qemu-aarch64" : "qemu-x86_64";
  CHECK(has(platform_obstacle(foreign, folder.path()), handler + " is not registered"));
  folder.write(handler, "enabled\ninterpreter /usr/bin/qemu\nflags: OC\n");
  CHECK_FALSE(platform_obstacle(foreign, folder.path()).empty());
  folder.write(handler, "disabled\ninterpreter /usr/bin/qemu\nflags: OCF\n");
  CHECK_FALSE(platform_obstacle(foreign, folder.path()).empty());
  folder.write(handler, "enabled\ninterpreter /usr/bin/qemu\nflags: OCF\n");
  CHECK(platform_obstacle(foreign, folder.path()) == "");
}

TEST_CASE("limits are written the way the hierarchy at hand wants them") {
  // A folder that looks like a v2 hierarchy; the kernel would make these files itself.
  TestFolder root;
  root.write("cgroup.controllers", "cpuset cpu io memory hugetlb pids\n");
  root.write("cgroup.subtree_control", "");
  fs::create_directories(root.path("p/b"));
  for (const char* file :
       {"memory.max", "memory.swap.max", "pids.max", "cpu.max", "cgroup.procs", "cgroup.kill"}) {
    root.write(std::string("p/b/") + file, "");
  }
  root.write("p/b/memory.events", "low 0\noom 1\noom_kill 0\n");
  auto group =
      ControlGroup::open("p", "b", {.memory_bytes = 1000, .processes = 7, .cpu_percent = 150}, root.path());
  REQUIRE(group.ok());
  CHECK(read(root.path("p/b/memory.max")) == "1000");
  CHECK(read(root.path("p/b/memory.swap.max")) == "0");
  CHECK(read(root.path("p/b/pids.max")) == "7");
  CHECK(read(root.path("p/b/cpu.max")) == "150000 100000");
  CHECK(read(root.path("cgroup.subtree_control")) == "+memory +pids +cpu");
  CHECK((*group)->control_files() == std::vector<std::string>{root.path("p/b/cgroup.procs")});
  CHECK_FALSE((*group)->out_of_memory());
  root.write("p/b/memory.events", "low 0\noom 1\noom_kill 2\n");
  CHECK((*group)->out_of_memory());
  group->reset();
  CHECK(read(root.path("p/b/cgroup.kill")) == "1");
  CHECK_FALSE(ControlGroup::open("p", "b", {}, root.path("nothing")).ok());
}

TEST_CASE("a layer store is kept when its build ended well, and thrown away otherwise") {
  TestFolder folder;
  Stores stores(folder.path("store"), 1 << 20);
  auto fill = [&](const std::string& key, bool keep) {
    auto lease = stores.lease(key);
    REQUIRE(lease.ok());
    fs::create_directories((*lease)->folder());
    std::ofstream((*lease)->folder() + "/layer") << "x";
    if (keep) (*lease)->keep();
    return (*lease)->folder();
  };
  CHECK(fs::exists(fill("1-1", true)));
  CHECK_FALSE(fs::exists(fill("1-2", false)));
  {
    auto first = stores.lease("1-1");
    auto second = stores.lease("1-1");
    REQUIRE(first.ok());
    REQUIRE(second.ok());
    CHECK((*first)->folder() != (*second)->folder());
    fs::create_directories((*second)->folder());
    (*second)->keep();
    std::string other = (*second)->folder();
    second->reset();
    CHECK_FALSE(fs::exists(other));  // nobody would find it again
    CHECK(fs::exists((*first)->folder() + "/layer"));
    // The server dies here.
    Stores next(folder.path("store"), 1 << 20);
    next.recover();
    CHECK_FALSE(fs::exists((*first)->folder()));
  }
  CHECK(fs::is_empty(folder.path("store")));
}

TEST_CASE("the least recently used layer stores make room") {
  TestFolder folder;
  Stores stores(folder.path("store"), 250 << 10);
  std::vector<std::string> folders;
  for (int i = 0; i < 4; ++i) {
    auto lease = stores.lease(std::to_string(i));
    REQUIRE(lease.ok());
    folders.push_back((*lease)->folder());
    fs::create_directories(folders.back());
    std::ofstream(folders.back() + "/layer") << std::string(100 << 10, 'x');
    (*lease)->keep();
    lease->reset();
    // Older than what comes after, without waiting.
    fs::last_write_time(folders.back(), fs::file_time_type::clock::now() - std::chrono::hours(10 - i));
  }
  CHECK_FALSE(fs::exists(folders[0]));
  CHECK_FALSE(fs::exists(folders[1]));
  CHECK(fs::exists(folders[3]));
}
