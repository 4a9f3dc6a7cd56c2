// Namespaces of cr. Its naming rule is stricter than the registry's and holds for what is created here.
#include <fmt/format.h>
#include <algorithm>

#include "facade/alibaba/action.h"
#include "registry/ops/namespaces.h"
#include "registry/ops/policies.h"

namespace wharfage::alibaba {
namespace {

using wire::field;
using wire::required;

// ---- queries

struct ArtifactParameters {
  bool image_index_only = false;
  static constexpr auto fields() {
    return std::array{field<&ArtifactParameters::image_index_only>("ImageIndexOnly")};
  }
};
struct WantedConfiguration {
  std::optional<ArtifactParameters> artifact_build_rule_parameters;
  std::string repo_type;
  std::optional<bool> tag_immutability;
  static constexpr auto fields() {
    return std::array{
        field<&WantedConfiguration::artifact_build_rule_parameters>("ArtifactBuildRuleParameters"),
        field<&WantedConfiguration::repo_type>("RepoType"),
        field<&WantedConfiguration::tag_immutability>("TagImmutability")};
  }
};
struct WriteQuery {
  std::string instance_id;
  std::string namespace_name;
  std::optional<bool> auto_create_repo;
  std::optional<WantedConfiguration> default_repo_configuration;
  std::string default_repo_type;
  static constexpr auto fields() {
    return std::array{field<&WriteQuery::instance_id>("InstanceId", required),
                      field<&WriteQuery::namespace_name>("NamespaceName", required),
                      field<&WriteQuery::auto_create_repo>("AutoCreateRepo"),
                      field<&WriteQuery::default_repo_configuration>("DefaultRepoConfiguration"),
                      field<&WriteQuery::default_repo_type>("DefaultRepoType").one_of("PUBLIC|PRIVATE")};
  }
};
struct GetQuery {
  std::string instance_id;
  std::string namespace_id;
  std::string namespace_name;
  static constexpr auto fields() {
    return std::array{field<&GetQuery::instance_id>("InstanceId", required),
                      field<&GetQuery::namespace_id>("NamespaceId"),
                      field<&GetQuery::namespace_name>("NamespaceName")};
  }
};
struct ListQuery {
  std::string instance_id;
  std::string namespace_name;
  std::string namespace_status;
  std::optional<std::int64_t> page_no;
  std::optional<std::int64_t> page_size;
  static constexpr auto fields() {
    return std::array{field<&ListQuery::instance_id>("InstanceId", required),
                      field<&ListQuery::namespace_name>("NamespaceName"),
                      field<&ListQuery::namespace_status>("NamespaceStatus"),
                      field<&ListQuery::page_no>("PageNo"), field<&ListQuery::page_size>("PageSize")};
  }
};
struct DeleteQuery {
  std::string instance_id;
  std::string namespace_name;
  static constexpr auto fields() {
    return std::array{field<&DeleteQuery::instance_id>("InstanceId", required),
                      field<&DeleteQuery::namespace_name>("NamespaceName", required)};
  }
};

// ---- replies

struct Configuration {
  ArtifactParameters artifact_build_rule_parameters;
  std::string repo_type;
  bool tag_immutability = false;
  static constexpr auto fields() {
    return std::array{field<&Configuration::artifact_build_rule_parameters>("ArtifactBuildRuleParameters"),
                      field<&Configuration::repo_type>("RepoType"),
                      field<&Configuration::tag_immutability>("TagImmutability")};
  }
};
struct NamespaceRow {
  bool auto_create_repo = false;
  Configuration default_repo_configuration;
  std::string default_repo_type;
  std::string instance_id;
  std::string namespace_id;
  std::string namespace_name;
  std::string namespace_status;
  std::optional<std::string> resource_group_id;
  static constexpr auto fields() {
    return std::array{field<&NamespaceRow::auto_create_repo>("AutoCreateRepo"),
                      field<&NamespaceRow::default_repo_configuration>("DefaultRepoConfiguration"),
                      field<&NamespaceRow::default_repo_type>("DefaultRepoType"),
                      field<&NamespaceRow::instance_id>("InstanceId"),
                      field<&NamespaceRow::namespace_id>("NamespaceId"),
                      field<&NamespaceRow::namespace_name>("NamespaceName"),
                      field<&NamespaceRow::namespace_status>("NamespaceStatus"),
                      field<&NamespaceRow::resource_group_id>("ResourceGroupId")};
  }
};
struct ListReply {
  std::vector<NamespaceRow> namespaces;
  std::int64_t page_no = 0;
  std::int64_t page_size = 0;
  std::string total_count;
  static constexpr auto fields() {
    return std::array{field<&ListReply::namespaces>("Namespaces"), field<&ListReply::page_no>("PageNo"),
                      field<&ListReply::page_size>("PageSize"), field<&ListReply::total_count>("TotalCount")};
  }
};

// ---- between wire and domain

constexpr std::string_view open = "PUBLIC", closed = "PRIVATE", normal = "NORMAL";

// 2 to 120 lower-case letters, digits and separators; a separator neither begins nor ends it.
Status check_name(std::string_view name) {
  auto separator = [](char c) { return c == '_' || c == '-' || c == '.'; };
  bool plain = std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || separator(c);
  });
  if (plain && name.size() >= 2 && name.size() <= 120 && !separator(name.front()) && !separator(name.back()))
    return {};
  return fail(
      Reason::invalid_parameter,
      "NamespaceName must have 2 to 120 lower-case letters, digits and separators (_ - .), the latter "
      "neither first nor last.",
      "NamespaceName");
}

// What a namespace lays down for repositories that a push creates: their visibility, and, for all of its
// repositories, whether tags may change (TagImmutability). The rest is refused when it is asked for, since
// nothing would come of it.
Result<std::optional<bool>> default_visibility(const WriteQuery& query) {
  std::string type = query.default_repo_type;
  if (const auto& wanted = query.default_repo_configuration) {
    if (!wanted->repo_type.empty()) type = wanted->repo_type;
    const auto& artifact = wanted->artifact_build_rule_parameters;
    if (artifact && artifact->image_index_only) {
      return fail(Reason::unsupported, "DefaultRepoConfiguration can only set RepoType and TagImmutability.",
                  "DefaultRepoConfiguration");
    }
  }
  if (type.empty()) return std::optional<bool>();
  if (type != open && type != closed) {
    return fail(Reason::invalid_parameter, "RepoType must be PUBLIC or PRIVATE.", "RepoType");
  }
  return std::optional(type == open);
}

// One rule of the namespace holds every tag, or none does.
Status set_immutability(Call& call, const WriteQuery& query) {
  const auto& wanted = query.default_repo_configuration;
  if (!wanted || !wanted->tag_immutability) return {};
  TRY_STATUS(op::invoke<registry::ops::SetImmutable>(
      call.rooms.policies, call.context,
      {registry::ops::space_of(query.namespace_name), *wanted->tag_immutability}));
  return {};
}

Result<NamespaceRow> to_wire(const Call& call, const registry::Namespace& space) {
  std::string type(space.is_public ? open : closed);
  TRY(bool immutable, call.rooms.policies.holds_everything(space.id));
  return NamespaceRow{.auto_create_repo = space.auto_create,
                      .default_repo_configuration = {{}, type, immutable},
                      .default_repo_type = type,
                      .instance_id = call.rooms.registry.instance().cri_id,
                      .namespace_id = space.public_id,
                      .namespace_name = space.name,
                      .namespace_status = std::string(normal),
                      .resource_group_id = {}};
}

// ---- actions

Result<Empty> create_namespace(Call& call, const WriteQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY_STATUS(check_name(query.namespace_name));
  TRY(auto visible, default_visibility(query));
  registry::Registry::NewNamespace wanted{.name = query.namespace_name,
                                          .is_public = visible.value_or(false),
                                          .auto_create = query.auto_create_repo.value_or(true)};
  TRY_STATUS(op::invoke<registry::ops::CreateNamespace>(call.rooms.registry, call.context, wanted));
  bool immutable =
      query.default_repo_configuration && query.default_repo_configuration->tag_immutability.value_or(false);
  if (immutable) TRY_STATUS(set_immutability(call, query));
  return Empty{};
}

Result<Empty> update_namespace(Call& call, const WriteQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(auto visible, default_visibility(query));
  TRY_STATUS(op::invoke<registry::ops::UpdateNamespace>(call.rooms.registry, call.context,
                                                        {.space = {.name = query.namespace_name},
                                                         .is_public = visible,
                                                         .auto_create = query.auto_create_repo,
                                                         .metadata = {}}));
  TRY_STATUS(set_immutability(call, query));
  return Empty{};
}

Result<NamespaceRow> get_namespace(Call& call, const GetQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  if (query.namespace_id.empty() && query.namespace_name.empty()) {
    return fail(Reason::missing_parameter, "NamespaceName or NamespaceId is required.", "NamespaceName");
  }
  registry::ops::NamespaceRef space{.name = query.namespace_name, .public_id = query.namespace_id};
  TRY(auto found, op::invoke<registry::ops::GetNamespace>(call.rooms.registry, call.context, space));
  return to_wire(call, found);
}

Result<ListReply> list_namespaces(Call& call, const ListQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(PageOf page, page_of(query.page_no, query.page_size));
  ListReply reply{{}, page.number, page.size, "0"};
  if (!query.namespace_status.empty() && query.namespace_status != normal) return reply;
  registry::ops::ListNamespaces::Request request{
      .name_contains = query.namespace_name, .is_public = {}, .slice = {page.offset(), page.size}};
  TRY(auto found, op::invoke<registry::ops::ListNamespaces>(call.rooms.registry, call.context, request));
  for (const auto& space : found.items) {
    TRY(auto row, to_wire(call, space));
    reply.namespaces.push_back(std::move(row));
  }
  reply.total_count = fmt::to_string(found.total);
  return reply;
}

Result<Empty> delete_namespace(Call& call, const DeleteQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY_STATUS(op::invoke<registry::ops::DeleteNamespace>(call.rooms.registry, call.context,
                                                        {.name = query.namespace_name}));
  return Empty{};
}

}  // namespace

std::span<const Action> namespace_actions() {
  static constexpr std::array table{
      action<&create_namespace>("CreateNamespace"), action<&get_namespace>("GetNamespace"),
      action<&list_namespaces>("ListNamespace"),    action<&update_namespace>("UpdateNamespace"),
      action<&delete_namespace>("DeleteNamespace"),
  };
  return table;
}

}  // namespace wharfage::alibaba
