#include "node/maintenance.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "base/log.h"
#include "node/exit.h"
#include "node/state.h"

namespace wharfage::node {
namespace {

constexpr auto poll_every = std::chrono::milliseconds(200);

int show(const registry::Report& report, const std::string& data) {
  for (const auto& one : report.findings) {
    fmt::print("{:<18} {:<24} {} {}{}\n", one.fault, one.place, one.subject, one.detail,
               one.mended ? " [repaired]" : "");
  }
  std::string looked_at;
  for (const auto& [what, number] : report.counted)
    looked_at += fmt::format("{}{} {}", looked_at.empty() ? "" : ", ", number, what);
  fmt::print("{}: {}; {} faults repaired, {} left\n", data, looked_at, report.mended, report.problems());
  return report.problems() == 0 ? exit_ok : exit_faults;
}

// What a process without a server needs of one.
struct Bench {
  Bench(meta::Db& to, blob::Store& blobs)
      : db(to),
        ids(db),
        events(db, clock, log),
        queue(db, clock, log),
        registry(db, ids, blobs, events, clock, log),
        policies(registry, ids) {}
  meta::Db& db;
  SystemClock clock;
  Log log{LogLevel::error};
  meta::Ids ids;
  job::Events events;
  job::Queue queue;
  registry::Registry registry;
  registry::Policies policies;
};

Result<registry::Report> by_the_server(const Config& config, const registry::Maintenance::Wanted& wanted) {
  TRY(auto db, meta::open_sqlite(config.data + "/wharfage.db"));
  TRY(auto blobs, blob::Store::open(config.data));
  Bench bench(*db, *blobs);
  registry::Maintenance maintenance(bench.policies, bench.queue, maintenance_options(config));
  TRY(auto run, maintenance.begin(wanted));
  while (run.state == "waiting" || run.state == "running") {
    std::this_thread::sleep_for(poll_every);
    TRY(run, maintenance.get(run.id));
  }
  if (run.state != "succeeded") return fail(Reason::conflict, "the server could not do it: " + run.error);
  return std::move(run.report);
}

Result<registry::Report> here(Foundations& base, const Config& config,
                              const registry::Maintenance::Wanted& wanted) {
  Bench bench(*base.db, *base.blobs);
  TRY_STATUS(bench.registry.ensure_instance({}));
  registry::MaintenanceOptions options = maintenance_options(config);
  options.unreferenced_for_ms = 0;  // nobody else is about to write a row
  registry::Maintenance maintenance(bench.policies, bench.queue, options);
  return maintenance.run_now(wanted, {});
}

}  // namespace

int look_after(const Config& config, const std::string& kind, bool mend, std::int64_t bytes_per_s) {
  registry::Maintenance::Wanted wanted{kind, mend, bytes_per_s};
  if (!DataFolder::holds_data(config.data))
    return complain(fail(Reason::not_found, "there is no registry in " + config.data));
  auto base = lay_foundations(config);
  bool busy = !base.ok() && base.error().reason == Reason::conflict;
  if (!base.ok() && !busy) return complain(base.error());
  auto report = busy ? by_the_server(config, wanted) : here(*base, config, wanted);
  if (!report.ok()) return complain(report.error());
  return show(*report, config.data);
}

}  // namespace wharfage::node
