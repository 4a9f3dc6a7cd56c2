// Looking after the store as background work: "check" holds rows and files against each other, "scrub" reads
// every blob again, "collect" purges what is due and reclaims what nobody needs. One run is one job with a
// row that keeps what it found; the newest runs_kept_max runs stay readable. A run that a restart interrupted
// begins again, a scrub where it was. Whoever asks for a kind that already waits gets the run that waits.
// Callers have been authorised. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "job/queue.h"
#include "registry/policies.h"
#include "registry/registry.h"

namespace wharfage::registry {

constexpr std::int64_t runs_kept_max = 100;

struct MaintenanceRun {
  std::string id;    // of its job
  std::string kind;  // check, scrub, collect
  bool mend = false;
  std::int64_t bytes_per_s = 0;
  std::string state;  // waiting, running, succeeded, failed, canceled
  std::string error;
  std::string after;  // a scrub has read everything up to this digest
  Report report;
  TimeMs created_at = 0, updated_at = 0;
};

struct MaintenanceOptions {
  TimeMs unreferenced_for_ms = 3600 * second_ms;  // as collect() is called; also when a file counts as stray
  std::int64_t scrub_bytes_per_s = 32 << 20;
  bool scrub_weekly = true;
};

class Maintenance {
 public:
  Maintenance(Policies& policies, job::Queue& queue, MaintenanceOptions options)
      : x_policies(policies), x_registry(policies.registry()), x_queue(queue), x_options(options) {}
  void start();  // adds the job kinds; before the queue starts

  // `bytes_per_s` 0: as configured; negative: as fast as the disk. Error: invalid_parameter.
  struct Wanted {
    std::string kind;
    bool mend = false;
    std::int64_t bytes_per_s = 0;
  };
  Result<MaintenanceRun> begin(const Wanted& wanted);
  Result<MaintenanceRun> get(std::string_view id);               // job_unknown
  Result<std::vector<MaintenanceRun>> list(std::int64_t limit);  // newest first, without findings
  // Here and now, without a job, for a server that is stopped. `alive` may end it.
  Result<Report> run_now(const Wanted& wanted, const std::function<Status()>& alive);
  Status tick();  // starts the weekly scrub; called about every minute

 private:
  class Books;
  Status run(job::Run& run);
  Status work(const Wanted& wanted, const std::string& after, Follower& follower);
  Status collect(Follower& follower);

  Policies& x_policies;
  Registry& x_registry;
  job::Queue& x_queue;
  const MaintenanceOptions x_options;
};

}  // namespace wharfage::registry
