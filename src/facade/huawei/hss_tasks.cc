// HSS: synchronisation tasks and their registries.
#include "facade/huawei/fields.h"
#include "facade/huawei/hss.h"
#include "facade/huawei/route.h"
#include "inventory/ops/inventory.h"

namespace wharfage::huawei {
namespace {

using wire::field;
using wire::required;

struct SyncTaskTarget {
  std::optional<std::string> registry_id;
  std::optional<std::string> registry_type;
  static constexpr auto fields() {
    return std::array{field<&SyncTaskTarget::registry_id>("registry_id"),
                      field<&SyncTaskTarget::registry_type>("registry_type")};
  }
};
struct SyncTaskBody {
  bool sync_all_registries = false;
  std::vector<SyncTaskTarget> registry_info;
  static constexpr auto fields() {
    return std::array{field<&SyncTaskBody::sync_all_registries>("sync_all_registries", required),
                      field<&SyncTaskBody::registry_info>("registry_info")};
  }
};
struct TaskRegistriesQuery {
  std::string task_id;
  std::optional<std::string> enterprise_project_id;
  std::optional<std::string> registry_name;
  std::optional<std::string> registry_type;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  std::optional<std::string> sync_status;
  static constexpr auto fields() {
    return std::array{
        field<&TaskRegistriesQuery::task_id>("task_id", required).range(1, 64),
        field<&TaskRegistriesQuery::enterprise_project_id>("enterprise_project_id").range(1, 256),
        field<&TaskRegistriesQuery::registry_name>("registry_name").range(1, 128),
        field<&TaskRegistriesQuery::registry_type>("registry_type"),
        field<&TaskRegistriesQuery::offset>("offset"),
        field<&TaskRegistriesQuery::limit>("limit"),
        field<&TaskRegistriesQuery::sync_status>("sync_status").one_of("finished|running|failed")};
  }
};
struct TaskListQuery {
  std::optional<std::string> enterprise_project_id;
  std::string type;
  std::optional<std::string> task_type;
  std::optional<std::string> task_id;
  std::optional<std::string> task_name;
  std::optional<std::int64_t> create_time;
  std::optional<std::int64_t> end_time;
  std::optional<std::string> task_status;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{
        field<&TaskListQuery::enterprise_project_id>("enterprise_project_id").range(1, 256),
        field<&TaskListQuery::type>("type", required).one_of("image_sync|image_scan"),
        field<&TaskListQuery::task_type>("task_type").one_of("cycle|manual|autoSync|manualSync"),
        field<&TaskListQuery::task_id>("task_id"),
        field<&TaskListQuery::task_name>("task_name"),
        field<&TaskListQuery::create_time>("create_time"),
        field<&TaskListQuery::end_time>("end_time"),
        field<&TaskListQuery::task_status>("task_status").one_of("scanning|finished"),
        field<&TaskListQuery::offset>("offset"),
        field<&TaskListQuery::limit>("limit")};
  }
};
struct TaskRegistry {
  std::string registry_id;
  std::string registry_name;
  std::string registry_type;
  std::string sync_status;
  std::optional<std::string> failed_reason;
  static constexpr auto fields() {
    return std::array{field<&TaskRegistry::registry_id>("registry_id"),
                      field<&TaskRegistry::registry_name>("registry_name"),
                      field<&TaskRegistry::registry_type>("registry_type"),
                      field<&TaskRegistry::sync_status>("sync_status"),
                      field<&TaskRegistry::failed_reason>("failed_reason")};
  }
};
struct TaskRegistryList {
  std::int32_t total_num = 0;
  std::vector<TaskRegistry> data_list;
  static constexpr auto fields() {
    return std::array{field<&TaskRegistryList::total_num>("total_num"),
                      field<&TaskRegistryList::data_list>("data_list")};
  }
};
struct TaskInfo {
  std::string task_id;
  std::string task_name;
  std::int64_t begin_time = 0;
  std::optional<std::int64_t> end_time;
  std::string task_type;
  std::string image_type;
  std::int32_t task_status = 0;
  bool is_all = false;
  std::int32_t failed_num = 0;
  std::int32_t success_num = 0;
  std::int32_t total_num = 0;
  std::string sync_task_type;
  static constexpr auto fields() {
    return std::array{
        field<&TaskInfo::task_id>("task_id"),         field<&TaskInfo::task_name>("task_name"),
        field<&TaskInfo::begin_time>("begin_time"),   field<&TaskInfo::end_time>("end_time"),
        field<&TaskInfo::task_type>("task_type"),     field<&TaskInfo::image_type>("image_type"),
        field<&TaskInfo::task_status>("task_status"), field<&TaskInfo::is_all>("is_all"),
        field<&TaskInfo::failed_num>("failed_num"),   field<&TaskInfo::success_num>("success_num"),
        field<&TaskInfo::total_num>("total_num"),     field<&TaskInfo::sync_task_type>("sync_task_type")};
  }
};
struct TaskList {
  std::int32_t total_num = 0;
  std::vector<TaskInfo> data_list;
  static constexpr auto fields() {
    return std::array{field<&TaskList::total_num>("total_num"), field<&TaskList::data_list>("data_list")};
  }
};

TaskInfo to_wire(const inventory::Task& task) {
  bool manual = task.type == "manual";
  TaskInfo info;
  info.task_id = task.id;
  info.task_name = (manual ? "manual-" : "cycle-") + basic_iso8601(task.created_at);
  info.begin_time = task.created_at;
  if (!task.running()) info.end_time = task.ended_at;
  info.task_type = task.type;
  info.image_type = "registry";
  info.task_status = task.progress();
  info.is_all = task.all;
  info.failed_num = narrow(task.failed);
  info.success_num = narrow(task.finished);
  info.total_num = narrow(task.total);
  info.sync_task_type = manual ? "manualSync" : "autoSync";
  return info;
}

Result<Empty> create_sync_task(Call& call, const EnterpriseQuery&, const SyncTaskBody& body) {
  inventory::NewTask wanted;
  wanted.all = body.sync_all_registries;
  for (const auto& target : body.registry_info) {
    if (target.registry_id) wanted.uuids.push_back(*target.registry_id);
    if (target.registry_id || !target.registry_type) continue;
    TRY(auto kinds, kinds_of(target.registry_type));
    wanted.kinds.insert(wanted.kinds.end(), kinds.begin(), kinds.end());
  }
  TRY_STATUS(op::invoke<inventory::ops::CreateTask>(call.rooms.inventory, call.context, wanted));
  return Empty{};
}

Result<TaskRegistryList> list_task_registries(Call& call, const TaskRegistriesQuery& query, const NoBody&) {
  TRY(auto slice, hss_page(query.offset, query.limit));
  inventory::RegistryFilter filter;
  filter.name_contains = query.registry_name.value_or("");
  TRY(filter.kinds, kinds_of(query.registry_type));
  if (query.sync_status) filter.state = inventory::parse_state(*query.sync_status);
  TRY(auto page, op::invoke<inventory::ops::ListTaskRegistries>(call.rooms.inventory, call.context,
                                                                {query.task_id, filter, slice}));
  TaskRegistryList list;
  list.total_num = narrow(page.total);
  for (const auto& row : page.items) {
    std::optional<std::string> reason;
    if (row.state == inventory::RowState::failed) reason = row.failed_reason;
    list.data_list.push_back({row.connection_uuid, row.name, std::string(connect::hss_type(row.kind)),
                              std::string(inventory::state_name(row.state)), reason});
  }
  return list;
}

Result<TaskList> list_tasks(Call& call, const TaskListQuery& query, const NoBody&) {
  TRY(auto slice, hss_page(query.offset, query.limit));
  TaskList list;
  if (query.type == "image_scan") return list;  // scans are Alibaba's and SWR's here: HSS has started none
  inventory::TaskFilter filter;
  filter.task_id = query.task_id.value_or("");
  std::string type = query.task_type.value_or("");
  filter.type = type == "manualSync" ? "manual" : type == "autoSync" ? "cycle" : type;
  if (query.task_status) filter.running = *query.task_status == "scanning";
  filter.from = query.create_time.value_or(0);
  filter.until = query.end_time.value_or(0);
  TRY(auto page, op::invoke<inventory::ops::ListTasks>(call.rooms.inventory, call.context, {filter, slice}));
  list.total_num = narrow(page.total);
  for (const auto& task : page.items) list.data_list.push_back(to_wire(task));
  return list;
}

}  // namespace

std::span<const Route> hss_task_routes() {
  static constexpr std::array table{
      route<&create_sync_task>("POST", "/v5/{project_id}/image/image-sync/tasks").of(hss),
      route<&list_task_registries>("GET", "/v5/{project_id}/image/image-sync/tasks/{task_id}/registries")
          .of(hss),
      route<&list_tasks>("GET", "/v5/{project_id}/image/tasks").of(hss),
  };
  return table;
}

}  // namespace wharfage::huawei
