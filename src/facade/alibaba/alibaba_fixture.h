// For tests only: a whole node behind this facade, in process, and a client that signs (V3) what it asks.
#pragma once

#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <memory>
#include <string>

#include "base/random.h"
#include "base/text.h"
#include "build/builds.h"
#include "connect/connections_fixture.h"
#include "crypto/digest.h"
#include "facade/alibaba/action.h"
#include "inventory/inventory.h"
#include "scan/scanning.h"
#include "sync/sync.h"

namespace wharfage::alibaba {

namespace json = boost::json;

inline std::vector<meta::Migration> all_schemas() {
  std::vector<meta::Migration> all;
  for (const auto& list : {build::schema(), scan::schema(), sync::schema(), inventory::schema()})
    all.insert(all.end(), list.begin(), list.end());
  return all;
}

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
  // A member by its path, "Image.RepoName" or "Images.0.Tag"; null where there is none.
  json::value at(std::string_view path) const {
    json::value now = body;
    for (std::string_view step : split(path, '.')) {
      auto index = parse_integer(step);
      json::value next;
      if (now.is_object() && now.get_object().contains(step)) next = now.get_object().at(step);
      if (now.is_array() && index && static_cast<std::size_t>(*index) < now.get_array().size())
        next = now.get_array().at(static_cast<std::size_t>(*index));
      now = std::move(next);
    }
    return now;
  }
  // Texts as they are, all else as JSON; "" where there is none.
  std::string text(std::string_view path) const {
    json::value value = at(path);
    if (value.is_null()) return "";
    return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
  }
  std::size_t size(std::string_view path) const {
    json::value value = at(path);
    return value.is_array() ? value.get_array().size() : 0;
  }
  std::string code() const { return text("Code"); }
  bool good() const { return status == 200 && text("IsSuccess") != "false"; }
};

struct Key {
  std::string id = "testAccessKeyId", secret = "testAccessKeySecret";
};

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

struct Shop : connect::ConnectFixture {
  Shop() : connect::ConnectFixture(all_schemas()) {
    auto& base = house.base;
    admin = base.user("admin", true);
    REQUIRE(base.auth->put_access_key("admin", Key().id, Key().secret).ok());
    build::Options building;
    building.work_folder = base.folder.path("builds");
    building.registry_address = "127.0.0.1:1";
    builds = std::make_unique<build::Builds>(*base.db, *base.ids, *house.registry, *base.auth, *queue,
                                             base.vault, base.clock, building, base.log());
    scans = std::make_unique<scan::Scanning>(
        *house.registry, *queue,
        scan::Scanning::Options{.advisory_file = base.folder.path("advisories.db"), .every_push = false},
        base.log());
    scans->start();
    sync = std::make_unique<sync::Sync>(*connections, *base.ids, *queue, sync::Options{});
    REQUIRE(sync->start().ok());
    inventory = std::make_unique<inventory::Inventory>(*connections, *base.ids, *queue, inventory::Options{});
    REQUIRE(inventory->start().ok());
    rules = std::make_unique<registry::Policies>(*house.registry, *base.ids);
    Rooms rooms{*house.registry, *rules, *builds, *scans, *sync, *connections, *inventory};
    facade = std::make_unique<Alibaba>(rooms, *base.auth, audit, base.clock, Options{"registry.example:5000"},
                                       base.log());
  }
  ~Shop() {
    halt();
    house.events->stop();
  }

  const registry::Instance& instance() { return house.registry->instance(); }

  // A user with a key and these rights.
  Key member(const std::string& name, std::int64_t namespace_id = 0, auth::Role role = auth::Role::guest) {
    auto who = house.base.user(name);
    if (namespace_id) house.base.grant(who, namespace_id, role);
    Key key{"LTAI0000000000" + name, "secretof" + name + "0123456789"};
    REQUIRE(house.base.auth->put_access_key(name, key.id, key.secret).ok());
    return key;
  }

  http::Request request(std::string_view action, std::map<std::string, std::string> params,
                        std::string_view version = cr_version, const std::string& method = "POST") {
    http::Request made;
    made.method = method;
    made.path = "/";
    for (const auto& [name, value] : params)
      made.query += (made.query.empty() ? "" : "&") + percent_encode(name) + "=" + percent_encode(value);
    made.target = "/?" + made.query;
    made.peer = "192.0.2.1";
    made.headers.set("Host", "registry.example:5000");
    made.headers.set("x-acs-action", std::string(action));
    made.headers.set("x-acs-version", std::string(version));
    return made;
  }
  Reply ask(std::string_view action, const std::map<std::string, std::string>& params,
            std::string_view version = cr_version, const Key& key = {}) {
    http::Request made = request(action, params, version);
    sign(made, key, house.base.clock.now());
    INFO(action);
    return Reply(facade->answer(made));
  }
  // Of our instance, and expected to succeed.
  Reply call(std::string_view action, std::map<std::string, std::string> params, const Key& key = {}) {
    params.emplace("InstanceId", instance().cri_id);
    Reply reply = ask(action, params, cr_version, key);
    INFO(action << ": " << json::serialize(reply.body));
    CHECK(reply.good());
    return reply;
  }
  // Of our instance, and expected to be refused: the status and code.
  std::string refusal(std::string_view action, std::map<std::string, std::string> params,
                      const Key& key = {}) {
    params.emplace("InstanceId", instance().cri_id);
    Reply reply = ask(action, params, cr_version, key);
    INFO(action << ": " << json::serialize(reply.body));
    CHECK_FALSE(reply.good());
    CHECK_FALSE(reply.text("Message").empty());
    return std::to_string(reply.status) + " " + reply.code();
  }

  auth::Principal admin;
  std::unique_ptr<registry::Policies> rules;
  std::unique_ptr<build::Builds> builds;
  std::unique_ptr<scan::Scanning> scans;
  std::unique_ptr<sync::Sync> sync;
  std::unique_ptr<inventory::Inventory> inventory;
  std::unique_ptr<Alibaba> facade;
};

}  // namespace wharfage::alibaba
