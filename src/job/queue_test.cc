#include "job/queue.h"

#include <map>
#include <stdexcept>

#include "job/queue_fixture_test.h"

using namespace wharfage;
using namespace wharfage::job;

TEST_CASE("a job outlives the program and runs once") {
  Bench bench;
  JobId id = bench.add({.kind = "a", .payload = R"({"x":1})", .subject = "root/app:1.0"});
  CHECK(id.size() == 24);
  bench.queue.reset();
  bench.db.reset();
  bench.db = open_database(bench.folder);
  bench.queue = bench.make();
  bench.queue->add_kind({.name = "a", .run = [](Run& run) {
                           CHECK(run.job().payload == R"({"x":1})");
                           CHECK(run.job().attempt == 1);
                           CHECK_FALSE(run.last_attempt());
                           CHECK_FALSE(run.canceled());
                           return note(run, "done");
                         }});
  CHECK_FALSE(bench.queue->healthy());
  bench.queue->start();
  REQUIRE(bench.queue->wait_idle(patience_ms));
  CHECK(bench.queue->healthy());
  CHECK(effects(*bench.db) == "done");
  Job job = bench.job(id);
  CHECK(job.state == State::succeeded);
  CHECK(job.subject == "root/app:1.0");
  CHECK(job.progress == 100);
  CHECK(job.ended_at == bench.clock.now());
  CHECK(bench.queue->metrics().find(R"(wharfage_jobs{kind="a",state="queued"} 0)") != std::string::npos);
  CHECK(bench.queue->metrics().find(R"(wharfage_jobs_ended_total{kind="a",state="succeeded"} 1)") !=
        std::string::npos);
}

TEST_CASE("an enqueued job is noticed at once, without the poll") {
  Bench bench;
  bench.queue = bench.make({.poll_ms = never_ms});
  bench.queue->add_kind({.name = "a", .run = [](Run& run) { return note(run, "done"); }});
  bench.queue->start();
  for (int i = 0; i < 3; ++i) {
    JobId id = bench.add({.kind = "a"});
    REQUIRE(bench.reaches(id, State::succeeded));
  }
}

TEST_CASE("a job is rolled back with its cause") {
  Bench bench;
  Status status = bench.db->write([&](meta::Tx& tx) -> Status {
    TRY_STATUS(bench.queue->enqueue(tx, {.kind = "a"}));
    return fail(Reason::denied);
  });
  CHECK_FALSE(status.ok());
  auto page = bench.db->read([&](meta::Tx& tx) { return bench.queue->list(tx, {}); });
  CHECK(page->total == 0);
}

TEST_CASE("failures are retried with growing delays, then settled once") {
  Bench bench;
  std::atomic<int> runs{0};
  bench.queue->add_kind({.name = "a",
                         .run = [&](Run& run) -> Status {
                           ++runs;
                           CHECK(run.last_attempt() == (run.job().attempt == 3));
                           if (runs == 2) throw std::runtime_error("no memory, say");
                           return fail(Reason::remote_unreachable);
                         },
                         .settle = settling()});
  bench.queue->start();
  JobId id = bench.add({.kind = "a", .attempts_max = 3});
  TimeMs delay = 0;
  for (int attempt = 1; attempt < 3; ++attempt) {
    REQUIRE(eventually([&] { return bench.job(id).state == State::queued && runs == attempt; }));
    Job job = bench.job(id);
    CHECK(job.attempt == attempt);
    CHECK_FALSE(job.error.empty());
    TimeMs next = job.run_at - bench.clock.now();
    CHECK(next > delay);
    CHECK(next <= 1000 * attempt);
    delay = next;
    bench.clock.advance(next - 1);
    REQUIRE(bench.queue->wait_idle(patience_ms));
    CHECK(runs == attempt);
    bench.clock.advance(1);
  }
  REQUIRE(bench.reaches(id, State::failed));
  CHECK(runs == 3);
  CHECK(bench.job(id).error == reason_text(Reason::remote_unreachable));
  CHECK(effects(*bench.db) == "failed");
}

TEST_CASE("errors that a retry cannot mend fail at once") {
  Bench bench;
  bench.queue->add_kind(
      {.name = "a", .run = [](Run&) -> Status { return fail(Reason::denied); }, .settle = settling()});
  bench.queue->start();
  JobId id = bench.add({.kind = "a"});
  REQUIRE(bench.reaches(id, State::failed));
  CHECK(bench.job(id).attempt == 1);
  CHECK(effects(*bench.db) == "failed");
}

TEST_CASE("a settlement that fails leaves the job to be settled later") {
  Bench bench;
  std::atomic<bool> broken{true};
  bench.queue->add_kind({.name = "a",
                         .run = [](Run&) -> Status { return fail(Reason::denied); },
                         .settle = [&](meta::Tx& tx, const Job& job, const Error&) -> Status {
                           TRY_STATUS(add_effect(tx, job.id, "settled"));
                           if (broken) return fail(Reason::internal);
                           return {};
                         }});
  bench.queue->start();
  JobId id = bench.add({.kind = "a", .attempts_max = 1});
  // Given up by the handler's thread: nothing of it is stored.
  REQUIRE(eventually([&] {
    return bench.queue->metrics().find("running\"} 1") != std::string::npos && bench.job(id).attempt == 1;
  }));
  CHECK(effects(*bench.db).empty());
  broken = false;
  REQUIRE(eventually([&] {
    bench.clock.advance(limits::job_lease_ms + 1);
    return bench.job(id).state == State::failed;
  }));
  CHECK(effects(*bench.db) == "settled");
}

TEST_CASE("a queued job is cancelled in the caller's transaction") {
  Bench bench;
  bench.queue->add_kind(
      {.name = "a", .run = [](Run& run) { return note(run, "ran"); }, .settle = settling()});
  JobId id = bench.add({.kind = "a"});
  CHECK(cancel(*bench.db, *bench.queue, id).ok());
  CHECK(bench.job(id).state == State::canceled);
  CHECK(effects(*bench.db) == "canceled");
  CHECK(cancel(*bench.db, *bench.queue, id).error().reason == Reason::task_finished);
  CHECK(cancel(*bench.db, *bench.queue, "nothing").error().reason == Reason::job_unknown);
  bench.queue->start();
  REQUIRE(bench.queue->wait_idle(patience_ms));
  CHECK(effects(*bench.db) == "canceled");
}

TEST_CASE("a running job is told to end, by any node, and settled once") {
  Bench bench;
  auto other = bench.make();
  std::atomic<bool> started{false};
  bench.queue = bench.make({.tick_ms = 10});
  bench.queue->add_kind({.name = "a",
                         .run = [&](Run& run) -> Status {
                           started = true;
                           CHECK(eventually([&] { return run.canceled(); }));
                           CHECK(run.why() == Reason::canceled);
                           return fail(Reason::internal, "the tool was killed");
                         },
                         .settle = settling()});
  bench.queue->start();
  JobId id = bench.add({.kind = "a"});
  REQUIRE(eventually([&] { return started.load(); }));
  CHECK(cancel(*bench.db, *other, id).ok());
  REQUIRE(bench.reaches(id, State::canceled));
  CHECK(effects(*bench.db) == "canceled");
}

TEST_CASE("a job waits once under its key") {
  Bench bench;
  Gate gate;
  bench.queue->add_kind({.name = "a", .run = [&](Run& run) -> Status {
                           gate.pass();
                           if (run.job().attempt == 1) return fail(Reason::timeout);
                           return note(run, "done");
                         }});
  NewJob wanted{.kind = "a", .dedupe_key = "image 1", .run_at = bench.clock.now() + 5000};
  JobId first = bench.add(wanted);
  wanted.run_at = 0;
  CHECK(bench.add(wanted) == first);  // and is wanted earlier now
  CHECK(bench.job(first).run_at == bench.clock.now());
  CHECK(bench.add({.kind = "b", .dedupe_key = "image 1"}) != first);
  CHECK(bench.add({.kind = "a", .dedupe_key = "image 2"}) != first);

  bench.queue->start();
  REQUIRE(bench.reaches(first, State::running));
  // What changes while it runs is another job; both may then be waiting.
  JobId second = bench.add(wanted);
  CHECK(second != first);
  CHECK(bench.add(wanted) == second);
  gate.open();
  REQUIRE(eventually([&] {
    bench.clock.advance(1000);
    return bench.job(first).state == State::succeeded && bench.job(second).state == State::succeeded;
  }));
}

TEST_CASE("kinds run as many at once as they may") {
  Bench bench;
  Gate gate;
  std::mutex mutex;
  std::map<std::string, int> now, most;
  auto run = [&](Run& one) -> Status {
    const std::string& kind = one.job().kind;
    {
      std::lock_guard lock(mutex);
      most[kind] = std::max(most[kind], ++now[kind]);
    }
    gate.pass();
    std::lock_guard lock(mutex);
    --now[kind];
    return {};
  };
  bench.queue->add_kind({.name = "one", .concurrency = 1, .run = run});
  bench.queue->add_kind({.name = "three", .concurrency = 3, .run = run});
  for (int i = 0; i < 30; ++i) {
    for (auto kind : {"one", "three"}) bench.add({.kind = kind});
  }
  bench.queue->start();
  REQUIRE(eventually([&] { return gate.waiting() == 4; }));
  gate.open();
  REQUIRE(bench.queue->wait_idle(patience_ms));
  CHECK(most["one"] == 1);
  CHECK(most["three"] == 3);
  auto page = bench.db->read(
      [&](meta::Tx& tx) { return bench.queue->list(tx, {.kind = "one", .state = State::succeeded}); });
  CHECK(page->total == 30);
}

TEST_CASE("a kind with endless work leaves threads to the others") {
  Bench bench;
  Gate gate;
  auto run = [&](Run&) -> Status {
    gate.pass();
    return {};
  };
  bench.queue->add_kind({.name = "a", .concurrency = 40, .run = run});
  bench.queue->add_kind({.name = "b", .concurrency = 40, .run = run});
  bench.queue->add_kind({.name = "c", .run = [](Run& one) { return note(one, "done"); }});
  for (int i = 0; i < 60; ++i) {
    bench.add({.kind = "a"});
    bench.add({.kind = "b"});
  }
  bench.queue->start();
  REQUIRE(eventually([&] { return gate.waiting() == static_cast<int>(limits::job_threads_max) - 1; }));
  for (int i = 0; i < 3; ++i) REQUIRE(bench.reaches(bench.add({.kind = "c"}), State::succeeded));
  CHECK(gate.waiting() == static_cast<int>(limits::job_threads_max) - 1);
  gate.open();
  REQUIRE(bench.queue->wait_idle(patience_ms));
}

TEST_CASE("logs can be read line by line while a job runs and after") {
  Bench bench;
  Gate gate;
  bench.queue->add_kind({.name = "a", .run = [&](Run& run) -> Status {
                           std::string attempt = std::to_string(run.job().attempt);
                           for (int i = 1; i <= 500; ++i) {
                             run.log("step " + attempt, "line " + std::to_string(i));
                           }
                           run.progress(40);
                           if (run.job().attempt > 1) return {};
                           gate.pass();
                           return fail(Reason::timeout);
                         }});
  bench.queue->start();
  JobId id = bench.add({.kind = "a"});
  auto read = [&](std::int64_t offset, std::int64_t limit) {
    auto page = bench.db->read([&](meta::Tx& tx) { return bench.queue->log(tx, id, offset, limit); });
    REQUIRE(page.ok());
    return *page;
  };
  REQUIRE(eventually([&] { return read(0, 1).total == 500; }));
  CHECK(bench.job(id).state == State::running);
  REQUIRE(eventually([&] { return bench.job(id).progress == 40; }));
  auto page = read(7, 5);
  REQUIRE(page.lines.size() == 5);
  CHECK(page.lines[0].number == 8);
  CHECK(page.lines[0].stage == "step 1");
  CHECK(page.lines[4].text == "line 12");
  gate.open();
  REQUIRE(eventually([&] {
    bench.clock.advance(1000);
    return bench.job(id).state == State::succeeded;
  }));
  std::int64_t expected = 0;
  for (std::int64_t offset = 0; offset < 1000; offset += 300) {
    for (const auto& line : read(offset, 300).lines) {
      CHECK(line.number == ++expected);
      CHECK(line.stage == (line.number <= 500 ? "step 1" : "step 2"));
    }
  }
  CHECK(expected == 1000);
  auto unknown = bench.db->read([&](meta::Tx& tx) { return bench.queue->log(tx, "nothing", 0, 10); });
  CHECK(unknown.error().reason == Reason::job_unknown);
}

TEST_CASE("a job can end in the transaction of its effect") {
  Bench bench;
  std::atomic<bool> refused{false};
  bench.queue->add_kind(
      {.name = "a",
       .run = [&](Run& run) -> Status {
         run.log("", "before");
         Status failed = run.complete([&](meta::Tx& tx) -> Status {
           TRY_STATUS(add_effect(tx, run.job().id, "undone"));
           return fail(Reason::conflict);
         });
         CHECK(failed.error().reason == Reason::conflict);
         CHECK(run.complete([&](meta::Tx& tx) { return add_effect(tx, run.job().id, "done"); }).ok());
         CHECK(bench.job(run.job().id).state == State::succeeded);
         refused = !note(run, "too late").ok();
         return fail(Reason::internal);
       },
       .settle = settling()});
  bench.queue->start();
  JobId id = bench.add({.kind = "a"});
  REQUIRE(bench.queue->wait_idle(patience_ms));
  CHECK(refused);
  CHECK(bench.job(id).state == State::succeeded);
  CHECK(effects(*bench.db) == "done");
  auto log = bench.db->read([&](meta::Tx& tx) { return bench.queue->log(tx, id, 0, 10); });
  CHECK(log->total == 1);
}

TEST_CASE("jobs are listed newest first") {
  Bench bench;
  std::vector<JobId> ids;
  for (int i = 0; i < 7; ++i) {
    ids.push_back(bench.add({.kind = i % 2 == 0 ? "even" : "odd"}));
    bench.clock.advance(1);
  }
  auto page = bench.db->read([&](meta::Tx& tx) { return bench.queue->list(tx, {.offset = 1, .limit = 2}); });
  REQUIRE(page.ok());
  CHECK(page->total == 7);
  REQUIRE(page->jobs.size() == 2);
  CHECK(page->jobs[0].id == ids[5]);
  CHECK(page->jobs[1].id == ids[4]);
  auto odd = bench.db->read(
      [&](meta::Tx& tx) { return bench.queue->list(tx, {.kind = "odd", .state = State::queued}); });
  CHECK(odd->total == 3);
  auto failed = bench.db->read([&](meta::Tx& tx) { return bench.queue->list(tx, {.state = State::failed}); });
  CHECK(failed->total == 0);
}

TEST_CASE("ended jobs are dropped after their time, with their logs") {
  Bench bench;
  auto run = [](Run& run) -> Status {
    run.log("", "hello");
    return {};
  };
  JobId gone = bench.add({.kind = "a"});
  JobId kept = bench.add({.kind = "b"});
  bench.queue->add_kind({.name = "a", .run = run, .keep_ms = 1000});
  bench.queue->add_kind({.name = "b", .run = run});
  bench.queue->start();
  REQUIRE(bench.queue->wait_idle(patience_ms));
  bench.queue = bench.make();
  bench.clock.advance(1001);
  bench.queue->add_kind({.name = "a", .run = run, .keep_ms = 1000});
  bench.queue->add_kind({.name = "b", .run = run});
  bench.queue->start();
  REQUIRE(eventually([&] {
    auto job = bench.db->read([&](meta::Tx& tx) { return bench.queue->find(tx, gone); });
    return !job->has_value();
  }));
  CHECK(bench.job(kept).state == State::succeeded);
  auto rows = bench.db->read([&](meta::Tx& tx) { return tx.query("SELECT job_id FROM job_log"); });
  REQUIRE(rows->size() == 1);
  CHECK((*rows)[0].text(0) == kept);
}

TEST_CASE("a payload has a limit") {
  Bench bench;
  auto id = bench.db->write([&](meta::Tx& tx) {
    return bench.queue->enqueue(tx, {.kind = "a", .payload = std::string(limits::job_payload_max + 1, ' ')});
  });
  CHECK(id.error().reason == Reason::too_large);
}
