// SWR enterprise replication: registries, which are our connections.
#include <boost/json.hpp>

#include "connect/ops/connections.h"
#include "facade/huawei/fields.h"
#include "facade/huawei/route.h"

namespace wharfage::huawei {
namespace {

using wire::field;
using wire::required;

struct RegistryPath {
  std::int32_t registry_id = 0;
  static constexpr auto fields() {
    return std::array{field<&RegistryPath::registry_id>("registry_id", required)};
  }
};
struct RegistryListQuery {
  std::optional<std::string> order_column;
  std::optional<std::string> order_type;
  std::optional<std::string> name;
  std::optional<std::string> type;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{
        field<&RegistryListQuery::order_column>("order_column").one_of("created_at|updated_at|name"),
        field<&RegistryListQuery::order_type>("order_type").one_of("desc|asc"),
        field<&RegistryListQuery::name>("name"),
        field<&RegistryListQuery::type>("type"),
        field<&RegistryListQuery::offset>("offset"),
        field<&RegistryListQuery::limit>("limit")};
  }
};
struct Credential {
  std::string type;
  std::string access_key;
  std::string access_secret;
  static constexpr auto fields() {
    return std::array{field<&Credential::type>("type", required),
                      field<&Credential::access_key>("access_key", required),
                      field<&Credential::access_secret>("access_secret", required)};
  }
};
struct DnsConf {
  std::map<std::string, std::string> hosts;
  static constexpr auto fields() { return std::array{field<&DnsConf::hosts>("hosts")}; }
};
struct RegistryBody {
  std::string name;
  std::optional<std::string> description;
  std::string type;
  std::optional<std::string> project_id;
  std::optional<std::string> region_id;
  std::optional<std::string> instance_id;
  std::string url;
  Credential credential;
  std::optional<DnsConf> dns_conf;
  bool insecure = false;
  static constexpr auto fields() {
    return std::array{field<&RegistryBody::name>("name", required).range(1, 64),
                      field<&RegistryBody::description>("description"),
                      field<&RegistryBody::type>("type", required),
                      field<&RegistryBody::project_id>("project_id"),
                      field<&RegistryBody::region_id>("region_id"),
                      field<&RegistryBody::instance_id>("instance_id"),
                      field<&RegistryBody::url>("url", required),
                      field<&RegistryBody::credential>("credential", required),
                      field<&RegistryBody::dns_conf>("dns_conf"),
                      field<&RegistryBody::insecure>("insecure", required)};
  }
};
struct Registry {
  std::int32_t id = 0;
  std::string name;
  std::string description;
  std::optional<std::string> region_id;
  std::optional<std::string> instance_id;
  std::string type;
  std::string url;
  Credential credential;
  bool insecure = false;
  std::string status;
  std::string created_at;
  std::string updated_at;
  static constexpr auto fields() {
    return std::array{field<&Registry::id>("id"),
                      field<&Registry::name>("name"),
                      field<&Registry::description>("description"),
                      field<&Registry::region_id>("region_id"),
                      field<&Registry::instance_id>("instance_id"),
                      field<&Registry::type>("type"),
                      field<&Registry::url>("url"),
                      field<&Registry::credential>("credential"),
                      field<&Registry::insecure>("insecure"),
                      field<&Registry::status>("status"),
                      field<&Registry::created_at>("created_at"),
                      field<&Registry::updated_at>("updated_at")};
  }
};
struct RegistryList {
  std::vector<Registry> registries;
  std::int32_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&RegistryList::registries>("registries"), field<&RegistryList::total>("total")};
  }
};

Registry to_wire(const connect::Connection& connection) {
  Registry registry;
  registry.id = narrow(connection.id);
  registry.name = connection.name;
  registry.description = connection.description;
  registry.region_id = remembered(connection.vendor.swr, "region_id");
  registry.instance_id = remembered(connection.vendor.swr, "instance_id");
  registry.type =
      remembered(connection.vendor.swr, "type").value_or(std::string(connect::swr_type(connection.kind)));
  registry.url = connection.url;
  registry.credential = {"basic", connection.username, connection.masked_password()};
  registry.insecure = !connection.verify_tls;
  registry.status = connection.status == "fail" ? "unhealthy" : "healthy";
  registry.created_at = rfc3339(connection.created_at);
  registry.updated_at = rfc3339(connection.updated_at);
  return registry;
}

Result<connect::Kind> kind_of(const RegistryBody& body) {
  auto kind = connect::parse_swr_type(body.type);
  if (!kind)
    return fail(Reason::invalid_parameter, "type must be swr-pro, swr-pro-internal or huawei-SWR", "type");
  if (body.credential.type != "basic")
    return fail(Reason::invalid_parameter, "credential type must be basic", "credential");
  return *kind;
}

std::string vendor_of(const RegistryBody& body) {
  boost::json::object vendor{{"type", body.type}};
  if (body.project_id) vendor["project_id"] = *body.project_id;
  if (body.region_id) vendor["region_id"] = *body.region_id;
  if (body.instance_id) vendor["instance_id"] = *body.instance_id;
  if (body.dns_conf) {
    boost::json::object hosts;
    for (const auto& [name, address] : body.dns_conf->hosts) hosts[name] = address;
    vendor["dns_hosts"] = hosts;
  }
  return boost::json::serialize(vendor);
}

Result<IdReply> create_registry(Call& call, const NoQuery&, const RegistryBody& body) {
  connect::NewConnection wanted;
  TRY(wanted.kind, kind_of(body));
  wanted.name = body.name;
  wanted.description = body.description.value_or("");
  wanted.url = body.url;
  wanted.verify_tls = !body.insecure;
  wanted.username = body.credential.access_key;
  wanted.password = body.credential.access_secret;
  wanted.vendor.swr = vendor_of(body);
  TRY(auto made, op::invoke<connect::ops::CreateConnection>(call.rooms.connections, call.context, wanted));
  return IdReply{narrow(made.id)};
}

Result<RegistryList> list_registries(Call& call, const RegistryListQuery& query, const NoBody&) {
  TRY(auto slice, swr_page(query.offset, query.limit));
  connect::Filter filter;
  filter.name_contains = query.name.value_or("");
  filter.not_kinds = {connect::Kind::own, connect::Kind::cicd};
  std::string column = query.order_column.value_or("");
  filter.order = column == "name"         ? connect::Filter::Order::name
                 : column == "updated_at" ? connect::Filter::Order::updated
                                          : connect::Filter::Order::created;
  filter.descending = query.order_type.value_or("desc") == "desc";
  if (query.type) {
    auto kind = connect::parse_swr_type(*query.type);
    if (!kind) return fail(Reason::invalid_parameter, "there is no such type", "type");
    filter.kinds = {*kind};
  }
  TRY(auto page,
      op::invoke<connect::ops::ListConnections>(call.rooms.connections, call.context, {filter, slice}));
  RegistryList list;
  for (const auto& connection : page.items) list.registries.push_back(to_wire(connection));
  list.total = narrow(page.total);
  return list;
}

Result<Registry> show_registry(Call& call, const RegistryPath& path, const NoBody&) {
  TRY(auto connection, op::invoke<connect::ops::GetConnection>(call.rooms.connections, call.context,
                                                               {.id = path.registry_id, .uuid = {}}));
  return to_wire(connection);
}

Result<Empty> update_registry(Call& call, const RegistryPath& path, const RegistryBody& body) {
  connect::Change change;
  TRY(change.kind, kind_of(body));
  change.name = body.name;
  change.description = body.description;
  change.url = body.url;
  change.verify_tls = !body.insecure;
  change.username = body.credential.access_key;
  change.password = body.credential.access_secret;
  change.swr = vendor_of(body);
  TRY_STATUS(op::invoke<connect::ops::UpdateConnection>(call.rooms.connections, call.context,
                                                        {{.id = path.registry_id, .uuid = {}}, change}));
  return Empty{};
}

Result<Empty> delete_registry(Call& call, const RegistryPath& path, const NoBody&) {
  TRY_STATUS(op::invoke<connect::ops::DeleteConnections>(call.rooms.connections, call.context,
                                                         {{{.id = path.registry_id, .uuid = {}}}}));
  return Empty{};
}

}  // namespace

std::span<const Route> replication_registry_routes() {
  static constexpr std::array table{
      route<&create_registry>("POST", "/v2/{project_id}/instances/{instance_id}/registries", 201),
      route<&list_registries>("GET", "/v2/{project_id}/instances/{instance_id}/registries"),
      route<&show_registry>("GET", "/v2/{project_id}/instances/{instance_id}/registries/{registry_id}"),
      route<&update_registry>("PUT", "/v2/{project_id}/instances/{instance_id}/registries/{registry_id}"),
      route<&delete_registry>("DELETE", "/v2/{project_id}/instances/{instance_id}/registries/{registry_id}"),
  };
  return table;
}

}  // namespace wharfage::huawei
