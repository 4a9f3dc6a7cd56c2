// Scans of a tag and what they found. A task's id is the id of the request that started it, since the answer
// has no other place for one. cr knows neither Critical, which counts as High, nor Negligible, which counts
// as Low.
#include "facade/alibaba/action.h"
#include "scan/ops.h"

namespace wharfage::alibaba {
namespace {

using wire::field;
using wire::required;
constexpr std::string_view engine = "ACR_SCAN_SERVICE";
constexpr std::string_view system_packages = "cve";

// ---- queries

struct CreateQuery {
  std::string instance_id;
  std::string repo_id;
  std::string tag;
  std::string digest;
  std::string scan_service;
  std::string scan_type;
  static constexpr auto fields() {
    return std::array{field<&CreateQuery::instance_id>("InstanceId", required),
                      field<&CreateQuery::repo_id>("RepoId", required),
                      field<&CreateQuery::tag>("Tag", required),
                      field<&CreateQuery::digest>("Digest"),
                      field<&CreateQuery::scan_service>("ScanService").one_of(engine),
                      field<&CreateQuery::scan_type>("ScanType").one_of("VUL|SBOM")};
  }
};
struct StatusQuery {
  std::string instance_id;
  std::string digest;
  std::string repo_id;
  std::string scan_task_id;
  std::string scan_type;
  std::string tag;
  static constexpr auto fields() {
    return std::array{field<&StatusQuery::instance_id>("InstanceId", required),
                      field<&StatusQuery::digest>("Digest"),
                      field<&StatusQuery::repo_id>("RepoId"),
                      field<&StatusQuery::scan_task_id>("ScanTaskId"),
                      field<&StatusQuery::scan_type>("ScanType").one_of("VUL|SBOM"),
                      field<&StatusQuery::tag>("Tag")};
  }
};
struct SummaryQuery {
  std::string instance_id;
  std::string digest;
  std::string repo_id;
  std::string scan_task_id;
  std::string tag;
  static constexpr auto fields() {
    return std::array{field<&SummaryQuery::instance_id>("InstanceId", required),
                      field<&SummaryQuery::digest>("Digest"), field<&SummaryQuery::repo_id>("RepoId"),
                      field<&SummaryQuery::scan_task_id>("ScanTaskId"), field<&SummaryQuery::tag>("Tag")};
  }
};
struct ResultQuery {
  std::string instance_id;
  std::string digest;
  std::string filter_value;
  std::optional<std::int64_t> page_no;
  std::optional<std::int64_t> page_size;
  std::string repo_id;
  std::string scan_task_id;
  std::string scan_type;
  std::string severity;
  std::string tag;
  std::string vul_query_key;
  static constexpr auto fields() {
    return std::array{field<&ResultQuery::instance_id>("InstanceId", required),
                      field<&ResultQuery::digest>("Digest"),
                      field<&ResultQuery::filter_value>("FilterValue").one_of("FixCmd"),
                      field<&ResultQuery::page_no>("PageNo"),
                      field<&ResultQuery::page_size>("PageSize"),
                      field<&ResultQuery::repo_id>("RepoId"),
                      field<&ResultQuery::scan_task_id>("ScanTaskId"),
                      field<&ResultQuery::scan_type>("ScanType").one_of("cve|sca"),
                      field<&ResultQuery::severity>("Severity").one_of("High|Medium|Low|Unknown"),
                      field<&ResultQuery::tag>("Tag"),
                      field<&ResultQuery::vul_query_key>("VulQueryKey")};
  }
};

// ---- replies

struct StatusReply {
  std::string scan_service;
  std::string status;
  static constexpr auto fields() {
    return std::array{field<&StatusReply::scan_service>("ScanService"),
                      field<&StatusReply::status>("Status")};
  }
};
struct SummaryReply {
  std::int64_t high_severity = 0;
  std::int64_t low_severity = 0;
  std::int64_t medium_severity = 0;
  std::int64_t total_severity = 0;
  std::int64_t unknown_severity = 0;
  static constexpr auto fields() {
    return std::array{field<&SummaryReply::high_severity>("HighSeverity"),
                      field<&SummaryReply::low_severity>("LowSeverity"),
                      field<&SummaryReply::medium_severity>("MediumSeverity"),
                      field<&SummaryReply::total_severity>("TotalSeverity"),
                      field<&SummaryReply::unknown_severity>("UnknownSeverity")};
  }
};
struct Vulnerability {
  std::optional<std::string> added_by;
  std::optional<std::string> alias_name;
  std::optional<std::string> cve_link;
  std::optional<std::string> cve_location;
  std::optional<std::string> cve_name;
  std::optional<std::string> description;
  std::optional<std::string> feature;
  std::optional<std::string> fix_cmd;
  std::optional<std::string> scan_type;
  std::optional<std::string> severity;
  std::optional<std::string> version;
  std::optional<std::string> version_fixed;
  std::optional<std::string> version_format;
  static constexpr auto fields() {
    return std::array{field<&Vulnerability::added_by>("AddedBy"),
                      field<&Vulnerability::alias_name>("AliasName"),
                      field<&Vulnerability::cve_link>("CveLink"),
                      field<&Vulnerability::cve_location>("CveLocation"),
                      field<&Vulnerability::cve_name>("CveName"),
                      field<&Vulnerability::description>("Description"),
                      field<&Vulnerability::feature>("Feature"),
                      field<&Vulnerability::fix_cmd>("FixCmd"),
                      field<&Vulnerability::scan_type>("ScanType"),
                      field<&Vulnerability::severity>("Severity"),
                      field<&Vulnerability::version>("Version"),
                      field<&Vulnerability::version_fixed>("VersionFixed"),
                      field<&Vulnerability::version_format>("VersionFormat")};
  }
};
struct ResultReply {
  std::int64_t page_no = 0;
  std::int64_t page_size = 0;
  std::int64_t total_count = 0;
  std::vector<Vulnerability> vulnerabilities;
  static constexpr auto fields() {
    return std::array{field<&ResultReply::page_no>("PageNo"), field<&ResultReply::page_size>("PageSize"),
                      field<&ResultReply::total_count>("TotalCount"),
                      field<&ResultReply::vulnerabilities>("Vulnerabilities")};
  }
};

// ---- between wire and domain

template <class Query>
scan::ImageReference image_of(const Query& query) {
  scan::ImageReference image;
  image.task_id = query.scan_task_id;
  image.repository_id = query.repo_id;
  image.tag = query.tag;
  image.digest = query.digest;
  return image;
}

std::string_view severity_of(scan::Severity severity) {
  switch (severity) {
    case scan::Severity::critical:
    case scan::Severity::high:
      return "High";
    case scan::Severity::medium:
      return "Medium";
    case scan::Severity::low:
    case scan::Severity::negligible:
      return "Low";
    case scan::Severity::unknown:
      break;
  }
  return "Unknown";
}

std::vector<scan::Severity> severities_of(std::string_view name) {
  std::vector<scan::Severity> list;
  for (int i = 0; i < scan::severity_count; ++i) {
    auto severity = static_cast<scan::Severity>(i);
    if (severity_of(severity) == name) list.push_back(severity);
  }
  return list;
}

std::int64_t count_of(const scan::SeverityCounts& counts, std::string_view name) {
  std::int64_t count = 0;
  for (auto severity : severities_of(name)) count += counts.of(severity);
  return count;
}

Vulnerability to_wire(const scan::Finding& finding, const scan::Findings& findings) {
  auto layer = static_cast<std::size_t>(finding.layer);
  Vulnerability row;
  if (layer < findings.layers.size()) row.added_by = findings.layers[layer].digest;
  row.alias_name = finding.title;
  row.cve_link = finding.link;
  row.cve_name = finding.id;
  row.description = finding.description;
  row.feature = finding.package;
  row.fix_cmd = finding.fix_command;
  row.scan_type = system_packages;
  row.severity = severity_of(finding.severity);
  row.version = finding.version;
  row.version_fixed = finding.fixed_version;
  row.version_format = scan::package_manager_name(finding.manager);
  return row;
}

// FilterValue=FixCmd asks for the commands and nothing else.
Vulnerability only_command(const Vulnerability& row) {
  Vulnerability command;
  command.fix_cmd = row.fix_cmd;
  return command;
}

// ---- actions

Result<Empty> create_task(Call& call, const CreateQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  scan::CreateTask::Request request;
  request.image.task_id = call.request_id;
  request.image.repository_id = query.repo_id;
  request.image.tag = query.tag;
  request.image.digest = query.digest;
  TRY_STATUS(op::invoke<scan::CreateTask>(call.rooms.scans, call.context, request));
  return Empty{};
}

Result<StatusReply> get_status(Call& call, const StatusQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(auto task, op::invoke<scan::GetTask>(call.rooms.scans, call.context, image_of(query)));
  return StatusReply{std::string(engine), std::string(scan::task_status_name(task.status))};
}

Result<SummaryReply> get_summary(Call& call, const SummaryQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(auto found, op::invoke<scan::GetSummary>(call.rooms.scans, call.context, image_of(query)));
  const auto& counts = found.summary.counts;
  return SummaryReply{.high_severity = count_of(counts, "High"),
                      .low_severity = count_of(counts, "Low"),
                      .medium_severity = count_of(counts, "Medium"),
                      .total_severity = counts.total(),
                      .unknown_severity = count_of(counts, "Unknown")};
}

Result<ResultReply> list_results(Call& call, const ResultQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(PageOf page, page_of(query.page_no, query.page_size));
  scan::ListFindings::Request request;
  request.image = image_of(query);
  request.filter.severities = severities_of(query.severity);
  request.filter.contains = query.vul_query_key;
  request.slice = {page.offset(), page.size};
  TRY(auto found, op::invoke<scan::ListFindings>(call.rooms.scans, call.context, request));
  ResultReply reply{page.number, page.size, 0, {}};
  // Only packages of the system are judged.
  if (!query.scan_type.empty() && query.scan_type != system_packages) return reply;
  reply.total_count = found.findings.page.total;
  for (const auto& finding : found.findings.page.items) {
    Vulnerability row = to_wire(finding, found.findings);
    if (!query.filter_value.empty()) row = only_command(row);
    reply.vulnerabilities.push_back(std::move(row));
  }
  return reply;
}

}  // namespace

std::span<const Action> scan_actions() {
  static constexpr std::array table{
      action<&create_task>("CreateRepoTagScanTask"),
      action<&get_status>("GetRepoTagScanStatus"),
      action<&get_summary>("GetRepoTagScanSummary"),
      action<&list_results>("ListRepoTagScanResult"),
  };
  return table;
}

}  // namespace wharfage::alibaba
