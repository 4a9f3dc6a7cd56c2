// Invariant 4: a process that runs jobs and events is killed again and again at any instruction; in the end
// every job and every event has had its effect exactly once.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"
#include "job/events.h"
#include "job/fixture_test.h"

using namespace wharfage;
using namespace wharfage::job;

namespace {

constexpr int jobs = 2000;
constexpr int kills = 12;

// An attempt may die with its process, so there must be more attempts than kills.
NewJob numbered(int number) {
  return {.kind = "a", .payload = std::to_string(number), .attempts_max = kills + 2};
}

// Runs until nothing is left, or killed. The effect of an event is a job's too: events enqueue the jobs.
int run_until_idle(const std::string& file, Status (*handler)(Run&)) {
  SystemClock clock;
  auto db = meta::open_sqlite(file);
  if (!db.ok()) return 1;
  Queue queue(**db, clock, quiet(), {.sole_owner = true});
  Events events(**db, clock, quiet());
  queue.add_kind({.name = "a", .concurrency = 4, .run = handler});
  events.subscribe("jobs", "number", [&](meta::Tx& tx, const Event& event) -> Status {
    TRY_STATUS(queue.enqueue(tx, numbered(std::stoi(event.subject))));
    return {};
  });
  queue.start();
  events.start();
  bool idle = events.wait_idle(patience_ms) && queue.wait_idle(patience_ms);
  events.stop();
  queue.stop();
  return idle ? 0 : 2;
}

// Even numbers end with their effect, odd ones look whether an earlier attempt came that far.
Status leave_effect(Run& run) {
  run.log("work", "number " + run.job().payload);
  auto add = [&](meta::Tx& tx) { return add_effect(tx, run.job().id, run.job().payload); };
  if (std::stoi(run.job().payload) % 2 == 0) return run.complete(add);
  return run.commit([&](meta::Tx& tx) -> Status {
    TRY(auto done, tx.first("SELECT note FROM effects WHERE job = $1", {run.job().id}));
    return done ? Status() : add(tx);
  });
}

pid_t start_process(const std::string& file, Status (*handler)(Run&)) {
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(run_until_idle(file, handler));
  return child;
}

}  // namespace

TEST_CASE("killed at any instruction, every job has its effect exactly once") {
  TestFolder folder;
  {
    SystemClock clock;
    auto db = open_database(folder);
    Queue queue(*db, clock, quiet());
    Events events(*db, clock, quiet());
    events.subscribe("jobs", "number", [](meta::Tx&, const Event&) -> Status { return {}; });
    Status prepared = db->write([&](meta::Tx& tx) -> Status {
      for (int i = 0; i < jobs / 2; ++i) {
        TRY_STATUS(queue.enqueue(tx, numbered(i)));
        TRY_STATUS(events.emit(tx, {.type = "number", .subject = std::to_string(jobs / 2 + i)}));
      }
      return {};
    });
    REQUIRE(prepared.ok());
  }  // no thread is left when this process forks
  int status = 0, killed = 0;
  for (int i = 0; i < kills; ++i) {
    pid_t child = start_process(folder.path("db"), leave_effect);
    usleep(5'000 + static_cast<unsigned char>(random_bytes(1)[0]) * 200);
    kill(child, SIGKILL);
    REQUIRE(waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status)) ++killed;
  }
  MESSAGE("killed ", killed, " times");
  pid_t child = start_process(folder.path("db"), leave_effect);
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);

  auto db = open_database(folder);
  auto row = db->read([](meta::Tx& tx) {
    return tx.first(R"(SELECT count(*), count(DISTINCT note), (SELECT count(*) FROM jobs WHERE state = 2),
                              (SELECT count(*) FROM jobs) FROM effects)");
  });
  REQUIRE(row.ok());
  for (int column = 0; column < 4; ++column) CHECK((*row)->integer(column) == jobs);
}

TEST_CASE("a job that kills its process does not do so for ever") {
  TestFolder folder;
  SystemClock clock;
  JobId id;
  {
    auto db = open_database(folder);
    Queue queue(*db, clock, quiet());
    id = enqueue(*db, queue, {.kind = "a", .attempts_max = 3});
  }
  int deaths = 0, status = 0;
  for (int i = 0; i < 5; ++i) {
    pid_t child = start_process(folder.path("db"), [](Run&) -> Status {
      kill(getpid(), SIGKILL);
      return {};
    });
    REQUIRE(waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status)) ++deaths;
  }
  CHECK(deaths == 3);
  auto db = open_database(folder);
  Queue queue(*db, clock, quiet());
  Job job = find(*db, queue, id);
  CHECK(job.state == State::failed);
  CHECK(job.attempt == 3);
}
