#include "registry/ops/scope.h"

#include "op/visible.h"

namespace wharfage::registry::ops {
namespace {

Result<Repository> any_repository(Registry& registry, const RepositoryRef& ref) {
  if (ref.id != 0) return registry.get_repository(ref.id);
  if (!ref.public_id.empty()) return registry.get_repository_by_public_id(ref.public_id);
  if (!ref.name.empty() && !ref.namespace_name.empty())
    return registry.get_repository(ref.namespace_name, ref.name);
  return fail(Reason::missing_parameter, "a repository must be named", "repository");
}

// In the words it was asked for in, as the registry does.
Error absent(const RepositoryRef& ref) {
  std::string asked = ref.id != 0              ? std::to_string(ref.id)
                      : !ref.public_id.empty() ? ref.public_id
                                               : ref.namespace_name + "/" + ref.name;
  return fail(Reason::repository_unknown, {}, std::move(asked));
}

}  // namespace

Result<Namespace> any_namespace(Registry& registry, const NamespaceRef& ref) {
  if (ref.id != 0) return registry.get_namespace(ref.id);
  if (!ref.public_id.empty()) return registry.get_namespace_by_public_id(ref.public_id);
  if (!ref.name.empty()) return registry.get_namespace(ref.name);
  return fail(Reason::missing_parameter, "a namespace must be named", "namespace");
}

Error absent(const NamespaceRef& ref) {
  std::string asked = ref.id != 0 ? std::to_string(ref.id) : ref.public_id.empty() ? ref.name : ref.public_id;
  return fail(Reason::namespace_unknown, {}, std::move(asked));
}

auth::Resource resource_of(const Namespace& space) {
  return {space.id, space.name, space.is_public};
}

Result<Namespace> find_namespace(Registry& registry, op::Context& context, const NamespaceRef& ref) {
  TRY(Namespace space, any_namespace(registry, ref));
  TRY_STATUS(op::visible(context, resource_of(space), absent(ref)));
  return space;
}

Result<Repository> find_repository(Registry& registry, op::Context& context, const RepositoryRef& ref) {
  TRY(Repository repository, any_repository(registry, ref));
  TRY_STATUS(op::visible(context, repository.resource(), absent(ref)));
  return repository;
}

Result<auth::Resource> inside(Registry& registry, op::Context& context, const NamespaceRef& ref) {
  TRY(Namespace space, any_namespace(registry, ref));
  return op::visible_to_members(context, resource_of(space), absent(ref));
}

Result<auth::Resource> inside(Registry& registry, op::Context& context, const RepositoryRef& ref) {
  TRY(Repository repository, any_repository(registry, ref));
  return op::visible_to_members(context, repository.resource(), absent(ref));
}

Result<auth::Resource> resource_of(Registry& registry, op::Context& context, const RepositoryRef& ref) {
  TRY(Repository repository, find_repository(registry, context, ref));
  return repository.resource();
}

}  // namespace wharfage::registry::ops
