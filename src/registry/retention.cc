#include "registry/retention.h"

#include <algorithm>
#include <array>

#include "base/limits.h"
#include "job/cron.h"
#include "registry/policy_limits.h"
#include "registry/retention_records.h"
#include "registry/tag_patterns.h"

namespace wharfage::registry {
namespace {

constexpr const char* daily = "0 0 1 * * *";

constexpr std::array<std::string_view, 7> keep_names{
    "all", "pushed_count", "pulled_count", "pushed_images", "pulled_images", "pushed_days", "pulled_days"};

Status check_rule(const RetentionRule& rule) {
  if (rule.name.empty() || rule.name.size() > limits::policy_name_max)
    return fail(Reason::invalid_parameter, "a rule's name has 1 to 128 bytes", "name");
  if (rule.value < 0 || rule.value > limits::retention_value_max)
    return fail(Reason::invalid_parameter, "a rule keeps 0 to 10000 tags or days", "value");
  TRY_STATUS(rule.selector.check());
  return TagPatterns::check(rule.spared);
}

Status check_rules(const std::vector<RetentionRule>& rules) {
  auto of_repositories = static_cast<std::size_t>(
      std::count_if(rules.begin(), rules.end(), [](const auto& rule) { return rule.repository_id != 0; }));
  if (rules.size() - of_repositories > limits::retention_rules_max)
    return fail(Reason::invalid_parameter, "a namespace has at most 15 retention rules", "rules");
  if (of_repositories > limits::repository_rules_max)
    return fail(Reason::quota_exceeded, "the namespace's repositories have too many retention rules",
                "rules");
  for (const auto& rule : rules) TRY_STATUS(check_rule(rule));
  return {};
}

Status check_policy(const RetentionPolicy& policy) {
  if (policy.name.size() > limits::retention_name_max)
    return fail(Reason::invalid_parameter, "a retention policy's name has at most 256 bytes", "name");
  TRY_STATUS(check_rules(policy.rules));
  bool of_repositories = std::any_of(policy.rules.begin(), policy.rules.end(),
                                     [](const auto& rule) { return rule.repository_id != 0; });
  if (of_repositories && (policy.cron.empty() || !policy.enabled))
    return fail(Reason::conflict,
                "repositories of the namespace have retention rules, which need a schedule");
  return {};
}

// The rules that `from` has for single repositories, unless those are gone, join `policy`. They are to be
// obeyed from day to day: a namespace without further rules has a schedule just for them.
Status add_repository_rules(meta::Tx& tx, const RetentionPolicy& from, RetentionPolicy& policy) {
  bool others = !policy.rules.empty();
  for (const auto& rule : from.rules) {
    TRY(bool gone, records::is_gone(tx, rule.repository_id));
    if (rule.repository_id != 0 && !gone) policy.rules.push_back(rule);
  }
  if (policy.rules.empty() && policy.cron == daily) policy.cron.clear();
  if (others || policy.rules.empty()) return {};
  if (policy.cron.empty()) policy.cron = daily;
  policy.enabled = true;
  return {};
}

Result<std::optional<TimeMs>> next_time(const RetentionPolicy& policy, TimeMs now) {
  if (policy.cron.empty()) return std::optional<TimeMs>();
  TRY(auto schedule, job::Cron::parse(policy.cron));
  return policy.enabled ? schedule.next(now) : std::nullopt;
}

Slice bounded_page(Slice slice) {
  slice.offset = std::max<std::int64_t>(slice.offset, 0);
  slice.limit = std::clamp<std::int64_t>(slice.limit, 0, static_cast<std::int64_t>(limits::list_page_max));
  return slice;
}

Result<records::StoredRun> known(meta::Tx& tx, std::int64_t namespace_id, std::int64_t id) {
  TRY(auto found, records::find_run(tx, id));
  if (!found || found->run.namespace_id != namespace_id)
    return fail(Reason::not_found, "the retention run does not exist", std::to_string(id));
  return *std::move(found);
}

}  // namespace

std::string_view keep_name(Keep keep) {
  return keep_names[static_cast<std::size_t>(keep)];
}

std::optional<Keep> parse_keep(std::string_view name) {
  for (std::size_t i = 0; i < keep_names.size(); ++i) {
    if (keep_names[i] == name) return static_cast<Keep>(i);
  }
  return std::nullopt;
}

Retention::Retention(Registry& registry, meta::Ids& ids, job::Queue& queue)
    : x_registry(registry), x_ids(ids), x_queue(queue) {}

Result<RetentionPolicy> Retention::policy(std::int64_t namespace_id) {
  TRY(auto found,
      x_registry.db().read([&](meta::Tx& tx) { return records::find_retention(tx, namespace_id); }));
  RetentionPolicy none;
  none.namespace_id = namespace_id;
  return found.value_or(std::move(none));
}

Status Retention::put(meta::Tx& tx, RetentionPolicy& policy) {
  TRY_STATUS(check_policy(policy));
  TRY(policy.next_run_at, next_time(policy, policy.updated_at));
  return records::put_retention(tx, policy);
}

Result<RetentionPolicy> Retention::set_policy(RetentionPolicy wanted) {
  for (auto& rule : wanted.rules) rule.repository_id = 0;
  wanted.updated_at = x_registry.clock().now();
  return x_registry.db().write([&](meta::Tx& tx) -> Result<RetentionPolicy> {
    RetentionPolicy policy = wanted;
    TRY(auto found, records::find_retention(tx, wanted.namespace_id));
    if (found) TRY_STATUS(add_repository_rules(tx, *found, policy));
    TRY_STATUS(put(tx, policy));
    return policy;
  });
}

Result<Page<LocatedRetention>> Retention::list_policies(
    const std::optional<std::vector<std::int64_t>>& readable, std::int64_t namespace_id,
    std::string_view name, Slice slice) {
  return x_registry.db().read([&](meta::Tx& tx) {
    return records::list_retention(tx, readable, namespace_id, name, bounded_page(slice));
  });
}

// ---------------------------------------------------------------- the rules of one repository

Result<std::vector<RetentionRule>> Retention::repository_rules(const Repository& repository) {
  TRY(auto policy, this->policy(repository.namespace_id));
  std::erase_if(policy.rules, [&](const auto& rule) { return rule.repository_id != repository.id; });
  return std::move(policy.rules);
}

Status Retention::set_repository_rules(const Repository& repository, std::vector<RetentionRule> rules,
                                       std::string_view actor) {
  for (auto& rule : rules) rule.repository_id = repository.id;
  TRY(std::int64_t run_id, x_ids.next("retention_run"));
  return x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY(auto found, records::find_retention(tx, repository.namespace_id));
    RetentionPolicy current = found.value_or(RetentionPolicy{.namespace_id = repository.namespace_id});
    RetentionPolicy policy = current;
    std::erase_if(policy.rules, [](const auto& rule) { return rule.repository_id != 0; });
    std::erase_if(current.rules, [&](const auto& rule) { return rule.repository_id == repository.id; });
    current.rules.insert(current.rules.end(), rules.begin(), rules.end());
    if (policy.rules.empty()) policy.set_by = actor;  // else it stays the one of who set those
    TRY_STATUS(add_repository_rules(tx, current, policy));
    policy.updated_at = x_registry.clock().now();
    TRY_STATUS(put(tx, policy));
    TRY(bool running, records::has_running(tx, repository.namespace_id));
    if (rules.empty() || running) return {};
    for (auto& rule : policy.rules) rule.only_keeps = rule.repository_id != repository.id;
    TRY_STATUS(begin(tx, run_id, policy, false, "manual", actor));
    return {};
  });
}

Result<Page<TagChange>> Retention::removed_tags(const Repository& repository, Slice slice) {
  return x_registry.db().read([&](meta::Tx& tx) {
    return records::tags_removed_by(tx, repository.id, "retention", bounded_page(slice));
  });
}

// ---------------------------------------------------------------- runs

Result<RetentionRun> Retention::begin(meta::Tx& tx, std::int64_t id, const RetentionPolicy& policy, bool dry,
                                      std::string_view cause, std::string_view actor) {
  TRY(bool running, records::has_running(tx, policy.namespace_id));
  if (running) return fail(Reason::conflict, "a retention run of this namespace has not ended yet");
  RetentionRun run;
  run.id = id;
  run.namespace_id = policy.namespace_id;
  run.dry = dry;
  run.cause = cause;
  run.actor = actor;
  run.status = "running";
  run.created_at = x_registry.clock().now();
  TRY(run.job_id, x_queue.enqueue(tx, {.kind = "retention.run",
                                       .payload = R"({"run":)" + std::to_string(id) + "}",
                                       .subject = "retention run " + std::to_string(id)}));
  TRY_STATUS(records::insert_run(tx, run, policy));
  TRY_STATUS(records::drop_old_runs(tx, policy.namespace_id, limits::retention_runs_kept));
  return run;
}

Result<RetentionRun> Retention::run(std::int64_t namespace_id, bool dry, std::string_view actor) {
  TRY(auto policy, this->policy(namespace_id));
  if (policy.rules.empty()) return fail(Reason::invalid_parameter, "the namespace has no retention rules");
  if (!policy.enabled && !dry) return fail(Reason::conflict, "the retention policy is disabled");
  TRY(std::int64_t id, x_ids.next("retention_run"));
  return x_registry.db().write([&](meta::Tx& tx) { return begin(tx, id, policy, dry, "manual", actor); });
}

// One that is still running lets its next time pass.
Status Retention::tick() {
  TimeMs now = x_registry.clock().now();
  TRY(auto due, x_registry.db().read([&](meta::Tx& tx) {
    return records::retention_due(tx, now, limits::retention_due_max);
  }));
  for (const auto& policy : due) {
    TRY(std::int64_t id, x_ids.next("retention_run"));
    TRY(auto next, next_time(policy, now));
    TRY_STATUS(x_registry.db().write([&](meta::Tx& tx) -> Status {
      TRY(auto current, records::find_retention(tx, policy.namespace_id));
      if (!current || current->next_run_at != policy.next_run_at) return {};
      TRY_STATUS(records::set_next_retention(tx, policy.namespace_id, next));
      TRY(bool running, records::has_running(tx, policy.namespace_id));
      if (running || current->rules.empty()) return {};
      TRY_STATUS(begin(tx, id, *current, false, "scheduled", current->set_by));
      return {};
    }));
  }
  return {};
}

Result<RetentionRun> Retention::get_run(std::int64_t namespace_id, std::int64_t id) {
  return x_registry.db().read([&](meta::Tx& tx) -> Result<RetentionRun> {
    TRY(auto found, known(tx, namespace_id, id));
    return found.run;
  });
}

Result<Page<RetentionRun>> Retention::list_runs(std::int64_t namespace_id, Slice slice) {
  return x_registry.db().read(
      [&](meta::Tx& tx) { return records::list_runs(tx, namespace_id, bounded_page(slice)); });
}

Result<std::vector<RetentionItem>> Retention::items(std::int64_t namespace_id, std::int64_t run_id,
                                                    std::string_view outcome, std::int64_t after,
                                                    std::int64_t limit) {
  return x_registry.db().read([&](meta::Tx& tx) -> Result<std::vector<RetentionItem>> {
    TRY_STATUS(known(tx, namespace_id, run_id));
    return records::items_after(tx, run_id, outcome, after, bounded_page({0, limit}).limit);
  });
}

Result<Page<RetentionTask>> Retention::tasks(std::int64_t namespace_id, std::int64_t run_id,
                                             std::string_view status, Slice slice) {
  return x_registry.db().read([&](meta::Tx& tx) -> Result<Page<RetentionTask>> {
    TRY_STATUS(known(tx, namespace_id, run_id));
    return records::list_tasks(tx, run_id, status, bounded_page(slice));
  });
}

Result<RetentionTask> Retention::task(std::int64_t namespace_id, std::int64_t run_id,
                                      std::int64_t repository_id) {
  return x_registry.db().read([&](meta::Tx& tx) -> Result<RetentionTask> {
    TRY_STATUS(known(tx, namespace_id, run_id));
    TRY(auto found, records::find_task(tx, run_id, repository_id));
    if (!found) return fail(Reason::task_unknown, {}, std::to_string(repository_id));
    return *std::move(found);
  });
}

Result<Page<RetentionItem>> Retention::task_items(std::int64_t namespace_id, std::int64_t run_id,
                                                  const RetentionTask& task, std::string_view outcome,
                                                  Slice slice) {
  return x_registry.db().read([&](meta::Tx& tx) -> Result<Page<RetentionItem>> {
    TRY_STATUS(known(tx, namespace_id, run_id));
    return records::items_of_task(tx, run_id, task, outcome, bounded_page(slice));
  });
}

Status Retention::cancel(std::int64_t namespace_id, std::int64_t id) {
  return x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY(auto found, known(tx, namespace_id, id));
    return x_queue.cancel(tx, found.run.job_id);
  });
}

}  // namespace wharfage::registry
