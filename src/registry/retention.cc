#include "registry/retention.h"

#include <algorithm>
#include <array>

#include "base/limits.h"
#include "job/cron.h"
#include "registry/policy_limits.h"
#include "registry/retention_records.h"

namespace wharfage::registry {
namespace {

constexpr std::array<std::string_view, 5> keep_names{"all", "pushed_count", "pulled_count", "pushed_days",
                                                     "pulled_days"};

Status check_rule(const RetentionRule& rule) {
  if (rule.name.empty() || rule.name.size() > limits::policy_name_max)
    return fail(Reason::invalid_parameter, "a rule's name has 1 to 128 bytes", "name");
  if (rule.value < 0 || rule.value > limits::retention_value_max)
    return fail(Reason::invalid_parameter, "a rule keeps 0 to 10000 tags or days", "value");
  return rule.selector.check();
}

Result<std::optional<TimeMs>> next_time(const std::string& cron, TimeMs now) {
  if (cron.empty()) return std::optional<TimeMs>();
  TRY(auto schedule, job::Cron::parse(cron));
  return schedule.next(now);
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

Result<RetentionPolicy> Retention::set_policy(RetentionPolicy wanted) {
  if (wanted.rules.size() > limits::retention_rules_max)
    return fail(Reason::invalid_parameter, "a namespace has at most 15 retention rules", "rules");
  for (const auto& rule : wanted.rules) TRY_STATUS(check_rule(rule));
  wanted.updated_at = x_registry.clock().now();
  TRY(wanted.next_run_at, next_time(wanted.cron, wanted.updated_at));
  TRY_STATUS(x_registry.db().write([&](meta::Tx& tx) { return records::put_retention(tx, wanted); }));
  return wanted;
}

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
    TRY(auto next, next_time(policy.cron, now));
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

Status Retention::cancel(std::int64_t namespace_id, std::int64_t id) {
  return x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY(auto found, known(tx, namespace_id, id));
    return x_queue.cancel(tx, found.run.job_id);
  });
}

}  // namespace wharfage::registry
