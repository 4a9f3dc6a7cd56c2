#include "scan/ops.h"

#include "base/text.h"

namespace wharfage::scan {
namespace {

auth::Resource installation() {
  return {};
}

Error missing(std::string_view parameter) {
  return fail(Reason::missing_parameter, "a required parameter is missing", std::string(parameter));
}

Result<registry::Repository> find_repository(Scanning& room, const ImageReference& image) {
  if (!image.repository_id.empty()) return room.registry().get_repository_by_public_id(image.repository_id);
  if (image.namespace_name.empty() || image.repository_name.empty()) return missing("RepoId");
  return room.registry().get_repository(image.namespace_name, image.repository_name);
}

// "sha256:<hex>" or only the hex, as the cloud's own examples have it.
Result<std::string> read_digest(const std::string& text) {
  TRY(Digest digest, Digest::parse(text.find(':') == std::string::npos ? "sha256:" + lower(text) : text));
  return digest.text();
}

Result<std::string> find_digest(Scanning& room, const registry::Repository& repository,
                                const ImageReference& image) {
  if (!image.digest.empty()) return read_digest(image.digest);
  if (image.tag.empty()) return missing("Tag");
  TRY(auto tag, room.registry().get_tag(repository, image.tag));
  return tag.manifest.digest->text();
}

Result<registry::Repository> repository_of(Scanning& room, const Task& task) {
  auto repository = room.registry().get_repository(task.repository_id);
  if (!repository.ok() && repository.error().reason == Reason::repository_unknown) {
    return fail(Reason::scan_task_unknown);
  }
  return repository;
}

struct Found {
  registry::Repository repository;
  Task task;
};

Result<Found> find_task(Scanning& room, const ImageReference& image) {
  if (image.task_id.empty()) {
    TRY(auto repository, find_repository(room, image));
    TRY(std::string digest, find_digest(room, repository, image));
    TRY(Task task, room.get_latest_task(repository.id, digest));
    return Found{std::move(repository), std::move(task)};
  }
  TRY(Task task, room.get_task(image.task_id));
  TRY(auto repository, repository_of(room, task));
  bool other = !image.repository_id.empty() && image.repository_id != repository.public_id;
  if (other) return fail(Reason::scan_task_unknown);
  return Found{std::move(repository), std::move(task)};
}

Result<auth::Resource> resource_of(Scanning& room, const ImageReference& image) {
  if (image.task_id.empty()) {
    TRY(auto repository, find_repository(room, image));
    return repository.resource();
  }
  TRY(Found found, find_task(room, image));
  return found.repository.resource();
}

// The task, when there is something to tell about its image.
Result<Task> find_ended_task(Scanning& room, const ImageReference& image) {
  TRY(Found found, find_task(room, image));
  Task& task = found.task;
  if (task.status == TaskStatus::scanning || task.status == TaskStatus::retrying) {
    return fail(Reason::conflict, "the scan has not finished", task.id);
  }
  if (task.status == TaskStatus::failed) return fail(Reason::scan_impossible, task.message, task.id);
  return std::move(task);
}

Result<auth::Resource> resource_of_rule(Scanning& room, const Rule& rule) {
  if (rule.scope == "INSTANCE" || rule.namespaces.size() != 1) return installation();
  TRY(auto found, room.registry().get_namespace(rule.namespaces[0]));
  return auth::Resource{found.id, found.name, false};
}

// A rule may outlive its namespace; then it is the installation's.
Result<auth::Resource> resource_of_stored_rule(Scanning& room, const Rule& rule) {
  auto resource = resource_of_rule(room, rule);
  if (!resource.ok() && resource.error().reason == Reason::namespace_unknown) return installation();
  return resource;
}

}  // namespace

Result<auth::Resource> CreateTask::resource(Scanning& room, op::Context&, const Request& request) {
  TRY(auto repository, find_repository(room, request.image));
  return repository.resource();
}
Result<Task> CreateTask::run(Scanning& room, op::Context&, const Request& request) {
  TRY(auto repository, find_repository(room, request.image));
  TRY(std::string digest, find_digest(room, repository, request.image));
  TRY(auto manifest, room.registry().get_manifest(repository, digest));
  return room.create_task({.id = request.image.task_id,
                           .repository = std::move(repository),
                           .tag = request.image.tag,
                           .digest = manifest.digest->text()});
}

Result<auth::Resource> GetTask::resource(Scanning& room, op::Context&, const Request& request) {
  return resource_of(room, request);
}
Result<Task> GetTask::run(Scanning& room, op::Context&, const Request& request) {
  TRY(Found found, find_task(room, request));
  return std::move(found.task);
}

Result<auth::Resource> ListTasks::resource(Scanning& room, op::Context&, const Request& request) {
  if (request.namespace_name.empty()) return installation();
  if (request.repository_name.empty()) {
    TRY(auto found, room.registry().get_namespace(request.namespace_name));
    return auth::Resource{found.id, found.name, false};
  }
  TRY(auto repository, room.registry().get_repository(request.namespace_name, request.repository_name));
  return repository.resource();
}
Result<Page<Task>> ListTasks::run(Scanning& room, op::Context& context, const Request& request) {
  Scanning::TaskFilter filter{.status = request.status};
  if (request.namespace_name.empty()) {
    TRY(auto readable, context.auth.readable_namespaces(context.who));
    if (readable) return missing("namespace");
    return room.list_tasks(filter, request.slice);
  }
  TRY(auto found, room.registry().get_namespace(request.namespace_name));
  filter.namespace_id = found.id;
  if (!request.repository_name.empty()) {
    TRY(auto repository, room.registry().get_repository(request.namespace_name, request.repository_name));
    filter.repository_id = repository.id;
  }
  return room.list_tasks(filter, request.slice);
}

Result<auth::Resource> CancelTask::resource(Scanning& room, op::Context&, const Request& request) {
  return resource_of(room, {.task_id = request.task_id});
}
Result<op::Nothing> CancelTask::run(Scanning& room, op::Context&, const Request& request) {
  TRY_STATUS(room.cancel_task(request.task_id));
  return op::Nothing{};
}

Result<auth::Resource> GetSummary::resource(Scanning& room, op::Context&, const Request& request) {
  return resource_of(room, request);
}
Result<GetSummary::Response> GetSummary::run(Scanning& room, op::Context&, const Request& request) {
  TRY(Task task, find_ended_task(room, request));
  TRY(Summary summary, room.summarise(task.image));
  return Response{std::move(task), std::move(summary)};
}

Result<auth::Resource> ListFindings::resource(Scanning& room, op::Context&, const Request& request) {
  return resource_of(room, request.image);
}
Result<ListFindings::Response> ListFindings::run(Scanning& room, op::Context&, const Request& request) {
  TRY(Task task, find_ended_task(room, request.image));
  TRY(Findings findings, room.findings(task.image, request.filter, request.slice));
  return Response{std::move(task), std::move(findings)};
}

Result<auth::Resource> ListPackages::resource(Scanning& room, op::Context&, const Request& request) {
  return resource_of(room, request.image);
}
Result<ListPackages::Response> ListPackages::run(Scanning& room, op::Context&, const Request& request) {
  TRY(Found found, find_task(room, request.image));
  if (found.task.image.empty())
    return fail(Reason::conflict, "the image has not been read yet", found.task.id);
  TRY(Packages packages, room.packages(found.task.image, request.contains, request.slice));
  return Response{std::move(found.task), std::move(packages)};
}

Result<auth::Resource> GetSbom::resource(Scanning& room, op::Context&, const Request& request) {
  return resource_of(room, request.image);
}
Result<std::string> GetSbom::run(Scanning& room, op::Context&, const Request& request) {
  TRY(Found found, find_task(room, request.image));
  if (found.task.image.empty())
    return fail(Reason::conflict, "the image has not been read yet", found.task.id);
  return room.sbom(found.task.image, found.repository.full_name(), request.format);
}

Result<auth::Resource> CreateRule::resource(Scanning& room, op::Context&, const Request& request) {
  return resource_of_rule(room, request);
}
Result<Rule> CreateRule::run(Scanning& room, op::Context&, const Request& request) {
  return room.create_rule(request);
}

Result<auth::Resource> GetRule::resource(Scanning&, op::Context&, const Request&) {
  return installation();
}
Result<Rule> GetRule::run(Scanning& room, op::Context&, const Request& request) {
  return room.get_rule(request.id);
}

Result<auth::Resource> ListRules::resource(Scanning&, op::Context&, const Request&) {
  return installation();
}
Result<Page<Rule>> ListRules::run(Scanning& room, op::Context&, const Request& request) {
  return room.list_rules(request.slice);
}

Result<auth::Resource> UpdateRule::resource(Scanning& room, op::Context&, const Request& request) {
  TRY(Rule stored, room.get_rule(request.id));
  TRY(auto before, resource_of_stored_rule(room, stored));
  TRY(auto after, resource_of_rule(room, request));
  return before.namespace_id == after.namespace_id ? after : installation();
}
Result<Rule> UpdateRule::run(Scanning& room, op::Context&, const Request& request) {
  return room.update_rule(request);
}

Result<auth::Resource> DeleteRule::resource(Scanning& room, op::Context&, const Request& request) {
  TRY(Rule stored, room.get_rule(request.id));
  return resource_of_stored_rule(room, stored);
}
Result<op::Nothing> DeleteRule::run(Scanning& room, op::Context&, const Request& request) {
  TRY_STATUS(room.delete_rule(request.id));
  return op::Nothing{};
}

Result<auth::Resource> GetAdvisories::resource(Scanning&, op::Context&, const Request&) {
  return installation();
}
Result<std::optional<AdvisoryStats>> GetAdvisories::run(Scanning& room, op::Context&, const Request&) {
  return room.advisories();
}

Result<auth::Resource> ImportAdvisories::resource(Scanning&, op::Context&, const Request&) {
  return installation();
}
Result<ImportReport> ImportAdvisories::run(Scanning& room, op::Context&, const Request& request) {
  return room.import(request.paths, request.mode);
}

}  // namespace wharfage::scan
