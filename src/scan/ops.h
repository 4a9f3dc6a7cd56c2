// The operations of scanning. Facades call these; what they may do is decided by op::invoke.
#pragma once

#include "op/operation.h"
#include "scan/scanning.h"

namespace wharfage::scan {

// How callers name what was scanned: a task, or a repository (by its public id or by name) with a tag or
// digest. A digest may come without its "sha256:". Errors: missing_parameter (detail: ScanTaskId, RepoId or
// Tag), digest_invalid, repository_unknown, tag_unknown, scan_task_unknown.
struct ImageReference {
  std::string task_id;
  std::string repository_id;                    // "crr-…"
  std::string namespace_name, repository_name;  // when there is no repository_id
  std::string tag, digest;
};

struct CreateTask {
  static constexpr op::Declaration declaration{"scan:CreateTask", auth::Access::write};
  struct Request {
    ImageReference image;  // task_id: the id the new task gets, "" for a random one
  };
  using Response = Task;
  static Result<auth::Resource> resource(Scanning& room, op::Context& context, const Request& request);
  static Result<Response> run(Scanning& room, op::Context& context, const Request& request);
};

struct GetTask {
  static constexpr op::Declaration declaration{"scan:GetTask", auth::Access::read};
  using Request = ImageReference;
  using Response = Task;
  static Result<auth::Resource> resource(Scanning& room, op::Context& context, const Request& request);
  static Result<Response> run(Scanning& room, op::Context& context, const Request& request);
};

struct ListTasks {
  static constexpr op::Declaration declaration{"scan:ListTasks", auth::Access::read};
  struct Request {
    std::string namespace_name, repository_name;  // "" for all, which only administrators see
    std::optional<TaskStatus> status;
    Slice slice;
  };
  using Response = Page<Task>;
  static Result<auth::Resource> resource(Scanning& room, op::Context& context, const Request& request);
  static Result<Response> run(Scanning& room, op::Context& context, const Request& request);
};

// How far the scans of many images are, for lists: in the order of the request, without a task where nothing
// was scanned or the caller may not read.
struct FindScans {
  static constexpr op::Declaration declaration{"scan:FindScans", auth::Access::read, true};
  struct Image {
    std::string namespace_name, repository_name, digest;
  };
  struct Scan {
    std::optional<Task> task;        // the newest
    std::optional<Summary> summary;  // of the image, when it is known
  };
  using Request = std::vector<Image>;  // a page of them
  using Response = std::vector<Scan>;
  static Result<auth::Resource> resource(Scanning& room, op::Context& context, const Request& request);
  static Result<Response> run(Scanning& room, op::Context& context, const Request& request);
};

struct CancelTask {
  static constexpr op::Declaration declaration{"scan:CancelTask", auth::Access::write};
  struct Request {
    std::string task_id;
  };
  using Response = op::Nothing;
  static Result<auth::Resource> resource(Scanning& room, op::Context& context, const Request& request);
  static Result<Response> run(Scanning& room, op::Context& context, const Request& request);
};

// The results. Errors besides those of ImageReference: conflict (the scan has not finished), scan_impossible
// (it failed, or the image cannot be judged: the message says why).
struct GetSummary {
  static constexpr op::Declaration declaration{"scan:GetSummary", auth::Access::read};
  using Request = ImageReference;
  struct Response {
    Task task;
    Summary summary;
  };
  static Result<auth::Resource> resource(Scanning& room, op::Context& context, const Request& request);
  static Result<Response> run(Scanning& room, op::Context& context, const Request& request);
};

struct ListFindings {
  static constexpr op::Declaration declaration{"scan:ListFindings", auth::Access::read};
  struct Request {
    ImageReference image;
    FindingFilter filter;
    Slice slice;
  };
  struct Response {
    Task task;
    Findings findings;
  };
  static Result<auth::Resource> resource(Scanning& room, op::Context& context, const Request& request);
  static Result<Response> run(Scanning& room, op::Context& context, const Request& request);
};

struct ListPackages {
  static constexpr op::Declaration declaration{"scan:ListPackages", auth::Access::read};
  struct Request {
    ImageReference image;
    std::string contains;
    Slice slice;
  };
  struct Response {
    Task task;
    Packages packages;
  };
  static Result<auth::Resource> resource(Scanning& room, op::Context& context, const Request& request);
  static Result<Response> run(Scanning& room, op::Context& context, const Request& request);
};

struct GetSbom {
  static constexpr op::Declaration declaration{"scan:GetSbom", auth::Access::read};
  struct Request {
    ImageReference image;
    SbomFormat format = SbomFormat::spdx;
  };
  using Response = std::string;  // JSON of sbom_media_type(format)
  static Result<auth::Resource> resource(Scanning& room, op::Context& context, const Request& request);
  static Result<Response> run(Scanning& room, op::Context& context, const Request& request);
};

// A rule about one namespace is that namespace's business; any other rule is the installation's.
struct CreateRule {
  static constexpr op::Declaration declaration{"scan:CreateRule", auth::Access::manage};
  using Request = Rule;  // id and times are set by us
  using Response = Rule;
  static Result<auth::Resource> resource(Scanning& room, op::Context& context, const Request& request);
  static Result<Response> run(Scanning& room, op::Context& context, const Request& request);
};

struct GetRule {
  static constexpr op::Declaration declaration{"scan:GetRule", auth::Access::read};
  struct Request {
    std::string id;
  };
  using Response = Rule;
  static Result<auth::Resource> resource(Scanning& room, op::Context& context, const Request& request);
  static Result<Response> run(Scanning& room, op::Context& context, const Request& request);
};

struct ListRules {
  static constexpr op::Declaration declaration{"scan:ListRules", auth::Access::read};
  struct Request {
    Slice slice;
  };
  using Response = Page<Rule>;
  static Result<auth::Resource> resource(Scanning& room, op::Context& context, const Request& request);
  static Result<Response> run(Scanning& room, op::Context& context, const Request& request);
};

struct UpdateRule {
  static constexpr op::Declaration declaration{"scan:UpdateRule", auth::Access::manage};
  using Request = Rule;  // named by id
  using Response = Rule;
  static Result<auth::Resource> resource(Scanning& room, op::Context& context, const Request& request);
  static Result<Response> run(Scanning& room, op::Context& context, const Request& request);
};

struct DeleteRule {
  static constexpr op::Declaration declaration{"scan:DeleteRule", auth::Access::manage};
  struct Request {
    std::string id;
  };
  using Response = op::Nothing;
  static Result<auth::Resource> resource(Scanning& room, op::Context& context, const Request& request);
  static Result<Response> run(Scanning& room, op::Context& context, const Request& request);
};

struct GetAdvisories {
  static constexpr op::Declaration declaration{"scan:GetAdvisories", auth::Access::read};
  struct Request {};
  using Response = std::optional<AdvisoryStats>;  // nothing before the first import
  static Result<auth::Resource> resource(Scanning& room, op::Context& context, const Request& request);
  static Result<Response> run(Scanning& room, op::Context& context, const Request& request);
};

struct ImportAdvisories {
  static constexpr op::Declaration declaration{"scan:ImportAdvisories", auth::Access::administer};
  struct Request {
    std::vector<std::string> paths;  // on the server
    ImportMode mode = ImportMode::add;
  };
  using Response = ImportReport;
  static Result<auth::Resource> resource(Scanning& room, op::Context& context, const Request& request);
  static Result<Response> run(Scanning& room, op::Context& context, const Request& request);
};

}  // namespace wharfage::scan
