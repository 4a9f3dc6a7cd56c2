// HSS: connected registries, which are our connections.
#include <boost/json.hpp>

#include "connect/ops/connections.h"
#include "facade/huawei/fields.h"
#include "facade/huawei/hss.h"
#include "facade/huawei/route.h"

namespace wharfage::huawei {
namespace {

using wire::field;
using wire::required;

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
  info.api_version = remembered(connection.vendor.hss, "api_version").value_or("V2");
  info.protocol = scheme_of(connection);
  info.registry_addr = address_of(call, connection);
  info.registry_username = connection.username;
  info.namespace_name = remembered(connection.vendor.hss, "namespace");
  info.connect_cluster_id = remembered(connection.vendor.hss, "connect_cluster_id");
  info.get_scan_image_channel = remembered(connection.vendor.hss, "get_scan_image_channel");
  info.status = connection.status;
  if (connection.status == "fail") info.fail_reason = "REQUEST_API_ERROR";
  info.images_num = narrow(connection.image_count);
  if (connection.synced_at) info.latest_sync_time = connection.synced_at;
  return info;
}

Result<Empty> add_registry(Call& call, const EnterpriseQuery&, const AddRegistryBody& body) {
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
  TRY_STATUS(op::invoke<connect::ops::CreateConnection>(call.rooms.connections, call.context, wanted));
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
  TRY_STATUS(op::invoke<connect::ops::UpdateConnection>(call.rooms.connections, call.context, {key, change}));
  return Empty{};
}

Result<Empty> delete_connections(Call& call, const std::vector<std::string>& ids) {
  connect::ops::DeleteConnections::Request request;
  for (const auto& id : ids) request.keys.push_back({.id = 0, .uuid = id});
  TRY_STATUS(op::invoke<connect::ops::DeleteConnections>(call.rooms.connections, call.context, request));
  return Empty{};
}

Result<Empty> delete_registry(Call& call, const RegistryPath& path, const NoBody&) {
  return delete_connections(call, {path.id});
}

Result<Empty> batch_delete_registries(Call& call, const EnterpriseQuery&, const BatchDeleteBody& body) {
  return delete_connections(call, body.ids);
}

}  // namespace

std::span<const Route> hss_registry_routes() {
  static constexpr std::array table{
      route<&batch_delete_registries>("POST", "/v5/{project_id}/image/registries/batch-delete").of(hss),
      route<&add_registry>("POST", "/v5/{project_id}/image/registries").of(hss),
      route<&list_registries>("GET", "/v5/{project_id}/image/registries").of(hss),
      route<&update_registry>("PUT", "/v5/{project_id}/image/registries/{id}").of(hss),
      route<&delete_registry>("DELETE", "/v5/{project_id}/image/registries/{id}").of(hss),
  };
  return table;
}

}  // namespace wharfage::huawei
