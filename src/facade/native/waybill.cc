// The waybill: one JSON for one digest with commit, build, packages, findings, signatures and copies, each
// with its time and its evidence. Put together from what every room knows; nothing is kept twice.
#include "build/ops.h"
#include "facade/native/image.h"
#include "facade/native/route.h"
#include "registry/ops/artifacts.h"
#include "registry/ops/instance.h"
#include "scan/ops.h"
#include "sign/ops.h"
#include "sync/ops/tasks.h"

namespace wharfage::native {
namespace {

constexpr std::int64_t list_max = 1000;  // packages and findings in one waybill; the rest by their own lists

using wire::field;
using wire::required;

struct Query {
  std::string repository;
  std::string reference;
  static constexpr auto fields() {
    return std::array{field<&Query::repository>("repository", required).about("namespace/name"),
                      field<&Query::reference>("reference", required).about("tag or digest")};
  }
};
struct Image {
  std::string repository;
  std::string digest;
  std::string media_type;
  std::int64_t size = 0;
  std::vector<std::string> tags;
  std::string pushed_at;
  static constexpr auto fields() {
    return std::array{field<&Image::repository>("repository"),
                      field<&Image::digest>("digest"),
                      field<&Image::media_type>("media_type"),
                      field<&Image::size>("size"),
                      field<&Image::tags>("tags"),
                      field<&Image::pushed_at>("pushed_at")};
  }
};
struct Source {
  std::string url;
  std::string reference;
  std::string commit;
  static constexpr auto fields() {
    return std::array{field<&Source::url>("url"), field<&Source::reference>("reference"),
                      field<&Source::commit>("commit")};
  }
};
struct Build {
  std::string record_id;
  std::string status;
  std::optional<std::string> rule_id;
  Source source;
  std::string creator;
  std::optional<std::string> started_at;
  std::optional<std::string> ended_at;
  std::string log;
  static constexpr auto fields() {
    return std::array{
        field<&Build::record_id>("record_id"), field<&Build::status>("status"),
        field<&Build::rule_id>("rule_id"),     field<&Build::source>("source"),
        field<&Build::creator>("creator"),     field<&Build::started_at>("started_at"),
        field<&Build::ended_at>("ended_at"),   field<&Build::log>("log").about("where the log can be read")};
  }
};
struct Severities {
  std::int64_t critical = 0;
  std::int64_t high = 0;
  std::int64_t medium = 0;
  std::int64_t low = 0;
  std::int64_t negligible = 0;
  std::int64_t unknown = 0;
  std::int64_t fixable = 0;
  std::int64_t hidden = 0;
  static constexpr auto fields() {
    return std::array{field<&Severities::critical>("critical"),     field<&Severities::high>("high"),
                      field<&Severities::medium>("medium"),         field<&Severities::low>("low"),
                      field<&Severities::negligible>("negligible"), field<&Severities::unknown>("unknown"),
                      field<&Severities::fixable>("fixable"),       field<&Severities::hidden>("hidden")};
  }
};
struct Scan {
  std::string task_id;
  std::string status;
  std::optional<std::string> problem;
  std::optional<std::string> system;
  std::optional<std::string> advisories;
  std::optional<std::string> judged_at;
  std::optional<Severities> severities;
  std::int64_t package_count = 0;
  std::vector<Package> packages;
  std::vector<Finding> findings;
  static constexpr auto fields() {
    return std::array{field<&Scan::task_id>("task_id"),
                      field<&Scan::status>("status"),
                      field<&Scan::problem>("problem").about("why the image cannot be judged"),
                      field<&Scan::system>("system"),
                      field<&Scan::advisories>("advisories").about("generation of the advisory data"),
                      field<&Scan::judged_at>("judged_at"),
                      field<&Scan::severities>("severities"),
                      field<&Scan::package_count>("package_count"),
                      field<&Scan::packages>("packages"),
                      field<&Scan::findings>("findings")};
  }
};
struct Signature {
  std::string key_id;
  std::string key_name;
  std::string algorithm;
  std::string manifest;
  std::string tag;
  std::int64_t execution_id = 0;
  std::string signed_at;
  static constexpr auto fields() {
    return std::array{field<&Signature::key_id>("key_id"),
                      field<&Signature::key_name>("key_name"),
                      field<&Signature::algorithm>("algorithm"),
                      field<&Signature::manifest>("manifest").about("digest of the signature manifest"),
                      field<&Signature::tag>("tag"),
                      field<&Signature::execution_id>("execution_id"),
                      field<&Signature::signed_at>("signed_at")};
  }
};
struct Referrer {
  std::string digest;
  std::string artifact_type;
  std::int64_t size = 0;
  static constexpr auto fields() {
    return std::array{field<&Referrer::digest>("digest"), field<&Referrer::artifact_type>("artifact_type"),
                      field<&Referrer::size>("size")};
  }
};
struct Copy {
  std::int64_t connection_id = 0;
  std::string registry;
  std::string direction;
  std::string repository;
  std::string tag;
  std::string status;
  std::optional<std::string> reason;
  std::int64_t bytes_sent = 0;
  bool verified = false;
  std::string at;
  static constexpr auto fields() {
    return std::array{field<&Copy::connection_id>("connection_id"),
                      field<&Copy::registry>("registry"),
                      field<&Copy::direction>("direction"),
                      field<&Copy::repository>("repository"),
                      field<&Copy::tag>("tag"),
                      field<&Copy::status>("status"),
                      field<&Copy::reason>("reason"),
                      field<&Copy::bytes_sent>("bytes_sent"),
                      field<&Copy::verified>("verified"),
                      field<&Copy::at>("at")};
  }
};
struct Waybill {
  Image image;
  std::vector<Build> builds;
  std::optional<Scan> scan;
  std::vector<Signature> signatures;
  std::vector<Referrer> referrers;
  std::vector<Copy> copies;
  std::string written_at;
  static constexpr auto fields() {
    return std::array{field<&Waybill::image>("image"),
                      field<&Waybill::builds>("builds"),
                      field<&Waybill::scan>("scan"),
                      field<&Waybill::signatures>("signatures"),
                      field<&Waybill::referrers>("referrers"),
                      field<&Waybill::copies>("copies"),
                      field<&Waybill::written_at>("written_at")};
  }
};

// What one part of the story needs to know.
struct Subject {
  registry::Repository repository;
  registry::Manifest manifest;
  std::string digest() const { return manifest.digest->text(); }
};

Build to_wire(const build::Record& record) {
  Build build;
  build.record_id = record.id;
  build.status = build::progress_name(record.progress);
  if (!record.rule_id.empty()) build.rule_id = record.rule_id;
  build.source = {record.source_url, record.reference, record.commit};
  build.creator = record.creator;
  if (record.started_at) build.started_at = rfc3339(record.started_at);
  if (record.ended_at) build.ended_at = rfc3339(record.ended_at);
  build.log = "/api/v1/jobs/" + record.job_id + "/log";
  return build;
}

Severities to_wire(const scan::SeverityCounts& counts) {
  return {counts.of(scan::Severity::critical),
          counts.of(scan::Severity::high),
          counts.of(scan::Severity::medium),
          counts.of(scan::Severity::low),
          counts.of(scan::Severity::negligible),
          counts.of(scan::Severity::unknown),
          counts.fixable,
          counts.hidden};
}

Status add_builds(Call& call, const Subject& subject, Waybill& waybill) {
  TRY(auto records, call.rooms.builds.records_of(subject.repository.id, subject.digest()));
  for (const auto& record : records) waybill.builds.push_back(to_wire(record));
  return {};
}

// An image that was never scanned has no scan; one that cannot be judged says why.
Status add_scan(Call& call, const Subject& subject, Waybill& waybill) {
  auto task = call.rooms.scans.get_latest_task(subject.repository.id, subject.digest());
  if (!task.ok() && task.error().reason == Reason::scan_task_unknown) return {};
  if (!task.ok()) return task.error();
  Scan scan;
  scan.task_id = task->id;
  scan.status = scan::task_status_name(task->status);
  if (!task->message.empty()) scan.problem = task->message;
  auto packages = task->image.empty() ? Result<scan::Packages>(fail(Reason::scan_task_unknown))
                                      : call.rooms.scans.packages(task->image, "", {0, list_max});
  if (packages.ok()) {
    scan.system = packages->summary.system;
    scan.package_count = packages->page.total;
    for (const auto& package : packages->page.items)
      scan.packages.push_back(native::to_wire(package, packages->layers));
    if (!packages->summary.problem.empty()) scan.problem = packages->summary.problem;
  }
  auto found = packages.ok() ? call.rooms.scans.findings(task->image, {}, {0, list_max})
                             : Result<scan::Findings>(fail(Reason::scan_task_unknown));
  if (found.ok()) {
    scan.advisories = found->summary.generation;
    scan.judged_at = rfc3339(found->summary.judged_at);
    scan.severities = to_wire(found->summary.counts);
    for (const auto& finding : found->page.items)
      scan.findings.push_back(native::to_wire(finding, found->layers));
  } else if (found.error().reason == Reason::scan_impossible) {
    scan.problem = found.error().message;
  }
  waybill.scan = std::move(scan);
  return {};
}

Status add_signatures(Call& call, const Subject& subject, Waybill& waybill) {
  TRY(auto signatures, call.rooms.signing.signatures_of(subject.repository.id, subject.digest()));
  std::string tag = subject.digest() + ".sig";
  tag[tag.find(':')] = '-';
  for (const auto& from : signatures) {
    waybill.signatures.push_back({from.key_uuid, from.key_name, "ECDSA_SHA_256", from.signature_digest, tag,
                                  from.execution_id, rfc3339(from.signed_at)});
  }
  TRY(auto referrers, call.rooms.registry.referrers(subject.repository, *subject.manifest.digest, ""));
  for (const auto& from : referrers)
    waybill.referrers.push_back({from.digest->text(), from.artifact_type, from.size});
  return {};
}

Status add_copies(Call& call, const Subject& subject, Waybill& waybill) {
  TRY(auto copies, call.rooms.sync.copies_of(subject.repository.id, subject.digest()));
  for (const auto& from : copies) {
    auto connection = call.rooms.connections.get(from.connection_id);
    std::optional<std::string> reason;
    if (!from.text.empty()) reason = from.text;
    waybill.copies.push_back({from.connection_id, connection.ok() ? connection->name : "",
                              std::string(sync::name_of(from.direction)), from.repository, from.tag,
                              std::string(sync::name_of(from.state)), reason, from.bytes_sent, from.verified,
                              rfc3339(from.at)});
  }
  return {};
}

// Who may pull the image may read its whole story: one authorisation, then every room is asked.
struct GetWaybill {
  static constexpr op::Declaration declaration{"registry:GetWaybill", auth::Access::read};
  struct Request {
    registry::ops::RepositoryRef repository;
    std::string reference;
  };
  using Response = Waybill;

  static Result<auth::Resource> resource(Call& call, op::Context& context, const Request& request) {
    return registry::ops::resource_of(call.rooms.registry, context, request.repository);
  }
  static Result<Waybill> run(Call& call, op::Context& context, const Request& request) {
    TRY(auto repository, registry::ops::find_repository(call.rooms.registry, context, request.repository));
    TRY(auto manifest, call.rooms.registry.get_manifest(repository, request.reference));
    Subject subject{std::move(repository), std::move(manifest)};
    Waybill waybill;
    TRY(auto tags, call.rooms.registry.tags_of(subject.manifest.id));
    waybill.image = {subject.repository.full_name(), subject.digest(), subject.manifest.media_type,
                     subject.manifest.total_size,    std::move(tags),  rfc3339(subject.manifest.pushed_at)};
    TRY_STATUS(add_builds(call, subject, waybill));
    TRY_STATUS(add_scan(call, subject, waybill));
    TRY_STATUS(add_signatures(call, subject, waybill));
    TRY_STATUS(add_copies(call, subject, waybill));
    waybill.written_at = rfc3339(context.clock.now());
    return waybill;
  }
};

Result<Waybill> get_waybill(Call& call, const Query& query, const NoBody&) {
  TRY(auto name, registry::Name::parse(query.repository));
  registry::ops::RepositoryRef repository;
  repository.namespace_name = name.namespace_name;
  repository.name = name.repository;
  return op::invoke<GetWaybill>(call, call.context, {repository, query.reference});
}

}  // namespace

std::span<const Route> registry_routes() {
  static constexpr std::array table{
      route<&get_waybill>("GET", "/api/v1/waybill")
          .about("one image's whole story: commit, build, scan, signatures, copies"),
  };
  return table;
}

}  // namespace wharfage::native
