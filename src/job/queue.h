// Durable background work. A job is a row: enqueued in the transaction that caused it, claimed with a lease
// and a fencing token, retried with backoff, cancelled by a flag, and readable line by line while it runs.
// Any node may die at any instruction: an expired lease is claimed again, and only the holder of the newest
// fencing token can write results (Run::commit), so nothing runs twice with effect (invariant 4).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/log.h"
#include "base/result.h"
#include "base/time.h"
#include "meta/db.h"

namespace wharfage::job {

class Engine;

using JobId = std::string;  // 24 hex digits, as SWR shows them

enum class State { queued, running, succeeded, failed, canceled };
std::string_view state_name(State state);

struct NewJob {
  std::string kind;            // "build.run", "scan.image", …
  std::string payload = "{}";  // JSON object; ids only, never a secret
  std::string dedupe_key;      // when not empty: no second queued job with this kind and key
  std::string subject;         // what it is about, for people: "root/app:1.0"
  TimeMs run_at = 0;           // 0: now
  int attempts_max = 0;        // 0: limits::job_attempts_max
};

struct Job {
  JobId id;
  std::string kind, payload, subject;
  State state = State::queued;
  int attempt = 0, attempts_max = 0;
  int progress = 0;   // percent
  std::string error;  // of the last failed attempt
  bool cancel_asked = false;
  TimeMs created_at = 0, run_at = 0, started_at = 0, ended_at = 0;
};

struct LogLine {
  std::int64_t number;  // 1, 2, 3 … without gaps
  std::string stage;
  std::string text;
};

// What a handler sees of its own job. Thread-safe for log(), progress() and canceled().
class Run {
 public:
  virtual ~Run() = default;
  virtual const Job& job() const = 0;
  virtual bool last_attempt() const = 0;
  // True once a cancel was asked, the lease was lost or the server stops: end soon, return Reason::canceled,
  // lease_lost or shutting_down (see why()). A job stopped by the server's end runs again after the restart.
  virtual bool canceled() const = 0;
  virtual Reason why() const = 0;
  // Buffered, flushed at least each second. Text of several lines becomes several lines. Waits when lines
  // come faster than they can be written, so not inside a transaction.
  virtual void log(std::string_view stage, std::string_view line) = 0;
  virtual void progress(int percent) = 0;
  // A transaction that commits only while this run still holds the job. Error: lease_lost, or the work's own.
  // When the process dies after it and before the job ends, the handler runs again: let `work` see what is
  // already done, or use complete().
  virtual Status commit(const std::function<Status(meta::Tx&)>& work) = 0;
  // The same, and the job succeeds in that transaction: `work` has its effect exactly once, whatever dies.
  // What the handler returns afterwards no longer matters.
  virtual Status complete(const std::function<Status(meta::Tx&)>& work) = 0;
  virtual const Log& logger() const = 0;
};

// Does the work. Ok: succeeded. Errors of kind `unavailable` or `internal`, and throttled, are retried with
// backoff until attempts_max; others fail at once; canceled ends as canceled.
using Handler = std::function<Status(Run&)>;
// Runs in the transaction that ends the job for good as failed or canceled (also when no handler could run,
// e.g. a lease that expired on the last attempt): the place to settle the feature's own rows.
using Settle = std::function<Status(meta::Tx&, const Job&, const Error&)>;

struct Kind {
  std::string name;
  int concurrency = 1;  // running at once on this node
  Handler run;
  Settle settle;                   // may be empty
  std::int64_t retry_base_ms = 0;  // the first retry's delay, doubled for each further one; 0: the queue's
  TimeMs keep_ms = limits::job_kept_ms;  // ended jobs and their logs are dropped after this; 0: never
};

struct QueueOptions {
  // True where no other process uses this database (SQLite): start() then takes over at once what a killed
  // process was running, instead of waiting for its leases to expire. Those attempts count, so that a job
  // that kills the process does not do so for ever.
  bool sole_owner = false;
  std::int64_t lease_ms = limits::job_lease_ms;
  std::int64_t retry_base_ms = limits::job_retry_base_ms;
  std::int64_t retry_max_ms = limits::job_retry_max_ms;
  std::int64_t poll_ms = 1000;                      // looks for work at least this often
  std::int64_t tick_ms = 1000;                      // flushes logs and reads cancel flags this often
  std::int64_t stop_ms = limits::drain_timeout_ms;  // how long stop() waits before it gives leases back
};

std::vector<meta::Migration> schema();

class Queue {
 public:
  Queue(meta::Db& db, const Clock& clock, Log log, QueueOptions options = {});
  ~Queue();  // as stop()

  void add_kind(Kind kind);  // before start()
  void start();
  void stop();  // asks running handlers to end, waits for them, gives their leases back; idempotent

  // Inside the transaction that causes the job. A dedupe hit returns the waiting job's id; it keeps its own
  // payload and runs no later than asked for here.
  Result<JobId> enqueue(meta::Tx& tx, const NewJob& job);
  // Queued jobs end at once, running ones when their handler notices. task_finished when it has ended,
  // job_unknown.
  Status cancel(meta::Tx& tx, const JobId& id);

  Result<std::optional<Job>> find(meta::Tx& tx, const JobId& id);
  struct Filter {
    std::string kind;  // empty: all
    std::optional<State> state;
    std::int64_t offset = 0, limit = 50;
  };
  struct Page {
    std::vector<Job> jobs;
    std::int64_t total = 0;  // counted up to limits::job_count_max
  };
  Result<Page> list(meta::Tx& tx, const Filter& filter);  // newest first
  struct LogPage {
    std::vector<LogLine> lines;
    std::int64_t total = 0;  // lines so far
  };
  // Lines number > offset, at most `limit`, including what a running job has flushed.
  Result<LogPage> log(meta::Tx& tx, const JobId& id, std::int64_t offset, std::int64_t limit);
  // Waits (for tests and shutdown) until nothing of this node's kinds is due or running; false after
  // `timeout_ms`.
  bool wait_idle(std::int64_t timeout_ms);
  std::string metrics();  // Prometheus text: wharfage_jobs{kind,state}
  bool healthy() const;   // the claiming thread has looked for work lately

 private:
  std::unique_ptr<Engine> x_engine;
};

}  // namespace wharfage::job
