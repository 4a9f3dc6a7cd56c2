// The instance: who it is, how much it holds, and short-lived logins for docker. There is
// one instance, always running. Times are milliseconds, as text in the list and as numbers elsewhere.
#include <fmt/format.h>

#include "base/limits.h"
#include "base/text.h"
#include "facade/alibaba/action.h"
#include "op/accounts.h"
#include "registry/ops/instance.h"

namespace wharfage::alibaba {
namespace {

using wire::field;
using wire::required;

// ---- queries

struct ListInstanceQuery {
  std::string instance_name;
  std::string instance_status;
  std::optional<std::int64_t> page_no;
  std::optional<std::int64_t> page_size;
  std::string resource_group_id;
  static constexpr auto fields() {
    return std::array{field<&ListInstanceQuery::instance_name>("InstanceName"),
                      field<&ListInstanceQuery::instance_status>("InstanceStatus"),
                      field<&ListInstanceQuery::page_no>("PageNo"),
                      field<&ListInstanceQuery::page_size>("PageSize"),
                      field<&ListInstanceQuery::resource_group_id>("ResourceGroupId")};
  }
};
struct InstanceQuery {
  std::string instance_id;
  static constexpr auto fields() {
    return std::array{field<&InstanceQuery::instance_id>("InstanceId", required)};
  }
};
struct LabelFilter {
  std::string key;
  std::string value;
  static constexpr auto fields() {
    return std::array{field<&LabelFilter::key>("Key"), field<&LabelFilter::value>("Value")};
  }
};
struct ListTagResourcesQuery {
  std::string region_id;
  std::string resource_type;
  std::string next_token;
  std::vector<std::string> resource_id;
  std::vector<LabelFilter> tag;
  static constexpr auto fields() {
    return std::array{field<&ListTagResourcesQuery::region_id>("RegionId", required),
                      field<&ListTagResourcesQuery::resource_type>("ResourceType", required),
                      field<&ListTagResourcesQuery::next_token>("NextToken"),
                      field<&ListTagResourcesQuery::resource_id>("ResourceId"),
                      field<&ListTagResourcesQuery::tag>("Tag")};
  }
};
struct GetAuthorizationTokenQuery {
  std::string instance_id;
  std::optional<std::int64_t> expires_in_hours;
  static constexpr auto fields() {
    return std::array{field<&GetAuthorizationTokenQuery::instance_id>("InstanceId", required),
                      field<&GetAuthorizationTokenQuery::expires_in_hours>("ExpiresInHours").range(1, 24)};
  }
};

// ---- replies

struct ResourceLabel {
  std::string tag_key;
  std::string tag_value;
  static constexpr auto fields() {
    return std::array{field<&ResourceLabel::tag_key>("TagKey"), field<&ResourceLabel::tag_value>("TagValue")};
  }
};
struct InstanceRow {
  std::string create_time;
  std::string instance_id;
  std::optional<std::string> instance_issue;
  std::string instance_name;
  std::string instance_specification;
  std::string instance_status;
  std::string modified_time;
  std::string region_id;
  std::optional<std::string> resource_group_id;
  std::vector<ResourceLabel> tags;
  static constexpr auto fields() {
    return std::array{field<&InstanceRow::create_time>("CreateTime"),
                      field<&InstanceRow::instance_id>("InstanceId"),
                      field<&InstanceRow::instance_issue>("InstanceIssue"),
                      field<&InstanceRow::instance_name>("InstanceName"),
                      field<&InstanceRow::instance_specification>("InstanceSpecification"),
                      field<&InstanceRow::instance_status>("InstanceStatus"),
                      field<&InstanceRow::modified_time>("ModifiedTime"),
                      field<&InstanceRow::region_id>("RegionId"),
                      field<&InstanceRow::resource_group_id>("ResourceGroupId"),
                      field<&InstanceRow::tags>("Tags")};
  }
};
struct ListInstanceReply {
  std::vector<InstanceRow> instances;
  std::int64_t page_no = 0;
  std::int64_t page_size = 0;
  std::int64_t total_count = 0;
  static constexpr auto fields() {
    return std::array{field<&ListInstanceReply::instances>("Instances"),
                      field<&ListInstanceReply::page_no>("PageNo"),
                      field<&ListInstanceReply::page_size>("PageSize"),
                      field<&ListInstanceReply::total_count>("TotalCount")};
  }
};
struct GetInstanceReply {
  std::int64_t create_time = 0;
  std::string instance_id;
  std::optional<std::string> instance_issue;
  std::string instance_name;
  std::string instance_specification;
  std::string instance_status;
  std::int64_t modified_time = 0;
  std::optional<std::string> resource_group_id;
  std::vector<ResourceLabel> tags;
  static constexpr auto fields() {
    return std::array{field<&GetInstanceReply::create_time>("CreateTime"),
                      field<&GetInstanceReply::instance_id>("InstanceId"),
                      field<&GetInstanceReply::instance_issue>("InstanceIssue"),
                      field<&GetInstanceReply::instance_name>("InstanceName"),
                      field<&GetInstanceReply::instance_specification>("InstanceSpecification"),
                      field<&GetInstanceReply::instance_status>("InstanceStatus"),
                      field<&GetInstanceReply::modified_time>("ModifiedTime"),
                      field<&GetInstanceReply::resource_group_id>("ResourceGroupId"),
                      field<&GetInstanceReply::tags>("Tags")};
  }
};
struct GetInstanceUsageReply {
  std::string chart_namespace_quota;
  std::string chart_namespace_usage;
  std::string chart_repo_quota;
  std::string chart_repo_usage;
  std::string namespace_quota;
  std::string namespace_usage;
  std::string repo_quota;
  std::string repo_usage;
  std::string vpc_quota;
  std::string vpc_usage;
  static constexpr auto fields() {
    return std::array{field<&GetInstanceUsageReply::chart_namespace_quota>("ChartNamespaceQuota"),
                      field<&GetInstanceUsageReply::chart_namespace_usage>("ChartNamespaceUsage"),
                      field<&GetInstanceUsageReply::chart_repo_quota>("ChartRepoQuota"),
                      field<&GetInstanceUsageReply::chart_repo_usage>("ChartRepoUsage"),
                      field<&GetInstanceUsageReply::namespace_quota>("NamespaceQuota"),
                      field<&GetInstanceUsageReply::namespace_usage>("NamespaceUsage"),
                      field<&GetInstanceUsageReply::repo_quota>("RepoQuota"),
                      field<&GetInstanceUsageReply::repo_usage>("RepoUsage"),
                      field<&GetInstanceUsageReply::vpc_quota>("VpcQuota"),
                      field<&GetInstanceUsageReply::vpc_usage>("VpcUsage")};
  }
};
struct LabelledResource {
  std::string resource_id;
  std::string resource_type;
  std::string tag_key;
  std::string tag_value;
  static constexpr auto fields() {
    return std::array{field<&LabelledResource::resource_id>("ResourceId"),
                      field<&LabelledResource::resource_type>("ResourceType"),
                      field<&LabelledResource::tag_key>("TagKey"),
                      field<&LabelledResource::tag_value>("TagValue")};
  }
};
struct LabelledResources {
  std::vector<LabelledResource> tag_resource;
  static constexpr auto fields() {
    return std::array{field<&LabelledResources::tag_resource>("TagResource")};
  }
};
struct ListTagResourcesReply {
  std::optional<std::string> next_token;
  LabelledResources tag_resources;
  static constexpr auto fields() {
    return std::array{field<&ListTagResourcesReply::next_token>("NextToken"),
                      field<&ListTagResourcesReply::tag_resources>("TagResources")};
  }
};
struct GetAuthorizationTokenReply {
  std::string authorization_token;
  std::int64_t expire_time = 0;
  std::string temp_username;
  static constexpr auto fields() {
    return std::array{field<&GetAuthorizationTokenReply::authorization_token>("AuthorizationToken"),
                      field<&GetAuthorizationTokenReply::expire_time>("ExpireTime"),
                      field<&GetAuthorizationTokenReply::temp_username>("TempUsername")};
  }
};

// ---- between wire and domain

constexpr std::string_view running = "RUNNING", specification = "Enterprise_Advanced";
// Nothing but the range of ids bounds these; what does not exist here has no room.
constexpr std::string_view none = "0";
constexpr std::int64_t unlimited = limits::id_max;

Result<registry::Instance> get_row(Call& call, const std::string& instance_id) {
  TRY_STATUS(check_instance(call, instance_id));
  return op::invoke<registry::ops::GetInstance>(call.rooms.registry, call.context, {});
}

// ---- actions

Result<ListInstanceReply> list_instances(Call& call, const ListInstanceQuery& query) {
  TRY(PageOf page, page_of(query.page_no, query.page_size));
  TRY(auto instance, op::invoke<registry::ops::GetInstance>(call.rooms.registry, call.context, {}));
  ListInstanceReply reply{{}, page.number, page.size, 0};
  bool named = query.instance_name.empty() || query.instance_name == instance.name;
  bool status = query.instance_status.empty() || query.instance_status == running;
  if (!named || !status || !query.resource_group_id.empty()) return reply;
  reply.total_count = 1;
  if (page.number > 1) return reply;
  std::string created = fmt::to_string(instance.created_at);
  reply.instances.push_back({.create_time = created,
                             .instance_id = instance.cri_id,
                             .instance_issue = {},
                             .instance_name = instance.name,
                             .instance_specification = std::string(specification),
                             .instance_status = std::string(running),
                             .modified_time = created,
                             .region_id = instance.alibaba_region,
                             .resource_group_id = {},
                             .tags = {}});
  return reply;
}

Result<GetInstanceReply> get_instance(Call& call, const InstanceQuery& query) {
  TRY(auto instance, get_row(call, query.instance_id));
  return GetInstanceReply{.create_time = instance.created_at,
                          .instance_id = instance.cri_id,
                          .instance_issue = {},
                          .instance_name = instance.name,
                          .instance_specification = std::string(specification),
                          .instance_status = std::string(running),
                          .modified_time = instance.created_at,
                          .resource_group_id = {},
                          .tags = {}};
}

Result<GetInstanceUsageReply> get_usage(Call& call, const InstanceQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(auto usage, op::invoke<registry::ops::GetUsage>(call.rooms.registry, call.context, {}));
  return GetInstanceUsageReply{.chart_namespace_quota = std::string(none),
                               .chart_namespace_usage = std::string(none),
                               .chart_repo_quota = std::string(none),
                               .chart_repo_usage = std::string(none),
                               .namespace_quota = fmt::to_string(unlimited),
                               .namespace_usage = fmt::to_string(usage.namespaces),
                               .repo_quota = fmt::to_string(unlimited),
                               .repo_usage = fmt::to_string(usage.repositories),
                               .vpc_quota = std::string(none),
                               .vpc_usage = std::string(none)};
}

// Nothing here carries labels.
Result<ListTagResourcesReply> list_labels(Call& call, const ListTagResourcesQuery&) {
  TRY_STATUS(op::invoke<registry::ops::GetInstance>(call.rooms.registry, call.context, {}));
  return ListTagResourcesReply{};
}

Result<GetAuthorizationTokenReply> get_token(Call& call, const GetAuthorizationTokenQuery& query) {
  TRY_STATUS(get_row(call, query.instance_id));
  TimeMs lifetime = query.expires_in_hours.value_or(1) * hour_ms;
  TRY(auto made, op::invoke<op::accounts::CreateTemporaryLogin>(call.context.auth, call.context, {lifetime}));
  return GetAuthorizationTokenReply{.authorization_token = made.login.secret,
                                    .expire_time = made.expires_at,
                                    .temp_username = made.login.id};
}

}  // namespace

std::span<const Action> instance_actions() {
  static constexpr std::array table{
      action<&list_instances>("ListInstance"),
      action<&get_instance>("GetInstance"),
      action<&get_usage>("GetInstanceUsage"),
      action<&list_labels>("ListTagResources", Envelope::request_id),
      action<&get_token>("GetAuthorizationToken"),
  };
  return table;
}

}  // namespace wharfage::alibaba
