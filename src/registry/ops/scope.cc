#include "registry/ops/scope.h"

namespace wharfage::registry::ops {
namespace {

Result<Repository> any_repository(Registry& registry, const RepositoryRef& ref) {
  if (ref.id != 0) return registry.get_repository(ref.id);
  if (!ref.public_id.empty()) return registry.get_repository_by_public_id(ref.public_id);
  if (!ref.name.empty() && !ref.namespace_name.empty())
    return registry.get_repository(ref.namespace_name, ref.name);
  return fail(Reason::missing_parameter, "a repository must be named", "repository");
}

// `unknown` unless the caller may read it.
Status readable(op::Context& context, const auth::Resource& resource, Reason unknown) {
  Status allowed = context.auth.authorise(context.who, auth::Access::read, resource);
  if (!allowed.ok() && allowed.error().reason == Reason::denied) return fail(unknown, {}, resource.name);
  return allowed;
}

}  // namespace

Result<Namespace> any_namespace(Registry& registry, const NamespaceRef& ref) {
  if (ref.id != 0) return registry.get_namespace(ref.id);
  if (!ref.public_id.empty()) return registry.get_namespace_by_public_id(ref.public_id);
  if (!ref.name.empty()) return registry.get_namespace(ref.name);
  return fail(Reason::missing_parameter, "a namespace must be named", "namespace");
}

auth::Resource resource_of(const Namespace& space) {
  return {space.id, space.name, space.is_public};
}

Result<Namespace> find_namespace(Registry& registry, op::Context& context, const NamespaceRef& ref) {
  TRY(Namespace space, any_namespace(registry, ref));
  TRY_STATUS(readable(context, resource_of(space), Reason::namespace_unknown));
  return space;
}

Result<Repository> find_repository(Registry& registry, op::Context& context, const RepositoryRef& ref) {
  TRY(Repository repository, any_repository(registry, ref));
  TRY_STATUS(readable(context, repository.resource(), Reason::repository_unknown));
  return repository;
}

Result<auth::Resource> resource_of(Registry& registry, op::Context& context, const RepositoryRef& ref) {
  TRY(Repository repository, find_repository(registry, context, ref));
  return repository.resource();
}

}  // namespace wharfage::registry::ops
