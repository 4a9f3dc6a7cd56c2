// The SQL of retention: policies, runs, and the pages a plan is made from (records_retention.cc).
#pragma once

#include "meta/db.h"
#include "registry/policy_records.h"
#include "registry/retention.h"

namespace wharfage::registry::records {

Result<std::optional<RetentionPolicy>> find_retention(meta::Tx& tx, std::int64_t namespace_id);
// Those with rules (Retention::list_policies).
Result<Page<LocatedRetention>> list_retention(meta::Tx& tx, const Readable& readable,
                                              std::int64_t namespace_id, std::string_view name, Slice slice);
Result<bool> is_gone(meta::Tx& tx, std::int64_t repository_id);  // 0 is not
Status put_retention(meta::Tx& tx, const RetentionPolicy& policy);
Result<std::vector<RetentionPolicy>> retention_due(meta::Tx& tx, TimeMs now, std::int64_t limit);
Status set_next_retention(meta::Tx& tx, std::int64_t namespace_id, std::optional<TimeMs> at);

struct StoredRun {
  RetentionRun run;
  RetentionPolicy policy;               // as it was when the run began
  std::int64_t last_repository_id = 0;  // done so far
  std::int64_t items = 0;
};
Status insert_run(meta::Tx& tx, const RetentionRun& run, const RetentionPolicy& policy);
Result<std::optional<StoredRun>> find_run(meta::Tx& tx, std::int64_t id);
Result<bool> has_running(meta::Tx& tx, std::int64_t namespace_id);
Result<Page<RetentionRun>> list_runs(meta::Tx& tx, std::int64_t namespace_id, Slice slice);
Status update_run(meta::Tx& tx, const StoredRun& run);
// Runs of a namespace beyond the newest `keep`, with their items.
Status drop_old_runs(meta::Tx& tx, std::int64_t namespace_id, std::int64_t keep);
Status insert_item(meta::Tx& tx, std::int64_t run_id, const RetentionItem& item);
Result<std::vector<RetentionItem>> items_after(meta::Tx& tx, std::int64_t run_id, std::string_view outcome,
                                               std::int64_t after, std::int64_t limit);

// ---- what a run did in single repositories
Status put_task(meta::Tx& tx, std::int64_t run_id, const RetentionTask& task);
Result<std::optional<RetentionTask>> find_task(meta::Tx& tx, std::int64_t run_id, std::int64_t repository_id);
Result<Page<RetentionTask>> list_tasks(meta::Tx& tx, std::int64_t run_id, std::string_view status,
                                       Slice slice);
Result<Page<RetentionItem>> items_of_task(meta::Tx& tx, std::int64_t run_id, const RetentionTask& task,
                                          std::string_view outcome, Slice slice);

// ---- pages of a plan, newest first
struct Candidate {
  std::int64_t id = 0;  // of the tag, or of the manifest without one
  std::string tag;      // "" for a manifest
  std::int64_t manifest_id = 0;
  std::string digest;
  TimeMs pushed_at = 0, pulled_at = 0;
};
struct CandidateKey {
  TimeMs at = INT64_MAX;
  std::int64_t id = INT64_MAX;
};
Result<std::vector<Candidate>> tag_candidates(meta::Tx& tx, std::int64_t repository_id,
                                              const CandidateKey& after, std::int64_t limit);
// Without a tag and without an index that needs them.
Result<std::vector<Candidate>> untagged_candidates(meta::Tx& tx, std::int64_t repository_id,
                                                   const CandidateKey& after, std::int64_t limit);
Result<std::int64_t> count_tags_on(meta::Tx& tx, std::int64_t manifest_id);

struct Near {
  std::int64_t id = 0;
  std::string digest;
};
Result<std::vector<Near>> near_children_of(meta::Tx& tx, std::int64_t manifest_id);
Result<std::vector<std::int64_t>> parents_of(meta::Tx& tx, std::int64_t repository_id,
                                             std::string_view digest);
Result<std::vector<Near>> accessories_of(meta::Tx& tx, std::int64_t repository_id, std::string_view digest);
Result<std::optional<Repository>> next_repository(meta::Tx& tx, std::int64_t namespace_id,
                                                  std::int64_t after_id);

}  // namespace wharfage::registry::records
