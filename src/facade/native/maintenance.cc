// Looking after the store: checks, scrubs, reclaiming.
#include "registry/ops/maintenance.h"

#include "facade/native/route.h"

namespace wharfage::native {
namespace {

using wire::field;
using wire::required;

struct NoQuery {
  static constexpr auto fields() { return std::array<wire::Field, 0>{}; }
};
struct RunKey {
  std::string id;
  static constexpr auto fields() { return std::array{field<&RunKey::id>("id", required)}; }
};
struct NewCheck {
  std::optional<bool> repair;
  static constexpr auto fields() {
    return std::array{
        field<&NewCheck::repair>("repair").about("mend what can be mended; default: only tell")};
  }
};
struct NewScrub {
  std::optional<std::int64_t> bytes_per_second;
  static constexpr auto fields() {
    return std::array{field<&NewScrub::bytes_per_second>("bytes_per_second")
                          .about("default: as configured; negative: as fast as the disk")};
  }
};
struct Named {
  std::string name;
  std::int64_t number = 0;
  static constexpr auto fields() {
    return std::array{field<&Named::name>("name"), field<&Named::number>("number")};
  }
};
struct FindingItem {
  std::string fault;
  std::string repository;
  std::string subject;
  std::string detail;
  bool repaired = false;
  static constexpr auto fields() {
    return std::array{field<&FindingItem::fault>("fault"), field<&FindingItem::repository>("repository"),
                      field<&FindingItem::subject>("subject"), field<&FindingItem::detail>("detail"),
                      field<&FindingItem::repaired>("repaired")};
  }
};
struct RunItem {
  std::string id;
  std::string kind;
  std::string state;
  std::optional<std::string> error;
  bool repair = false;
  std::vector<Named> examined;
  std::vector<Named> faults;
  std::int64_t repaired = 0;
  std::int64_t problems = 0;
  std::vector<FindingItem> findings;
  std::string created_at;
  std::string updated_at;
  static constexpr auto fields() {
    return std::array{field<&RunItem::id>("id").about("also that of its job"),
                      field<&RunItem::kind>("kind"),
                      field<&RunItem::state>("state"),
                      field<&RunItem::error>("error"),
                      field<&RunItem::repair>("repair"),
                      field<&RunItem::examined>("examined").about("how much was looked at, or reclaimed"),
                      field<&RunItem::faults>("faults").about("how many of each kind"),
                      field<&RunItem::repaired>("repaired"),
                      field<&RunItem::problems>("problems").about("faults that are left"),
                      field<&RunItem::findings>("findings").about("the first 1000; not in lists"),
                      field<&RunItem::created_at>("created_at"),
                      field<&RunItem::updated_at>("updated_at")};
  }
};
struct RunList {
  std::vector<RunItem> items;
  static constexpr auto fields() { return std::array{field<&RunList::items>("items")}; }
};

std::vector<Named> named(const std::map<std::string, std::int64_t>& map) {
  std::vector<Named> list;
  for (const auto& [name, number] : map) list.push_back({name, number});
  return list;
}

RunItem to_wire(const registry::MaintenanceRun& run) {
  RunItem item{.id = run.id, .kind = run.kind, .state = run.state, .repair = run.mend};
  if (!run.error.empty()) item.error = run.error;
  item.examined = named(run.report.counted);
  item.faults = named(run.report.faults);
  item.repaired = run.report.mended;
  item.problems = run.report.problems();
  for (const auto& one : run.report.findings)
    item.findings.push_back({one.fault, one.place, one.subject, one.detail, one.mended});
  item.created_at = rfc3339(run.created_at);
  item.updated_at = rfc3339(run.updated_at);
  return item;
}

Result<RunItem> begin(Call& call, const registry::Maintenance::Wanted& wanted) {
  TRY(auto run, op::invoke<registry::ops::BeginMaintenance>(call.rooms.maintenance, call.context, wanted));
  return to_wire(run);
}

Result<RunItem> begin_check(Call& call, const NoQuery&, const NewCheck& body) {
  return begin(call, {.kind = "check", .mend = body.repair.value_or(false)});
}

Result<RunItem> begin_scrub(Call& call, const NoQuery&, const NewScrub& body) {
  return begin(call, {.kind = "scrub", .bytes_per_s = body.bytes_per_second.value_or(0)});
}

Result<RunItem> begin_collection(Call& call, const NoQuery&, const NoBody&) {
  return begin(call, {.kind = "collect"});
}

Result<RunList> list_runs(Call& call, const NoQuery&, const NoBody&) {
  TRY(auto runs, op::invoke<registry::ops::ListMaintenance>(call.rooms.maintenance, call.context, {}));
  RunList list;
  for (const auto& run : runs) list.items.push_back(to_wire(run));
  return list;
}

Result<RunItem> get_run(Call& call, const RunKey& query, const NoBody&) {
  TRY(auto run, op::invoke<registry::ops::GetMaintenance>(call.rooms.maintenance, call.context, {query.id}));
  return to_wire(run);
}

}  // namespace

std::span<const Route> maintenance_routes() {
  static constexpr std::array table{
      route<&begin_check>("POST", "/api/v1/maintenance/checks", 202)
          .about("hold rows and files against each other"),
      route<&begin_scrub>("POST", "/api/v1/maintenance/scrubs", 202)
          .about("read every blob again and put corrupt ones into quarantine"),
      route<&begin_collection>("POST", "/api/v1/maintenance/collections", 202)
          .about("reclaim what nobody needs now instead of at the next interval"),
      route<&list_runs>("GET", "/api/v1/maintenance/runs").about("the newest runs of any kind"),
      route<&get_run>("GET", "/api/v1/maintenance/runs/{id}").about("a run with what it found so far"),
  };
  return table;
}

}  // namespace wharfage::native
