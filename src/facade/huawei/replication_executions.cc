// SWR enterprise replication: executions, tasks and sub-tasks.
#include "facade/huawei/fields.h"
#include "facade/huawei/replication.h"
#include "facade/huawei/route.h"
#include "sync/ops/rules.h"

namespace wharfage::huawei {
namespace {

using wire::field;
using wire::required;

struct ExecutionPath {
  std::int32_t execution_id = 0;
  static constexpr auto fields() {
    return std::array{field<&ExecutionPath::execution_id>("execution_id", required)};
  }
};
struct ExecutionListQuery {
  std::optional<std::int32_t> policy_id;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&ExecutionListQuery::policy_id>("policy_id"),
                      field<&ExecutionListQuery::offset>("offset"),
                      field<&ExecutionListQuery::limit>("limit")};
  }
};
struct TaskListQuery {
  std::int32_t execution_id = 0;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&TaskListQuery::execution_id>("execution_id", required),
                      field<&TaskListQuery::offset>("offset"), field<&TaskListQuery::limit>("limit")};
  }
};
struct SubTaskListQuery {
  std::int32_t execution_id = 0;
  std::int32_t task_id = 0;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  std::optional<std::string> status;
  static constexpr auto fields() {
    return std::array{field<&SubTaskListQuery::execution_id>("execution_id", required),
                      field<&SubTaskListQuery::task_id>("task_id", required),
                      field<&SubTaskListQuery::offset>("offset"), field<&SubTaskListQuery::limit>("limit"),
                      field<&SubTaskListQuery::status>("status").one_of(run_statuses)};
  }
};
struct ExecuteBody {
  std::int32_t policy_id = 0;
  static constexpr auto fields() { return std::array{field<&ExecuteBody::policy_id>("policy_id", required)}; }
};
struct Task {
  std::int32_t id = 0;
  std::int32_t execution_id = 0;
  std::string resource_type;
  std::string src_resource;
  std::string dst_resource;
  std::string operation;
  std::string job_id;
  std::string status;
  std::int32_t revision = 0;
  std::string start_time;
  std::string end_time;
  static constexpr auto fields() {
    return std::array{field<&Task::id>("id"),
                      field<&Task::execution_id>("execution_id"),
                      field<&Task::resource_type>("resource_type"),
                      field<&Task::src_resource>("src_resource"),
                      field<&Task::dst_resource>("dst_resource"),
                      field<&Task::operation>("operation"),
                      field<&Task::job_id>("job_id"),
                      field<&Task::status>("status"),
                      field<&Task::revision>("StatusRevision"),
                      field<&Task::start_time>("start_time"),
                      field<&Task::end_time>("end_time")};
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
  std::int32_t id = 0;
  std::string job_id;
  std::string namespace_name;
  std::string repository;
  std::string tag;
  std::string digest;
  std::string status;
  std::string status_text;
  std::string start_time;
  std::string end_time;
  static constexpr auto fields() {
    return std::array{field<&SubTask::id>("id"),
                      field<&SubTask::job_id>("job_id"),
                      field<&SubTask::namespace_name>("namespace"),
                      field<&SubTask::repository>("repository"),
                      field<&SubTask::tag>("tag"),
                      field<&SubTask::digest>("digest"),
                      field<&SubTask::status>("status"),
                      field<&SubTask::status_text>("status_text"),
                      field<&SubTask::start_time>("start_time"),
                      field<&SubTask::end_time>("end_time")};
  }
};
struct SubTaskList {
  std::vector<SubTask> sub_tasks;
  std::int32_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&SubTaskList::sub_tasks>("sub_tasks"), field<&SubTaskList::total>("total")};
  }
};

std::string_view status_of(sync::State state) {
  switch (state) {
    case sync::State::pending:
      return "Pending";
    case sync::State::running:
      return "InProgress";
    case sync::State::succeeded:
      return "Succeed";
    case sync::State::failed:
      return "Failed";
    case sync::State::canceled:
      return "Stopped";
  }
  return "Failed";
}

std::optional<sync::State> parse_status(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  if (*text == "Initialized") return sync::State::pending;
  for (auto state : {sync::State::pending, sync::State::running, sync::State::succeeded, sync::State::failed,
                     sync::State::canceled}) {
    if (status_of(state) == *text) return state;
  }
  return std::nullopt;
}

Execution to_wire(const sync::Execution& from) {
  return {narrow(from.id),
          narrow(from.rule_id),
          std::string(status_of(from.state)),
          from.text,
          narrow(from.total),
          narrow(from.failed),
          narrow(from.succeeded),
          narrow(from.running),
          narrow(from.canceled),
          std::string(trigger_of(from.cause)),
          rfc3339(from.created_at),
          rfc3339(from.ended_at ? from.ended_at : from.created_at)};
}

Task to_wire(const sync::Group& group) {
  return {narrow(group.id),
          narrow(group.execution_id),
          "image",
          group.source,
          group.target,
          "copy",
          group.job_id,
          std::string(status_of(group.state)),
          narrow(group.revision),
          rfc3339(group.created_at),
          time_text(group.ended_at)};
}

SubTask to_wire(const sync::Task& task) {
  return {narrow(task.id),
          task.job_id,
          task.from.namespace_name,
          task.from.repository,
          task.from.tag,
          task.digest,
          std::string(status_of(task.state)),
          task.text,
          rfc3339(task.created_at),
          time_text(task.ended_at)};
}

Result<IdReply> execute_policy(Call& call, const NoQuery&, const ExecuteBody& body) {
  TRY(auto started, op::invoke<sync::ops::ExecuteRule>(call.rooms.sync, call.context,
                                                       {.id = body.policy_id, .public_id = {}}));
  return IdReply{narrow(started.execution_id)};
}

Result<ExecutionList> list_executions(Call& call, const ExecutionListQuery& query, const NoBody&) {
  TRY(auto slice, swr_page(query.offset, query.limit));
  TRY(auto page, op::invoke<sync::ops::ListExecutions>(call.rooms.sync, call.context,
                                                       {query.policy_id.value_or(0), slice}));
  ExecutionList list;
  for (const auto& execution : page.items) list.executions.push_back(to_wire(execution));
  list.total = narrow(page.total);
  return list;
}

Result<Execution> show_execution(Call& call, const ExecutionPath& path, const NoBody&) {
  TRY(auto execution,
      op::invoke<sync::ops::GetExecution>(call.rooms.sync, call.context, {path.execution_id}));
  return to_wire(execution);
}

Result<Empty> stop_execution(Call& call, const ExecutionPath& path, const NoBody&) {
  TRY_STATUS(op::invoke<sync::ops::StopExecution>(call.rooms.sync, call.context, {path.execution_id}));
  return Empty{};
}

Result<TaskList> list_tasks(Call& call, const TaskListQuery& query, const NoBody&) {
  TRY(auto slice, swr_page(query.offset, query.limit));
  TRY(auto page,
      op::invoke<sync::ops::ListGroups>(call.rooms.sync, call.context, {query.execution_id, slice}));
  TaskList list;
  for (const auto& group : page.items) list.tasks.push_back(to_wire(group));
  list.total = narrow(page.total);
  return list;
}

Result<SubTaskList> list_sub_tasks(Call& call, const SubTaskListQuery& query, const NoBody&) {
  TRY(auto slice, swr_page(query.offset, query.limit));
  TRY(auto page, op::invoke<sync::ops::ListGroupTasks>(
                     call.rooms.sync, call.context,
                     {query.execution_id, query.task_id, parse_status(query.status), slice}));
  SubTaskList list;
  for (const auto& task : page.items) list.sub_tasks.push_back(to_wire(task));
  list.total = narrow(page.total);
  return list;
}

}  // namespace

std::span<const Route> replication_execution_routes() {
  static constexpr std::array table{
      route<&execute_policy>("POST", "/v2/{project_id}/instances/{instance_id}/replication/executions", 201),
      route<&list_executions>("GET", "/v2/{project_id}/instances/{instance_id}/replication/executions"),
      route<&show_execution>(
          "GET", "/v2/{project_id}/instances/{instance_id}/replication/executions/{execution_id}"),
      route<&stop_execution>(
          "PUT", "/v2/{project_id}/instances/{instance_id}/replication/executions/{execution_id}"),
      route<&list_tasks>(
          "GET", "/v2/{project_id}/instances/{instance_id}/replication/executions/{execution_id}/tasks"),
      route<&list_sub_tasks>(
          "GET",
          "/v2/{project_id}/instances/{instance_id}/replication/executions/{execution_id}/tasks/"
          "{task_id}/subtasks"),
  };
  return table;
}

}  // namespace wharfage::huawei
