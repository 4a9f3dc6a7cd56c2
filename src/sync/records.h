// All SQL of the sync room.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "meta/db.h"
#include "sync/model.h"

namespace wharfage::sync::records {

// ---- rules
Status insert_rule(meta::Tx& tx, const Rule& rule, std::optional<TimeMs> next_run);
Result<std::int64_t> update_rule(meta::Tx& tx, const Rule& rule, std::optional<TimeMs> next_run);
Result<std::int64_t> delete_rule(meta::Tx& tx, std::int64_t id);
Result<std::optional<Rule>> find_rule(meta::Tx& tx, std::int64_t id);
Result<std::optional<Rule>> find_rule(meta::Tx& tx, std::string_view public_id);
Result<std::vector<Rule>> all_rules(meta::Tx& tx);  // at most limits::sync_rules_max, by id
Result<std::int64_t> count_rules(meta::Tx& tx);
Result<std::vector<Rule>> rules_on_push(meta::Tx& tx, std::int64_t namespace_id);
Result<std::vector<Rule>> rules_due(meta::Tx& tx, TimeMs now);
Status set_next_run(meta::Tx& tx, std::int64_t id, std::optional<TimeMs> next_run);
// Event rules that have carried, or are carrying, this image of ours: an accessory of it follows.
Result<std::vector<std::int64_t>> rules_that_carried(meta::Tx& tx, std::int64_t repository_id,
                                                     std::string_view digest);

// ---- executions and groups
// False when this origin has made its execution already.
Result<bool> insert_execution(meta::Tx& tx, const Execution& execution, std::string_view origin,
                              bool planned);
Status set_plan_job(meta::Tx& tx, std::int64_t id, std::string_view job_id);
Result<std::string> plan_job(meta::Tx& tx, std::int64_t id);
Result<bool> is_planned(meta::Tx& tx, std::int64_t id);
Status set_planned(meta::Tx& tx, std::int64_t id);
// Only while it runs; false when it has ended.
Result<bool> end_execution(meta::Tx& tx, std::int64_t id, State state, std::string_view text, TimeMs now);
Result<std::optional<Execution>> find_execution(meta::Tx& tx, std::int64_t id);
// `readable`: "" or ",1,2,": of rules in these namespaces.
Result<std::vector<Execution>> list_executions(meta::Tx& tx, std::int64_t rule_id,
                                               const std::string& readable, Slice slice);
Result<std::int64_t> count_executions(meta::Tx& tx, std::int64_t rule_id, const std::string& readable);
Result<std::int64_t> forget_executions(meta::Tx& tx, TimeMs before);

Result<bool> insert_group(meta::Tx& tx, const Group& group);
Result<std::optional<Group>> find_group(meta::Tx& tx, std::int64_t id);
Status set_group(meta::Tx& tx, std::int64_t id, State state, TimeMs ended_at);
Status set_group_running(meta::Tx& tx, std::int64_t id);
Result<std::vector<Group>> list_groups(meta::Tx& tx, std::int64_t execution_id, Slice slice);
Result<std::int64_t> count_groups(meta::Tx& tx, std::int64_t execution_id);

// ---- tasks
Result<bool> insert_task(meta::Tx& tx, const Task& task, std::string_view origin);
Result<std::optional<Task>> find_task(meta::Tx& tx, std::int64_t id);
Result<std::optional<Task>> find_task(meta::Tx& tx, std::string_view public_id);
Result<std::vector<Task>> list_tasks(meta::Tx& tx, const TaskFilter& filter, const std::string& readable,
                                     Slice slice);
Result<std::int64_t> count_tasks(meta::Tx& tx, const TaskFilter& filter, const std::string& readable);
// Not yet ended, of an execution or of a rule (the other 0).
Result<std::vector<Task>> open_tasks(meta::Tx& tx, std::int64_t execution_id, std::int64_t rule_id);
struct States {
  std::int64_t open = 0, succeeded = 0, failed = 0, canceled = 0;
};
Result<States> task_states(meta::Tx& tx, std::int64_t group_id);
Status begin_task(meta::Tx& tx, std::int64_t id, TimeMs now);
Status set_trouble(meta::Tx& tx, std::int64_t id, Issue issue, std::string_view text, TimeMs now);
Status set_progress(meta::Tx& tx, const Task& task);  // digest, progress, bytes, updated_at
// Of our side of a pull, once it is known.
Status set_place(meta::Tx& tx, std::int64_t id, std::int64_t repository_id, std::int64_t namespace_id);
// Only while it is open; false when it has ended.
Result<bool> end_task(meta::Tx& tx, const Task& task);
Result<std::int64_t> forget_tasks(meta::Tx& tx, TimeMs before);

// ---- layers of a task
Status put_layer(meta::Tx& tx, std::int64_t task_id, std::int64_t position, const Layer& layer);
Status set_layer(meta::Tx& tx, std::int64_t task_id, std::string_view digest, std::int64_t done, State state);
Status end_layers(meta::Tx& tx, std::int64_t task_id, State state);
Result<std::vector<Layer>> layers_of(meta::Tx& tx, std::int64_t task_id);

// ---- what is where
// A success replaces what was noted; a failure never hides an earlier success.
Status put_copy(meta::Tx& tx, std::int64_t repository_id, std::int64_t rule_id, const Copy& copy);
// Of a deleted image, noted no later than `until`.
Status drop_copies(meta::Tx& tx, std::int64_t repository_id, std::string_view digest, TimeMs until);
// Of a deleted repository, a bounded number at once; true when there may be more.
constexpr std::int64_t forget_batch = 500;
Result<bool> drop_some_copies(meta::Tx& tx, std::int64_t repository_id);
Result<std::vector<Copy>> copies_of(meta::Tx& tx, std::int64_t repository_id, std::string_view digest);
Status remember_blob(meta::Tx& tx, std::int64_t connection_id, std::string_view digest,
                     std::string_view repository, TimeMs now);
Result<std::string> where_is_blob(meta::Tx& tx, std::int64_t connection_id, std::string_view digest);
Result<std::int64_t> forget_blobs(meta::Tx& tx, TimeMs before);

}  // namespace wharfage::sync::records
