// SWR enterprise repositories.
#include "registry/ops/repositories.h"
#include "facade/huawei/fields.h"
#include "facade/huawei/route.h"

namespace wharfage::huawei {
namespace {

using wire::field;
using wire::required;

struct ListQuery {
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  std::optional<std::string> order_column;
  std::optional<std::string> order_type;
  std::optional<std::int32_t> namespace_id;
  static constexpr auto fields() {
    return std::array{field<&ListQuery::offset>("offset"), field<&ListQuery::limit>("limit"),
                      field<&ListQuery::order_column>("order_column").one_of("created_at|updated_at"),
                      field<&ListQuery::order_type>("order_type").one_of("desc|asc"),
                      field<&ListQuery::namespace_id>("namespace_id")};
  }
};
struct NamespaceListQuery {
  std::string namespace_name;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  std::optional<std::string> order_column;
  std::optional<std::string> order_type;
  static constexpr auto fields() {
    return std::array{
        field<&NamespaceListQuery::namespace_name>("namespace_name", required),
        field<&NamespaceListQuery::offset>("offset"), field<&NamespaceListQuery::limit>("limit"),
        field<&NamespaceListQuery::order_column>("order_column").one_of("created_at|updated_at"),
        field<&NamespaceListQuery::order_type>("order_type").one_of("desc|asc")};
  }
};
struct Path {
  std::string namespace_name;
  std::string repository_name;
  static constexpr auto fields() {
    return std::array{field<&Path::namespace_name>("namespace_name", required),
                      field<&Path::repository_name>("repository_name", required)};
  }
};
struct UpdateBody {
  std::string description;
  static constexpr auto fields() {
    return std::array{field<&UpdateBody::description>("description", required).range(0, 4096)};
  }
};
struct Repository {
  std::int32_t id = 0;
  std::string name;
  std::string namespace_name;
  std::int32_t namespace_id = 0;
  std::int32_t tag_count = 0;
  std::int32_t pull_count = 0;
  std::int32_t artifact_count = 0;
  std::string description;
  std::string created_at;
  std::string updated_at;
  static constexpr auto fields() {
    return std::array{field<&Repository::id>("id"),
                      field<&Repository::name>("name"),
                      field<&Repository::namespace_name>("namespace_name"),
                      field<&Repository::namespace_id>("namespace_id"),
                      field<&Repository::tag_count>("tag_count"),
                      field<&Repository::pull_count>("pull_count"),
                      field<&Repository::artifact_count>("artifact_count"),
                      field<&Repository::description>("description"),
                      field<&Repository::created_at>("created_at"),
                      field<&Repository::updated_at>("updated_at")};
  }
};
struct RepositoryList {
  std::int32_t total = 0;
  std::vector<Repository> repositories;
  static constexpr auto fields() {
    return std::array{field<&RepositoryList::total>("total"),
                      field<&RepositoryList::repositories>("repositories")};
  }
};

Repository to_wire(const registry::Repository& from) {
  return {narrow(from.id),
          from.name,
          from.namespace_name,
          narrow(from.namespace_id),
          narrow(from.tag_count),
          narrow(from.pull_count),
          narrow(from.artifact_count),
          from.summary,
          rfc3339(from.created_at),
          rfc3339(from.updated_at)};
}

registry::ops::RepositoryRef ref(const Path& path) {
  return registry::ops::repository_of(path.namespace_name, path.repository_name);
}

Result<RepositoryList> list(Call& call, const registry::ops::ListRepositories::Request& request) {
  TRY(auto page, op::invoke<registry::ops::ListRepositories>(call.rooms.registry, call.context, request));
  RepositoryList list;
  for (const auto& repository : page.items) list.repositories.push_back(to_wire(repository));
  list.total = narrow(page.total);
  return list;
}

Result<RepositoryList> list_repositories(Call& call, const ListQuery& query, const NoBody&) {
  registry::ops::ListRepositories::Request request;
  TRY(request.slice, swr_page(query.offset, query.limit));
  request.space.id = query.namespace_id.value_or(0);
  request.newest_first = query.order_type.value_or("desc") == "desc";
  return list(call, request);
}

Result<RepositoryList> list_namespace_repositories(Call& call, const NamespaceListQuery& query,
                                                   const NoBody&) {
  registry::ops::ListRepositories::Request request;
  TRY(request.slice, swr_page(query.offset, query.limit));
  request.space.name = query.namespace_name;
  request.newest_first = query.order_type.value_or("desc") == "desc";
  return list(call, request);
}

Result<Repository> show_repository(Call& call, const Path& path, const NoBody&) {
  TRY(auto repository,
      op::invoke<registry::ops::GetRepository>(call.rooms.registry, call.context, ref(path)));
  return to_wire(repository);
}

Result<Empty> update_repository(Call& call, const Path& path, const UpdateBody& body) {
  registry::ops::UpdateRepository::Request request;
  request.repository = ref(path);
  request.change.summary = body.description;
  TRY_STATUS(op::invoke<registry::ops::UpdateRepository>(call.rooms.registry, call.context, request));
  return Empty{};
}

Result<Empty> delete_repository(Call& call, const Path& path, const NoBody&) {
  TRY_STATUS(op::invoke<registry::ops::DeleteRepository>(call.rooms.registry, call.context, ref(path)));
  return Empty{};
}

constexpr std::string_view repositories =
    "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}/repositories";
constexpr std::string_view repository =
    "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}/repositories/{repository_name}";

}  // namespace

std::span<const Route> repository_routes() {
  static constexpr std::array table{
      route<&list_repositories>("GET", "/v2/{project_id}/instances/{instance_id}/repositories"),
      route<&list_namespace_repositories>("GET", repositories),
      route<&show_repository>("GET", repository),
      route<&update_repository>("PUT", repository),
      route<&delete_repository>("DELETE", repository),
  };
  return table;
}

}  // namespace wharfage::huawei
