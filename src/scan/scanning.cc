#include "scan/scanning.h"

#include <algorithm>

#include "base/limits.h"
#include "base/random.h"
#include "base/text.h"
#include "registry/forgetting.h"
#include "scan/compress.h"
#include "scan/contents_json.h"
#include "scan/records.h"
#include "scan/rules.h"

namespace wharfage::scan {
namespace {

Slice bounded(Slice slice) {
  slice.offset = std::max<std::int64_t>(slice.offset, 0);
  slice.limit = std::clamp<std::int64_t>(slice.limit, 1, static_cast<std::int64_t>(limits::list_page_max));
  return slice;
}

bool contains(std::string_view text, std::string_view lower_part) {
  return lower_part.empty() || lower(text).find(lower_part) != std::string::npos;
}

// One page of what passes; the total counts all of it.
template <class Item, class Passes>
Page<Item> page_of(const std::vector<Item>& items, Slice slice, const Passes& passes) {
  slice = bounded(slice);
  Page<Item> page;
  for (const Item& item : items) {
    if (!passes(item)) continue;
    bool inside = page.total >= slice.offset && page.total < slice.offset + slice.limit;
    if (inside) page.items.push_back(item);
    ++page.total;
  }
  return page;
}

bool passes(const Finding& finding, const FindingFilter& filter, std::string_view part) {
  if (finding.hidden != HiddenBecause::shown && !filter.with_hidden) return false;
  const auto& wanted = filter.severities;
  if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), finding.severity) == wanted.end())
    return false;
  if (contains(finding.id, part) || contains(finding.package, part)) return true;
  return std::any_of(finding.aliases.begin(), finding.aliases.end(),
                     [&](const std::string& alias) { return contains(alias, part); });
}

}  // namespace

Scanning::Scanning(registry::Registry& registry, job::Queue& queue, Options options, Log log)
    : x_registry(registry),
      x_queue(queue),
      x_options(std::move(options)),
      x_log(std::move(log)),
      x_advisories(x_options.advisory_file, registry.clock(), x_log) {}

void Scanning::start() {
  x_queue.add_kind({.name = "scan.image",
                    .concurrency = x_options.concurrency,
                    .run = [this](job::Run& run) { return run_scan(run); },
                    .settle = [this](meta::Tx& tx, const job::Job& job,
                                     const Error& error) { return settle_scan(tx, job, error); }});
  x_queue.add_kind(
      {.name = "scan.rematch", .concurrency = 1, .run = [this](job::Run& run) { return run_rematch(run); }});
  job::Events& events = x_registry.events();
  events.subscribe("scan.push", "image.pushed",
                   [this](meta::Tx& tx, const job::Event& event) { return on_push(tx, event); });
  events.subscribe("scan.delete", "image.purged",
                   [this](meta::Tx& tx, const job::Event& event) { return on_delete(tx, event); });
  registry::forget_repositories(x_registry, x_queue, "scan", forget_some);
}

Status Scanning::add_task(meta::Tx& tx, const Task& task) {
  std::string subject = task.repository + (task.tag.empty() ? "@" + task.digest : ":" + task.tag);
  TRY(auto job, x_queue.enqueue(tx, {.kind = "scan.image", .subject = std::move(subject)}));
  TRY_STATUS(records::insert_task(tx, task, job));
  return records::drop_old_tasks(tx, task.repository_id, task.digest, limits::scan_tasks_kept_max);
}

Result<Task> Scanning::create_task(const NewTask& wanted) {
  TimeMs now = x_registry.clock().now();
  Task task{.id = wanted.id.empty() ? random_uuid_upper() : upper(wanted.id),
            .repository_id = wanted.repository.id,
            .namespace_id = wanted.repository.namespace_id,
            .repository = wanted.repository.full_name(),
            .tag = wanted.tag,
            .digest = wanted.digest,
            .cause = wanted.cause,
            .created_at = now,
            .updated_at = now};
  TRY_STATUS(x_registry.db().write([&](meta::Tx& tx) { return add_task(tx, task); }));
  return task;
}

Result<Task> Scanning::get_task(std::string_view id) {
  std::string key = upper(id);
  TRY(auto task, x_registry.db().read([&](meta::Tx& tx) { return records::find_task(tx, key); }));
  if (!task) return fail(Reason::scan_task_unknown);
  return *std::move(task);
}

Result<Task> Scanning::get_latest_task(std::int64_t repository_id, std::string_view digest) {
  TRY(auto task, x_registry.db().read(
                     [&](meta::Tx& tx) { return records::find_latest_task(tx, repository_id, digest); }));
  if (!task) return fail(Reason::scan_task_unknown);
  return *std::move(task);
}

Result<Page<Task>> Scanning::list_tasks(const TaskFilter& filter, Slice slice) {
  records::TaskFilter stored{.namespace_id = filter.namespace_id,
                             .repository_id = filter.repository_id,
                             .status = filter.status ? std::string(task_status_name(*filter.status)) : ""};
  return x_registry.db().read([&](meta::Tx& tx) -> Result<Page<Task>> {
    Page<Task> page;
    TRY(page.items, records::list_tasks(tx, stored, bounded(slice)));
    TRY(page.total, records::count_tasks(tx, stored));
    return page;
  });
}

Status Scanning::cancel_task(std::string_view id) {
  std::string key = upper(id);
  return x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY(auto job, records::find_job(tx, key));
    return x_queue.cancel(tx, job);
  });
}

Result<std::shared_ptr<const JudgedImage>> Scanning::judged(const std::string& image) {
  auto advisories = x_advisories.current();
  std::string generation = advisories ? advisories->generation() : "";
  TRY(auto summary, x_registry.db().read([&](meta::Tx& tx) { return records::find_summary(tx, image); }));
  if (!summary) return fail(Reason::scan_task_unknown, "the image has not been scanned");
  if (auto known = x_judgements.find(image, generation, summary->analysed_at)) return known;

  auto fresh = std::make_shared<JudgedImage>();
  std::string packed;
  TRY_STATUS(x_registry.db().read([&](meta::Tx& tx) -> Status {
    TRY(auto stored, records::find_image(tx, image));
    if (!stored) return fail(Reason::scan_task_unknown, "the image has not been scanned");
    fresh->summary = stored->summary;
    packed = std::move(stored->contents);
    TRY(fresh->layers, records::layers_of(tx, image));
    return {};
  }));
  TRY(std::string json, decompress(packed, limits::image_contents_bytes_max));
  TRY(fresh->contents, read_contents(json));
  fresh->summary.generation = generation;
  judge_into(*fresh, advisories.get(), x_registry.clock().now());
  x_judgements.put(fresh);
  return std::shared_ptr<const JudgedImage>(fresh);
}

Result<Summary> Scanning::summarise(const std::string& image) {
  TRY(auto known, judged(image));
  if (!known->summary.problem.empty()) return fail(Reason::scan_impossible, known->summary.problem);
  return known->summary;
}

Result<std::vector<Summary>> Scanning::find_summaries(const std::vector<std::string>& images) {
  return x_registry.db().read([&](meta::Tx& tx) -> Result<std::vector<Summary>> {
    std::vector<Summary> summaries;
    for (const std::string& image : images) {
      if (summaries.size() >= limits::list_page_max) break;
      TRY(auto summary, records::find_summary(tx, image));
      if (summary) summaries.push_back(*std::move(summary));
    }
    return summaries;
  });
}

Result<Findings> Scanning::findings(const std::string& image, const FindingFilter& filter, Slice slice) {
  TRY(auto known, judged(image));
  if (!known->summary.problem.empty()) return fail(Reason::scan_impossible, known->summary.problem);
  std::string part = lower(filter.contains);
  auto wanted = [&](const Finding& finding) { return passes(finding, filter, part); };
  return Findings{page_of(known->judgement.findings, slice, wanted), known->layers, known->summary};
}

Result<Packages> Scanning::packages(const std::string& image, std::string_view name, Slice slice) {
  TRY(auto known, judged(image));
  std::string part = lower(name);
  auto wanted = [&](const InstalledPackage& installed) { return contains(installed.package.name, part); };
  return Packages{page_of(known->contents.packages, slice, wanted), known->layers, known->summary};
}

Result<std::string> Scanning::sbom(const std::string& image, std::string_view name, SbomFormat format) {
  TRY(auto known, judged(image));
  if (!known->contents.has_database)
    return fail(Reason::scan_impossible, "the image holds no package database");
  return write_sbom(*known, name, format);
}

Result<Rule> Scanning::create_rule(Rule rule) {
  TRY_STATUS(check_rule(rule));
  rule.id = random_id("crscnr-");
  rule.created_at = rule.updated_at = x_registry.clock().now();
  TRY_STATUS(x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY(auto present, records::list_rules(tx, {0, 1}));
    if (present.total >= static_cast<std::int64_t>(limits::scan_rules_max))
      return fail(Reason::quota_exceeded);
    return records::insert_rule(tx, rule);
  }));
  return rule;
}

Result<Rule> Scanning::get_rule(std::string_view id) {
  TRY(auto rule, x_registry.db().read([&](meta::Tx& tx) { return records::find_rule(tx, id); }));
  if (!rule) return fail(Reason::scan_rule_unknown);
  return *std::move(rule);
}

Result<Page<Rule>> Scanning::list_rules(Slice slice) {
  return x_registry.db().read([&](meta::Tx& tx) { return records::list_rules(tx, bounded(slice)); });
}

Result<std::vector<Rule>> Scanning::all_rules() {
  Slice everything{0, static_cast<std::int64_t>(limits::scan_rules_max)};
  TRY(auto page, x_registry.db().read([&](meta::Tx& tx) { return records::list_rules(tx, everything); }));
  return std::move(page.items);
}

Result<Rule> Scanning::update_rule(Rule rule) {
  TRY_STATUS(check_rule(rule));
  rule.updated_at = x_registry.clock().now();
  TRY_STATUS(x_registry.db().write([&](meta::Tx& tx) { return records::update_rule(tx, rule); }));
  return get_rule(rule.id);
}

Status Scanning::delete_rule(std::string_view id) {
  return x_registry.db().write([&](meta::Tx& tx) { return records::delete_rule(tx, id); });
}

Result<ImportReport> Scanning::import(const std::vector<std::string>& paths, ImportMode mode) {
  TRY(auto report, x_advisories.import(paths, mode));
  TRY_STATUS(tick());
  return report;
}

std::optional<AdvisoryStats> Scanning::advisories() {
  auto current = x_advisories.current();
  if (!current) return std::nullopt;
  return current->stats();
}

Status Scanning::tick() {
  auto advisories = x_advisories.current();
  if (!advisories) return {};
  std::string generation = advisories->generation();
  std::lock_guard lock(x_mutex);
  if (generation == x_rematched) return {};
  TRY(auto outdated,
      x_registry.db().read([&](meta::Tx& tx) { return records::outdated_images(tx, generation, "", 1); }));
  if (!outdated.empty()) {
    TRY_STATUS(x_registry.db().write([&](meta::Tx& tx) -> Status {
      TRY_STATUS(x_queue.enqueue(tx, {.kind = "scan.rematch", .dedupe_key = "all", .subject = generation}));
      return {};
    }));
  }
  x_rematched = generation;
  return {};
}

}  // namespace wharfage::scan
