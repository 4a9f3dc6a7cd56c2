#include "registry/ops/namespaces.h"

namespace wharfage::registry::ops {

Result<auth::Resource> CreateNamespace::resource(Registry&, op::Context&, const Request& request) {
  return auth::Resource{.name = request.name.substr(0, 64)};
}

Result<Namespace> CreateNamespace::run(Registry& room, op::Context&, const Request& request) {
  return room.create_namespace(request);
}

Result<auth::Resource> GetNamespace::resource(Registry& room, op::Context& context, const Request& request) {
  TRY(Namespace space, find_namespace(room, context, request));
  return resource_of(space);
}

Result<Namespace> GetNamespace::run(Registry& room, op::Context& context, const Request& request) {
  return find_namespace(room, context, request);
}

Result<auth::Resource> ListNamespaces::resource(Registry&, op::Context&, const Request&) {
  return auth::Resource{.name = "namespaces"};
}

Result<Page<Namespace>> ListNamespaces::run(Registry& room, op::Context& context, const Request& request) {
  Registry::NamespaceFilter filter;
  filter.name_contains = request.name_contains;
  filter.is_public = request.is_public;
  filter.newest_first = request.newest_first;
  TRY(filter.readable, context.auth.readable_namespaces(context.who));
  return room.list_namespaces(filter, request.slice);
}

Result<auth::Resource> UpdateNamespace::resource(Registry& room, op::Context& context,
                                                 const Request& request) {
  TRY(Namespace space, find_namespace(room, context, request.space));
  return resource_of(space);
}

Result<Namespace> UpdateNamespace::run(Registry& room, op::Context& context, const Request& request) {
  TRY(Namespace space, find_namespace(room, context, request.space));
  TRY_STATUS(room.update_namespace(space.name, request.is_public, request.auto_create, request.metadata));
  return room.get_namespace(space.id);
}

Result<auth::Resource> DeleteNamespace::resource(Registry& room, op::Context& context,
                                                 const Request& request) {
  TRY(Namespace space, find_namespace(room, context, request));
  return resource_of(space);
}

Result<op::Nothing> DeleteNamespace::run(Registry& room, op::Context& context, const Request& request) {
  TRY(Namespace space, find_namespace(room, context, request));
  TRY_STATUS(room.delete_namespace(space.name));
  TRY_STATUS(context.auth.drop_grants(space.id, ""));
  return op::Nothing{};
}

}  // namespace wharfage::registry::ops
