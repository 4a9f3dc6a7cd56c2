// SWR enterprise namespaces. Their metadata is kept as it was given; "public" is ours too: the default
// visibility of new repositories.
#include "registry/ops/namespaces.h"
#include <boost/json.hpp>
#include "facade/huawei/paths.h"
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
  std::optional<std::string> name;
  std::optional<std::string> visibility;
  static constexpr auto fields() {
    return std::array{field<&ListQuery::offset>("offset"),
                      field<&ListQuery::limit>("limit"),
                      field<&ListQuery::order_column>("order_column").one_of("updated_at"),
                      field<&ListQuery::order_type>("order_type").one_of("desc|asc"),
                      field<&ListQuery::name>("name").range(1, 64),
                      field<&ListQuery::visibility>("public")};
  }
};
struct Metadata {
  std::string visibility;
  std::optional<std::string> auto_scan;
  std::optional<std::string> prevent_vul;
  std::optional<std::string> severity;
  static constexpr auto fields() {
    return std::array{field<&Metadata::visibility>("public", required).one_of("true|false"),
                      field<&Metadata::auto_scan>("auto_scan").one_of("true|false"),
                      field<&Metadata::prevent_vul>("prevent_vul").one_of("true|false"),
                      field<&Metadata::severity>("severity").one_of("none|low|medium|high|critical")};
  }
};
struct CreateBody {
  std::string namespace_name;
  Metadata metadata;
  static constexpr auto fields() {
    return std::array{field<&CreateBody::namespace_name>("namespace_name", required).range(1, 64),
                      field<&CreateBody::metadata>("metadata", required)};
  }
};
struct UpdateBody {
  Metadata metadata;
  std::optional<wire::Json> cve_allowlist;
  static constexpr auto fields() {
    return std::array{field<&UpdateBody::metadata>("metadata", required),
                      field<&UpdateBody::cve_allowlist>("cve_allowlist")};
  }
};
struct Namespace {
  std::string name;
  Metadata metadata;
  std::int32_t namespace_id = 0;
  std::string created_at;
  std::string updated_at;
  std::int32_t repo_count = 0;
  static constexpr auto fields() {
    return std::array{field<&Namespace::name>("name"),
                      field<&Namespace::metadata>("metadata"),
                      field<&Namespace::namespace_id>("namespace_id"),
                      field<&Namespace::created_at>("created_at"),
                      field<&Namespace::updated_at>("updated_at"),
                      field<&Namespace::repo_count>("repo_count")};
  }
};
struct NamespaceList {
  std::vector<Namespace> namespaces;
  std::int32_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&NamespaceList::namespaces>("namespaces"), field<&NamespaceList::total>("total")};
  }
};
struct UpdateReply {
  std::string namespace_name;
  Metadata metadata;
  static constexpr auto fields() {
    return std::array{field<&UpdateReply::namespace_name>("namespace_name"),
                      field<&UpdateReply::metadata>("metadata")};
  }
};

// EE names: lower case and digits at both ends, '.', '_' and '-' between but never side by side.
Status check_name(std::string_view name) {
  auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  bool good = !name.empty() && name.size() <= 64 && plain(name.front()) && plain(name.back());
  for (std::size_t i = 0; good && i < name.size(); ++i) {
    bool separator = name[i] == '.' || name[i] == '_' || name[i] == '-';
    good = plain(name[i]) || (separator && plain(name[i - 1]));
  }
  if (good) return {};
  return fail(Reason::name_invalid, "namespace_name must be lower-case letters, digits and single separators",
              "namespace_name");
}

std::string stored(const Metadata& metadata) {
  boost::json::object object;
  if (metadata.auto_scan) object["auto_scan"] = *metadata.auto_scan;
  if (metadata.prevent_vul) object["prevent_vul"] = *metadata.prevent_vul;
  if (metadata.severity) object["severity"] = *metadata.severity;
  return boost::json::serialize(object);
}

Metadata metadata_of(const registry::Namespace& from) {
  Metadata metadata;
  metadata.visibility = from.is_public ? "true" : "false";
  metadata.auto_scan = remembered(from.metadata, "auto_scan");
  metadata.prevent_vul = remembered(from.metadata, "prevent_vul");
  metadata.severity = remembered(from.metadata, "severity");
  return metadata;
}

Namespace to_wire(const registry::Namespace& from) {
  return {from.name,
          metadata_of(from),
          narrow(from.id),
          rfc3339(from.created_at),
          rfc3339(from.updated_at),
          narrow(from.repository_count)};
}

Result<NamespaceList> list_namespaces(Call& call, const ListQuery& query, const NoBody&) {
  TRY(auto slice, swr_page(query.offset, query.limit));
  registry::ops::ListNamespaces::Request request;
  request.name_contains = query.name.value_or("");
  if (query.visibility) request.is_public = *query.visibility == "true";
  request.newest_first = query.order_type.value_or("desc") == "desc";
  request.slice = slice;
  TRY(auto page, op::invoke<registry::ops::ListNamespaces>(call.rooms.registry, call.context, request));
  NamespaceList list;
  for (const auto& space : page.items) list.namespaces.push_back(to_wire(space));
  list.total = narrow(page.total);
  return list;
}

Result<IdReply> create_namespace(Call& call, const NoQuery&, const CreateBody& body) {
  TRY_STATUS(check_name(body.namespace_name));
  registry::Registry::NewNamespace wanted;
  wanted.name = body.namespace_name;
  wanted.is_public = body.metadata.visibility == "true";
  wanted.metadata = stored(body.metadata);
  TRY(auto made, op::invoke<registry::ops::CreateNamespace>(call.rooms.registry, call.context, wanted));
  return IdReply{narrow(made.id)};
}

Result<Namespace> show_namespace(Call& call, const NamespacePath& path, const NoBody&) {
  TRY(auto space, op::invoke<registry::ops::GetNamespace>(call.rooms.registry, call.context,
                                                          registry::ops::space_of(path.namespace_name)));
  return to_wire(space);
}

Result<UpdateReply> update_namespace(Call& call, const NamespacePath& path, const UpdateBody& body) {
  registry::ops::UpdateNamespace::Request request;
  request.space = registry::ops::space_of(path.namespace_name);
  request.is_public = body.metadata.visibility == "true";
  request.metadata = stored(body.metadata);
  TRY(auto space, op::invoke<registry::ops::UpdateNamespace>(call.rooms.registry, call.context, request));
  return UpdateReply{space.name, metadata_of(space)};
}

Result<Empty> delete_namespace(Call& call, const NamespacePath& path, const NoBody&) {
  TRY_STATUS(op::invoke<registry::ops::DeleteNamespace>(call.rooms.registry, call.context,
                                                        registry::ops::space_of(path.namespace_name)));
  return Empty{};
}

}  // namespace

std::span<const Route> namespace_routes() {
  static constexpr std::array table{
      route<&list_namespaces>("GET", "/v2/{project_id}/instances/{instance_id}/namespaces"),
      route<&create_namespace>("POST", "/v2/{project_id}/instances/{instance_id}/namespaces", 201),
      route<&show_namespace>("GET", "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}"),
      route<&update_namespace>("PUT", "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}"),
      route<&delete_namespace>("DELETE",
                               "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}"),
  };
  return table;
}

}  // namespace wharfage::huawei
