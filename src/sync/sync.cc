#include "sync/sync.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.h"
#include "base/random.h"
#include "base/text.h"
#include "job/cron.h"
#include "registry/forgetting.h"
#include "sync/records.h"

namespace wharfage::sync {
namespace {

std::string readable_set(const std::optional<std::vector<std::int64_t>>& readable) {
  if (!readable) return {};
  std::string set = ",";
  for (std::int64_t id : *readable) set += std::to_string(id) + ",";
  return set;
}

template <class T>
Result<T> found(const Result<std::optional<T>>& item, Reason otherwise) {
  if (!item.ok()) return item.error();
  if (!*item) return fail(otherwise);
  return **item;
}

// A refused constraint in words of this room.
Status told(Status status) {
  if (status.ok() || status.error().reason != Reason::conflict) return status;
  bool reference = status.error().detail.find("FOREIGN KEY") != std::string::npos;
  return fail(reference ? Reason::connection_unknown : Reason::sync_rule_exists);
}

bool contains(const std::string& text, const std::string& part) {
  return part.empty() || lower(text).find(lower(part)) != std::string::npos;
}

bool matches(const RuleFilter& filter, const Rule& rule) {
  bool visible = !filter.readable || std::find(filter.readable->begin(), filter.readable->end(),
                                               rule.namespace_id) != filter.readable->end();
  return visible && contains(rule.name, filter.name_contains) &&
         (filter.source_namespace.empty() || filter.source_namespace == rule.source_namespace) &&
         (filter.source_repository.empty() || filter.source_repository == rule.source_repository) &&
         (!filter.connection_id || filter.connection_id == rule.connection_id) &&
         (!filter.patterns || *filter.patterns == rule.patterns);
}

bool before(const RuleFilter& filter, const Rule& a, const Rule& b) {
  switch (filter.order) {
    case RuleFilter::Order::name:
      return std::pair(a.name, a.id) < std::pair(b.name, b.id);
    case RuleFilter::Order::updated:
      return std::pair(a.updated_at, a.id) < std::pair(b.updated_at, b.id);
    case RuleFilter::Order::created:
    case RuleFilter::Order::id:
      break;
  }
  return a.id < b.id;
}

std::optional<TimeMs> next_run(const Rule& rule, TimeMs now) {
  if (!rule.enabled || rule.trigger != Trigger::scheduled) return std::nullopt;
  auto cron = job::Cron::parse(rule.cron);
  return cron.ok() ? cron->next(now) : std::nullopt;
}

}  // namespace

Sync::Sync(connect::Connections& connections, meta::Ids& ids, job::Queue& queue, Options options)
    : x_connections(connections),
      x_registry(connections.registry()),
      x_ids(ids),
      x_queue(queue),
      x_options(options) {}

Status Sync::start() {
  x_queue.add_kind(
      {.name = "sync.event", .concurrency = 1, .run = [this](job::Run& run) { return run_event(run); }});
  x_queue.add_kind({.name = "sync.plan",
                    .concurrency = 1,
                    .run = [this](job::Run& run) { return run_plan(run); },
                    .settle = [this](meta::Tx& tx, const job::Job& job,
                                     const Error& error) { return settle_plan(tx, job, error); }});
  x_queue.add_kind({.name = "sync.copy",
                    .concurrency = x_options.concurrency,
                    .run = [this](job::Run& run) { return run_copy(run); },
                    .settle = [this](meta::Tx& tx, const job::Job& job,
                                     const Error& error) { return settle_copy(tx, job, error); }});
  x_registry.events().subscribe("sync", "image.pushed",
                                [this](meta::Tx& tx, const job::Event& event) { return on_push(tx, event); });
  x_registry.events().subscribe(
      "sync.delete", "image.purged", [](meta::Tx& tx, const job::Event& event) -> Status {
        auto gone = registry::purged_image(event);
        return gone ? records::drop_copies(tx, gone->repository_id, gone->digest, event.at) : Status();
      });
  registry::forget_repositories(x_registry, x_queue, "sync", records::drop_some_copies);
  return {};
}

// ---- rules

// Checks what a rule says against what there is, and finds the namespace of ours that it belongs to.
Status Sync::check_rule(Rule& rule) {
  TRY_STATUS(check_shape(rule));
  TRY(auto connection, x_connections.get(rule.connection_id));
  if (connection.kind == connect::Kind::cicd) {
    return fail(Reason::unsupported, "a CI/CD system cannot be synchronised with");
  }
  rule.namespace_id = 0;
  if (rule.direction == Direction::pull) {
    if (connection.own()) return fail(Reason::unsupported, "a copy inside this registry is a push");
    if (rule.target_namespace.empty()) return {};
    TRY(auto target, x_registry.get_namespace(rule.target_namespace));
    rule.namespace_id = target.id;
    return {};
  }
  if (!rule.source_namespace.empty()) {
    TRY(auto source, x_registry.get_namespace(rule.source_namespace));
    rule.namespace_id = source.id;
  }
  if (rule.scope == Scope::repository) {
    TRY([[maybe_unused]] auto source,
        x_registry.get_repository(rule.source_namespace, rule.source_repository));
  }
  if (!connection.own()) return {};
  bool elsewhere = !rule.target_namespace.empty() && rule.target_namespace != rule.source_namespace;
  bool renamed = !rule.target_repository.empty() && rule.target_repository != rule.source_repository;
  if (!elsewhere && !renamed) {
    return fail(Reason::invalid_parameter, "source and target are the same", "target");
  }
  if (rule.target_namespace.empty()) return {};
  TRY([[maybe_unused]] auto target, x_registry.get_namespace(rule.target_namespace));
  return {};
}

Result<Rule> Sync::create_rule(Rule rule) {
  TRY_STATUS(check_rule(rule));
  TRY(rule.id, x_ids.next("sync_rule"));
  rule.public_id = random_id("crsr-");
  rule.created_at = rule.updated_at = x_registry.clock().now();
  TRY_STATUS(told(x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY(auto count, records::count_rules(tx));
    if (count >= limits::sync_rules_max) return fail(Reason::quota_exceeded);
    return records::insert_rule(tx, rule, next_run(rule, rule.created_at));
  })));
  return rule;
}

Result<Rule> Sync::get_rule(std::int64_t id) {
  return found(x_registry.db().read([&](meta::Tx& tx) { return records::find_rule(tx, id); }),
               Reason::sync_rule_unknown);
}

Result<Rule> Sync::get_rule(std::string_view public_id) {
  return found(x_registry.db().read([&](meta::Tx& tx) { return records::find_rule(tx, public_id); }),
               Reason::sync_rule_unknown);
}

// Rules and connections are bounded (sync_rules_max, registry_connections_max) and filtered in memory.
Result<std::set<std::int64_t>> Sync::connections_in(std::string_view region) {
  TRY(auto all, x_connections.list({}, {0, static_cast<std::int64_t>(limits::registry_connections_max)}));
  std::set<std::int64_t> near;
  for (const auto& connection : all.items) {
    if (connection.alias_region == region) near.insert(connection.id);
  }
  return near;
}

Result<Page<Rule>> Sync::list_rules(const RuleFilter& filter, Slice slice) {
  TRY(auto rules, x_registry.db().read([&](meta::Tx& tx) { return records::all_rules(tx); }));
  std::erase_if(rules, [&](const Rule& rule) { return !matches(filter, rule); });
  if (!filter.region.empty()) {
    TRY(auto near, connections_in(filter.region));
    std::erase_if(rules, [&](const Rule& rule) { return !near.contains(rule.connection_id); });
  }
  std::stable_sort(rules.begin(), rules.end(), [&](const Rule& a, const Rule& b) {
    return filter.descending ? before(filter, b, a) : before(filter, a, b);
  });
  Page<Rule> page;
  page.total = static_cast<std::int64_t>(rules.size());
  for (std::int64_t at = slice.offset; at < page.total && at - slice.offset < slice.limit; ++at) {
    page.items.push_back(std::move(rules[static_cast<std::size_t>(at)]));
  }
  return page;
}

Result<Rule> Sync::update_rule(Rule rule) {
  TRY(Rule old, get_rule(rule.id));
  TRY_STATUS(check_rule(rule));
  rule.public_id = old.public_id;
  rule.creator = old.creator;
  rule.created_at = old.created_at;
  rule.updated_at = x_registry.clock().now();
  TRY_STATUS(told(x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY(auto changed, records::update_rule(tx, rule, next_run(rule, rule.updated_at)));
    return changed ? Status() : fail(Reason::sync_rule_unknown);
  })));
  return rule;
}

Status Sync::delete_rule(std::int64_t id) {
  TRY(auto open, x_registry.db().read([&](meta::Tx& tx) { return records::open_tasks(tx, 0, id); }));
  TRY_STATUS(cancel_tasks(open));
  return x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY(auto removed, records::delete_rule(tx, id));
    return removed ? Status() : fail(Reason::sync_rule_unknown);
  });
}

// ---- executions

Result<std::int64_t> Sync::execute(std::int64_t rule_id) {
  TRY(Rule rule, get_rule(rule_id));
  if (!rule.enabled) return fail(Reason::sync_rule_disabled);
  return start_execution(rule, Trigger::manual, "manual:" + random_uuid());
}

Result<Page<Execution>> Sync::list_executions(std::int64_t rule_id,
                                              const std::optional<std::vector<std::int64_t>>& readable,
                                              Slice slice) {
  return x_registry.db().read([&](meta::Tx& tx) -> Result<Page<Execution>> {
    Page<Execution> page;
    TRY(page.items, records::list_executions(tx, rule_id, readable_set(readable), slice));
    TRY(page.total, records::count_executions(tx, rule_id, readable_set(readable)));
    return page;
  });
}

Result<Execution> Sync::get_execution(std::int64_t id) {
  return found(x_registry.db().read([&](meta::Tx& tx) { return records::find_execution(tx, id); }),
               Reason::execution_unknown);
}

// It counts as stopped at once; what is under way notices within a second.
Status Sync::stop_execution(std::int64_t id) {
  TRY([[maybe_unused]] auto execution, get_execution(id));
  TRY_STATUS(x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY(bool stopped, records::end_execution(tx, id, State::canceled, "", x_registry.clock().now()));
    if (!stopped) return fail(Reason::task_finished);
    TRY(std::string plan, records::plan_job(tx, id));
    if (plan.empty()) return {};
    Status canceled = x_queue.cancel(tx, plan);
    bool over = !canceled.ok() && canceled.error().kind() != ErrorKind::internal;
    return over ? Status() : canceled;
  }));
  TRY(auto open, x_registry.db().read([&](meta::Tx& tx) { return records::open_tasks(tx, id, 0); }));
  return cancel_tasks(open);
}

Result<Page<Group>> Sync::list_groups(std::int64_t execution_id, Slice slice) {
  return x_registry.db().read([&](meta::Tx& tx) -> Result<Page<Group>> {
    Page<Group> page;
    TRY(page.items, records::list_groups(tx, execution_id, slice));
    TRY(page.total, records::count_groups(tx, execution_id));
    return page;
  });
}

Result<Group> Sync::get_group(std::int64_t execution_id, std::int64_t id) {
  TRY(Group group, found(x_registry.db().read([&](meta::Tx& tx) { return records::find_group(tx, id); }),
                         Reason::task_unknown));
  if (group.execution_id != execution_id) return fail(Reason::task_unknown);
  return group;
}

// ---- tasks

Result<Task> Sync::create_task(const NewTask& wanted) {
  TRY(auto repository, x_registry.get_repository(wanted.repository_id));
  TRY(auto tag, x_registry.get_tag(repository, wanted.tag));
  TRY(auto connection, x_connections.get(wanted.connection_id));
  if (connection.kind == connect::Kind::cicd) return fail(Reason::unsupported);
  TRY(auto own, x_connections.own());
  Rule rule;
  if (wanted.rule_id) {
    TRY(rule, get_rule(wanted.rule_id));
  }
  rule.overwrite = wanted.overwrite;
  Side from{own.id, repository.namespace_name, repository.name, wanted.tag}, to = from;
  to.connection_id = connection.id;
  if (!wanted.target_namespace.empty()) to.namespace_name = wanted.target_namespace;
  if (!wanted.target_repository.empty()) to.repository = wanted.target_repository;
  if (!wanted.target_tag.empty()) to.tag = wanted.target_tag;
  TRY_STATUS(registry::check_tag(to.tag));
  TRY([[maybe_unused]] auto name, registry::Name::parse(to.full_name()));
  bool itself = connection.own() && to.full_name() == from.full_name() && to.tag == from.tag;
  if (itself) return fail(Reason::invalid_parameter, "source and target are the same", "target");
  TRY(Task task, make_task(rule, from, to));
  task.repository_id = repository.id;
  task.namespace_id = repository.namespace_id;
  task.digest = tag.manifest.digest ? tag.manifest.digest->text() : "";
  task.batch_id = random_uuid();
  TRY_STATUS(x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY([[maybe_unused]] bool fresh, add_task(tx, task, "manual:" + task.public_id));
    return {};
  }));
  return task;
}

Result<Task> Sync::create_task_by_rule(std::int64_t rule_id, std::int64_t repository_id,
                                       std::string_view tag) {
  TRY(Rule rule, get_rule(rule_id));
  if (!rule.enabled) return fail(Reason::sync_rule_disabled);
  TRY(auto repository, x_registry.get_repository(repository_id));
  bool covered = rule.direction == Direction::push &&
                 selects_repository(rule, repository.namespace_name, repository.name) &&
                 selects_tag(rule, tag);
  if (!covered) return fail(Reason::invalid_parameter, "the rule does not cover this image", "tag");
  Side to = target_of(rule, {0, repository.namespace_name, repository.name, std::string(tag)});
  return create_task({.repository_id = repository_id,
                      .tag = std::string(tag),
                      .connection_id = rule.connection_id,
                      .target_namespace = to.namespace_name,
                      .target_repository = to.repository,
                      .target_tag = {},
                      .overwrite = rule.overwrite,
                      .rule_id = rule.id});
}

Result<Task> Sync::get_task(std::string_view public_id) {
  return found(x_registry.db().read([&](meta::Tx& tx) { return records::find_task(tx, public_id); }),
               Reason::task_unknown);
}

Result<Page<Task>> Sync::list_tasks(const TaskFilter& filter, Slice slice) {
  return x_registry.db().read([&](meta::Tx& tx) -> Result<Page<Task>> {
    Page<Task> page;
    TRY(page.items, records::list_tasks(tx, filter, readable_set(filter.readable), slice));
    TRY(page.total, records::count_tasks(tx, filter, readable_set(filter.readable)));
    return page;
  });
}

Result<std::vector<Layer>> Sync::layers_of(std::int64_t task_id) {
  return x_registry.db().read([&](meta::Tx& tx) { return records::layers_of(tx, task_id); });
}

Status Sync::cancel_task(std::string_view public_id) {
  TRY(Task task, get_task(public_id));
  if (ended(task.state)) return fail(Reason::task_finished);
  return cancel_tasks({task});
}

Status Sync::cancel_tasks(const std::vector<Task>& tasks) {
  for (std::size_t at = 0; at < tasks.size();) {
    std::size_t until = std::min(tasks.size(), at + 100);
    TRY_STATUS(x_registry.db().write([&](meta::Tx& tx) -> Status {
      for (std::size_t i = at; i < until; ++i) {
        Status status = x_queue.cancel(tx, tasks[i].job_id);
        if (status.ok() || status.error().reason == Reason::task_finished) continue;
        if (status.error().reason != Reason::job_unknown) return status;
        Error canceled = fail(Reason::canceled);
        TRY_STATUS(end_task(tx, tasks[i], State::canceled, &canceled, false));
      }
      return {};
    }));
    at = until;
  }
  return {};
}

Result<std::vector<Copy>> Sync::copies_of(std::int64_t repository_id, std::string_view digest) {
  return x_registry.db().read([&](meta::Tx& tx) { return records::copies_of(tx, repository_id, digest); });
}

Status Sync::tick() {
  TimeMs now = x_registry.clock().now();
  TRY(auto due, x_registry.db().read([&](meta::Tx& tx) { return records::rules_due(tx, now); }));
  for (const Rule& rule : due) {
    // Named after its minute, so that two nodes that see it due make one execution.
    TRY([[maybe_unused]] auto id,
        start_execution(rule, Trigger::scheduled, fmt::format("schedule:{}:{}", rule.id, now / minute_ms)));
    TRY_STATUS(x_registry.db().write(
        [&](meta::Tx& tx) { return records::set_next_run(tx, rule.id, next_run(rule, now)); }));
  }
  return x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY([[maybe_unused]] auto tasks, records::forget_tasks(tx, now - limits::sync_task_kept_ms));
    TRY([[maybe_unused]] auto executions, records::forget_executions(tx, now - limits::sync_task_kept_ms));
    TRY([[maybe_unused]] auto blobs, records::forget_blobs(tx, now - limits::sync_blob_known_ms));
    return {};
  });
}

}  // namespace wharfage::sync
