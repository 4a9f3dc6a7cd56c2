// SWR enterprise image signing: policies, executions, tasks and sub-tasks.
#include "facade/huawei/paths.h"
#include "facade/huawei/route.h"
#include "sign/ops.h"

namespace wharfage::huawei {
namespace {

using wire::field;
using wire::required;

struct ScopeRule {
  std::vector<Selector> tag_selectors;
  std::map<std::string, std::vector<Selector>> scope_selectors;
  std::string repo_scope_mode;
  static constexpr auto fields() {
    return std::array{
        field<&ScopeRule::tag_selectors>("tag_selectors", required),
        field<&ScopeRule::scope_selectors>("scope_selectors", required),
        field<&ScopeRule::repo_scope_mode>("repo_scope_mode", required).one_of("regular|selection")};
  }
};

struct PolicyBody {
  std::string name;
  std::optional<std::string> description;
  bool enabled = false;
  std::string signature_method, signature_algorithm, signature_key;
  Trigger trigger;
  std::vector<ScopeRule> scope_rules;
  static constexpr auto fields() {
    return std::array{field<&PolicyBody::name>("name", required).range(1, 256),
                      field<&PolicyBody::description>("description").range(0, 1024),
                      field<&PolicyBody::enabled>("enabled", required),
                      field<&PolicyBody::signature_method>("signature_method", required).one_of("KMS"),
                      field<&PolicyBody::signature_algorithm>("signature_algorithm", required)
                          .one_of("ECDSA_SHA_256|ECDSA_SHA_384|SM2DSA_SM3"),
                      field<&PolicyBody::signature_key>("signature_key", required),
                      field<&PolicyBody::trigger>("trigger", required),
                      field<&PolicyBody::scope_rules>("scope_rules", required)};
  }
};

struct PolicyDetail {
  std::int32_t id = 0;
  std::string name, description;
  std::int32_t namespace_id = 0;
  std::string namespace_name;
  Trigger trigger;
  std::string creator;
  bool enabled = false;
  std::vector<ScopeRule> scope_rules;
  std::string created_at, updated_at, signature_algorithm, signature_key, signature_method;
  static constexpr auto fields() {
    return std::array{field<&PolicyDetail::id>("id"),
                      field<&PolicyDetail::name>("name"),
                      field<&PolicyDetail::description>("description"),
                      field<&PolicyDetail::namespace_id>("namespace_id"),
                      field<&PolicyDetail::namespace_name>("namespace_name"),
                      field<&PolicyDetail::trigger>("trigger"),
                      field<&PolicyDetail::creator>("creator"),
                      field<&PolicyDetail::enabled>("enabled"),
                      field<&PolicyDetail::scope_rules>("scope_rules"),
                      field<&PolicyDetail::created_at>("created_at"),
                      field<&PolicyDetail::updated_at>("updated_at"),
                      field<&PolicyDetail::signature_algorithm>("signature_algorithm"),
                      field<&PolicyDetail::signature_key>("signature_key"),
                      field<&PolicyDetail::signature_method>("signature_method")};
  }
};

// ---- paths

struct PolicyListQuery {
  std::optional<std::int64_t> offset, limit;
  static constexpr auto fields() {
    return std::array{field<&PolicyListQuery::offset>("offset"), field<&PolicyListQuery::limit>("limit")};
  }
};
struct TaskListQuery {
  std::string namespace_name;
  std::int32_t policy_id = 0, execution_id = 0;
  std::optional<std::int64_t> offset, limit;
  static constexpr auto fields() {
    return std::array{field<&TaskListQuery::namespace_name>("namespace_name", required),
                      field<&TaskListQuery::policy_id>("policy_id", required),
                      field<&TaskListQuery::execution_id>("execution_id", required),
                      field<&TaskListQuery::offset>("offset"), field<&TaskListQuery::limit>("limit")};
  }
};

// ---- replies

struct PolicyList {
  std::vector<PolicyDetail> policies;
  std::int32_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&PolicyList::policies>("policies"), field<&PolicyList::total>("total")};
  }
};
struct Task {
  std::int64_t id = 0, execution_id = 0;
  std::string job_id, status, status_text, namespace_name, repository, created_at, updated_at;
  static constexpr auto fields() {
    return std::array{field<&Task::id>("id"),
                      field<&Task::execution_id>("execution_id"),
                      field<&Task::job_id>("job_id"),
                      field<&Task::status>("status"),
                      field<&Task::status_text>("status_text"),
                      field<&Task::namespace_name>("namespace"),
                      field<&Task::repository>("repository"),
                      field<&Task::created_at>("created_at"),
                      field<&Task::updated_at>("updated_at")};
  }
};
struct TaskList {
  std::vector<Task> tasks;
  std::int32_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&TaskList::tasks>("tasks"), field<&TaskList::total>("total")};
  }
};
struct SubTask {
  std::int64_t id = 0;
  std::string job_id, namespace_name, repository, tags, digest, status, status_text, created_at, updated_at;
  static constexpr auto fields() {
    return std::array{field<&SubTask::id>("id"),
                      field<&SubTask::job_id>("job_id"),
                      field<&SubTask::namespace_name>("namespace"),
                      field<&SubTask::repository>("repository"),
                      field<&SubTask::tags>("tags"),
                      field<&SubTask::digest>("digest"),
                      field<&SubTask::status>("status"),
                      field<&SubTask::status_text>("status_text"),
                      field<&SubTask::created_at>("created_at"),
                      field<&SubTask::updated_at>("updated_at")};
  }
};
struct SubTaskList {
  std::vector<SubTask> sub_tasks;
  std::int32_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&SubTaskList::sub_tasks>("sub_tasks"), field<&SubTaskList::total>("total")};
  }
};

// ---- between wire and domain

std::vector<sign::Selector> to_domain(const std::vector<Selector>& from) {
  std::vector<sign::Selector> to;
  for (const auto& one : from) to.push_back({one.kind, one.decoration, one.pattern, one.extras.value_or("")});
  return to;
}

std::vector<Selector> to_wire(const std::vector<sign::Selector>& from) {
  std::vector<Selector> to;
  for (const auto& one : from) {
    to.push_back({one.kind, one.decoration, one.pattern,
                  one.extras.empty() ? std::nullopt : std::optional(one.extras)});
  }
  return to;
}

// The only key a scope selector may have is "repository".
Result<sign::ScopeRule> to_domain(const ScopeRule& rule) {
  auto repositories = rule.scope_selectors.find("repository");
  if (rule.scope_selectors.size() != 1 || repositories == rule.scope_selectors.end()) {
    return fail(Reason::invalid_parameter, "scope_selectors must hold exactly repository", "scope_selectors");
  }
  return sign::ScopeRule{to_domain(rule.tag_selectors), to_domain(repositories->second),
                         rule.repo_scope_mode};
}

Result<sign::Policy> to_domain(const PolicyBody& body, const std::string& namespace_name, std::int64_t id) {
  sign::Policy policy;
  policy.id = id;
  policy.namespace_name = namespace_name;
  policy.name = body.name;
  policy.description = body.description.value_or("");
  policy.enabled = body.enabled;
  policy.algorithm = body.signature_algorithm;
  policy.key_uuid = body.signature_key;
  policy.trigger = body.trigger.type;
  if (body.trigger.trigger_settings) policy.cron = body.trigger.trigger_settings->cron.value_or("");
  for (const auto& rule : body.scope_rules) {
    TRY(auto converted, to_domain(rule));
    policy.rules.push_back(std::move(converted));
  }
  return policy;
}

PolicyDetail to_wire(const sign::Policy& policy) {
  PolicyDetail detail;
  detail.id = narrow(policy.id);
  detail.name = policy.name;
  detail.description = policy.description;
  detail.namespace_id = narrow(policy.namespace_id);
  detail.namespace_name = policy.namespace_name;
  detail.trigger.type = policy.trigger;
  if (!policy.cron.empty()) detail.trigger.trigger_settings = TriggerSettings{policy.cron};
  detail.creator = policy.creator;
  detail.enabled = policy.enabled;
  for (const auto& rule : policy.rules) {
    detail.scope_rules.push_back(
        {to_wire(rule.tags), {{"repository", to_wire(rule.repositories)}}, rule.repo_scope_mode});
  }
  detail.created_at = rfc3339(policy.created_at);
  detail.updated_at = rfc3339(policy.updated_at);
  detail.signature_algorithm = policy.algorithm;
  detail.signature_key = policy.key_uuid;
  detail.signature_method = "KMS";
  return detail;
}

Execution to_wire(const sign::Execution& from) {
  return {narrow(from.id),      narrow(from.policy_id),   from.status,
          from.status_text,     narrow(from.total),       narrow(from.failed),
          narrow(from.succeed), narrow(from.in_progress), narrow(from.stopped),
          from.cause,           rfc3339(from.created_at), rfc3339(from.updated_at)};
}

Task to_wire(const sign::Task& from) {
  return {from.id,         from.execution_id,        from.job_id,
          from.status,     from.status_text,         from.namespace_name,
          from.repository, rfc3339(from.created_at), rfc3339(from.updated_at)};
}

SubTask to_wire(const sign::SubTask& from) {
  return {from.id,     from.job_id, from.namespace_name, from.repository,          from.tags,
          from.digest, from.status, from.status_text,    rfc3339(from.created_at), rfc3339(from.updated_at)};
}

template <class Op>
auto invoke(Call& call, const typename Op::Request& request) {
  return op::invoke<Op>(call.rooms.signing, call.context, request);
}

sign::PolicyPath path_of(const std::string& namespace_name, std::int64_t policy_id) {
  return {namespace_name, policy_id};
}

// ---- endpoints

Result<IdReply> create_policy(Call& call, const NamespacePath& path, const PolicyBody& body) {
  TRY(sign::Policy policy, to_domain(body, path.namespace_name, 0));
  TRY(auto created, invoke<sign::CreatePolicy>(call, {std::move(policy)}));
  return IdReply{narrow(created.id)};
}

Result<PolicyList> list_policies(Call& call, const PolicyListQuery& query, const NoBody&) {
  TRY(auto slice, swr_page(query.offset, query.limit));
  TRY(auto page, invoke<sign::ListPolicies>(call, {slice}));
  PolicyList list;
  for (const auto& policy : page.items) list.policies.push_back(to_wire(policy));
  list.total = narrow(page.total);
  return list;
}

Result<PolicyDetail> show_policy(Call& call, const PolicyPath& path, const NoBody&) {
  TRY(auto policy, invoke<sign::GetPolicy>(call, path_of(path.namespace_name, path.policy_id)));
  return to_wire(policy);
}

Result<Empty> update_policy(Call& call, const PolicyPath& path, const PolicyBody& body) {
  TRY(sign::Policy policy, to_domain(body, path.namespace_name, path.policy_id));
  TRY_STATUS(invoke<sign::UpdatePolicy>(call, {std::move(policy)}));
  return Empty{};
}

Result<Empty> delete_policy(Call& call, const PolicyPath& path, const NoBody&) {
  TRY_STATUS(invoke<sign::DeletePolicy>(call, path_of(path.namespace_name, path.policy_id)));
  return Empty{};
}

Result<IdReply> execute_policy(Call& call, const PolicyPath& path, const NoBody&) {
  TRY(auto id, invoke<sign::ExecutePolicy>(call, path_of(path.namespace_name, path.policy_id)));
  return IdReply{narrow(id)};
}

Result<ExecutionList> list_executions(Call& call, const PolicyRunsQuery& query, const NoBody&) {
  TRY(auto slice, swr_page(query.offset, query.limit));
  TRY(auto page, invoke<sign::ListExecutions>(call, {path_of(query.namespace_name, query.policy_id), slice}));
  ExecutionList list;
  for (const auto& execution : page.items) list.executions.push_back(to_wire(execution));
  list.total = narrow(page.total);
  return list;
}

Result<TaskList> list_tasks(Call& call, const TaskListQuery& query, const NoBody&) {
  TRY(auto slice, swr_page(query.offset, query.limit));
  TRY(auto page, invoke<sign::ListTasks>(
                     call, {path_of(query.namespace_name, query.policy_id), query.execution_id, slice}));
  TaskList list;
  for (const auto& task : page.items) list.tasks.push_back(to_wire(task));
  list.total = narrow(page.total);
  return list;
}

Result<SubTaskList> list_sub_tasks(Call& call, const PolicySubTasksQuery& query, const NoBody&) {
  TRY(auto slice, swr_page(query.offset, query.limit));
  TRY(auto page,
      invoke<sign::ListSubTasks>(call, {path_of(query.namespace_name, query.policy_id), query.execution_id,
                                        query.task_id, query.status.value_or(""), slice}));
  SubTaskList list;
  for (const auto& sub_task : page.items) list.sub_tasks.push_back(to_wire(sub_task));
  list.total = narrow(page.total);
  return list;
}

constexpr std::string_view all_policies = "/v2/{project_id}/instances/{instance_id}/signature/policies";
constexpr std::string_view policies =
    "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}/signature/policies";
constexpr std::string_view policy =
    "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}/signature/policies/{policy_id}";
constexpr std::string_view executions =
    "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}/signature/policies/{policy_id}/"
    "executions";
constexpr std::string_view tasks =
    "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}/signature/policies/{policy_id}/"
    "executions/"
    "{execution_id}/tasks";
constexpr std::string_view sub_tasks =
    "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}/signature/policies/{policy_id}/"
    "executions/"
    "{execution_id}/tasks/{task_id}/subtasks";

}  // namespace

std::span<const Route> sign_routes() {
  static constexpr std::array table{
      route<&create_policy>("POST", policies, 201), route<&list_policies>("GET", all_policies),
      route<&show_policy>("GET", policy),           route<&update_policy>("PUT", policy),
      route<&delete_policy>("DELETE", policy),      route<&execute_policy>("POST", executions, 201),
      route<&list_executions>("GET", executions),   route<&list_tasks>("GET", tasks),
      route<&list_sub_tasks>("GET", sub_tasks),
  };
  return table;
}

}  // namespace wharfage::huawei
