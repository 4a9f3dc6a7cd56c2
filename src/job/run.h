// One running job as its handler sees it, and as the engine watches it: the fencing token, the flags that
// end it early, and the lines and progress not yet stored. Shared by the handler's thread and the engine's
// loops.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "job/lines.h"
#include "job/queue.h"
#include "job/records.h"
#include "job/signal.h"

namespace wharfage::job {

// What every run of a queue shares.
struct Surroundings {
  meta::Db& db;
  const Clock& clock;
  const Log& log;
  const QueueOptions& options;
  std::shared_ptr<Signal> flush;  // asks the engine to store log lines soon
  const std::atomic<bool>& stopping;
};

class ActiveRun final : public Run {
 public:
  ActiveRun(records::Claimed claimed, const Surroundings& around);

  const Job& job() const override { return x_job; }
  bool last_attempt() const override { return x_job.attempt >= x_job.attempts_max; }
  bool canceled() const override;
  Reason why() const override;
  void log(std::string_view stage, std::string_view line) override;
  void progress(int percent) override;
  Status commit(const std::function<Status(meta::Tx&)>& work) override;
  Status complete(const std::function<Status(meta::Tx&)>& work) override;
  const Log& logger() const override { return x_log; }

  // ---- for the engine
  records::Holder holder() const { return {x_job.id, x_fence}; }
  void ask_cancel() { x_cancel_asked = true; }
  void lose();  // another holds the job: ends the handler soon, drops the lines
  bool lost() const { return x_lost; }
  bool completed() const { return x_completed; }
  bool dirty() const;
  int shown_progress() const { return x_progress; }

  // Takes what is to be stored; keep() after the commit, restore() when there was none. One at a time.
  struct Unsaved {
    std::unique_lock<std::mutex> lock;
    int progress = 0;
    std::vector<LogLine> lines;
  };
  Unsaved take_unsaved();
  void keep(Unsaved unsaved);
  void restore(Unsaved unsaved);

 private:
  Status write(const std::function<Status(meta::Tx&)>& work);

  const Surroundings& x_around;
  const Job x_job;
  const std::int64_t x_fence;
  const Log x_log;
  LogBuffer x_buffer;
  std::mutex x_storing;
  std::atomic<bool> x_cancel_asked;
  std::atomic<bool> x_lost{false};
  std::atomic<bool> x_completed{false};
  std::atomic<int> x_progress{0};
  std::atomic<int> x_stored_progress{0};
};

}  // namespace wharfage::job
