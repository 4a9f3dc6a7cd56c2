// Bytes move: images are copied to and from other registries, and inside this one. A copy asks first what the
// target has, mounts what it has elsewhere, sends the rest without touching disk twice, children before the
// index, the tag last, and then the signatures and referrers of what it copied. Repeating a copy sends
// nothing: that is how an interrupted one goes on, and how two registries that copy to each other come to
// rest. Callers have been authorised. Thread-safe, blocking.
//
// Events "sync.completed" and "sync.failed": {task, batch, rule, source, connection_id, connection, target,
// digest, bytes, direction, reason}.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "connect/connections.h"
#include "job/queue.h"
#include "meta/db.h"
#include "registry/registry.h"
#include "sync/model.h"

namespace wharfage::sync {

std::vector<meta::Migration> schema();

struct Options {
  int concurrency = 4;  // copies at once on this node
};

class Sync {
 public:
  Sync(connect::Connections& connections, meta::Ids& ids, job::Queue& queue, Options options);
  // Adds the job kinds "sync.event", "sync.plan", "sync.copy" and subscribes to pushes; before the queue and
  // the events start.
  Status start();

  // ---- rules: sync_rule_unknown, sync_rule_exists, connection_unknown, namespace_unknown,
  // repository_unknown, invalid_parameter, unsupported, quota_exceeded
  Result<Rule> create_rule(Rule rule);  // ids and times are filled in
  Result<Rule> get_rule(std::int64_t id);
  Result<Rule> get_rule(std::string_view public_id);
  Result<Page<Rule>> list_rules(const RuleFilter& filter, Slice slice);
  Result<Rule> update_rule(Rule rule);  // by id
  Status delete_rule(std::int64_t id);  // cancels what it has under way

  // ---- running a rule: sync_rule_disabled
  Result<std::int64_t> execute(std::int64_t rule_id);
  // Of one rule, or with rule_id 0 of all; newest first.
  Result<Page<Execution>> list_executions(std::int64_t rule_id,
                                          const std::optional<std::vector<std::int64_t>>& readable,
                                          Slice slice);
  Result<Execution> get_execution(std::int64_t id);  // execution_unknown
  Status stop_execution(std::int64_t id);            // task_finished when it has ended
  Result<Page<Group>> list_groups(std::int64_t execution_id, Slice slice);
  Result<Group> get_group(std::int64_t execution_id, std::int64_t id);  // task_unknown

  // ---- copies: task_unknown, task_finished
  Result<Task> create_task(const NewTask& wanted);  // tag_unknown
  // Of a rule, for a repository and tag it covers. Errors: sync_rule_disabled, invalid_parameter.
  Result<Task> create_task_by_rule(std::int64_t rule_id, std::int64_t repository_id, std::string_view tag);
  Result<Task> get_task(std::string_view public_id);
  Result<Page<Task>> list_tasks(const TaskFilter& filter, Slice slice);  // newest first
  Result<std::vector<Layer>> layers_of(std::int64_t task_id);
  Status cancel_task(std::string_view public_id);

  // Newest first, at most limits::list_page_max.
  Result<std::vector<Copy>> copies_of(std::int64_t repository_id, std::string_view digest);

  // Starts what is due by schedule and forgets old tasks; called about every ten seconds.
  Status tick();

  connect::Connections& connections() { return x_connections; }
  registry::Registry& registry() { return x_registry; }

 private:
  struct Found;    // one tag that a plan has selected
  struct Planned;  // one repository's part of an execution

  Result<std::set<std::int64_t>> connections_in(std::string_view region);
  // ---- what starts copies (planning.cc)
  Status on_push(meta::Tx& tx, const job::Event& event);
  Status run_event(job::Run& run);
  Status run_plan(job::Run& run);
  Status plan_push(job::Run& run, const Rule& rule, const Execution& execution, std::string_view batch);
  Status plan_pull(job::Run& run, const Rule& rule, const Execution& execution, std::string_view batch);
  Status add_group(job::Run& run, const Rule& rule, const Execution& execution, const Planned& planned);
  Result<Task> make_task(const Rule& rule, const Side& from, const Side& to);
  Result<bool> add_task(meta::Tx& tx, Task& task, std::string_view origin);
  Result<std::int64_t> start_execution(const Rule& rule, Trigger cause, std::string_view origin);
  Status settle_plan(meta::Tx& tx, const job::Job& job, const Error& error);
  // ---- a copy's life (copying.cc)
  Status run_copy(job::Run& run);
  Result<bool> copy_task(job::Run& run, Task& task);
  Status end_task(meta::Tx& tx, Task task, State state, const Error* error, bool verified);
  Status settle_copy(meta::Tx& tx, const job::Job& job, const Error& error);
  Status finish_group(meta::Tx& tx, std::int64_t group_id);
  Status finish_execution(meta::Tx& tx, std::int64_t execution_id);
  Status cancel_tasks(const std::vector<Task>& tasks);
  Status check_rule(Rule& rule);

  connect::Connections& x_connections;
  registry::Registry& x_registry;
  meta::Ids& x_ids;
  job::Queue& x_queue;
  Options x_options;
};

// Whether a rule covers a repository of its source and a tag of it.
bool selects_repository(const Rule& rule, std::string_view namespace_name, std::string_view repository);
bool selects_tag(const Rule& rule, std::string_view tag);
// Where a rule sends a repository of its source.
Side target_of(const Rule& rule, const Side& from);
Issue issue_of(Reason reason);
// Patterns, trigger and names by themselves; fills source_namespace in where a glob begins with a plain one.
Status check_shape(Rule& rule);

}  // namespace wharfage::sync
