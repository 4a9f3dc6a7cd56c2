// What this room's tests share: a registry's surroundings with a receiver of webhooks on 127.0.0.1.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "auth/auth_fixture.h"
#include "http/test_peer.h"
#include "job/fixture_test.h"
#include "notify/job_ops.h"
#include "notify/ops.h"
#include "op/audit.h"

namespace wharfage::notify {

using auth::outcome;
using auth::Principal;

// Remembers what it was sent and answers as told.
struct Receiver {
  http::Site site{[this](const http::Request&) -> http::Plan {
    return http::Buffered{1024 * 1024, [this](http::Request& request) { return answer(request); }};
  }};
  std::mutex mutex;
  std::vector<http::Request> heard;
  http::Response next = http::Response::text(204, "");

  http::Response answer(const http::Request& request) {
    std::lock_guard lock(mutex);
    heard.push_back(request);
    return next;
  }
  void will_answer(http::Response response) {
    std::lock_guard lock(mutex);
    next = std::move(response);
  }
  std::size_t count() {
    std::lock_guard lock(mutex);
    return heard.size();
  }
  http::Request at(std::size_t index) {
    std::lock_guard lock(mutex);
    return heard.at(index);
  }
};

inline std::vector<meta::Migration> all_schemas() {
  auto all = schema();
  for (const auto& migration : job::schema()) all.push_back(migration);
  for (const auto& migration : op::schema()) all.push_back(migration);
  return all;
}

struct Bench {
  explicit Bench(bool allow_loopback = true)
      : client({.allow_private = false,
                .allowed =
                    allow_loopback ? std::vector<std::string>{"127.0.0.1/32"} : std::vector<std::string>{}},
               "wharfage-test") {
    webhooks.start();
    queue.start();
    events.start();
  }
  ~Bench() {
    events.stop();
    queue.stop();
  }

  Webhooks::Created add(Webhooks::NewWebhook wanted) {
    if (wanted.name.empty()) wanted.name = "hook";
    if (wanted.url.empty()) wanted.url = receiver.site.url("/hook?token=1");
    auto made = webhooks.create(wanted);
    REQUIRE(made.ok());
    return *made;
  }
  void emit(const std::string& type, std::int64_t namespace_id, const std::string& subject = "root/app:1") {
    Status emitted = fixture.db->write([&](meta::Tx& tx) {
      return events.emit(tx, {.type = type, .subject = subject, .namespace_id = namespace_id, .data = "{}"});
    });
    REQUIRE(emitted.ok());
  }
  void settle() {
    REQUIRE(events.wait_idle(job::patience_ms));
    REQUIRE(queue.wait_idle(job::patience_ms));
  }
  std::vector<Delivery> deliveries(std::int64_t webhook) {
    auto page = webhooks.deliveries(webhook, 0, 100);
    REQUIRE(page.ok());
    CHECK(page->total == static_cast<std::int64_t>(page->items.size()));
    return page->items;
  }

  template <class Operation, class Room>
  Result<typename Operation::Response> call(Room& room, const Principal& who,
                                            const typename Operation::Request& request) {
    op::Context context{.who = who,
                        .request_id = "r1",
                        .peer = "192.0.2.7",
                        .facade = "native",
                        .auth = *fixture.auth,
                        .audit = audit,
                        .clock = fixture.clock,
                        .log = fixture.log()};
    return op::invoke<Operation>(room, context, request);
  }

  auth::AuthFixture fixture{all_schemas()};
  job::ManualClock clock;
  Receiver receiver;
  http::Client client;
  op::Audit audit{*fixture.db, fixture.clock};
  job::Queue queue{*fixture.db, clock, job::quiet(), {.poll_ms = 10, .tick_ms = 10}};
  job::Events events{*fixture.db, clock, job::quiet(), {.poll_ms = 10}};
  Webhooks webhooks{*fixture.db,  *fixture.ids,       queue, events, fixture.vault, client, clock,
                    job::quiet(), "wharfage/cri-test"};
};

}  // namespace wharfage::notify
