// For tests only: a whole node behind this facade, in process, and a client that signs what it asks. Its ids
// are those that tests/captures were recorded with.
#pragma once

#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <memory>
#include <set>
#include <string>

#include "base/text.h"
#include "crypto/digest.h"
#include "facade/fixture/facade_fixture.h"
#include "facade/huawei/route.h"
#include "sign/signing.h"

namespace wharfage::huawei {

namespace json = boost::json;

// A response as a client sees it; every body must be JSON or empty.
struct Reply {
  int status = 0;
  http::Headers headers;
  std::string text;
  json::value body;

  explicit Reply(const http::Response& response)
      : status(response.status), headers(response.headers), text(std::get<std::string>(response.body)) {
    INFO(text);
    if (text.empty()) return;
    body = json::parse(text);
    CHECK(headers.get("Content-Type").rfind("application/json", 0) == 0);
  }
  json::value at(std::string_view path) const { return facade::member_at(body, path); }
  std::string text_at(std::string_view path) const { return facade::text_at(body, path); }
  // Its members' names, sorted; "" is the whole body.
  std::string members(std::string_view path = {}) const {
    json::value value = path.empty() ? body : at(path);
    REQUIRE(value.is_object());
    std::set<std::string> names;
    for (const auto& member : value.get_object()) names.insert(std::string(member.key()));
    std::string all;
    for (const auto& name : names) all += (all.empty() ? "" : " ") + name;
    return all;
  }
  // What the vendor's error form says, whichever it is.
  std::string code() const {
    std::string code = text_at("error_code");
    return code.empty() ? text_at("error.title") : code;
  }
};

using facade::Key;
inline const Key admin_key{"AKTEST0000000000", "sk-test-secret"};

inline void sign_request(http::Request& request, const Key& key, TimeMs now) {
  request.headers.set("X-Sdk-Date", basic_iso8601(now));
  const std::string names = "host;x-sdk-date";
  std::string path;
  for (std::string_view segment : split(std::string_view(request.path).substr(1), '/'))
    path += "/" + percent_encode(percent_decode(segment));
  std::string canonical = request.method + "\n" + path + "/\n" + request.query +
                          "\nhost:" + std::string(request.headers.get("Host")) +
                          "\nx-sdk-date:" + std::string(request.headers.get("X-Sdk-Date")) + "\n\n" + names +
                          "\n" + hex(crypto::sha256(request.body));
  std::string to_sign = "SDK-HMAC-SHA256\n" + std::string(request.headers.get("X-Sdk-Date")) + "\n" +
                        hex(crypto::sha256(canonical));
  request.headers.set("Authorization", "SDK-HMAC-SHA256 Access=" + key.id + ", SignedHeaders=" + names +
                                           ", Signature=" + hex(crypto::hmac_sha256(key.secret, to_sign)));
}

struct Port : facade::FacadeFixture {
  Port()
      : facade::FacadeFixture(sign::schema(), admin_key,
                              "UPDATE instances SET project_id = 'proj1', uuid = 'inst-1'") {
    auto& base = house.base;
    signing = std::make_unique<sign::Signing>(*house.registry, *base.ids, *queue, base.vault,
                                              sign::Signing::Options{.registry_host = "registry.example"});
    signing->start();
    Rooms rooms{*house.registry, *FacadeFixture::policies, *retention, *scans, *signing, *sync, *connections,
                *inventory};
    facade = std::make_unique<Huawei>(rooms, *base.auth, audit, base.clock, Options{}, base.log());
  }
  ~Port() {
    halt();
    house.events->stop();
  }

  // `target` with its query sorted by name.
  http::Request request(const std::string& method, const std::string& target, const std::string& body = "") {
    http::Request made = facade::request_of(method, target, body);
    made.headers.set("Host", "registry.example:5000");
    if (!body.empty()) made.headers.set("Content-Type", "application/json");
    return made;
  }
  Reply answer(const http::Request& asked) { return Reply(facade->answer(asked)); }
  Reply ask(const std::string& method, const std::string& target, const std::string& body = "",
            const Key& key = admin_key) {
    http::Request made = request(method, target, body);
    sign_request(made, key, house.base.clock.now());
    return answer(made);
  }
  // Expected to succeed.
  Reply call(const std::string& method, const std::string& target, const std::string& body = "") {
    Reply reply = ask(method, target, body);
    INFO(method << " " << target << ": " << reply.text);
    CHECK(reply.status < 300);
    return reply;
  }
  // The status and code of what is refused.
  std::string refusal(const std::string& method, const std::string& target, const std::string& body = "",
                      const Key& key = admin_key) {
    Reply reply = ask(method, target, body, key);
    INFO(method << " " << target << ": " << reply.text);
    CHECK(reply.status >= 400);
    return std::to_string(reply.status) + " " + reply.code();
  }

  // The policy 3 of namespace root with its execution 8, as the captures name them.
  void add_policies() {
    house.push_image(house.repository("root/libz"), "one", {"1.0"});
    auto key = signing->create_key("release");
    REQUIRE(key.ok());
    for (int count = 1; count <= 3; ++count) {
      Reply made = call("POST", policies, policy_body("p" + std::to_string(count), key->uuid));
      REQUIRE(made.text_at("id") == std::to_string(count));
    }
    for (int count = 1; count <= 8; ++count) {
      Reply made = call("POST", policies + "/3/executions");
      REQUIRE(made.text_at("id") == std::to_string(count));
    }
  }
  // Makes tags immutable, and is the first of its kind.
  static std::string immutable_body(const std::string& tags, const std::string& decoration = "matches") {
    return R"({"tag_selectors":[{"kind":"doublestar","decoration":")" + decoration + R"(","pattern":")" +
           tags + R"("}],"scope_selectors":{"repository":[{"kind":"doublestar",)" +
           R"("decoration":"repoMatches","pattern":"app/**"}]}})";
  }
  static std::string retention_body(const std::string& kind, int value,
                                    const std::string& trigger = R"({"type":"manual"})") {
    return R"({"name":"keep","algorithm":"or","enabled":true,"trigger":)" + trigger +
           R"(,"rules":[{"priority":0,"action":"retain","repo_scope_mode":"regular","template":")" + kind +
           R"(","params":{")" + kind + "\":" + std::to_string(value) +
           R"(},"tag_selectors":[{"kind":"doublestar","decoration":"matches","pattern":"**"}],)" +
           R"("scope_selectors":{"repository":[{"kind":"doublestar","decoration":"repoMatches",)" +
           R"("pattern":"**"}]}}]})";
  }
  static std::string repository_retention_body(const std::string& kind, const std::string& value,
                                               const std::string& spared = "") {
    return R"({"algorithm":"or","rules":[{"template":")" + kind + R"(","params":{")" +
           (kind == "tag_rule" ? "num" : "days") + R"(":")" + value + R"("},"tag_selectors":[)" + spared +
           "]}]}";
  }
  static std::string policy_body(const std::string& name, const std::string& key) {
    return R"({"name":")" + name + R"(","enabled":true,"signature_method":"KMS",)" +
           R"("signature_algorithm":"ECDSA_SHA_256","signature_key":")" + key +
           R"(","trigger":{"type":"manual"},"scope_rules":[{"tag_selectors":[{"kind":"doublestar",)" +
           R"("decoration":"matches","pattern":"**"}],"scope_selectors":{"repository":[{"kind":"doublestar",)" +
           R"("decoration":"repoMatches","pattern":"**"}]},"repo_scope_mode":"regular"}]})";
  }

  const std::string instance = "/v2/proj1/instances/inst-1";
  const std::string policies = instance + "/namespaces/root/signature/policies";
  std::unique_ptr<sign::Signing> signing;
  std::unique_ptr<Huawei> facade;
};

}  // namespace wharfage::huawei
