#include "job/events.h"

#include <stdexcept>

#include "job/fixture_test.h"

using namespace wharfage;
using namespace wharfage::job;

namespace {

struct Bench {
  TestFolder folder;
  ManualClock clock;
  std::unique_ptr<meta::Db> db = open_database(folder);
  std::unique_ptr<Events> events = make();

  std::unique_ptr<Events> make(EventsOptions options = {.poll_ms = 10}) {
    return std::make_unique<Events>(*db, clock, quiet(), options);
  }
  void emit(std::string type, std::string subject, std::string data = "{}") {
    Status emitted = db->write([&](meta::Tx& tx) {
      return events->emit(tx, {.type = type, .subject = subject, .namespace_id = 7, .data = data});
    });
    REQUIRE(emitted.ok());
  }
  // Writes the event's subject as an effect of `name`.
  void listen(const std::string& name, const std::string& type) {
    events->subscribe(
        name, type, [name](meta::Tx& tx, const Event& event) { return add_effect(tx, name, event.subject); });
  }
  std::int64_t count(std::string_view sql) {
    auto row = db->read([&](meta::Tx& tx) { return tx.first(sql); });
    REQUIRE(row.ok());
    return (*row)->integer(0);
  }
};

}  // namespace

TEST_CASE("every subscriber takes what it asked for, once") {
  Bench bench;
  bench.listen("pushes", "image.pushed");
  bench.listen("all", "");
  bench.events->subscribe("looks", "image.pushed", [&](meta::Tx&, const Event& event) -> Status {
    CHECK(event.id.size() == 36);
    CHECK(event.at == bench.clock.now());
    CHECK(event.namespace_id == 7);
    CHECK(event.data == R"({"tag":"1"})");
    return {};
  });
  bench.events->start();
  bench.emit("image.pushed", "a", R"({"tag":"1"})");
  bench.emit("image.deleted", "b");
  REQUIRE(bench.events->wait_idle(patience_ms));
  CHECK(effects(*bench.db, "pushes") == "a");
  CHECK(effects(*bench.db, "all").size() == 3);
  CHECK(bench.count("SELECT count(*) FROM event_deliveries WHERE state = 1") == 4);
}

TEST_CASE("an event is noticed at once, without the poll") {
  Bench bench;
  bench.events = bench.make({.poll_ms = never_ms});
  bench.listen("all", "");
  bench.events->start();
  for (std::string subject : {"a", "b", "c"}) {
    bench.emit("image.pushed", subject);
    REQUIRE(eventually([&] { return effects(*bench.db).find(subject) != std::string::npos; }));
  }
}

TEST_CASE("an event shares the fate of its cause") {
  Bench bench;
  bench.listen("all", "");
  Status status = bench.db->write([&](meta::Tx& tx) -> Status {
    TRY_STATUS(bench.events->emit(tx, {.type = "image.pushed"}));
    return fail(Reason::denied);
  });
  CHECK_FALSE(status.ok());
  CHECK(bench.count("SELECT count(*) FROM events") == 0);
  Status large = bench.db->write([&](meta::Tx& tx) {
    return bench.events->emit(tx, {.type = "x", .data = std::string(limits::event_data_max + 1, ' ')});
  });
  CHECK(large.error().reason == Reason::too_large);
}

TEST_CASE("events wait for a program that was down") {
  Bench bench;
  bench.listen("all", "");
  bench.emit("image.pushed", "a");
  bench.events.reset();
  bench.db.reset();
  bench.db = open_database(bench.folder);
  bench.events = bench.make();
  bench.listen("all", "");
  bench.events->start();
  REQUIRE(bench.events->wait_idle(patience_ms));
  CHECK(effects(*bench.db) == "a");
}

TEST_CASE("one subscriber's failure is undone, retried and kept from the others") {
  Bench bench;
  std::atomic<int> tries{0};
  bench.events->subscribe("flaky", "", [&](meta::Tx& tx, const Event&) -> Status {
    TRY_STATUS(add_effect(tx, "flaky", "try"));
    if (++tries == 1) return fail(Reason::internal);
    if (tries == 2) throw std::runtime_error("broken");
    return {};
  });
  bench.listen("steady", "");
  bench.events->start();
  bench.emit("image.pushed", "a");
  for (int expected = 1; expected <= 3; ++expected) {
    REQUIRE(eventually([&] { return tries == expected; }));
    REQUIRE(bench.events->wait_idle(patience_ms));
    bench.clock.advance(1000 << (expected - 1));
  }
  CHECK(effects(*bench.db, "flaky") == "try");
  CHECK(effects(*bench.db, "steady") == "a");
  CHECK(tries == 3);
}

TEST_CASE("a subscriber that never takes an event is given up") {
  Bench bench;
  std::atomic<int> tries{0};
  bench.events->subscribe("broken", "", [&](meta::Tx&, const Event&) -> Status {
    ++tries;
    return fail(Reason::internal);
  });
  bench.events->start();
  bench.emit("image.pushed", "a");
  REQUIRE(eventually([&] {
    bench.clock.advance(limits::job_retry_max_ms);
    return bench.count("SELECT count(*) FROM event_deliveries WHERE state = 2") == 1;
  }));
  CHECK(tries == limits::event_attempts_max);
}

TEST_CASE("two nodes share the work without repeating it") {
  Bench bench;
  auto other = bench.make();
  std::atomic<int> by_other{0};
  bench.listen("all", "");
  other->subscribe("all", "", [&](meta::Tx& tx, const Event& event) {
    ++by_other;
    return add_effect(tx, "all", event.subject);
  });
  for (int i = 0; i < 200; ++i) bench.emit("image.pushed", std::to_string(i));
  bench.events->start();
  other->start();
  REQUIRE(bench.events->wait_idle(patience_ms));
  CHECK(bench.count("SELECT count(*) FROM effects") == 200);
  CHECK(bench.count("SELECT count(DISTINCT note) FROM effects") == 200);
}

TEST_CASE("old events are dropped, waiting ones later") {
  Bench bench;
  bench.listen("gone", "image.pushed");
  bench.emit("image.pushed", "waits for a subscriber that no program has any more");
  bench.emit("image.deleted", "concerns nobody");
  bench.clock.advance(limits::event_kept_ms + 1);
  bench.events = bench.make();
  bench.events->start();
  REQUIRE(eventually([&] { return bench.count("SELECT count(*) FROM events") == 1; }));
  CHECK(bench.count("SELECT count(*) FROM event_deliveries") == 1);
  bench.clock.advance(limits::event_waiting_kept_ms);
  bench.events = bench.make();
  bench.events->start();
  REQUIRE(eventually([&] { return bench.count("SELECT count(*) FROM events") == 0; }));
  CHECK(bench.count("SELECT count(*) FROM event_deliveries") == 0);
}
