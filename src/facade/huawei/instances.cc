// SWR enterprise instances: there is one, and it runs.
#include "facade/huawei/route.h"
#include "registry/ops/instance.h"

namespace wharfage::huawei {
namespace {

using wire::field;
using wire::required;

struct ListQuery {
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  std::optional<std::string> status;
  std::optional<std::string> enterprise_project_id;
  static constexpr auto fields() {
    return std::array{field<&ListQuery::offset>("offset"), field<&ListQuery::limit>("limit"),
                      field<&ListQuery::status>("status").one_of("Initial|Creating|Running|Unavailable"),
                      field<&ListQuery::enterprise_project_id>("enterprise_project_id")};
  }
};
struct Instance {
  std::string id;
  std::string name;
  std::string description;
  std::string spec;
  std::string version;
  std::string charge_mode;
  std::string access_address;
  std::string created_at;
  std::string updated_at;
  std::string status;
  std::string project_id;
  std::string enterprise_project_id;
  bool user_def_obs = false;
  static constexpr auto fields() {
    return std::array{field<&Instance::id>("id"),
                      field<&Instance::name>("name"),
                      field<&Instance::description>("description"),
                      field<&Instance::spec>("spec"),
                      field<&Instance::version>("version"),
                      field<&Instance::charge_mode>("charge_mode"),
                      field<&Instance::access_address>("access_address"),
                      field<&Instance::created_at>("created_at"),
                      field<&Instance::updated_at>("updated_at"),
                      field<&Instance::status>("status"),
                      field<&Instance::project_id>("project_id"),
                      field<&Instance::enterprise_project_id>("enterprise_project_id"),
                      field<&Instance::user_def_obs>("user_def_obs")};
  }
};
struct InstanceList {
  std::vector<Instance> instances;
  std::int32_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&InstanceList::instances>("instances"), field<&InstanceList::total>("total")};
  }
};
struct Statistics {
  std::int64_t storage_used = 0;
  std::int64_t total_namespace_count = 0;
  std::int64_t total_image_count = 0;
  static constexpr auto fields() {
    return std::array{field<&Statistics::storage_used>("storage_used"),
                      field<&Statistics::total_namespace_count>("total_namespace_count"),
                      field<&Statistics::total_image_count>("total_image_count")};
  }
};

// The host by which docker reaches us.
std::string access_address(const Call& call) {
  const std::string& url = call.options.external_url;
  auto slashes = url.find("//");
  return slashes == std::string::npos ? std::string(call.request.headers.get("Host"))
                                      : url.substr(slashes + 2);
}

Instance to_wire(const Call& call, const registry::Instance& from) {
  Instance instance;
  instance.id = from.uuid;
  instance.name = from.name;
  instance.spec = "swr.ee.professional";
  instance.version = "1.0";
  instance.charge_mode = "postPaid";
  instance.access_address = access_address(call);
  instance.created_at = instance.updated_at = rfc3339(from.created_at);
  instance.status = "Running";
  instance.project_id = from.project_id;
  instance.enterprise_project_id = "0";
  return instance;
}

Result<InstanceList> list_instances(Call& call, const ListQuery& query, const NoBody&) {
  TRY(auto slice, swr_page(query.offset, query.limit, 100));
  TRY(auto ours, op::invoke<registry::ops::GetInstance>(call.rooms.registry, call.context, {}));
  InstanceList list;
  bool shown = query.status.value_or("Running") == "Running";
  list.total = shown ? 1 : 0;
  if (shown && slice.offset == 0) list.instances.push_back(to_wire(call, ours));
  return list;
}

Result<Instance> show_instance(Call& call, const NoQuery&, const NoBody&) {
  TRY(auto ours, op::invoke<registry::ops::GetInstance>(call.rooms.registry, call.context, {}));
  return to_wire(call, ours);
}

Result<Statistics> show_statistics(Call& call, const NoQuery&, const NoBody&) {
  TRY(auto usage, op::invoke<registry::ops::GetUsage>(call.rooms.registry, call.context, {}));
  return Statistics{usage.bytes, usage.namespaces, usage.repositories};
}

}  // namespace

std::span<const Route> instance_routes() {
  static constexpr std::array table{
      route<&list_instances>("GET", "/v2/{project_id}/instances"),
      route<&show_instance>("GET", "/v2/{project_id}/instances/{instance_id}"),
      route<&show_statistics>("GET", "/v2/{project_id}/instances/{instance_id}/statistics"),
  };
  return table;
}

}  // namespace wharfage::huawei
