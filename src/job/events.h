// Events: what happened, written in the transaction that made it happen (invariant 5), delivered to every
// subscriber at least once, in one transaction with what the subscriber enqueues. Rows are claimed by state,
// never by "id greater than last seen". Features meet here: a push becomes a scan, a signature, a copy, a
// webhook.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/log.h"
#include "base/result.h"
#include "base/time.h"
#include "meta/db.h"

namespace wharfage::job {

struct Event {
  std::string id;  // UUID
  // "image.pushed", "image.deleted", "build.completed", "scan.completed", "sign.completed",
  // "sync.completed", "inventory.completed" (and ".failed" where a thing can fail)
  std::string type;
  std::string subject;            // "root/app:1.0"
  std::int64_t namespace_id = 0;  // 0: concerns no namespace
  std::string data;               // JSON object, at most limits::event_data_max; never a secret
  TimeMs at = 0;
};

struct EventsOptions {
  std::int64_t retry_base_ms = 1000;  // doubled for each further attempt
  std::int64_t retry_max_ms = limits::job_retry_max_ms;
  std::int64_t poll_ms = 1000;
};

// Tables come with job::schema().
class Events {
 public:
  Events(meta::Db& db, const Clock& clock, Log log, EventsOptions options = {});
  ~Events();

  // Before start(), and before the first emit() that it is to see. `name` is stored: keep it stable.
  // `type` "" receives everything. Runs in a write transaction: enqueue jobs, write rows, nothing else. An
  // error rolls that subscriber's work back and is retried later without repeating the others, at most
  // limits::event_attempts_max times.
  void subscribe(std::string name, std::string type, std::function<Status(meta::Tx&, const Event&)> take);
  void start();
  void stop();

  // Fills id and time. Inside the causing transaction. Error: too_large.
  Status emit(meta::Tx& tx, Event event);
  // Waits until every delivery that is due has been made; false after `timeout_ms`.
  bool wait_idle(std::int64_t timeout_ms);

 private:
  struct State;
  std::unique_ptr<State> x_state;
};

}  // namespace wharfage::job
