// SWR enterprise image retention: an execution is a run, a task what it did in one repository (its id is the
// repository's), a sub-task one tag or image that went.
#include "facade/huawei/paths.h"
#include "facade/huawei/retention.h"

namespace wharfage::huawei {
namespace {

namespace ops = registry::ops;
using wire::field;
using wire::required;

// ---- paths

struct TaskListQuery {
  std::string namespace_name;
  std::int32_t policy_id = 0, execution_id = 0;
  std::optional<std::int64_t> offset, limit;
  std::optional<std::string> status;
  static constexpr auto fields() {
    return std::array{field<&TaskListQuery::namespace_name>("namespace_name", required),
                      field<&TaskListQuery::policy_id>("policy_id", required),
                      field<&TaskListQuery::execution_id>("execution_id", required),
                      field<&TaskListQuery::offset>("offset"),
                      field<&TaskListQuery::limit>("limit"),
                      field<&TaskListQuery::status>("status").one_of(run_statuses)};
  }
};

// ---- bodies

struct RunBody {
  bool dry_run = false;
  static constexpr auto fields() { return std::array{field<&RunBody::dry_run>("dry_run", required)}; }
};
struct Run {
  std::int32_t id = 0, policy_id = 0;
  bool dry_run = false;
  std::string status, trigger, start_time, end_time;
  static constexpr auto fields() {
    return std::array{field<&Run::id>("id"),
                      field<&Run::policy_id>("policy_id"),
                      field<&Run::dry_run>("dry_run"),
                      field<&Run::status>("status"),
                      field<&Run::trigger>("trigger"),
                      field<&Run::start_time>("start_time"),
                      field<&Run::end_time>("end_time")};
  }
};
struct RunList {
  std::int32_t total = 0;
  std::vector<Run> executions;
  static constexpr auto fields() {
    return std::array{field<&RunList::total>("total"), field<&RunList::executions>("executions")};
  }
};
struct Task {
  std::int32_t id = 0, execution_id = 0;
  std::string repository, job_id, status;
  std::int32_t status_code = 3;  // has ended
  std::int32_t status_revision = 0;
  std::string start_time, end_time;
  std::int32_t total = 0, retained = 0;
  static constexpr auto fields() {
    return std::array{field<&Task::id>("id"),
                      field<&Task::execution_id>("execution_id"),
                      field<&Task::repository>("repository"),
                      field<&Task::job_id>("job_id"),
                      field<&Task::status>("status"),
                      field<&Task::status_code>("status_code"),
                      field<&Task::status_revision>("status_revision"),
                      field<&Task::start_time>("start_time"),
                      field<&Task::end_time>("end_time"),
                      field<&Task::total>("total"),
                      field<&Task::retained>("retained")};
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
  std::int32_t id = 0, job_id = 0;
  std::string namespace_name, repository, tag, digest, action = "DEL", status, status_text, op_time;
  static constexpr auto fields() {
    return std::array{field<&SubTask::id>("id"),
                      field<&SubTask::job_id>("job_id"),
                      field<&SubTask::namespace_name>("namespace"),
                      field<&SubTask::repository>("repository"),
                      field<&SubTask::tag>("tag"),
                      field<&SubTask::digest>("digest"),
                      field<&SubTask::action>("action"),
                      field<&SubTask::status>("status"),
                      field<&SubTask::status_text>("status_text"),
                      field<&SubTask::op_time>("op_time")};
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

std::string execution_status(std::string_view status) {
  if (status == "running") return "InProgress";
  if (status == "succeeded") return "Succeed";
  return status == "canceled" ? "Stopped" : "Failed";
}

// What the rooms below call a status that a client asks for; nothing has any other.
std::string asked(const std::optional<std::string>& status, const char* succeeded) {
  if (!status) return "";
  return *status == "Succeed" ? succeeded : *status == "Failed" ? "failed" : "no such status";
}

// ---- endpoints

Result<IdReply> execute_policy(Call& call, const PolicyPath& path, const RunBody& body) {
  TRY_STATUS(named_retention(call, path.namespace_name, path.policy_id));
  TRY(auto run, op::invoke<ops::RunRetention>(call.rooms.retention, call.context,
                                              {ops::space_of(path.namespace_name), body.dry_run}));
  return IdReply{narrow(run.id)};
}

Result<RunList> list_executions(Call& call, const PolicyRunsQuery& query, const NoBody&) {
  TRY(auto slice, swr_page(query.offset, query.limit));
  TRY_STATUS(named_retention(call, query.namespace_name, query.policy_id));
  TRY(auto page, op::invoke<ops::ListRetentionRuns>(call.rooms.retention, call.context,
                                                    {ops::space_of(query.namespace_name), slice}));
  RunList list;
  list.total = narrow(page.total);
  for (const auto& run : page.items) {
    list.executions.push_back({narrow(run.id), query.policy_id, run.dry, execution_status(run.status),
                               run.cause, rfc3339(run.created_at), time_text(run.ended_at)});
  }
  return list;
}

Result<TaskList> list_tasks(Call& call, const TaskListQuery& query, const NoBody&) {
  TRY(auto slice, swr_page(query.offset, query.limit));
  TRY_STATUS(named_retention(call, query.namespace_name, query.policy_id));
  auto space = ops::space_of(query.namespace_name);
  TRY(auto run,
      op::invoke<ops::GetRetentionRun>(call.rooms.retention, call.context, {space, query.execution_id}));
  TRY(auto page, op::invoke<ops::ListRetentionTasks>(
                     call.rooms.retention, call.context,
                     {space, query.execution_id, asked(query.status, "succeeded"), slice}));
  TaskList list;
  list.total = narrow(page.total);
  for (const auto& from : page.items) {
    Task task;
    task.id = narrow(from.repository_id);
    task.execution_id = query.execution_id;
    task.repository = from.repository;
    task.job_id = run.job_id;
    task.status = from.failed == 0 ? "Succeed" : "Failed";
    task.status_revision = narrow(from.ended_at / 1000);
    task.start_time = rfc3339(from.started_at);
    task.end_time = rfc3339(from.ended_at);
    task.total = narrow(from.kept + from.removed + from.failed);
    task.retained = narrow(from.kept);
    list.tasks.push_back(std::move(task));
  }
  return list;
}

Result<SubTaskList> list_sub_tasks(Call& call, const PolicySubTasksQuery& query, const NoBody&) {
  TRY(auto slice, swr_page(query.offset, query.limit));
  TRY_STATUS(named_retention(call, query.namespace_name, query.policy_id));
  TRY(auto found,
      op::invoke<ops::ListRetentionTaskItems>(call.rooms.retention, call.context,
                                              {ops::space_of(query.namespace_name), query.execution_id,
                                               query.task_id, asked(query.status, "removed"), slice}));
  SubTaskList list;
  list.total = narrow(found.items.total);
  for (const auto& item : found.items.items) {
    SubTask task;
    task.id = narrow(item.number);
    task.job_id = query.task_id;
    task.namespace_name = query.namespace_name;
    task.repository = item.repository;
    task.tag = item.tag;
    task.digest = item.digest;
    task.status = item.outcome == "removed" ? "Succeed" : "Failed";
    task.status_text = item.reason;
    task.op_time = rfc3339(found.task.started_at);
    list.sub_tasks.push_back(std::move(task));
  }
  return list;
}

constexpr std::string_view executions =
    "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}/retention/policies/{policy_id}/"
    "executions";
constexpr std::string_view tasks =
    "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}/retention/policies/{policy_id}/"
    "executions/{execution_id}/tasks";
constexpr std::string_view sub_tasks =
    "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}/retention/policies/{policy_id}/"
    "executions/{execution_id}/tasks/{task_id}/subtasks";

}  // namespace

std::span<const Route> retention_execution_routes() {
  static constexpr std::array table{
      route<&execute_policy>("POST", executions, 201),
      route<&list_executions>("GET", executions),
      route<&list_tasks>("GET", tasks),
      route<&list_sub_tasks>("GET", sub_tasks),
  };
  return table;
}

}  // namespace wharfage::huawei
