// For tests only, of this room and those above: connections over a registry of its own, and a queue.
#pragma once

#include <chrono>
#include <thread>

#include "connect/connections.h"
#include "http/client.h"
#include "op/operation.h"
#include "registry/registry_fixture.h"

namespace wharfage::connect {

inline std::vector<meta::Migration> with_connect_schema(std::vector<meta::Migration> more = {}) {
  for (const meta::Migration& migration : schema()) more.push_back(migration);
  return more;
}

struct ConnectFixture {
  // `more`: the schemas of rooms above. Nothing runs before go().
  explicit ConnectFixture(std::vector<meta::Migration> more = {})
      : house(with_connect_schema(std::move(more))) {
    restart();
  }
  ~ConnectFixture() { halt(); }

  // As a new process would find it.
  void restart() {
    halt();
    connections.reset();
    queue.reset();
    house.registry.reset();
    house.events = std::make_unique<job::Events>(*house.base.db, house.base.clock, house.base.log());
    house.restart();
    REQUIRE(house.registry->ensure_instance({}).ok());
    queue = std::make_unique<job::Queue>(
        *house.base.db, house.base.clock, house.base.log(),
        job::QueueOptions{.sole_owner = true, .retry_base_ms = 1000, .poll_ms = 20, .tick_ms = 20});
    connections =
        std::make_unique<Connections>(*house.registry, *house.base.ids, *queue, house.base.vault, http);
    REQUIRE(connections->start().ok());
  }
  void go() {
    queue->start();
    house.events->start();
  }
  void halt() {
    if (house.events) house.events->stop();
    if (queue) queue->stop();
  }
  // Lets events become jobs and jobs end; what waits for a retry stays.
  void settle() {
    for (int round = 0; round < 4; ++round) {
      REQUIRE(house.events->wait_idle(60'000));
      REQUIRE(queue->wait_idle(60'000));
    }
  }

  // For what has no end to wait for: a deadline that only a broken program reaches.
  template <class Condition>
  static bool eventually(Condition condition) {
    for (int wait = 0; wait < 3000; ++wait) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return condition();
  }

  Connection connect(const std::string& name, const std::string& url, Kind kind = Kind::oci,
                     const std::string& username = "", const std::string& password = "") {
    auto made = connections->create({.name = name,
                                     .description = {},
                                     .kind = kind,
                                     .url = url,
                                     .ca_pem = {},
                                     .username = username,
                                     .password = password,
                                     .alias = {},
                                     .alias_region = {},
                                     .vendor = {}});
    REQUIRE(made.ok());
    return *made;
  }

  op::Context context(const auth::Principal& who) {
    return {.who = who,
            .request_id = "r1",
            .peer = "192.0.2.7",
            .facade = "native",
            .auth = *house.base.auth,
            .audit = audit,
            .clock = house.base.clock,
            .log = house.base.log()};
  }
  template <class Operation, class Room>
  Result<typename Operation::Response> call(Room& room, const auth::Principal& who,
                                            const typename Operation::Request& request = {}) {
    op::Context caller = context(who);
    return op::invoke<Operation>(room, caller, request);
  }

  registry::RegistryFixture house;
  op::Audit audit{*house.base.db, house.base.clock};
  http::Client http{{.allow_private = true, .allowed = {}}, "wharfage-test"};
  std::unique_ptr<job::Queue> queue;
  std::unique_ptr<Connections> connections;
};

using auth::outcome;

}  // namespace wharfage::connect
