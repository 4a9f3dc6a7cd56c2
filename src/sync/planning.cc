// What starts copies: a push that an event rule waits for, and the run of a rule as a whole. Every step can
// be repeated without effect: executions and tasks know their origin, and a repository's part of an execution
// is one transaction.
#include <fmt/format.h>

#include "base/limits.h"
#include "base/random.h"
#include "base/text.h"
#include "sync/records.h"
#include "sync/sync.h"
#include "wire/schema.h"

namespace wharfage::sync {
namespace {

constexpr std::int64_t page_size = 500;

struct PlanPayload {
  std::int64_t execution = 0;
  static constexpr auto fields() {
    return std::array{wire::field<&PlanPayload::execution>("execution", wire::required)};
  }
};
struct EventPayload {
  std::int64_t rule = 0, repository = 0;
  std::string tag, digest, event;
  static constexpr auto fields() {
    return std::array{wire::field<&EventPayload::rule>("rule", wire::required),
                      wire::field<&EventPayload::repository>("repository", wire::required),
                      wire::field<&EventPayload::tag>("tag"), wire::field<&EventPayload::digest>("digest"),
                      wire::field<&EventPayload::event>("event", wire::required)};
  }
};
// What the registry says of a push (registry.h, Events).
struct Push {
  std::int64_t repository_id = 0;
  std::string namespace_name, repository;
  std::optional<std::string> tag, digest, subject;
  std::optional<bool> accessory;
  static constexpr auto fields() {
    return std::array{wire::field<&Push::repository_id>("repository_id", wire::required),
                      wire::field<&Push::namespace_name>("namespace", wire::required),
                      wire::field<&Push::repository>("repository", wire::required),
                      wire::field<&Push::tag>("tag"),
                      wire::field<&Push::digest>("digest"),
                      wire::field<&Push::subject>("subject"),
                      wire::field<&Push::accessory>("accessory")};
  }
};

// What a signature is about: its subject, or what its tag sha256-<hex>.sig says.
std::string subject_of(const Push& push) {
  if (push.subject && !push.subject->empty()) return *push.subject;
  std::string tag = push.tag.value_or("");
  if (!registry::is_accessory_tag(tag)) return {};
  auto dash = tag.find('-');
  std::string hex = tag.substr(dash + 1, tag.find('.') == tag.npos ? tag.npos : tag.find('.') - dash - 1);
  return tag.substr(0, dash) + ":" + hex;
}

Side split_side(std::int64_t connection_id, const std::string& full) {
  auto slash = full.find('/');
  if (slash == full.npos) return {connection_id, "", full, ""};
  return {connection_id, full.substr(0, slash), full.substr(slash + 1), ""};
}

}  // namespace

struct Sync::Found {
  std::string tag, digest;
};
struct Sync::Planned {
  Side from;  // without a tag
  std::int64_t repository_id = 0, namespace_id = 0;
  std::string batch;
  std::vector<Found> tags;
};

Status Sync::on_push(meta::Tx& tx, const job::Event& event) {
  auto push = wire::decode_json<Push>(event.data);
  if (!push.ok()) return {};
  std::string tag = push->tag.value_or("");
  std::vector<std::int64_t> rules;
  bool accessory = push->accessory.value_or(false) || registry::is_accessory_tag(tag);
  if (accessory) {
    // Signatures come after what they sign: they follow where that has gone.
    TRY(rules, records::rules_that_carried(tx, push->repository_id, subject_of(*push)));
  } else if (!tag.empty()) {
    TRY(auto waiting, records::rules_on_push(tx, event.namespace_id));
    for (const Rule& rule : waiting) {
      bool covered =
          selects_repository(rule, push->namespace_name, push->repository) && selects_tag(rule, tag);
      if (covered) rules.push_back(rule.id);
    }
  }
  for (std::int64_t rule : rules) {
    EventPayload payload{rule, push->repository_id, tag, push->digest.value_or(""), event.id};
    auto queued = x_queue.enqueue(
        tx, {.kind = "sync.event", .payload = wire::encode_json(payload), .subject = event.subject});
    if (!queued.ok()) return queued.error();
  }
  return {};
}

// Ids are taken outside the event's transaction, so a job makes the execution.
Status Sync::run_event(job::Run& run) {
  TRY(auto payload, wire::decode_json<EventPayload>(run.job().payload));
  TRY(Rule rule, get_rule(payload.rule));
  TRY(auto repository, x_registry.get_repository(payload.repository));
  TRY(auto own, x_connections.own());
  Execution execution{.rule_id = rule.id, .cause = Trigger::event, .created_at = x_registry.clock().now()};
  TRY(execution.id, x_ids.next("sync_execution"));
  Group group{.execution_id = execution.id, .job_id = run.job().id, .created_at = execution.created_at};
  TRY(group.id, x_ids.next("sync_group"));
  Side from{own.id, repository.namespace_name, repository.name, payload.tag};
  Side to = target_of(rule, from);
  group.source = from.full_name();
  group.target = to.full_name();
  TRY(Task task, make_task(rule, from, to));
  task.group_id = group.id;
  task.execution_id = execution.id;
  task.cause = Trigger::event;
  task.repository_id = repository.id;
  task.namespace_id = repository.namespace_id;
  task.digest = payload.digest;
  task.batch_id = payload.event;
  std::string origin = fmt::format("event:{}:{}", payload.event, rule.id);
  return run.commit([&](meta::Tx& tx) -> Status {
    TRY(bool fresh, records::insert_execution(tx, execution, origin, true));
    if (!fresh) return {};
    TRY([[maybe_unused]] bool grouped, records::insert_group(tx, group));
    TRY([[maybe_unused]] bool added, add_task(tx, task, origin));
    return {};
  });
}

Result<std::int64_t> Sync::start_execution(const Rule& rule, Trigger cause, std::string_view origin) {
  Execution execution{.rule_id = rule.id, .cause = cause, .created_at = x_registry.clock().now()};
  TRY(execution.id, x_ids.next("sync_execution"));
  TRY_STATUS(x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY(bool fresh, records::insert_execution(tx, execution, origin, false));
    if (!fresh) return {};
    TRY(auto job, x_queue.enqueue(tx, {.kind = "sync.plan",
                                       .payload = fmt::format(R"({{"execution":{}}})", execution.id),
                                       .subject = rule.name}));
    return records::set_plan_job(tx, execution.id, job);
  }));
  return execution.id;
}

Status Sync::run_plan(job::Run& run) {
  TRY(auto payload, wire::decode_json<PlanPayload>(run.job().payload));
  TRY(Execution execution, get_execution(payload.execution));
  if (ended(execution.state)) return {};
  TRY(Rule rule, get_rule(execution.rule_id));
  std::string batch = random_uuid();
  Status planned = rule.direction == Direction::push ? plan_push(run, rule, execution, batch)
                                                     : plan_pull(run, rule, execution, batch);
  if (run.canceled()) return fail(run.why());
  if (!planned.ok()) {
    run.log("plan", planned.error().message);
    bool refused = planned.error().reason == Reason::remote_denied;
    return refused ? fail(Reason::denied, planned.error().message) : planned;
  }
  return run.commit([&](meta::Tx& tx) -> Status {
    TRY_STATUS(records::set_planned(tx, execution.id));
    return finish_execution(tx, execution.id);
  });
}

Status Sync::plan_push(job::Run& run, const Rule& rule, const Execution& execution, std::string_view batch) {
  TRY(auto own, x_connections.own());
  std::size_t total = 0;
  for (Slice at{0, page_size};; at.offset += page_size) {
    TRY(auto page, x_registry.list_repositories({.namespace_id = rule.namespace_id}, at));
    for (const auto& repository : page.items) {
      if (run.canceled()) return fail(run.why());
      if (!selects_repository(rule, repository.namespace_name, repository.name)) continue;
      Planned planned{.from = {own.id, repository.namespace_name, repository.name, ""},
                      .repository_id = repository.id,
                      .namespace_id = repository.namespace_id,
                      .batch = std::string(batch),
                      .tags = {}};
      for (Slice slice{0, page_size};; slice.offset += page_size) {
        TRY(auto tags,
            x_registry.list_tags(repository, {.with_accessories = false, .name_contains = {}}, slice));
        for (const auto& tag : tags.items) {
          if (selects_tag(rule, tag.name)) planned.tags.push_back({tag.name, tag.manifest.digest->text()});
        }
        if (static_cast<std::int64_t>(tags.items.size()) < page_size) break;
      }
      total += planned.tags.size();
      if (total > limits::sync_tasks_per_execution_max) return fail(Reason::quota_exceeded);
      TRY_STATUS(add_group(run, rule, execution, planned));
    }
    if (static_cast<std::int64_t>(page.items.size()) < page_size) return {};
  }
}

Status Sync::plan_pull(job::Run& run, const Rule& rule, const Execution& execution, std::string_view batch) {
  TRY(auto connection, x_connections.get(rule.connection_id));
  TRY(auto client, x_connections.open(connection, [&run] { return run.canceled(); }));
  std::vector<std::string> names;
  bool one = rule.scope == Scope::repository && !rule.source_repository.empty();
  if (one) {
    names.push_back(Side{0, rule.source_namespace, rule.source_repository, ""}.full_name());
  } else {
    TRY(names, client->catalog(limits::inventory_images_max));
  }
  std::size_t total = 0;
  for (const std::string& name : names) {
    if (run.canceled()) return fail(run.why());
    if (name.size() > limits::repository_name_max) continue;
    Planned planned{.from = split_side(connection.id, name), .batch = std::string(batch), .tags = {}};
    if (!selects_repository(rule, planned.from.namespace_name, planned.from.repository)) continue;
    auto tags = client->tags(name, limits::sync_tasks_per_execution_max);
    if (!tags.ok() && tags.error().reason == Reason::repository_unknown && !one) continue;
    if (!tags.ok()) return tags.error();
    for (const std::string& tag : *tags) {
      bool wanted =
          registry::check_tag(tag).ok() && !registry::is_accessory_tag(tag) && selects_tag(rule, tag);
      if (wanted) planned.tags.push_back({tag, ""});
    }
    total += planned.tags.size();
    if (total > limits::sync_tasks_per_execution_max) return fail(Reason::quota_exceeded);
    planned.namespace_id = rule.namespace_id;
    TRY_STATUS(add_group(run, rule, execution, planned));
  }
  return {};
}

// A repository's part of an execution, in one transaction.
Status Sync::add_group(job::Run& run, const Rule& rule, const Execution& execution, const Planned& planned) {
  if (planned.tags.empty()) return {};
  TRY(auto own, x_connections.own());
  Side to = target_of(rule, planned.from);
  if (rule.direction == Direction::pull) {
    to.connection_id = own.id;
    // Our names have a namespace, theirs need not.
    if (to.namespace_name.empty()) to.namespace_name = "library";
  }
  Group group{.execution_id = execution.id, .source = planned.from.full_name(), .target = to.full_name()};
  TRY(group.id, x_ids.next("sync_group"));
  group.job_id = run.job().id;
  group.created_at = x_registry.clock().now();
  std::vector<Task> tasks;
  for (const Found& found : planned.tags) {
    Side from = planned.from;
    from.tag = to.tag = found.tag;
    TRY(Task task, make_task(rule, from, to));
    task.group_id = group.id;
    task.execution_id = execution.id;
    task.cause = execution.cause;
    task.repository_id = planned.repository_id;
    task.namespace_id = planned.namespace_id;
    task.digest = found.digest;
    task.batch_id = planned.batch;
    tasks.push_back(std::move(task));
  }
  run.log("plan", fmt::format("{} -> {}: {} tags", group.source, group.target, tasks.size()));
  return run.commit([&](meta::Tx& tx) -> Status {
    TRY(auto now, records::find_execution(tx, execution.id));
    if (!now || ended(now->state)) return fail(Reason::canceled);
    TRY(bool fresh, records::insert_group(tx, group));
    if (!fresh) return {};
    for (Task& task : tasks) {
      TRY([[maybe_unused]] bool added,
          add_task(tx, task, fmt::format("plan:{}:{}:{}", execution.id, group.source, task.from.tag)));
    }
    return {};
  });
}

Result<Task> Sync::make_task(const Rule& rule, const Side& from, const Side& to) {
  Task task{.public_id = random_id("rst-"), .rule_id = rule.id, .rule_public_id = rule.public_id};
  TRY(task.id, x_ids.next("sync_task"));
  task.direction = rule.direction;
  task.from = from;
  task.to = to;
  task.overwrite = rule.overwrite;
  task.created_at = task.updated_at = x_registry.clock().now();
  return task;
}

Result<bool> Sync::add_task(meta::Tx& tx, Task& task, std::string_view origin) {
  TRY(task.job_id, x_queue.enqueue(tx, {.kind = "sync.copy",
                                        .payload = fmt::format(R"({{"task":{}}})", task.id),
                                        .subject = task.from.full_name() + ":" + task.from.tag}));
  return records::insert_task(tx, task, origin);
}

Status Sync::settle_plan(meta::Tx& tx, const job::Job& job, const Error& error) {
  auto payload = wire::decode_json<PlanPayload>(job.payload);
  if (!payload.ok()) return {};
  State state = error.reason == Reason::canceled ? State::canceled : State::failed;
  TRY_STATUS(records::set_planned(tx, payload->execution));
  TRY([[maybe_unused]] bool ended,
      records::end_execution(tx, payload->execution, state, cut(error.message, limits::connection_reason_max),
                             x_registry.clock().now()));
  return {};
}

}  // namespace wharfage::sync
