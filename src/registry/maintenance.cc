#include "registry/maintenance.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "registry/records_maintenance.h"

namespace wharfage::registry {
namespace {

constexpr std::array<std::string_view, 3> kinds{"check", "scrub", "collect"};
constexpr TimeMs scrub_every_ms = 7 * day_ms;
constexpr std::int64_t keep_books_ms = 5'000;  // between two notes of how far a run has come
constexpr std::int64_t collect_rounds_max = 100'000;

std::string job_kind(std::string_view kind) {
  return "maintenance." + std::string(kind);
}

// For a run without a job.
class Listener final : public Follower {
 public:
  explicit Listener(const std::function<Status()>& alive) : x_alive(alive) {}
  Status alive() override { return x_alive ? x_alive() : Status(); }
  void found(Finding finding) override { report.add(std::move(finding)); }
  void counted(std::string_view what, std::int64_t number) override {
    report.counted[std::string(what)] += number;
  }
  Status reached(const Digest&) override { return {}; }
  Report report;

 private:
  const std::function<Status()>& x_alive;
};

}  // namespace

// Writes down every few seconds what a job has found.
class Maintenance::Books final : public Follower {
 public:
  Books(job::Run& run, MaintenanceRun& row, const Clock& clock) : x_run(run), x_row(row), x_clock(clock) {}

  Status alive() override {
    if (x_run.canceled()) return fail(x_run.why());
    return {};
  }
  void found(Finding finding) override {
    // What is kept is told, the rest is counted: a lost disk has a million of them.
    if (x_row.report.findings.size() < findings_kept_max) say(finding);
    x_row.report.add(std::move(finding));
  }
  void counted(std::string_view what, std::int64_t number) override {
    x_row.report.counted[std::string(what)] += number;
  }
  Status reached(const Digest& last) override {
    x_row.after = last.text();
    if (monotonic_ms() - x_kept < keep_books_ms) return {};
    x_kept = monotonic_ms();
    return keep();
  }
  Status keep() {
    x_row.updated_at = x_clock.now();
    return x_run.commit([&](meta::Tx& tx) { return records::update_run(tx, x_row); });
  }
  Status finish() {
    x_row.updated_at = x_clock.now();
    x_row.state = "succeeded";
    return x_run.complete([&](meta::Tx& tx) { return records::update_run(tx, x_row); });
  }

 private:
  void say(const Finding& finding) {
    x_run.log(finding.fault, fmt::format("{} {} {}{}", finding.place, finding.subject, finding.detail,
                                         finding.mended ? " (mended)" : ""));
    x_run.logger().warning("the store has a fault", {{"fault", finding.fault},
                                                     {"place", finding.place},
                                                     {"subject", finding.subject},
                                                     {"mended", finding.mended}});
  }

  job::Run& x_run;
  MaintenanceRun& x_row;
  const Clock& x_clock;
  std::int64_t x_kept = monotonic_ms();
};

void Maintenance::start() {
  for (auto kind : kinds) {
    x_queue.add_kind({.name = job_kind(kind),
                      .concurrency = 1,
                      .run = [this](job::Run& run) { return this->run(run); },
                      .settle = [this](meta::Tx& tx, const job::Job& job, const Error& error) -> Status {
                        TRY(auto row, records::find_run(tx, job.id));
                        if (!row) return {};
                        row->state = error.reason == Reason::canceled ? "canceled" : "failed";
                        row->error = error.message;
                        row->updated_at = x_registry.clock().now();
                        return records::update_run(tx, *row);
                      }});
  }
}

Result<MaintenanceRun> Maintenance::begin(const Wanted& wanted) {
  if (std::find(kinds.begin(), kinds.end(), wanted.kind) == kinds.end())
    return fail(Reason::invalid_parameter, "the kind must be check, scrub or collect", "kind");
  MaintenanceRun row{.kind = wanted.kind, .mend = wanted.mend, .bytes_per_s = wanted.bytes_per_s};
  row.state = "waiting";
  row.created_at = row.updated_at = x_registry.clock().now();
  return x_registry.db().write([&](meta::Tx& tx) -> Result<MaintenanceRun> {
    TRY(row.id, x_queue.enqueue(tx, {.kind = job_kind(wanted.kind),
                                     .dedupe_key = fmt::format("{} {}", wanted.mend, wanted.bytes_per_s),
                                     .subject = wanted.kind}));
    TRY(auto waiting, records::find_run(tx, row.id));
    if (waiting) return *std::move(waiting);
    TRY_STATUS(records::insert_run(tx, row));
    TRY_STATUS(records::prune_runs(tx, runs_kept_max));
    return row;
  });
}

Result<MaintenanceRun> Maintenance::get(std::string_view id) {
  TRY(auto row, x_registry.db().read([&](meta::Tx& tx) { return records::find_run(tx, id); }));
  if (!row) return fail(Reason::job_unknown, {}, std::string(id.substr(0, 64)));
  return *std::move(row);
}

Result<std::vector<MaintenanceRun>> Maintenance::list(std::int64_t limit) {
  TRY(auto rows, x_registry.db().read([&](meta::Tx& tx) { return records::list_runs(tx, limit); }));
  for (auto& row : rows) row.report.findings.clear();
  return rows;
}

Status Maintenance::run(job::Run& run) {
  TRY(auto row, x_registry.db().read([&](meta::Tx& tx) { return records::find_run(tx, run.job().id); }));
  if (!row) return {};
  if (row->kind != "scrub") row->report = {};
  row->state = "running";
  Books books(run, *row, x_registry.clock());
  TRY_STATUS(books.keep());
  TRY_STATUS(work({row->kind, row->mend, row->bytes_per_s}, row->after, books));
  return books.finish();
}

Status Maintenance::work(const Wanted& wanted, const std::string& after, Follower& follower) {
  if (wanted.kind == "check") return x_registry.check(wanted.mend, x_options.unreferenced_for_ms, follower);
  if (wanted.kind == "collect") return collect(follower);
  ScrubOptions options;
  options.bytes_per_s =
      wanted.bytes_per_s == 0 ? x_options.scrub_bytes_per_s : std::max<std::int64_t>(wanted.bytes_per_s, 0);
  if (!after.empty()) {
    TRY(Digest last, Digest::parse(after));
    options.after = std::move(last);
  }
  return x_registry.scrub(options, follower);
}

// What the chore does: bytes of what was deleted are free only once it is gone for good.
Status Maintenance::collect(Follower& follower) {
  for (bool more = true; more;) {
    TRY_STATUS(follower.alive());
    TRY(more, x_policies.purge());
  }
  for (std::int64_t round = 0; round < collect_rounds_max; ++round) {
    TRY_STATUS(follower.alive());
    TRY(auto done, x_registry.collect(x_options.unreferenced_for_ms));
    follower.counted("bytes", done.bytes);
    follower.counted("blobs", done.blobs);
    follower.counted("uploads", done.uploads);
    follower.counted("strays", done.strays);
    if (!done.more) return {};
  }
  return {};
}

Result<Report> Maintenance::run_now(const Wanted& wanted, const std::function<Status()>& alive) {
  Listener listener(alive);
  TRY_STATUS(work(wanted, "", listener));
  return std::move(listener.report);
}

Status Maintenance::tick() {
  if (!x_options.scrub_weekly) return {};
  TRY(TimeMs last, x_registry.db().read([](meta::Tx& tx) { return records::newest_run(tx, "scrub"); }));
  // The first one a week after the installation: there is nothing old enough to have decayed before.
  TimeMs since = std::max(last, x_registry.instance().created_at);
  if (x_registry.clock().now() - since < scrub_every_ms) return {};
  auto begun = begin({.kind = "scrub"});
  if (!begun.ok()) return begun.error();
  return {};
}

}  // namespace wharfage::registry
