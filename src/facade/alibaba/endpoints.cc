// Where the instance answers: one public address for everybody. There is no VPC and there are no charts, so
// these are shown without any.
#include "base/text.h"
#include "facade/alibaba/action.h"
#include "registry/ops/instance.h"

namespace wharfage::alibaba {
namespace {

using wire::field;
using wire::required;

// ---- queries

struct ListInstanceEndpointQuery {
  std::string instance_id;
  std::string module_name;
  std::optional<bool> summary;
  static constexpr auto fields() {
    return std::array{field<&ListInstanceEndpointQuery::instance_id>("InstanceId", required),
                      field<&ListInstanceEndpointQuery::module_name>("ModuleName").one_of("Registry|Chart"),
                      field<&ListInstanceEndpointQuery::summary>("Summary")};
  }
};
struct GetInstanceEndpointQuery {
  std::string endpoint_type;
  std::string instance_id;
  std::string module_name;
  static constexpr auto fields() {
    return std::array{field<&GetInstanceEndpointQuery::endpoint_type>("EndpointType", required),
                      field<&GetInstanceEndpointQuery::instance_id>("InstanceId", required),
                      field<&GetInstanceEndpointQuery::module_name>("ModuleName").one_of("Registry|Chart")};
  }
};

// ---- replies

struct AclEntry {
  std::string entry;
  static constexpr auto fields() { return std::array{field<&AclEntry::entry>("Entry")}; }
};
struct Domain {
  std::string domain;
  std::string type;
  static constexpr auto fields() {
    return std::array{field<&Domain::domain>("Domain"), field<&Domain::type>("Type")};
  }
};
struct LinkedVpc {
  std::string vpc_id;
  static constexpr auto fields() { return std::array{field<&LinkedVpc::vpc_id>("VpcId")}; }
};
struct Endpoint {
  bool acl_enable = false;
  std::vector<AclEntry> acl_entries;
  std::vector<Domain> domains;
  bool enable = false;
  std::string endpoint_type;
  std::vector<LinkedVpc> linked_vpcs;
  std::string status;
  static constexpr auto fields() {
    return std::array{field<&Endpoint::acl_enable>("AclEnable"),
                      field<&Endpoint::acl_entries>("AclEntries"),
                      field<&Endpoint::domains>("Domains"),
                      field<&Endpoint::enable>("Enable"),
                      field<&Endpoint::endpoint_type>("EndpointType"),
                      field<&Endpoint::linked_vpcs>("LinkedVpcs"),
                      field<&Endpoint::status>("Status")};
  }
};
struct ListInstanceEndpointReply {
  std::vector<Endpoint> endpoints;
  static constexpr auto fields() {
    return std::array{field<&ListInstanceEndpointReply::endpoints>("Endpoints")};
  }
};
struct CommentedAclEntry {
  std::string comment;
  std::string entry;
  static constexpr auto fields() {
    return std::array{field<&CommentedAclEntry::comment>("Comment"),
                      field<&CommentedAclEntry::entry>("Entry")};
  }
};
struct GetInstanceEndpointReply {
  bool acl_enable = false;
  std::vector<CommentedAclEntry> acl_entries;
  std::vector<Domain> domains;
  bool enable = false;
  std::string status;
  static constexpr auto fields() {
    return std::array{field<&GetInstanceEndpointReply::acl_enable>("AclEnable"),
                      field<&GetInstanceEndpointReply::acl_entries>("AclEntries"),
                      field<&GetInstanceEndpointReply::domains>("Domains"),
                      field<&GetInstanceEndpointReply::enable>("Enable"),
                      field<&GetInstanceEndpointReply::status>("Status")};
  }
};

// ---- between wire and domain

constexpr std::string_view internet = "internet", vpc = "vpc", running = "RUNNING";

Status check_visible(Call& call, const std::string& instance_id) {
  TRY_STATUS(check_instance(call, instance_id));
  TRY_STATUS(op::invoke<registry::ops::GetInstance>(call.rooms.registry, call.context, {}));
  return {};
}

std::vector<Domain> domains(const Call& call) {
  return {{call.options.external_host, "SYSTEM"}};
}

// ---- actions

Result<ListInstanceEndpointReply> list_endpoints(Call& call, const ListInstanceEndpointQuery& query) {
  TRY_STATUS(check_visible(call, query.instance_id));
  if (query.module_name == "Chart") return ListInstanceEndpointReply{};
  return ListInstanceEndpointReply{{{.acl_enable = false,
                                     .acl_entries = {},
                                     .domains = domains(call),
                                     .enable = true,
                                     .endpoint_type = std::string(internet),
                                     .linked_vpcs = {},
                                     .status = std::string(running)}}};
}

Result<GetInstanceEndpointReply> get_endpoint(Call& call, const GetInstanceEndpointQuery& query) {
  TRY_STATUS(check_visible(call, query.instance_id));
  bool open = same_ignoring_case(query.endpoint_type, internet);
  if (!open && !same_ignoring_case(query.endpoint_type, vpc)) {
    return fail(Reason::invalid_parameter, "EndpointType must be internet or vpc.", "EndpointType");
  }
  GetInstanceEndpointReply reply;
  if (!open || query.module_name == "Chart") return reply;
  reply.domains = domains(call);
  reply.enable = true;
  reply.status = running;
  return reply;
}

}  // namespace

std::span<const Action> endpoint_actions() {
  static constexpr std::array table{
      action<&list_endpoints>("ListInstanceEndpoint"),
      action<&get_endpoint>("GetInstanceEndpoint"),
  };
  return table;
}

}  // namespace wharfage::alibaba
