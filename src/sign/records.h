// All SQL of the sign room.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "meta/db.h"
#include "sign/signing.h"

namespace wharfage::sign::records {

struct StoredKey {
  Key key;
  std::string private_sealed;
};
Status insert_key(meta::Tx& tx, const Key& key, const std::string& private_sealed);
Result<std::optional<StoredKey>> find_key(meta::Tx& tx, std::string_view uuid);
Result<std::vector<Key>> list_keys(meta::Tx& tx);
Result<std::int64_t> delete_key(meta::Tx& tx, std::string_view uuid);

Status insert_policy(meta::Tx& tx, const Policy& policy, std::optional<TimeMs> next_run);
Result<std::int64_t> update_policy(meta::Tx& tx, const Policy& policy, std::optional<TimeMs> next_run);
Result<std::int64_t> delete_policy(meta::Tx& tx, std::int64_t namespace_id, std::int64_t id);
Result<std::optional<Policy>> find_policy(meta::Tx& tx, std::int64_t namespace_id,
                                          std::int64_t id);  // 0: any
Result<std::vector<Policy>> policies_on_push(meta::Tx& tx, std::int64_t namespace_id);
Result<std::vector<Policy>> policies_due(meta::Tx& tx, TimeMs now);
Status set_next_run(meta::Tx& tx, std::int64_t id, std::optional<TimeMs> next_run);
// Of all namespaces, or of one.
Result<std::vector<Policy>> all_policies(meta::Tx& tx, Slice slice);
Result<std::vector<Policy>> policies_of(meta::Tx& tx, std::int64_t namespace_id);
Result<std::int64_t> count_policies(meta::Tx& tx);

// False when this origin (a job, a request) has made its execution before.
Result<bool> insert_execution(meta::Tx& tx, std::int64_t id, std::int64_t policy_id, std::string_view origin,
                              std::string_view cause, TimeMs now);
Status set_planned(meta::Tx& tx, std::int64_t id);
Status set_execution(meta::Tx& tx, std::int64_t id, std::string_view status, std::string_view text,
                     TimeMs now);
Result<std::optional<Execution>> find_execution(meta::Tx& tx, std::int64_t policy_id,
                                                std::int64_t id);  // 0: any
Result<std::vector<Execution>> list_executions(meta::Tx& tx, std::int64_t policy_id, Slice slice);
Result<std::int64_t> count_executions(meta::Tx& tx, std::int64_t policy_id);
// True once every task was made.
Result<bool> is_planned(meta::Tx& tx, std::int64_t execution_id);

struct StoredTask {
  Task task;
  std::int64_t repository_id = 0;
  std::string only_tag;  // "" : every selected tag
};
Status insert_task(meta::Tx& tx, const StoredTask& task);
Result<std::optional<StoredTask>> find_task(meta::Tx& tx, std::int64_t id);
Status set_task(meta::Tx& tx, std::int64_t id, std::string_view status, std::string_view text, TimeMs now);
Result<std::vector<Task>> list_tasks(meta::Tx& tx, std::int64_t execution_id, Slice slice);
Result<std::int64_t> count_tasks(meta::Tx& tx, std::int64_t execution_id);

Status put_sub_task(meta::Tx& tx, std::int64_t task_id, const SubTask& sub_task);
Status set_sub_task(meta::Tx& tx, std::int64_t id, std::string_view status, std::string_view text,
                    TimeMs now);
Status stop_sub_tasks(meta::Tx& tx, std::int64_t task_id, std::string_view status, std::string_view text,
                      TimeMs now);
Result<std::vector<SubTask>> list_sub_tasks(meta::Tx& tx, std::int64_t task_id, std::string_view status,
                                            Slice slice);
Result<std::int64_t> count_sub_tasks(meta::Tx& tx, std::int64_t task_id, std::string_view status);

Status put_signature(meta::Tx& tx, std::int64_t repository_id, const Signature& signature);
// Of a deleted image, made no later than `until`.
Status drop_signatures(meta::Tx& tx, std::int64_t repository_id, std::string_view digest, TimeMs until);
// Of a deleted repository, a bounded number at once; true when there may be more.
constexpr std::int64_t forget_batch = 500;
Result<bool> drop_some_signatures(meta::Tx& tx, std::int64_t repository_id);
Result<std::vector<Signature>> signatures_of(meta::Tx& tx, std::int64_t repository_id,
                                             std::string_view digest);

}  // namespace wharfage::sign::records
