// For tests only: a whole node behind this facade, in process, and a client that signs (V3) what it asks.
#pragma once

#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <memory>
#include <string>

#include "base/random.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "facade/alibaba/action.h"
#include "facade/fixture/builds_fixture.h"
#include "facade/fixture/facade_fixture.h"

namespace wharfage::alibaba {

namespace json = boost::json;

// A response as a client sees it; every body must be JSON.
struct Reply {
  int status = 0;
  json::object body;

  explicit Reply(const http::Response& response) : status(response.status) {
    const auto& text = std::get<std::string>(response.body);
    INFO(text);
    json::value value = json::parse(text);
    REQUIRE(value.is_object());
    body = value.as_object();
    CHECK(response.headers.get("x-acs-request-id") == this->text("RequestId"));
    CHECK(response.headers.get("Content-Type").rfind("application/json", 0) == 0);
  }
  // By path, "Image.RepoName" or "Images.0.Tag".
  json::value at(std::string_view path) const { return facade::member_at(body, path); }
  std::string text(std::string_view path) const { return facade::text_at(body, path); }
  std::size_t size(std::string_view path) const {
    json::value value = at(path);
    return value.is_array() ? value.get_array().size() : 0;
  }
  std::string code() const { return text("Code"); }
  bool good() const { return status == 200 && text("IsSuccess") != "false"; }
};

using facade::Key;
inline const Key admin_key{"testAccessKeyId", "testAccessKeySecret"};

inline void sign(http::Request& request, const Key& key, TimeMs now) {
  request.headers.set("x-acs-date", rfc3339(now));
  request.headers.set("x-acs-signature-nonce", random_hex(16));
  request.headers.set("x-acs-content-sha256", hex(crypto::sha256(request.body)));
  const std::string names =
      "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version";
  std::string canonical = request.method + "\n/\n" + request.query + "\n";
  for (std::string_view name : split(names, ';'))
    canonical += std::string(name) + ":" + std::string(request.headers.get(name)) + "\n";
  canonical += "\n" + names + "\n" + std::string(request.headers.get("x-acs-content-sha256"));
  std::string to_sign = "ACS3-HMAC-SHA256\n" + hex(crypto::sha256(canonical));
  request.headers.set("Authorization", "ACS3-HMAC-SHA256 Credential=" + key.id + ",SignedHeaders=" + names +
                                           ",Signature=" + hex(crypto::hmac_sha256(key.secret, to_sign)));
}

struct Shop : facade::FacadeFixture {
  Shop() : facade::FacadeFixture(build::schema(), admin_key), builds(facade::make_builds(*this)) {
    auto& base = house.base;
    Rooms rooms{*house.registry, *policies, *builds, *scans, *sync, *connections, *inventory};
    facade = std::make_unique<Alibaba>(rooms, *base.auth, audit, base.clock, Options{"registry.example:5000"},
                                       base.log());
  }
  ~Shop() {
    halt();
    house.events->stop();
  }

  const registry::Instance& instance() { return house.registry->instance(); }

  http::Request request(std::string_view action, std::map<std::string, std::string> params,
                        std::string_view version = cr_version, const std::string& method = "POST") {
    std::string query;
    for (const auto& [name, value] : params)
      query += (query.empty() ? "" : "&") + percent_encode(name) + "=" + percent_encode(value);
    http::Request made = facade::request_of(method, "/?" + query);
    made.headers.set("Host", "registry.example:5000");
    made.headers.set("x-acs-action", std::string(action));
    made.headers.set("x-acs-version", std::string(version));
    return made;
  }
  Reply ask(std::string_view action, const std::map<std::string, std::string>& params,
            std::string_view version = cr_version, const Key& key = admin_key) {
    http::Request made = request(action, params, version);
    sign(made, key, house.base.clock.now());
    INFO(action);
    return Reply(facade->answer(made));
  }
  // Of our instance, and expected to succeed.
  Reply call(std::string_view action, std::map<std::string, std::string> params, const Key& key = admin_key) {
    params.emplace("InstanceId", instance().cri_id);
    Reply reply = ask(action, params, cr_version, key);
    INFO(action << ": " << json::serialize(reply.body));
    CHECK(reply.good());
    return reply;
  }
  // Of our instance, and expected to be refused: the status and code.
  std::string refusal(std::string_view action, std::map<std::string, std::string> params,
                      const Key& key = admin_key) {
    params.emplace("InstanceId", instance().cri_id);
    Reply reply = ask(action, params, cr_version, key);
    INFO(action << ": " << json::serialize(reply.body));
    CHECK_FALSE(reply.good());
    CHECK_FALSE(reply.text("Message").empty());
    return std::to_string(reply.status) + " " + reply.code();
  }

  std::unique_ptr<build::Builds> builds;
  std::unique_ptr<Alibaba> facade;
};

}  // namespace wharfage::alibaba
