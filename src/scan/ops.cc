#include "scan/ops.h"

#include <map>

#include "base/text.h"
#include "registry/ops/scope.h"

namespace wharfage::scan {
namespace {

auth::Resource installation() {
  return {};
}

Error missing(std::string_view parameter) {
  return fail(Reason::missing_parameter, "a required parameter is missing", std::string(parameter));
}

// Only what the caller may read is found.
Result<registry::Repository> find_repository(Scanning& room, op::Context& context,
                                             const ImageReference& image) {
  bool named = !image.namespace_name.empty() && !image.repository_name.empty();
  if (image.repository_id.empty() && !named) return missing("RepoId");
  return registry::ops::find_repository(room.registry(), context,
                                        {.namespace_name = image.namespace_name,
                                         .name = image.repository_name,
                                         .public_id = image.repository_id});
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

Result<registry::Repository> repository_of(Scanning& room, op::Context& context, const Task& task) {
  auto repository = registry::ops::find_repository(room.registry(), context, {.id = task.repository_id});
  if (!repository.ok() && repository.error().reason == Reason::repository_unknown) {
    return fail(Reason::scan_task_unknown);
  }
  return repository;
}

struct Found {
  registry::Repository repository;
  Task task;
};

Result<Found> find_task(Scanning& room, op::Context& context, const ImageReference& image) {
  if (image.task_id.empty()) {
    TRY(auto repository, find_repository(room, context, image));
    TRY(std::string digest, find_digest(room, repository, image));
    TRY(Task task, room.get_latest_task(repository.id, digest));
    return Found{std::move(repository), std::move(task)};
  }
  TRY(Task task, room.get_task(image.task_id));
  TRY(auto repository, repository_of(room, context, task));
  bool other = !image.repository_id.empty() && image.repository_id != repository.public_id;
  if (!image.digest.empty()) {
    TRY(std::string digest, read_digest(image.digest));
    other = other || digest != task.digest;
  }
  // A task that was asked for by digest has no tag.
  other = other || (!image.tag.empty() && !task.tag.empty() && image.tag != task.tag);
  if (other) return fail(Reason::scan_task_unknown);
  return Found{std::move(repository), std::move(task)};
}

Result<auth::Resource> resource_of(Scanning& room, op::Context& context, const ImageReference& image) {
  if (image.task_id.empty()) {
    TRY(auto repository, find_repository(room, context, image));
    return repository.resource();
  }
  TRY(Found found, find_task(room, context, image));
  return found.repository.resource();
}

// The task, when there is something to tell about its image.
Result<Task> find_ended_task(Scanning& room, op::Context& context, const ImageReference& image) {
  TRY(Found found, find_task(room, context, image));
  Task& task = found.task;
  if (task.status == TaskStatus::scanning || task.status == TaskStatus::retrying) {
    return fail(Reason::conflict, "the scan has not finished", task.id);
  }
  if (task.status == TaskStatus::failed) return fail(Reason::scan_impossible, task.message, task.id);
  return std::move(task);
}

// Whose a rule as asked for is: a namespace's, or the installation's when it spans several.
Result<auth::Resource> resource_of_rule(Scanning& room, op::Context& context, const Rule& rule) {
  if (rule.scope == "INSTANCE" || rule.namespaces.size() != 1) return installation();
  return registry::ops::inside(room.registry(), context, registry::ops::NamespaceRef{rule.namespaces[0]});
}

// Which stored rules a caller sees: those that name no namespace but what he may read.
class RuleSight {
 public:
  RuleSight(Scanning& room, op::Context& context) : x_room(room), x_context(context) {}

  Result<bool> sees(const Rule& rule) {
    if (rule.scope == "INSTANCE" || administers()) return true;
    for (const auto& name : rule.namespaces) {
      TRY(bool may, may_read(name));
      if (!may) return false;
    }
    return true;
  }
  bool administers() { return x_context.auth.authorise(x_context.who, auth::Access::administer, {}).ok(); }

 private:
  Result<bool> may_read(const std::string& name) {
    if (auto known = x_readable.find(name); known != x_readable.end()) return known->second;
    auto found = registry::ops::inside(x_room.registry(), x_context, registry::ops::NamespaceRef{name});
    bool refused = !found.ok() && (found.error().kind() == ErrorKind::not_found ||
                                   found.error().kind() == ErrorKind::denied);
    if (!found.ok() && !refused) return found.error();
    return x_readable[name] = found.ok();
  }

  Scanning& x_room;
  op::Context& x_context;
  std::map<std::string, bool> x_readable;
};

Result<Rule> find_rule(Scanning& room, op::Context& context, std::string_view id) {
  TRY(Rule rule, room.get_rule(id));
  TRY(bool seen, RuleSight(room, context).sees(rule));
  if (!seen) return fail(Reason::scan_rule_unknown);
  return rule;
}

// A rule may outlive its namespace; then it is the installation's.
Result<auth::Resource> resource_of_stored_rule(Scanning& room, op::Context& context, const Rule& rule) {
  auto resource = resource_of_rule(room, context, rule);
  if (!resource.ok() && resource.error().reason == Reason::namespace_unknown) return installation();
  return resource;
}

Result<registry::Repository> repository_in(Scanning& room, op::Context& context,
                                           const ListTasks::Request& request) {
  return registry::ops::find_repository(
      room.registry(), context, {.namespace_name = request.namespace_name, .name = request.repository_name});
}

}  // namespace

Result<auth::Resource> CreateTask::resource(Scanning& room, op::Context& context, const Request& request) {
  TRY(auto repository, find_repository(room, context, request.image));
  return repository.resource();
}
Result<Task> CreateTask::run(Scanning& room, op::Context& context, const Request& request) {
  TRY(auto repository, find_repository(room, context, request.image));
  TRY(std::string digest, find_digest(room, repository, request.image));
  TRY(auto manifest, room.registry().get_manifest(repository, digest));
  return room.create_task({.id = request.image.task_id,
                           .repository = std::move(repository),
                           .tag = request.image.tag,
                           .digest = manifest.digest->text()});
}

Result<auth::Resource> GetTask::resource(Scanning& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request);
}
Result<Task> GetTask::run(Scanning& room, op::Context& context, const Request& request) {
  TRY(Found found, find_task(room, context, request));
  return std::move(found.task);
}

Result<auth::Resource> FindScans::resource(Scanning&, op::Context&, const Request&) {
  return installation();
}

Result<std::vector<FindScans::Scan>> FindScans::run(Scanning& room, op::Context& context,
                                                    const Request& request) {
  std::vector<Scan> scans;
  std::map<std::pair<std::string, std::string>, std::int64_t> repositories;  // 0: nothing he may read
  for (const Image& image : request) {
    Scan& scan = scans.emplace_back();
    auto [place, unknown] = repositories.try_emplace({image.namespace_name, image.repository_name}, 0);
    if (unknown) {
      auto found = registry::ops::find_repository(
          room.registry(), context,
          registry::ops::repository_of(image.namespace_name, image.repository_name));
      if (!found.ok() && found.error().kind() != ErrorKind::not_found) return found.error();
      if (found.ok()) place->second = found->id;
    }
    if (place->second == 0) continue;
    auto task = room.get_latest_task(place->second, image.digest);
    if (!task.ok() && task.error().kind() != ErrorKind::not_found) return task.error();
    if (!task.ok()) continue;
    scan.task = *std::move(task);
    if (scan.task->image.empty()) continue;
    TRY(auto summaries, room.find_summaries({scan.task->image}));
    if (!summaries.empty()) scan.summary = std::move(summaries.front());
  }
  return scans;
}

Result<auth::Resource> ListTasks::resource(Scanning& room, op::Context& context, const Request& request) {
  if (request.namespace_name.empty()) return installation();
  if (request.repository_name.empty()) {
    return registry::ops::inside(room.registry(), context,
                                 registry::ops::NamespaceRef{request.namespace_name});
  }
  TRY(auto repository, repository_in(room, context, request));
  return repository.resource();
}
Result<Page<Task>> ListTasks::run(Scanning& room, op::Context& context, const Request& request) {
  Scanning::TaskFilter filter{.status = request.status};
  if (request.namespace_name.empty()) {
    TRY(auto readable, context.auth.readable_namespaces(context.who));
    if (readable) return missing("namespace");
    return room.list_tasks(filter, request.slice);
  }
  if (!request.repository_name.empty()) {
    TRY(auto repository, repository_in(room, context, request));
    filter.namespace_id = repository.namespace_id;
    filter.repository_id = repository.id;
  } else {
    TRY(auto found, registry::ops::find_namespace(room.registry(), context, {request.namespace_name}));
    filter.namespace_id = found.id;
  }
  return room.list_tasks(filter, request.slice);
}

Result<auth::Resource> CancelTask::resource(Scanning& room, op::Context& context, const Request& request) {
  return resource_of(room, context, {.task_id = request.task_id});
}
Result<op::Nothing> CancelTask::run(Scanning& room, op::Context&, const Request& request) {
  TRY_STATUS(room.cancel_task(request.task_id));
  return op::Nothing{};
}

Result<auth::Resource> GetSummary::resource(Scanning& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request);
}
Result<GetSummary::Response> GetSummary::run(Scanning& room, op::Context& context, const Request& request) {
  TRY(Task task, find_ended_task(room, context, request));
  TRY(Summary summary, room.summarise(task.image));
  return Response{std::move(task), std::move(summary)};
}

Result<auth::Resource> ListFindings::resource(Scanning& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.image);
}
Result<ListFindings::Response> ListFindings::run(Scanning& room, op::Context& context,
                                                 const Request& request) {
  TRY(Task task, find_ended_task(room, context, request.image));
  TRY(Findings findings, room.findings(task.image, request.filter, request.slice));
  return Response{std::move(task), std::move(findings)};
}

Result<auth::Resource> ListPackages::resource(Scanning& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.image);
}
Result<ListPackages::Response> ListPackages::run(Scanning& room, op::Context& context,
                                                 const Request& request) {
  TRY(Found found, find_task(room, context, request.image));
  if (found.task.image.empty())
    return fail(Reason::conflict, "the image has not been read yet", found.task.id);
  TRY(Packages packages, room.packages(found.task.image, request.contains, request.slice));
  return Response{std::move(found.task), std::move(packages)};
}

Result<auth::Resource> GetSbom::resource(Scanning& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.image);
}
Result<std::string> GetSbom::run(Scanning& room, op::Context& context, const Request& request) {
  TRY(Found found, find_task(room, context, request.image));
  if (found.task.image.empty())
    return fail(Reason::conflict, "the image has not been read yet", found.task.id);
  return room.sbom(found.task.image, found.repository.full_name(), request.format);
}

Result<auth::Resource> CreateRule::resource(Scanning& room, op::Context& context, const Request& request) {
  return resource_of_rule(room, context, request);
}
Result<Rule> CreateRule::run(Scanning& room, op::Context&, const Request& request) {
  return room.create_rule(request);
}

Result<auth::Resource> GetRule::resource(Scanning& room, op::Context& context, const Request& request) {
  TRY(Rule rule, find_rule(room, context, request.id));
  return auth::Resource{.name = rule.id};
}
Result<Rule> GetRule::run(Scanning& room, op::Context& context, const Request& request) {
  return find_rule(room, context, request.id);
}

Result<auth::Resource> ListRules::resource(Scanning&, op::Context&, const Request&) {
  return installation();
}
Result<Page<Rule>> ListRules::run(Scanning& room, op::Context& context, const Request& request) {
  RuleSight sight(room, context);
  if (sight.administers()) return room.list_rules(request.slice);
  Page<Rule> page;
  TRY(auto all, room.all_rules());  // at most scan_rules_max
  for (Rule& rule : all) {
    TRY(bool seen, sight.sees(rule));
    if (!seen) continue;
    bool wanted =
        page.total >= request.slice.offset && page.total - request.slice.offset < request.slice.limit;
    ++page.total;
    if (wanted) page.items.push_back(std::move(rule));
  }
  return page;
}

Result<auth::Resource> UpdateRule::resource(Scanning& room, op::Context& context, const Request& request) {
  TRY(Rule stored, find_rule(room, context, request.id));
  TRY(auto before, resource_of_stored_rule(room, context, stored));
  TRY(auto after, resource_of_rule(room, context, request));
  return before.namespace_id == after.namespace_id ? after : installation();
}
Result<Rule> UpdateRule::run(Scanning& room, op::Context&, const Request& request) {
  return room.update_rule(request);
}

Result<auth::Resource> DeleteRule::resource(Scanning& room, op::Context& context, const Request& request) {
  TRY(Rule stored, find_rule(room, context, request.id));
  return resource_of_stored_rule(room, context, stored);
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
