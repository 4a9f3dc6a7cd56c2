// Security Center's image registries: the connected registries, paged and filtered, and connecting Harbor,
// Quay and Jenkins. Times are "yyyy-MM-dd HH:mm:ss" without a zone; passwords and tokens go out masked.
#include <boost/json.hpp>

#include "connect/ops/connections.h"
#include "facade/alibaba/action.h"
#include "facade/alibaba/sas_fields.h"

namespace wharfage::alibaba {
namespace {

using namespace sas;

constexpr std::string_view mask = connect::password_mask;

// ---- between wire and domain

// What Security Center wants back as it was given lies in the connection's vendor JSON.
class Vendor {
 public:
  Vendor() = default;
  explicit Vendor(const std::string& text) {
    boost::json::error_code error;
    auto value = boost::json::parse(text, error);
    if (!error && value.is_object()) x_object = value.get_object();
  }
  std::string text(std::string_view name) const {
    auto* value = x_object.if_contains(name);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
  }
  std::int64_t number(std::string_view name, std::int64_t otherwise) const {
    auto* value = x_object.if_contains(name);
    return value && value->is_int64() ? value->get_int64() : otherwise;
  }
  template <class T>
  void set(std::string_view name, const std::optional<T>& value) {
    if (value) x_object[name] = *value;
  }
  std::string json() const { return boost::json::serialize(x_object); }

 private:
  boost::json::object x_object;
};

std::string url_of(std::int64_t protocol_type, const std::string& domain,
                   const std::optional<std::string>& host_ip, const std::optional<std::int64_t>& port) {
  std::string host = domain.empty() ? host_ip.value_or("") : domain;
  bool has_port = host.find(':') != std::string::npos && host.find(']') == std::string::npos;
  std::string url = (protocol_type == 2 ? "https://" : "http://") + host;
  return port && !has_port ? url + ":" + std::to_string(*port) : url;
}

std::string host_of(const connect::Connection& connection) {
  auto slashes = connection.url.find("//");
  return slashes == std::string::npos ? connection.url : connection.url.substr(slashes + 2);
}

std::string masked(bool present) {
  return present ? std::string(mask) : std::string();
}

Row to_wire(const Call& call, const connect::Connection& connection) {
  Vendor vendor(connection.vendor.sas);
  Row row;
  row.black_list = vendor.text("BlackList");
  row.domain_name = connection.own() ? call.options.external_host : vendor.text("DomainName");
  if (row.domain_name.empty()) row.domain_name = host_of(connection);
  row.created = sql_datetime(connection.created_at);
  row.modified = sql_datetime(connection.updated_at);
  row.id = connection.id;
  row.image_count = connection.image_count;
  row.jenkins_env = vendor.text("JenkinsEnv");
  row.net_type = vendor.number("NetType", 1);
  row.password = connection.masked_password();
  row.persistence_day = vendor.number("PersistenceDay", 30);
  row.protocol_type = connection.url.rfind("http:", 0) == 0 ? 1 : 2;
  row.region_id = connection.alias_region;
  row.host_ip = vendor.text("RegistryHostIp");
  row.name = connection.name;
  row.type = connect::sas_type(connection.kind).value_or("");
  row.token = masked(connection.has_token);
  row.per_hour = vendor.number("TransPerHour", 0);
  row.user_name = connection.username;
  row.vpc_id = vendor.text("VpcId");
  row.white_list = vendor.text("WhiteList");
  return row;
}

constexpr connect::Kind hidden_kinds[] = {connect::Kind::jfrog, connect::Kind::swr_private,
                                          connect::Kind::swr_shared, connect::Kind::swr_enterprise,
                                          connect::Kind::oci};

Result<std::vector<connect::Kind>> kinds_of(const std::vector<std::string>& names,
                                            std::string_view parameter) {
  std::vector<connect::Kind> kinds;
  for (const auto& name : names) {
    auto kind = connect::parse_sas_type(name);
    if (!kind)
      return fail(Reason::invalid_parameter, "registry types are acr, harbor, quay and CI/CD",
                  std::string(parameter));
    kinds.push_back(*kind);
    if (*kind == connect::Kind::acr) kinds.push_back(connect::Kind::own);
  }
  return kinds;
}

// ---- actions

Result<PageReply> page_registries(Call& call, const PageQuery& query) {
  connect::Filter filter;
  filter.name_contains = query.name_like.value_or("");
  TRY(filter.kinds, kinds_of(query.types, "RegistryTypeInList"));
  TRY(filter.not_kinds, kinds_of(query.not_types, "RegistryTypeNotInList"));
  for (auto kind : hidden_kinds) filter.not_kinds.push_back(kind);
  PageInfo info{0, query.current_page.value_or(1), query.page_size.value_or(20), 0};
  registry::Slice slice{(info.current_page - 1) * info.page_size, info.page_size};
  TRY(auto page,
      op::invoke<connect::ops::ListConnections>(call.rooms.connections, call.context, {filter, slice}));
  PageReply reply;
  for (const auto& connection : page.items) reply.list.push_back(to_wire(call, connection));
  info.count = static_cast<std::int64_t>(reply.list.size());
  info.total_count = page.total;
  reply.page_info = info;
  return reply;
}

Result<AddReply> add_registry(Call& call, const AddQuery& query) {
  Vendor vendor;
  vendor.set("DomainName", std::optional(query.domain_name));
  vendor.set("ExtraParam", std::optional(query.extra_param));
  vendor.set("NetType", std::optional(query.net_type));
  vendor.set("RegistryHostIp", std::optional(query.host_ip));
  vendor.set("RegistryVersion", std::optional(query.version));
  vendor.set("Port", query.port);
  vendor.set("TransPerHour", query.per_hour);
  vendor.set("VpcId", query.vpc_id);
  connect::NewConnection wanted;
  wanted.name = query.domain_name;
  wanted.kind = query.type == "quay" ? connect::Kind::quay : connect::Kind::harbor;
  wanted.url = url_of(query.protocol_type, query.domain_name, query.host_ip, query.port);
  wanted.username = query.user_name;
  wanted.password = query.password;
  wanted.alias_region = query.region_id;
  wanted.vendor.sas = vendor.json();
  TRY(auto made, op::invoke<connect::ops::CreateConnection>(call.rooms.connections, call.context, wanted));
  Row row = to_wire(call, made);
  return AddReply{{call.rooms.registry.instance().ali_uid, row.domain_name, row.id, row.net_type,
                   row.password, row.protocol_type, row.region_id, row.host_ip, row.type, query.version,
                   row.token, row.per_hour, row.user_name, row.vpc_id}};
}

Result<JenkinsReply> create_jenkins(Call& call, const JenkinsQuery& query) {
  if (query.type && *query.type != "CI/CD") {
    return fail(Reason::invalid_parameter, "RegistryType must be CI/CD", "RegistryType");
  }
  Vendor vendor;
  vendor.set("DomainName", query.domain_name);
  vendor.set("ExtraParam", query.extra_param);
  vendor.set("NetType", query.net_type);
  vendor.set("PersistenceDay", query.persistence_day);
  vendor.set("RegistryHostIp", query.host_ip);
  vendor.set("RegistryVersion", query.version);
  vendor.set("TransPerHour", query.per_hour);
  vendor.set("VpcId", query.vpc_id);
  vendor.set("WhiteList", query.white_list);
  connect::NewConnection wanted;
  wanted.name = query.name;
  wanted.kind = connect::Kind::cicd;
  std::string domain = query.domain_name.value_or("");
  if (!domain.empty() || query.host_ip) {
    wanted.url = url_of(query.protocol_type.value_or(1), domain, query.host_ip, std::nullopt);
  }
  wanted.username = query.user_name.value_or("");
  wanted.password = query.password.value_or("");
  wanted.alias_region = query.region_id.value_or("");
  wanted.vendor.sas = vendor.json();
  TRY(auto made, op::invoke<connect::ops::CreateConnection>(call.rooms.connections, call.context, wanted));
  // The token a CI/CD system presents is told this once.
  TRY(auto token, op::invoke<connect::ops::RefreshToken>(call.rooms.connections, call.context,
                                                         {.id = made.id, .uuid = {}}));
  Row row = to_wire(call, made);
  row.token = token.token;
  return JenkinsReply{row};
}

Result<ModifyReply> modify_registry(Call& call, const ModifyQuery& query) {
  connect::ops::Key key{.id = query.id, .uuid = {}};
  TRY(auto current, op::invoke<connect::ops::GetConnection>(call.rooms.connections, call.context, key));
  Vendor vendor(current.vendor.sas);
  vendor.set("DomainName", query.domain_name);
  vendor.set("RegistryHostIp", query.host_ip);
  vendor.set("Port", query.port);
  vendor.set("TransPerHour", query.per_hour);
  connect::Change change;
  if (query.domain_name || query.host_ip || query.port) {
    std::optional<std::int64_t> port = query.port;
    if (!port && vendor.number("Port", 0)) port = vendor.number("Port", 0);
    change.url = url_of(current.url.rfind("https:", 0) == 0 ? 2 : 1, vendor.text("DomainName"),
                        vendor.text("RegistryHostIp"), port);
  }
  change.username = query.user_name;
  change.password = query.password;
  change.sas = vendor.json();
  TRY_STATUS(op::invoke<connect::ops::UpdateConnection>(call.rooms.connections, call.context, {key, change}));
  return ModifyReply{};
}

Result<DeleteReply> delete_registry(Call& call, const DeleteQuery& query) {
  TRY_STATUS(op::invoke<connect::ops::DeleteConnections>(call.rooms.connections, call.context,
                                                         {{{.id = query.id, .uuid = {}}}}));
  return DeleteReply{};
}

Result<TypeReply> list_types(Call& call, const TypeQuery&) {
  TypeReply reply;
  for (std::string_view type : {"acr", "harbor", "quay", "CI/CD"}) {
    connect::Filter filter;
    TRY(filter.kinds, kinds_of({std::string(type)}, "RegistryType"));
    TRY(auto counted,
        op::invoke<connect::ops::CountConnections>(call.rooms.connections, call.context, filter));
    reply.types.push_back({counted.total, std::string(type)});
  }
  return reply;
}

}  // namespace

std::span<const Action> sas_actions() {
  static constexpr std::array table{
      action<&page_registries>("PageImageRegistry", Envelope::request_id),
      action<&add_registry>("AddPrivateRegistry", Envelope::request_id),
      action<&create_jenkins>("CreateJenkinsImageRegistry", Envelope::request_id),
      action<&modify_registry>("ModifyImageRegistry", Envelope::request_id),
      action<&delete_registry>("DeletePrivateRegistry", Envelope::request_id),
      action<&list_types>("ListPrivateRegistryType", Envelope::request_id),
  };
  return table;
}

}  // namespace wharfage::alibaba
