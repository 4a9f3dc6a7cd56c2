// What turns rows into running handlers: one loop claims what is due, one keeps leases, logs and flags up to
// date, and a bounded pool runs the handlers. No thread holds a lock while it talks to the database. The
// claiming loop never takes more than there are free threads, so a claimed job starts at once.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/workers.h"
#include "job/queue.h"
#include "job/records.h"
#include "job/run.h"
#include "job/signal.h"

namespace wharfage::job {

class Engine {
 public:
  Engine(meta::Db& db, const Clock& clock, Log log, QueueOptions options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void add_kind(Kind kind);
  void start();
  void stop();

  Result<JobId> enqueue(meta::Tx& tx, const NewJob& job);
  Status cancel(meta::Tx& tx, const JobId& id);
  bool wait_idle(std::int64_t timeout_ms);
  std::string metrics();
  bool healthy() const;

 private:
  using RunPtr = std::shared_ptr<ActiveRun>;
  struct Registered {
    Kind kind;
    int running = 0;
    std::map<State, std::int64_t> ended;  // by this process
  };
  struct Slots {
    std::string kind;
    std::int64_t due = 0, expired = 0;  // how many may be claimed of each
    bool idle = false;                  // runs nothing: a thread is kept for it
  };
  struct Taken {
    std::vector<records::Claimed> to_run, to_bury;
  };

  // ---- the claiming loop
  void claim_loop();
  std::int64_t look_for_work();  // how long to wait then
  std::vector<Slots> free_slots();
  Result<std::int64_t> ask_for_work(std::vector<Slots>& slots);
  Result<bool> claim(const std::vector<Slots>& slots);  // false: there was nothing
  Status claim_kind(meta::Tx& tx, const Slots& slots, TimeMs now, std::int64_t threads, Taken& taken);
  void launch(records::Claimed claimed);
  void bury(const records::Claimed& claimed);

  // ---- a handler's thread (engine_run.cc)
  void execute(const RunPtr& run);
  Status call_handler(ActiveRun& run);
  void finish(ActiveRun& run, const Status& status);
  Status finish_once(ActiveRun& run, const Status& status, const std::vector<LogLine>& lines);
  Status end(meta::Tx& tx, const records::Holder& holder, Job job, State state, const Error* error);
  Status settle(meta::Tx& tx, const Job& job, const Error& error);
  void count_ended(const std::string& kind, State state);
  void forget(const RunPtr& run);

  // ---- the loop that keeps up (engine_keep.cc)
  void keep_loop();
  void flush(const std::vector<RunPtr>& runs);
  void beat(const std::vector<RunPtr>& runs);
  void read_cancel_flags(const std::vector<RunPtr>& runs);
  bool prune();
  void give_back();

  std::vector<RunPtr> runs() const;
  const Kind* find_kind(std::string_view name) const;
  bool idle();

  meta::Db& x_db;
  const Clock& x_clock;
  const Log x_log;
  const QueueOptions x_options;
  const std::string x_node;  // random: a restarted process is another node

  std::shared_ptr<Signal> x_wake = std::make_shared<Signal>();   // the claiming loop
  std::shared_ptr<Signal> x_keep = std::make_shared<Signal>();   // the keeping loop
  std::shared_ptr<Signal> x_ended = std::make_shared<Signal>();  // stop() and wait_idle()
  std::atomic<bool> x_stopping{false};
  std::atomic<bool> x_kept{false};  // the keeping loop may end
  std::atomic<std::int64_t> x_looked_at{0};
  Surroundings x_around;

  mutable std::mutex x_mutex;  // the members below; x_kinds' keys and kinds do not change after start()
  std::map<std::string, Registered, std::less<>> x_kinds;
  std::vector<RunPtr> x_runs;
  bool x_started = false;
  bool x_stopped = false;
  std::size_t x_threads = 0;
  std::string x_last_kind;  // the kind that was offered free threads first

  std::unique_ptr<Workers> x_claimer, x_keeper, x_handlers;
};

}  // namespace wharfage::job
