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
  all,            // whatever the rule selects
  pushed_count,   // of a repository, the `value` tags that were pushed or moved last
  pulled_count,   // the `value` tags that were pulled last; those never pulled come after, by their pushes
  pushed_images,  // as the two before, but the images are counted, each with all of its tags that are
                  // selected
  pulled_images,
  pushed_days,  // what was pushed or moved within the last `value` days
  pulled_days,  // what was pulled (or else pushed) within the last `value` days
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
  bool enabled = true;
  // Regular expressions (RE2): tags in which one of them is found are not selected.
  std::vector<std::string> spared;
  // Not 0: of this repository only, and one of the rules that are set and dropped together with it.
  std::int64_t repository_id = 0;
  // Of a run only: what the rule keeps stays, but nothing goes because it is selected here.
  bool only_keeps = false;
};

struct RetentionPolicy {
  std::int64_t namespace_id = 0;
  std::string cron;  // job/cron.h; "": only when asked
  std::vector<RetentionRule> rules;
  std::string set_by;
  TimeMs updated_at = 0;
  std::optional<TimeMs> next_run_at;
  std::string name;     // as its maker calls it; may be empty
  bool enabled = true;  // else there are no runs but dry ones
};

// A policy, when those of several namespaces are listed.
struct LocatedRetention {
  RetentionPolicy policy;
  std::string namespace_name;
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

// What a run has done in one repository so far.
struct RetentionTask {
  std::int64_t repository_id = 0;
  std::string repository;
  // Of the tags, and untagged images, that a rule selects; what goes along with an image does not count.
  std::int64_t kept = 0, removed = 0, failed = 0;
  std::int64_t first_item = 0, last_item = 0;  // numbers of its items
  TimeMs started_at = 0, ended_at = 0;
};

class Retention {
 public:
  Retention(Registry& registry, meta::Ids& ids, job::Queue& queue);

  Registry& registry() { return x_registry; }
  void start();   // adds the job kind: before the queue starts
  Status tick();  // starts what is due

  Result<RetentionPolicy> policy(std::int64_t namespace_id);
  // All but the rules of single repositories, which stay. Errors: invalid_parameter; conflict when those are
  // there and it would have no schedule.
  Result<RetentionPolicy> set_policy(RetentionPolicy wanted);
  // Of the namespaces with these ids (nullopt: of all), by namespace, those that have other rules than those
  // of single repositories; of only one of them unless `namespace_id` is 0, of one name unless that is empty.
  Result<Page<LocatedRetention>> list_policies(const std::optional<std::vector<std::int64_t>>& readable,
                                               std::int64_t namespace_id, std::string_view name, Slice slice);

  // ---- the rules of one repository, part of its namespace's policy
  Result<std::vector<RetentionRule>> repository_rules(const Repository& repository);
  // They take part in every run from now on. One begins at once unless one is under way: only what they
  // select goes in it, and of that what no rule keeps. A namespace without other rules gets a daily schedule
  // for them, and `actor` for who set its policy. `rules` may be empty. Errors: invalid_parameter,
  // quota_exceeded; conflict when runs of the namespace begin only when asked.
  Status set_repository_rules(const Repository& repository, std::vector<RetentionRule> rules,
                              std::string_view actor);
  // Tags that runs removed, newest first, as far as the history of tags goes back.
  Result<Page<TagChange>> removed_tags(const Repository& repository, Slice slice);

  // Errors: invalid_parameter (no rules), conflict (one is running, or the policy is disabled), not_found.
  Result<RetentionRun> run(std::int64_t namespace_id, bool dry, std::string_view actor);
  Result<RetentionRun> get_run(std::int64_t namespace_id, std::int64_t id);
  Result<Page<RetentionRun>> list_runs(std::int64_t namespace_id, Slice slice);  // newest first
  // In the order of the run; `after` continues.
  Result<std::vector<RetentionItem>> items(std::int64_t namespace_id, std::int64_t run_id,
                                           std::string_view outcome, std::int64_t after, std::int64_t limit);
  // The repositories that a rule concerned, in the order of the run; `status`: "", "succeeded", "failed".
  Result<Page<RetentionTask>> tasks(std::int64_t namespace_id, std::int64_t run_id, std::string_view status,
                                    Slice slice);
  Result<RetentionTask> task(std::int64_t namespace_id, std::int64_t run_id, std::int64_t repository_id);
  // What was removed there and what failed; `outcome` as above.
  Result<Page<RetentionItem>> task_items(std::int64_t namespace_id, std::int64_t run_id,
                                         const RetentionTask& task, std::string_view outcome, Slice slice);
  Status cancel(std::int64_t namespace_id, std::int64_t id);  // not_found, task_finished

 private:
  Result<RetentionRun> begin(meta::Tx& tx, std::int64_t id, const RetentionPolicy& policy, bool dry,
                             std::string_view cause, std::string_view actor);
  Status put(meta::Tx& tx, RetentionPolicy& policy);  // checked, with its next time
  Status work(job::Run& run);
  Status work_on(job::Run& run, records::StoredRun& stored, const Repository& repository);
  Status write_task(meta::Tx& tx, records::StoredRun& stored, RetentionTask& task);
  Status remove(meta::Tx& tx, records::StoredRun& stored, const Repository& repository, RetentionTask& task,
                const PlannedItem& item);

  Registry& x_registry;
  meta::Ids& x_ids;
  job::Queue& x_queue;
};

}  // namespace wharfage::registry
