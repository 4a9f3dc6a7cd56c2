// Advisory data, and what is in an image and wrong with it.
#include "facade/native/image.h"
#include "facade/native/route.h"
#include "scan/ops.h"

namespace wharfage::native {
namespace {

using wire::field;
using wire::required;

struct NoQuery {
  static constexpr auto fields() { return std::array<wire::Field, 0>{}; }
};
struct Release {
  std::string name;
  std::int64_t advisories = 0;
  std::int64_t packages = 0;
  static constexpr auto fields() {
    return std::array{field<&Release::name>("name"), field<&Release::advisories>("advisories"),
                      field<&Release::packages>("packages")};
  }
};
struct Advisories {
  bool imported = false;
  std::optional<std::string> generation;
  std::optional<std::string> imported_at;
  std::optional<std::string> newest_modified;
  std::int64_t advisories = 0;
  std::int64_t rows = 0;
  std::vector<Release> releases;
  static constexpr auto fields() {
    return std::array{field<&Advisories::imported>("imported"),
                      field<&Advisories::generation>("generation"),
                      field<&Advisories::imported_at>("imported_at"),
                      field<&Advisories::newest_modified>("newest_modified"),
                      field<&Advisories::advisories>("advisories"),
                      field<&Advisories::rows>("rows"),
                      field<&Advisories::releases>("releases")};
  }
};
struct ImportBody {
  std::vector<std::string> paths;
  std::optional<bool> replace;
  static constexpr auto fields() {
    return std::array{field<&ImportBody::paths>("paths", required).about("files or folders on the server"),
                      field<&ImportBody::replace>("replace")};
  }
};
struct ImportResult {
  std::int64_t records = 0;
  std::int64_t used = 0;
  std::int64_t ignored = 0;
  std::int64_t withdrawn = 0;
  std::int64_t damaged = 0;
  std::int64_t duration_ms = 0;
  static constexpr auto fields() {
    return std::array{
        field<&ImportResult::records>("records"), field<&ImportResult::used>("used"),
        field<&ImportResult::ignored>("ignored"), field<&ImportResult::withdrawn>("withdrawn"),
        field<&ImportResult::damaged>("damaged"), field<&ImportResult::duration_ms>("duration_ms")};
  }
};
struct FindingQuery {
  std::string repository;
  std::string reference;
  std::optional<std::string> contains;
  std::optional<bool> with_hidden;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&FindingQuery::repository>("repository", required),
                      field<&FindingQuery::reference>("reference", required).about("tag or digest"),
                      field<&FindingQuery::contains>("contains"),
                      field<&FindingQuery::with_hidden>("with_hidden"),
                      field<&FindingQuery::offset>("offset"),
                      field<&FindingQuery::limit>("limit")};
  }
};
struct PackageQuery {
  std::string repository;
  std::string reference;
  std::optional<std::string> contains;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&PackageQuery::repository>("repository", required),
                      field<&PackageQuery::reference>("reference", required).about("tag or digest"),
                      field<&PackageQuery::contains>("contains"), field<&PackageQuery::offset>("offset"),
                      field<&PackageQuery::limit>("limit")};
  }
};
struct FindingList {
  std::vector<Finding> items;
  std::int64_t total = 0;
  std::string status;
  std::optional<std::string> system;
  static constexpr auto fields() {
    return std::array{field<&FindingList::items>("items"), field<&FindingList::total>("total"),
                      field<&FindingList::status>("status"), field<&FindingList::system>("system")};
  }
};
struct PackageList {
  std::vector<Package> items;
  std::int64_t total = 0;
  std::optional<std::string> system;
  std::optional<std::string> problem;
  static constexpr auto fields() {
    return std::array{field<&PackageList::items>("items"), field<&PackageList::total>("total"),
                      field<&PackageList::system>("system"), field<&PackageList::problem>("problem")};
  }
};

Result<Advisories> show_advisories(Call& call, const NoQuery&, const NoBody&) {
  TRY(auto stats, op::invoke<scan::GetAdvisories>(call.rooms.scans, call.context, {}));
  Advisories reply;
  reply.imported = stats.has_value();
  if (!stats) return reply;
  reply.generation = stats->generation;
  reply.imported_at = rfc3339(stats->imported_at);
  reply.newest_modified = rfc3339(stats->newest_modified);
  reply.advisories = stats->advisories;
  reply.rows = stats->rows;
  for (const auto& release : stats->releases) {
    reply.releases.push_back({release.name, release.advisories, release.packages});
  }
  return reply;
}

Result<ImportResult> import_advisories(Call& call, const NoQuery&, const ImportBody& body) {
  auto mode = body.replace.value_or(false) ? scan::ImportMode::replace : scan::ImportMode::add;
  TRY(auto report, op::invoke<scan::ImportAdvisories>(call.rooms.scans, call.context, {body.paths, mode}));
  return ImportResult{report.records,   report.used,    report.ignored,
                      report.withdrawn, report.damaged, report.duration_ms};
}

Result<FindingList> list_findings(Call& call, const FindingQuery& query, const NoBody&) {
  TRY(auto slice, page_of(query.offset, query.limit));
  TRY(auto image, image_reference(query.repository, query.reference));
  scan::FindingFilter filter;
  filter.contains = query.contains.value_or("");
  filter.with_hidden = query.with_hidden.value_or(false);
  TRY(auto found, op::invoke<scan::ListFindings>(call.rooms.scans, call.context, {image, filter, slice}));
  FindingList list;
  for (const auto& finding : found.findings.page.items)
    list.items.push_back(to_wire(finding, found.findings.layers));
  list.total = found.findings.page.total;
  list.status = scan::task_status_name(found.task.status);
  list.system = found.findings.summary.system;
  return list;
}

Result<PackageList> list_packages(Call& call, const PackageQuery& query, const NoBody&) {
  TRY(auto slice, page_of(query.offset, query.limit));
  TRY(auto image, image_reference(query.repository, query.reference));
  TRY(auto found, op::invoke<scan::ListPackages>(call.rooms.scans, call.context,
                                                 {image, query.contains.value_or(""), slice}));
  PackageList list;
  for (const auto& package : found.packages.page.items)
    list.items.push_back(to_wire(package, found.packages.layers));
  list.total = found.packages.page.total;
  list.system = found.packages.summary.system;
  if (!found.packages.summary.problem.empty()) list.problem = found.packages.summary.problem;
  return list;
}

}  // namespace

std::span<const Route> scan_routes() {
  static constexpr std::array table{
      route<&show_advisories>("GET", "/api/v1/advisories")
          .about("what advisory data there is and how old it is"),
      route<&import_advisories>("POST", "/api/v1/advisories")
          .about("import OSV archives that lie on the server"),
      route<&list_findings>("GET", "/api/v1/findings").about("what is wrong with an image"),
      route<&list_packages>("GET", "/api/v1/packages").about("what is in an image"),
  };
  return table;
}

}  // namespace wharfage::native
