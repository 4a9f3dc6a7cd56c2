// HSS image security: connected registries, their images, and image synchronisation (what we call inventory:
// only metadata is collected). Times are milliseconds since the epoch, lists are {total_num, data_list}.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "connect/ops/connections.h"
#include "facade/huawei/fields.h"
#include "facade/huawei/route.h"
#include "inventory/ops/inventory.h"

namespace wharfage::huawei {
namespace {

using wire::field;
using wire::required;

constexpr std::string_view registry_types = "Harbor|Jfrog|SwrPrivate|SwrShared|SwrEnterprise|Other";

// ---- requests

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
struct ProjectQuery {
  std::optional<std::string> enterprise_project_id;
  static constexpr auto fields() {
    return std::array{field<&ProjectQuery::enterprise_project_id>("enterprise_project_id").range(1, 256)};
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
struct AddRegistryBody {
  std::string registry_name;
  std::string registry_type;
  std::string api_version;
  std::string protocol;
  std::string registry_addr;
  std::string registry_username;
  std::string registry_password;
  std::optional<std::string> namespace_name;
  std::string connect_cluster_id;
  std::string get_scan_image_channel;
  static constexpr auto fields() {
    return std::array{
        field<&AddRegistryBody::registry_name>("registry_name", required).range(1, 128),
        field<&AddRegistryBody::registry_type>("registry_type", required).one_of("Harbor|Jfrog"),
        field<&AddRegistryBody::api_version>("api_version", required).one_of("V1|V2"),
        field<&AddRegistryBody::protocol>("protocol", required).one_of("http|https"),
        field<&AddRegistryBody::registry_addr>("registry_addr", required).range(1, 256),
        field<&AddRegistryBody::registry_username>("registry_username", required).range(1, 128),
        field<&AddRegistryBody::registry_password>("registry_password", required).range(1, 128),
        field<&AddRegistryBody::namespace_name>("namespace").range(1, 128),
        field<&AddRegistryBody::connect_cluster_id>("connect_cluster_id", required).range(1, 64),
        field<&AddRegistryBody::get_scan_image_channel>("get_scan_image_channel", required)
            .one_of("Swr|Other")};
  }
};
struct UpdateRegistryBody {
  std::optional<std::string> api_version;
  std::optional<std::string> protocol;
  std::optional<std::string> registry_addr;
  std::optional<std::string> registry_username;
  std::optional<std::string> registry_password;
  std::optional<std::string> namespace_name;
  std::optional<std::string> connect_cluster_id;
  std::optional<std::string> get_scan_image_channel;
  static constexpr auto fields() {
    return std::array{
        field<&UpdateRegistryBody::api_version>("api_version").one_of("V1|V2"),
        field<&UpdateRegistryBody::protocol>("protocol").one_of("http|https"),
        field<&UpdateRegistryBody::registry_addr>("registry_addr").range(1, 256),
        field<&UpdateRegistryBody::registry_username>("registry_username").range(1, 128),
        field<&UpdateRegistryBody::registry_password>("registry_password").range(1, 128),
        field<&UpdateRegistryBody::namespace_name>("namespace").range(1, 128),
        field<&UpdateRegistryBody::connect_cluster_id>("connect_cluster_id").range(1, 64),
        field<&UpdateRegistryBody::get_scan_image_channel>("get_scan_image_channel").one_of("Swr|Other")};
  }
};
struct RegistryPath {
  std::string id;
  std::optional<std::string> enterprise_project_id;
  static constexpr auto fields() {
    return std::array{field<&RegistryPath::id>("id", required).range(1, 64),
                      field<&RegistryPath::enterprise_project_id>("enterprise_project_id").range(1, 256)};
  }
};
struct BatchDeleteBody {
  std::vector<std::string> ids;
  static constexpr auto fields() { return std::array{field<&BatchDeleteBody::ids>("ids", required)}; }
};
struct RegistryListQuery {
  std::optional<std::string> enterprise_project_id;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  std::optional<std::string> registry_name;
  std::optional<std::string> registry_id;
  std::optional<std::string> registry_type;
  std::optional<std::string> registry_addr;
  std::optional<std::string> status;
  static constexpr auto fields() {
    return std::array{field<&RegistryListQuery::enterprise_project_id>("enterprise_project_id").range(1, 256),
                      field<&RegistryListQuery::offset>("offset"),
                      field<&RegistryListQuery::limit>("limit"),
                      field<&RegistryListQuery::registry_name>("registry_name").range(1, 128),
                      field<&RegistryListQuery::registry_id>("registry_id").range(1, 64),
                      field<&RegistryListQuery::registry_type>("registry_type"),
                      field<&RegistryListQuery::registry_addr>("registry_addr").range(1, 256),
                      field<&RegistryListQuery::status>("status").one_of("success|fail|accessing")};
  }
};
struct ImageListQuery {
  std::optional<std::string> enterprise_project_id;
  std::optional<std::string> namespace_name;
  std::optional<std::string> image_name;
  std::optional<std::string> image_version;
  std::optional<std::string> registry_name;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  std::optional<std::string> image_type;
  std::optional<bool> latest_version;
  std::optional<std::int64_t> image_size;
  std::optional<std::int64_t> start_latest_update_time;
  std::optional<std::int64_t> end_latest_update_time;
  std::optional<std::int64_t> start_latest_sync_time;
  std::optional<std::int64_t> end_latest_sync_time;
  std::optional<bool> is_multarch;
  static constexpr auto fields() {
    return std::array{field<&ImageListQuery::enterprise_project_id>("enterprise_project_id").range(1, 256),
                      field<&ImageListQuery::namespace_name>("namespace").range(1, 128),
                      field<&ImageListQuery::image_name>("image_name").range(1, 128),
                      field<&ImageListQuery::image_version>("image_version").range(1, 64),
                      field<&ImageListQuery::registry_name>("registry_name").range(1, 128),
                      field<&ImageListQuery::offset>("offset"),
                      field<&ImageListQuery::limit>("limit"),
                      field<&ImageListQuery::image_type>("image_type")
                          .one_of("private_image|shared_image|instance_image|harbor|jfrog"),
                      field<&ImageListQuery::latest_version>("latest_version"),
                      field<&ImageListQuery::image_size>("image_size"),
                      field<&ImageListQuery::start_latest_update_time>("start_latest_update_time"),
                      field<&ImageListQuery::end_latest_update_time>("end_latest_update_time"),
                      field<&ImageListQuery::start_latest_sync_time>("start_latest_sync_time"),
                      field<&ImageListQuery::end_latest_sync_time>("end_latest_sync_time"),
                      field<&ImageListQuery::is_multarch>("is_multarch")};
  }
};

// ---- replies

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
struct RegistryInfo {
  std::string id;
  std::string registry_name;
  std::string registry_type;
  std::string api_version;
  std::string protocol;
  std::string registry_addr;
  std::string registry_username;
  std::optional<std::string> namespace_name;
  std::optional<std::string> connect_cluster_id;
  std::optional<std::string> get_scan_image_channel;
  std::string status;
  std::optional<std::string> fail_reason;
  std::int32_t images_num = 0;
  std::optional<std::int64_t> latest_sync_time;
  static constexpr auto fields() {
    return std::array{field<&RegistryInfo::id>("id"),
                      field<&RegistryInfo::registry_name>("registry_name"),
                      field<&RegistryInfo::registry_type>("registry_type"),
                      field<&RegistryInfo::api_version>("api_version"),
                      field<&RegistryInfo::protocol>("protocol"),
                      field<&RegistryInfo::registry_addr>("registry_addr"),
                      field<&RegistryInfo::registry_username>("registry_username"),
                      field<&RegistryInfo::namespace_name>("namespace"),
                      field<&RegistryInfo::connect_cluster_id>("connect_cluster_id"),
                      field<&RegistryInfo::get_scan_image_channel>("get_scan_image_channel"),
                      field<&RegistryInfo::status>("status"),
                      field<&RegistryInfo::fail_reason>("fail_reason"),
                      field<&RegistryInfo::images_num>("images_num"),
                      field<&RegistryInfo::latest_sync_time>("latest_sync_time")};
  }
};
struct RegistryList {
  std::int32_t total_num = 0;
  std::vector<RegistryInfo> data_list;
  static constexpr auto fields() {
    return std::array{field<&RegistryList::total_num>("total_num"),
                      field<&RegistryList::data_list>("data_list")};
  }
};
struct ImageInfo {
  std::int64_t id = 0;
  std::string namespace_name;
  std::string image_name;
  std::string image_digest;
  std::string image_version;
  std::string image_type;
  std::string registry_id;
  std::string registry_name;
  std::string registry_type;
  std::string scan_status;
  std::int64_t image_size = 0;
  std::int64_t latest_update_time = 0;
  std::int64_t latest_sync_time = 0;
  bool is_multiple_arch = false;
  static constexpr auto fields() {
    return std::array{field<&ImageInfo::id>("id"),
                      field<&ImageInfo::namespace_name>("namespace"),
                      field<&ImageInfo::image_name>("image_name"),
                      field<&ImageInfo::image_digest>("image_digest"),
                      field<&ImageInfo::image_version>("image_version"),
                      field<&ImageInfo::image_type>("image_type"),
                      field<&ImageInfo::registry_id>("registry_id"),
                      field<&ImageInfo::registry_name>("registry_name"),
                      field<&ImageInfo::registry_type>("registry_type"),
                      field<&ImageInfo::scan_status>("scan_status"),
                      field<&ImageInfo::image_size>("image_size"),
                      field<&ImageInfo::latest_update_time>("latest_update_time"),
                      field<&ImageInfo::latest_sync_time>("latest_sync_time"),
                      field<&ImageInfo::is_multiple_arch>("is_multiple_arch")};
  }
};
struct ImageList {
  std::int32_t total_num = 0;
  std::vector<ImageInfo> data_list;
  static constexpr auto fields() {
    return std::array{field<&ImageList::total_num>("total_num"), field<&ImageList::data_list>("data_list")};
  }
};

// ---- between wire and domain

// A comma list of registry types. Error: invalid_parameter.
Result<std::vector<connect::Kind>> kinds_of(const std::optional<std::string>& list) {
  std::vector<connect::Kind> kinds;
  if (!list) return kinds;
  for (std::string_view name : split(*list, ',')) {
    auto kind = connect::parse_hss_type(trim(name));
    if (!kind) {
      return fail(Reason::invalid_parameter, fmt::format("registry_type must be one of {}", registry_types),
                  "registry_type");
    }
    kinds.push_back(*kind);
    if (*kind == connect::Kind::swr_enterprise) kinds.push_back(connect::Kind::own);
    if (*kind != connect::Kind::oci) continue;
    for (auto other : {connect::Kind::acr, connect::Kind::quay, connect::Kind::cicd}) kinds.push_back(other);
  }
  return kinds;
}

// What HSS wants back as it was given lies in the connection's vendor JSON.
std::optional<std::string> remembered(const connect::Connection& connection, std::string_view name) {
  boost::json::error_code error;
  auto value = boost::json::parse(connection.vendor.hss, error);
  auto* member = !error && value.is_object() ? value.get_object().if_contains(name) : nullptr;
  if (!member || !member->is_string()) return std::nullopt;
  return std::string(member->get_string());
}

void remember(boost::json::object& vendor, std::string_view name, const std::optional<std::string>& value) {
  if (value) vendor[name] = *value;
}

std::string scheme_of(const connect::Connection& connection) {
  return connection.url.rfind("https:", 0) == 0 || connection.url.empty() ? "https" : "http";
}

std::string address_of(const Call& call, const connect::Connection& connection) {
  if (connection.own()) return std::string(call.request.headers.get("Host"));
  auto slashes = connection.url.find("//");
  return slashes == std::string::npos ? connection.url : connection.url.substr(slashes + 2);
}

RegistryInfo to_wire(const Call& call, const connect::Connection& connection) {
  RegistryInfo info;
  info.id = connection.uuid;
  info.registry_name = connection.name;
  info.registry_type = connect::hss_type(connection.kind);
  info.api_version = remembered(connection, "api_version").value_or("V2");
  info.protocol = scheme_of(connection);
  info.registry_addr = address_of(call, connection);
  info.registry_username = connection.username;
  info.namespace_name = remembered(connection, "namespace");
  info.connect_cluster_id = remembered(connection, "connect_cluster_id");
  info.get_scan_image_channel = remembered(connection, "get_scan_image_channel");
  info.status = connection.status;
  if (connection.status == "fail") info.fail_reason = "REQUEST_API_ERROR";
  info.images_num = narrow(connection.image_count);
  if (connection.synced_at) info.latest_sync_time = connection.synced_at;
  return info;
}

ImageInfo to_wire(const inventory::Image& image) {
  ImageInfo info;
  info.id = image.id;
  info.namespace_name = image.namespace_name;
  info.image_name = image.name;
  info.image_digest = image.digest;
  info.image_version = image.tag;
  info.image_type = connect::hss_image_type(image.kind);
  info.registry_id = image.connection_uuid;
  info.registry_name = image.connection_name;
  info.registry_type = connect::hss_type(image.kind);
  info.scan_status = "unscan";
  info.image_size = image.size;
  info.latest_update_time = image.updated_at;
  info.latest_sync_time = image.synced_at;
  info.is_multiple_arch = image.multi_arch;
  return info;
}

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

// ---- endpoints

Result<Empty> create_sync_task(Call& call, const ProjectQuery&, const SyncTaskBody& body) {
  inventory::NewTask wanted;
  wanted.all = body.sync_all_registries;
  for (const auto& target : body.registry_info) {
    if (target.registry_id) wanted.uuids.push_back(*target.registry_id);
    if (target.registry_id || !target.registry_type) continue;
    TRY(auto kinds, kinds_of(target.registry_type));
    wanted.kinds.insert(wanted.kinds.end(), kinds.begin(), kinds.end());
  }
  TRY(auto task, op::invoke<inventory::ops::CreateTask>(call.rooms.inventory, call.context, wanted));
  (void)task;
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

Result<Empty> add_registry(Call& call, const ProjectQuery&, const AddRegistryBody& body) {
  boost::json::object vendor{{"api_version", body.api_version},
                             {"connect_cluster_id", body.connect_cluster_id},
                             {"get_scan_image_channel", body.get_scan_image_channel}};
  remember(vendor, "namespace", body.namespace_name);
  connect::NewConnection wanted;
  wanted.name = body.registry_name;
  wanted.kind = connect::parse_hss_type(body.registry_type).value_or(connect::Kind::oci);
  wanted.url = body.protocol + "://" + body.registry_addr;
  wanted.username = body.registry_username;
  wanted.password = body.registry_password;
  wanted.vendor.hss = boost::json::serialize(vendor);
  TRY(auto made, op::invoke<connect::ops::CreateConnection>(call.rooms.connections, call.context, wanted));
  (void)made;
  return Empty{};
}

Result<RegistryList> list_registries(Call& call, const RegistryListQuery& query, const NoBody&) {
  TRY(auto slice, hss_page(query.offset, query.limit));
  connect::Filter filter;
  filter.name_contains = query.registry_name.value_or("");
  filter.address_contains = query.registry_addr.value_or("");
  filter.uuid = query.registry_id.value_or("");
  filter.status = query.status.value_or("");
  TRY(filter.kinds, kinds_of(query.registry_type));
  TRY(auto page,
      op::invoke<connect::ops::ListConnections>(call.rooms.connections, call.context, {filter, slice}));
  RegistryList list;
  list.total_num = narrow(page.total);
  for (const auto& connection : page.items) list.data_list.push_back(to_wire(call, connection));
  return list;
}

Result<Empty> update_registry(Call& call, const RegistryPath& path, const UpdateRegistryBody& body) {
  connect::ops::Key key{.id = 0, .uuid = path.id};
  TRY(auto current, op::invoke<connect::ops::GetConnection>(call.rooms.connections, call.context, key));
  connect::Change change;
  if (body.protocol || body.registry_addr) {
    change.url = body.protocol.value_or(scheme_of(current)) + "://" +
                 body.registry_addr.value_or(address_of(call, current));
  }
  change.username = body.registry_username;
  change.password = body.registry_password;
  boost::json::error_code error;
  auto parsed = boost::json::parse(current.vendor.hss, error);
  boost::json::object vendor = !error && parsed.is_object() ? parsed.get_object() : boost::json::object();
  remember(vendor, "api_version", body.api_version);
  remember(vendor, "namespace", body.namespace_name);
  remember(vendor, "connect_cluster_id", body.connect_cluster_id);
  remember(vendor, "get_scan_image_channel", body.get_scan_image_channel);
  change.hss = boost::json::serialize(vendor);
  TRY(auto updated,
      op::invoke<connect::ops::UpdateConnection>(call.rooms.connections, call.context, {key, change}));
  (void)updated;
  return Empty{};
}

Result<Empty> delete_connections(Call& call, const std::vector<std::string>& ids) {
  connect::ops::DeleteConnections::Request request;
  for (const auto& id : ids) request.keys.push_back({.id = 0, .uuid = id});
  TRY(auto deleted,
      op::invoke<connect::ops::DeleteConnections>(call.rooms.connections, call.context, request));
  (void)deleted;
  return Empty{};
}

Result<Empty> delete_registry(Call& call, const RegistryPath& path, const NoBody&) {
  return delete_connections(call, {path.id});
}

Result<Empty> batch_delete_registries(Call& call, const ProjectQuery&, const BatchDeleteBody& body) {
  return delete_connections(call, body.ids);
}

Result<ImageList> list_images(Call& call, const ImageListQuery& query, const NoBody&) {
  TRY(auto slice, hss_page(query.offset, query.limit, 1));
  inventory::ImageFilter filter;
  filter.namespace_contains = query.namespace_name.value_or("");
  filter.name_contains = query.image_name.value_or("");
  filter.tag_contains = query.image_version.value_or("");
  filter.registry_name_contains = query.registry_name.value_or("");
  filter.multi_arch = query.is_multarch;
  filter.newest_version_only = query.latest_version.value_or(false);
  filter.size_at_most = query.image_size.value_or(0);
  filter.updated_from = query.start_latest_update_time.value_or(0);
  filter.updated_until = query.end_latest_update_time.value_or(0);
  filter.synced_from = query.start_latest_sync_time.value_or(0);
  filter.synced_until = query.end_latest_sync_time.value_or(0);
  for (auto kind : {connect::Kind::own, connect::Kind::harbor, connect::Kind::jfrog,
                    connect::Kind::swr_private, connect::Kind::swr_shared, connect::Kind::swr_enterprise}) {
    if (query.image_type && connect::hss_image_type(kind) == *query.image_type) filter.kinds.push_back(kind);
  }
  TRY(auto page, op::invoke<inventory::ops::ListImages>(call.rooms.inventory, call.context, {filter, slice}));
  ImageList list;
  list.total_num = narrow(page.total);
  for (const auto& image : page.items) list.data_list.push_back(to_wire(image));
  return list;
}

}  // namespace

std::span<const Route> hss_routes() {
  static constexpr std::array table{
      route<&create_sync_task>("POST", "/v5/{project_id}/image/image-sync/tasks").of(hss),
      route<&list_task_registries>("GET", "/v5/{project_id}/image/image-sync/tasks/{task_id}/registries")
          .of(hss),
      route<&list_tasks>("GET", "/v5/{project_id}/image/tasks").of(hss),
      route<&list_images>("GET", "/v5/{project_id}/image/registries/images").of(hss),
      route<&batch_delete_registries>("POST", "/v5/{project_id}/image/registries/batch-delete").of(hss),
      route<&add_registry>("POST", "/v5/{project_id}/image/registries").of(hss),
      route<&list_registries>("GET", "/v5/{project_id}/image/registries").of(hss),
      route<&update_registry>("PUT", "/v5/{project_id}/image/registries/{id}").of(hss),
      route<&delete_registry>("DELETE", "/v5/{project_id}/image/registries/{id}").of(hss),
  };
  return table;
}

}  // namespace wharfage::huawei
