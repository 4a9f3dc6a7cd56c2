#include "node/config.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

using namespace wharfage;
using namespace wharfage::node;

namespace {

class TempFile {
 public:
  explicit TempFile(const std::string& text) : x_name("/tmp/wharfage-config-" + std::to_string(getpid())) {
    std::ofstream(x_name) << text;
  }
  ~TempFile() { std::remove(x_name.c_str()); }
  const std::string& name() const { return x_name; }

 private:
  std::string x_name;
};

std::string refusal(const std::string& yaml, const Environment& environment = {}) {
  TempFile file(yaml);
  auto config = load_config(file.name(), environment);
  return config.ok() ? "accepted" : config.error().message;
}

}  // namespace

TEST_CASE("the server needs no configuration") {
  auto config = load_config("", {{"HOME", "/home/a"}});
  REQUIRE(config.ok());
  CHECK(config->listen == "127.0.0.1:5000");
  CHECK(config->data == "/home/a/.local/share/wharfage");
}

TEST_CASE("nothing is open or sparse unless it is said") {
  auto config = load_config("", {});
  REQUIRE(config.ok());
  CHECK(config->anonymous_namespaces.empty());
  CHECK(config->anonymous_access == "pull");
  CHECK_FALSE(config->sparse_indexes);
  CHECK_FALSE(config->sparse_images);
  auto open = load_config("", {{"WHARFAGE__REGISTRY__ANONYMOUS_NAMESPACES", "a, b-*"},
                               {"WHARFAGE__REGISTRY__ANONYMOUS_ACCESS", "delete"}});
  REQUIRE(open.ok());
  CHECK(open->anonymous_namespaces == std::vector<std::string>{"a", "b-*"});
  CHECK(open->anonymous_access == "delete");
}

TEST_CASE("the environment wins over the file") {
  TempFile file(
      "server:\n  listen: 0.0.0.0:80\n  workers: 4\nnetwork:\n  allowed: [10.0.0.0/8, 127.0.0.1/32:5001]\n");
  auto config = load_config(file.name(), {{"WHARFAGE__SERVER__LISTEN", "127.0.0.1:81"},
                                          {"WHARFAGE__BUILD__FILE_ROOTS", "/srv/a, /srv/b"},
                                          {"UNRELATED", "x"}});
  REQUIRE(config.ok());
  CHECK(config->listen == "127.0.0.1:81");
  CHECK(config->workers == 4);
  CHECK(config->allowed_addresses.size() == 2);
  CHECK(config->build_file_roots == std::vector<std::string>{"/srv/a", "/srv/b"});
}

TEST_CASE("values may be read from files") {
  TempFile file("https://registry.example\n");
  auto config = load_config("", {{"WHARFAGE__SERVER__EXTERNAL_URL_FILE", file.name()}});
  REQUIRE(config.ok());
  CHECK(config->external_url == "https://registry.example");
}

TEST_CASE("a wrong setting is named") {
  CHECK(refusal("server:\n  workers: many\n").find("server.workers needs a number") != std::string::npos);
  CHECK(refusal("server:\n  color: red\n").find("no setting server.color") != std::string::npos);
  for (std::string bad : {"127.0.0.1:99999", "127.0.0.1", ":80", "''", "host:http"})
    CHECK(refusal("server:\n  listen: " + bad + "\n").find("server.listen must be") != std::string::npos);
  CHECK(refusal("server: [1]\n").find("must hold settings") != std::string::npos);
  CHECK(refusal("server:\n  tls_key: k\n").find("go together") != std::string::npos);
  CHECK(refusal("a: [\n") != "accepted");
  CHECK(refusal("registry:\n  anonymous_access: all\n").find("needs one of pull, push, delete") !=
        std::string::npos);
  CHECK(refusal("registry:\n  anonymous_namespaces: ['{a']\n").find("bad pattern {a") != std::string::npos);
  CHECK(refusal("", {{"WHARFAGE__LOG__LEVEL", "loud"}}).find("WHARFAGE__LOG__LEVEL") != std::string::npos);
}

TEST_CASE("addresses are read when the server starts, not when they are needed") {
  CHECK(refusal("network:\n  allowed: [banana]\n").find("network.allowed") != std::string::npos);
  CHECK(refusal("network:\n  allowed: [\"127.0.0.1/32:5000\"]\n") == "accepted");
  CHECK(refusal("server:\n  external_url: banana\n").find("external_url") != std::string::npos);
  CHECK(refusal("server:\n  external_url: https://registry.example\n") == "accepted");
}

TEST_CASE("a setting that is there twice is named") {
  CHECK(refusal("log:\n  level: info\nserver:\n  workers: 4\n  workers: 5\n")
            .find("server.workers is there twice") != std::string::npos);
  CHECK(refusal("server:\n  workers: 4\nserver:\n  loops: 2\n").find("server is there twice") !=
        std::string::npos);
  CHECK(refusal("server:\n  workers: 4\nlog:\n  level: info\n") == "accepted");
}

TEST_CASE("what builds may reach is read when the server starts") {
  for (const char* line :
       {"egress_allow: [banana split]", "egress_allow: [10.0.0.0/99]", "egress_allow: [10.0.0.0/8:99999]",
        "egress_allow: [1.2.3]", "egress_deny: [banana]", "egress_deny: [10.0.0.0/8:1]", "resolver: banana",
        "resolver: 1.2.3.4/8", "network: banana", "network: 10.0.0.0/31"}) {
    CAPTURE(line);
    std::string name(line, std::string_view(line).find(':'));
    CHECK(refusal(std::string("build:\n  ") + line + "\n").find("build." + name + " has") !=
          std::string::npos);
  }
  CHECK(refusal("build:\n  egress_allow: [proxy.example:3128, 10.0.0.0/8, 10.0.0.1, 10.0.0.0/8:443]\n"
                "  egress_deny: [8.8.8.0/24, 1.1.1.1]\n  resolver: 9.9.9.9\n  network: 10.9.0.0/16\n") ==
        "accepted");
  CHECK(refusal("build:\n  resolver: ''\n  egress_allow: []\n") == "accepted");
  CHECK(refusal("", {{"WHARFAGE__BUILD__EGRESS_DENY", "[1.1.1.1, 8.8.8.8]"}})
            .find("WHARFAGE__BUILD__EGRESS_DENY needs its values with commas") != std::string::npos);
  CHECK(refusal("", {{"WHARFAGE__BUILD__EGRESS_DENY", "1.1.1.1, 8.8.8.8"}}) == "accepted");
}

TEST_CASE("addresses of web servers") {
  for (const char* url :
       {"https://", "https:///x", "https://registry.example/path", "ftp://registry.example"}) {
    CAPTURE(url);
    CHECK(refusal(std::string("server:\n  external_url: ") + url + "\n").find("server.external_url") !=
          std::string::npos);
  }
  CHECK(
      load_config("", {{"WHARFAGE__SERVER__EXTERNAL_URL", "https://registry.example:8443/"}})->external_url ==
      "https://registry.example:8443");
  CHECK(refusal("scan:\n  vulndb_mirror: banana\n").find("scan.vulndb_mirror has banana") !=
        std::string::npos);
  CHECK(refusal("scan:\n  vulndb_mirror: ''\n") == "accepted");
}

TEST_CASE("pushes are scanned unless that is switched off") {
  CHECK(load_config("", {})->scan_every_push);
  CHECK_FALSE(load_config("", {{"WHARFAGE__SCAN__EVERY_PUSH", "false"}})->scan_every_push);
}

TEST_CASE("the shown configuration reads back as itself") {
  auto config = load_config("", {{"WHARFAGE__BUILD__FILE_ROOTS", "/a"}});
  REQUIRE(config.ok());
  TempFile file(show_config(*config));
  auto again = load_config(file.name(), {});
  REQUIRE(again.ok());
  CHECK(show_config(*again) == show_config(*config));
}

TEST_CASE("client certificates need TLS and a known mode") {
  CHECK(refusal("tls:\n  client_ca_file: ca.pem\n").find("server.tls_key") != std::string::npos);
  CHECK(refusal("tls:\n  client_mode: sometimes\n").find("require or optional") != std::string::npos);
  CHECK(refusal("tls:\n  client_ca_file: ca.pem\n  client_mode: optional\n"
                "server:\n  tls_certificate: c.pem\n  tls_key: k.pem\n") == "accepted");
}
