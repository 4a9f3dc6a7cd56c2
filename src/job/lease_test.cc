// Leases: lost, extended, given back.
#include "job/queue_fixture_test.h"

using namespace wharfage;
using namespace wharfage::job;

TEST_CASE("only the newest holder of a job can write") {
  Bench bench;
  Gate gate;
  std::atomic<int> lost{0};
  // The first node is held up: neither polls nor extends its leases.
  auto stuck = bench.make({.poll_ms = never_ms, .tick_ms = never_ms});
  stuck->add_kind({.name = "a",
                   .run = [&](Run& run) -> Status {
                     gate.pass();
                     Status status = note(run, "from the first");
                     CHECK(status.error().reason == Reason::lease_lost);
                     CHECK(run.canceled());
                     CHECK(run.why() == Reason::lease_lost);
                     ++lost;
                     return {};  // nor can it end the job
                   },
                   .settle = settling()});
  stuck->start();
  JobId id = enqueue(*bench.db, *stuck, {.kind = "a"});
  REQUIRE(eventually([&] { return gate.waiting() == 1; }));
  Gate second;
  bench.queue->add_kind({.name = "a", .run = [&](Run& run) {
                           CHECK(run.job().attempt == 2);
                           second.pass();
                           return note(run, "from the second");
                         }});
  bench.queue->start();
  bench.clock.advance(limits::job_lease_ms + 1);
  REQUIRE(eventually([&] { return second.waiting() == 1; }));
  gate.open();
  REQUIRE(eventually([&] { return lost == 1; }));
  stuck->stop();
  CHECK(bench.job(id).state == State::running);
  second.open();
  REQUIRE(bench.reaches(id, State::succeeded));
  CHECK(effects(*bench.db) == "from the second");
}

TEST_CASE("leases of running jobs are extended") {
  Bench bench;
  Gate gate;
  bench.queue = bench.make({.lease_ms = 60, .poll_ms = 10, .tick_ms = 10});
  bench.queue->add_kind({.name = "a", .run = [&](Run& run) {
                           gate.pass();
                           return note(run, "done");
                         }});
  bench.queue->start();
  JobId id = bench.add({.kind = "a"});
  REQUIRE(eventually([&] { return gate.waiting() == 1; }));
  auto lease = [&] {
    auto row = bench.db->read([&](meta::Tx& tx) { return tx.first("SELECT lease_until FROM jobs"); });
    return (*row)->integer(0);
  };
  for (int i = 0; i < 3; ++i) {
    bench.clock.advance(50);
    REQUIRE(eventually([&] { return lease() >= bench.clock.now() + 60; }));
  }
  gate.open();
  REQUIRE(bench.reaches(id, State::succeeded));
  CHECK(bench.job(id).attempt == 1);
}

TEST_CASE("a job whose last attempt died is settled without a handler") {
  Bench bench;
  JobId id, asked;
  {
    Gate gate;
    auto dying = bench.make({.poll_ms = 10, .tick_ms = never_ms, .stop_ms = 0});
    dying->add_kind({.name = "a", .concurrency = 2, .run = [&](Run&) -> Status {
                       gate.pass();
                       return {};
                     }});
    dying->start();
    id = enqueue(*bench.db, *dying, {.kind = "a", .attempts_max = 1});
    asked = enqueue(*bench.db, *dying, {.kind = "a"});
    REQUIRE(eventually([&] { return gate.waiting() == 2; }));
    // As if another process had died with both of them.
    REQUIRE(bench.db
                ->write([&](meta::Tx& tx) -> Status {
                  TRY_STATUS(bench.queue->cancel(tx, asked));
                  TRY_STATUS(tx.execute("UPDATE jobs SET fence = fence + 1, node = 'dead'"));
                  return {};
                })
                .ok());
    gate.open();
  }
  bench.queue = bench.make({.sole_owner = true, .poll_ms = 10});
  bench.queue->add_kind(
      {.name = "a", .run = [](Run& run) { return note(run, "ran"); }, .settle = settling()});
  bench.queue->start();
  REQUIRE(bench.reaches(id, State::failed));
  REQUIRE(bench.reaches(asked, State::canceled));
  CHECK(effects(*bench.db, id) == "failed");
  CHECK(effects(*bench.db, asked) == "canceled");
}

TEST_CASE("the server's end gives jobs back without counting the attempt") {
  Bench bench;
  std::atomic<int> started{0};
  bench.queue->add_kind({.name = "polite", .run = [&](Run& run) -> Status {
                           ++started;
                           run.log("work", "half done");
                           CHECK(eventually([&] { return run.canceled(); }));
                           CHECK(run.why() == Reason::shutting_down);
                           return fail(Reason::canceled);  // as a tool says that was told to stop
                         }});
  bench.queue->start();
  JobId id = bench.add({.kind = "polite"});
  REQUIRE(eventually([&] { return started == 1; }));
  bench.queue->stop();
  bench.queue->stop();
  CHECK_FALSE(bench.queue->healthy());
  CHECK(bench.job(id).state == State::queued);
  CHECK(bench.job(id).attempt == 0);
  CHECK(bench.job(id).run_at == bench.clock.now());
  auto log = bench.db->read([&](meta::Tx& tx) { return bench.queue->log(tx, id, 0, 10); });
  CHECK(log->total == 1);
}

TEST_CASE("a handler that overstays the server's end can write nothing any more") {
  Bench bench;
  Gate gate;
  bench.queue = bench.make({.poll_ms = 10, .tick_ms = 10, .stop_ms = 1});
  bench.queue->add_kind({.name = "a", .run = [&](Run& run) -> Status {
                           gate.pass();
                           CHECK(note(run, "too late").error().reason == Reason::lease_lost);
                           return {};
                         }});
  bench.queue->start();
  JobId id = bench.add({.kind = "a"});
  REQUIRE(eventually([&] { return gate.waiting() == 1; }));
  std::thread stopping([&] { bench.queue->stop(); });
  CHECK(bench.reaches(id, State::queued));
  gate.open();
  stopping.join();
  CHECK(bench.job(id).attempt == 0);
  CHECK(effects(*bench.db).empty());
}
