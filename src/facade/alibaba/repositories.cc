// Repositories of cr: named by RepoId, or by namespace and name.
#include <fmt/format.h>
#include <algorithm>

#include "facade/alibaba/action.h"
#include "registry/ops/repositories.h"

namespace wharfage::alibaba {
namespace {

using wire::field;
using wire::required;

// ---- queries

struct CreateQuery {
  std::string instance_id;
  std::string repo_name;
  std::string repo_namespace_name;
  std::string repo_type;
  std::string summary;
  std::string detail;
  std::optional<bool> tag_immutability;
  static constexpr auto fields() {
    return std::array{field<&CreateQuery::instance_id>("InstanceId", required),
                      field<&CreateQuery::repo_name>("RepoName", required),
                      field<&CreateQuery::repo_namespace_name>("RepoNamespaceName", required),
                      field<&CreateQuery::repo_type>("RepoType", required).one_of("PUBLIC|PRIVATE"),
                      field<&CreateQuery::summary>("Summary", required),
                      field<&CreateQuery::detail>("Detail"),
                      field<&CreateQuery::tag_immutability>("TagImmutability")};
  }
};
struct UpdateQuery {
  std::string instance_id;
  std::string repo_type;
  std::string summary;
  std::optional<std::string> detail;
  std::string repo_id;
  std::string repo_name;
  std::string repo_namespace_name;
  std::optional<bool> tag_immutability;
  static constexpr auto fields() {
    return std::array{field<&UpdateQuery::instance_id>("InstanceId", required),
                      field<&UpdateQuery::repo_type>("RepoType", required).one_of("PUBLIC|PRIVATE"),
                      field<&UpdateQuery::summary>("Summary", required),
                      field<&UpdateQuery::detail>("Detail"),
                      field<&UpdateQuery::repo_id>("RepoId"),
                      field<&UpdateQuery::repo_name>("RepoName"),
                      field<&UpdateQuery::repo_namespace_name>("RepoNamespaceName"),
                      field<&UpdateQuery::tag_immutability>("TagImmutability")};
  }
};
struct KeyQuery {
  std::string instance_id;
  std::string repo_id;
  std::string repo_name;
  std::string repo_namespace_name;
  static constexpr auto fields() {
    return std::array{field<&KeyQuery::instance_id>("InstanceId", required),
                      field<&KeyQuery::repo_id>("RepoId"), field<&KeyQuery::repo_name>("RepoName"),
                      field<&KeyQuery::repo_namespace_name>("RepoNamespaceName")};
  }
};
struct ListQuery {
  std::string instance_id;
  std::optional<std::int64_t> max_results;
  std::string next_token;
  std::optional<std::int64_t> page_no;
  std::optional<std::int64_t> page_size;
  std::string repo_name;
  std::string repo_namespace_name;
  std::string repo_status;
  static constexpr auto fields() {
    return std::array{field<&ListQuery::instance_id>("InstanceId", required),
                      field<&ListQuery::max_results>("MaxResults"),
                      field<&ListQuery::next_token>("NextToken"),
                      field<&ListQuery::page_no>("PageNo"),
                      field<&ListQuery::page_size>("PageSize"),
                      field<&ListQuery::repo_name>("RepoName"),
                      field<&ListQuery::repo_namespace_name>("RepoNamespaceName"),
                      field<&ListQuery::repo_status>("RepoStatus")};
  }
};

// ---- replies

struct CreateReply {
  std::string repo_id;
  static constexpr auto fields() { return std::array{field<&CreateReply::repo_id>("RepoId")}; }
};
struct GetReply {
  std::int64_t create_time = 0;
  std::string detail;
  std::string instance_id;
  std::int64_t modified_time = 0;
  std::string repo_build_type;
  std::string repo_id;
  std::string repo_name;
  std::string repo_namespace_name;
  std::string repo_status;
  std::string repo_type;
  std::optional<std::string> resource_group_id;
  std::string summary;
  bool tag_immutability = false;
  static constexpr auto fields() {
    return std::array{field<&GetReply::create_time>("CreateTime"),
                      field<&GetReply::detail>("Detail"),
                      field<&GetReply::instance_id>("InstanceId"),
                      field<&GetReply::modified_time>("ModifiedTime"),
                      field<&GetReply::repo_build_type>("RepoBuildType"),
                      field<&GetReply::repo_id>("RepoId"),
                      field<&GetReply::repo_name>("RepoName"),
                      field<&GetReply::repo_namespace_name>("RepoNamespaceName"),
                      field<&GetReply::repo_status>("RepoStatus"),
                      field<&GetReply::repo_type>("RepoType"),
                      field<&GetReply::resource_group_id>("ResourceGroupId"),
                      field<&GetReply::summary>("Summary"),
                      field<&GetReply::tag_immutability>("TagImmutability")};
  }
};
struct RepositoryRow {
  std::int64_t create_time = 0;
  std::string instance_id;
  std::int64_t modified_time = 0;
  std::string repo_build_type;
  std::string repo_id;
  std::string repo_name;
  std::string repo_namespace_name;
  std::string repo_status;
  std::string repo_type;
  std::optional<std::string> resource_group_id;
  std::string summary;
  bool tag_immutability = false;
  static constexpr auto fields() {
    return std::array{field<&RepositoryRow::create_time>("CreateTime"),
                      field<&RepositoryRow::instance_id>("InstanceId"),
                      field<&RepositoryRow::modified_time>("ModifiedTime"),
                      field<&RepositoryRow::repo_build_type>("RepoBuildType"),
                      field<&RepositoryRow::repo_id>("RepoId"),
                      field<&RepositoryRow::repo_name>("RepoName"),
                      field<&RepositoryRow::repo_namespace_name>("RepoNamespaceName"),
                      field<&RepositoryRow::repo_status>("RepoStatus"),
                      field<&RepositoryRow::repo_type>("RepoType"),
                      field<&RepositoryRow::resource_group_id>("ResourceGroupId"),
                      field<&RepositoryRow::summary>("Summary"),
                      field<&RepositoryRow::tag_immutability>("TagImmutability")};
  }
};
struct ListReply {
  std::optional<std::int64_t> max_results;
  std::optional<std::string> next_token;
  std::int64_t page_no = 0;
  std::int64_t page_size = 0;
  std::vector<RepositoryRow> repositories;
  std::string total_count;
  static constexpr auto fields() {
    return std::array{field<&ListReply::max_results>("MaxResults"),
                      field<&ListReply::next_token>("NextToken"),
                      field<&ListReply::page_no>("PageNo"),
                      field<&ListReply::page_size>("PageSize"),
                      field<&ListReply::repositories>("Repositories"),
                      field<&ListReply::total_count>("TotalCount")};
  }
};

// ---- between wire and domain

constexpr std::string_view open = "PUBLIC", normal = "NORMAL";

std::string type_of(const registry::Repository& repository) {
  return repository.is_public ? "PUBLIC" : "PRIVATE";
}

// 2 to 64 lower-case letters, digits and separators; a separator neither begins nor ends it.
Status check_name(std::string_view name) {
  auto separator = [](char c) { return c == '_' || c == '-' || c == '.' || c == '/'; };
  bool plain = std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || separator(c);
  });
  if (plain && name.size() >= 2 && name.size() <= 64 && !separator(name.front()) && !separator(name.back()))
    return {};
  return fail(Reason::invalid_parameter,
              "RepoName must have 2 to 64 lower-case letters, digits and separators (_ - . /), the latter "
              "neither first nor last.",
              "RepoName");
}

RepositoryRow to_wire(const Call& call, const registry::Repository& repository) {
  return {.create_time = repository.created_at,
          .instance_id = call.rooms.registry.instance().cri_id,
          .modified_time = repository.updated_at,
          .repo_build_type = "MANUAL",
          .repo_id = repository.public_id,
          .repo_name = repository.name,
          .repo_namespace_name = repository.namespace_name,
          .repo_status = std::string(normal),
          .repo_type = type_of(repository),
          .resource_group_id = {},
          .summary = repository.summary,
          .tag_immutability = repository.immutable_tags};
}

// ---- actions

Result<CreateReply> create_repository(Call& call, const CreateQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY_STATUS(check_name(query.repo_name));
  registry::Registry::NewRepository wanted{.namespace_name = query.repo_namespace_name,
                                           .name = query.repo_name,
                                           .summary = query.summary,
                                           .detail = query.detail,
                                           .is_public = query.repo_type == open,
                                           .immutable_tags = query.tag_immutability.value_or(false)};
  TRY(auto made, op::invoke<registry::ops::CreateRepository>(call.rooms.registry, call.context, wanted));
  return CreateReply{made.public_id};
}

Result<Empty> update_repository(Call& call, const UpdateQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(auto repository, repository_of(query.repo_id, query.repo_namespace_name, query.repo_name));
  registry::Registry::RepositoryChange change{.summary = query.summary,
                                              .detail = query.detail,
                                              .is_public = query.repo_type == open,
                                              .immutable_tags = query.tag_immutability};
  TRY_STATUS(
      op::invoke<registry::ops::UpdateRepository>(call.rooms.registry, call.context, {repository, change}));
  return Empty{};
}

Result<GetReply> get_repository(Call& call, const KeyQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(auto key, repository_of(query.repo_id, query.repo_namespace_name, query.repo_name));
  TRY(auto found, op::invoke<registry::ops::GetRepository>(call.rooms.registry, call.context, key));
  RepositoryRow row = to_wire(call, found);
  return GetReply{.create_time = row.create_time,
                  .detail = found.detail,
                  .instance_id = row.instance_id,
                  .modified_time = row.modified_time,
                  .repo_build_type = row.repo_build_type,
                  .repo_id = row.repo_id,
                  .repo_name = row.repo_name,
                  .repo_namespace_name = row.repo_namespace_name,
                  .repo_status = row.repo_status,
                  .repo_type = row.repo_type,
                  .resource_group_id = {},
                  .summary = row.summary,
                  .tag_immutability = row.tag_immutability};
}

Result<ListReply> list_repositories(Call& call, const ListQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(PageOf page, page_of(query.page_no, query.page_size));
  TRY(Window window, window_of(page, query.max_results, query.next_token));
  ListReply reply{window.max_results(), {}, window.page.number, window.page.size, {}, "0"};
  bool status = query.repo_status.empty() || query.repo_status == normal || query.repo_status == "ALL";
  if (!status) return reply;
  registry::ops::ListRepositories::Request request{.space = {.name = query.repo_namespace_name},
                                                   .name_contains = query.repo_name,
                                                   .slice = {window.offset, window.page.size}};
  TRY(auto found, op::invoke<registry::ops::ListRepositories>(call.rooms.registry, call.context, request));
  for (const auto& repository : found.items) reply.repositories.push_back(to_wire(call, repository));
  reply.next_token = window.next_token(found.total);
  reply.total_count = fmt::to_string(found.total);
  return reply;
}

Result<Empty> delete_repository(Call& call, const KeyQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(auto key, repository_of(query.repo_id, query.repo_namespace_name, query.repo_name));
  TRY_STATUS(op::invoke<registry::ops::DeleteRepository>(call.rooms.registry, call.context, key));
  return Empty{};
}

}  // namespace

std::span<const Action> repository_actions() {
  static constexpr std::array table{
      action<&create_repository>("CreateRepository"), action<&get_repository>("GetRepository"),
      action<&list_repositories>("ListRepository"),   action<&update_repository>("UpdateRepository"),
      action<&delete_repository>("DeleteRepository"),
  };
  return table;
}

}  // namespace wharfage::alibaba
