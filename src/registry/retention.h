// Which tags of a namespace are kept, and the runs that remove the others. Rules are OR-ed: a tag goes when
// at least one rule selects it and none of those that do keeps it; what no rule selects is never touched.
// Neither are immutable tags, tags of accessories, and what an index needs. An image goes with its last tag,
// an index with the children only it needed, and every image with its signatures and other accessories.
//
// A run is a durable job, one repository after another: it plans (reading in pages), then removes in short
// transactions that check each item again. A dry run plans and writes down, so it shows exactly what a run
// would remove. Removed things can come back like all that is deleted. Thread-safe, blocking.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "job/queue.h"
#include "registry/policy_model.h"

namespace wharfage::registry {

struct PlannedItem;  // retention_plan.h
namespace records {
struct StoredRun;  // retention_records.h
}

enum class Keep {
  all,           // whatever the rule selects
  pushed_count,  // of a repository, the `value` tags that were pushed or moved last
  pulled_count,  // the `value` tags that were pulled last
  pushed_days,   // what was pushed or moved within the last `value` days
  pulled_days,   // what was pulled (or else pushed) within the last `value` days
};
std::string_view keep_name(Keep keep);
std::optional<Keep> parse_keep(std::string_view name);

struct RetentionRule {
  std::string name;
  Selector selector;
  Keep keep = Keep::all;
  std::int64_t value = 0;
  // Also holds for images without a tag, as if each had one; those younger than an hour may be about to get
  // one, and stay.
  bool untagged = false;
};

struct RetentionPolicy {
  std::int64_t namespace_id = 0;
  std::string cron;  // job/cron.h; "": only when asked
  std::vector<RetentionRule> rules;
  std::string set_by;
  TimeMs updated_at = 0;
  std::optional<TimeMs> next_run_at;
};

struct RetentionRun {
  std::int64_t id = 0, namespace_id = 0;
  bool dry = false;
  std::string cause;  // "manual", "scheduled"
  std::string actor;
  std::string status;  // "running", "succeeded", "failed", "canceled"
  std::string error, job_id;
  std::int64_t repositories = 0, kept = 0, removed_tags = 0, removed_images = 0, failed = 0;
  TimeMs created_at = 0, ended_at = 0;
};

struct RetentionItem {
  std::int64_t number = 0;  // within its run
  std::string repository;   // below the namespace
  std::string tag;          // "" of an image
  std::string digest;
  std::string outcome;  // "removed" (in a dry run: would be), "kept", "failed"
  std::string reason;   // which rule keeps it, or why it goes
};

class Retention {
 public:
  Retention(Registry& registry, meta::Ids& ids, job::Queue& queue);

  Registry& registry() { return x_registry; }
  void start();   // adds the job kind: before the queue starts
  Status tick();  // starts what is due

  Result<RetentionPolicy> policy(std::int64_t namespace_id);
  Result<RetentionPolicy> set_policy(RetentionPolicy wanted);  // invalid_parameter

  // Errors: invalid_parameter (no rules), conflict (one is running), not_found.
  Result<RetentionRun> run(std::int64_t namespace_id, bool dry, std::string_view actor);
  Result<RetentionRun> get_run(std::int64_t namespace_id, std::int64_t id);
  Result<Page<RetentionRun>> list_runs(std::int64_t namespace_id, Slice slice);  // newest first
  // In the order of the run; `after` continues.
  Result<std::vector<RetentionItem>> items(std::int64_t namespace_id, std::int64_t run_id,
                                           std::string_view outcome, std::int64_t after, std::int64_t limit);
  Status cancel(std::int64_t namespace_id, std::int64_t id);  // not_found, task_finished

 private:
  Result<RetentionRun> begin(meta::Tx& tx, std::int64_t id, const RetentionPolicy& policy, bool dry,
                             std::string_view cause, std::string_view actor);
  Status work(job::Run& run);
  Status work_on(job::Run& run, records::StoredRun& stored, const Repository& repository);
  Status remove(meta::Tx& tx, records::StoredRun& stored, const Repository& repository,
                const PlannedItem& item);

  Registry& x_registry;
  meta::Ids& x_ids;
  job::Queue& x_queue;
};

}  // namespace wharfage::registry
