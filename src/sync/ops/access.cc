#include "sync/ops/access.h"

namespace wharfage::sync::ops {

Result<auth::Resource> namespace_resource(Sync& room, std::int64_t id) {
  if (!id) return auth::Resource{};
  auto found = room.registry().get_namespace(id);
  // Of a namespace that is gone only its number is left, in which nobody but administrators stands.
  if (!found.ok() && found.error().kind() == ErrorKind::not_found) return auth::Resource{.namespace_id = id};
  if (!found.ok()) return found.error();
  return auth::Resource{.namespace_id = found->id, .name = found->name};
}

Result<auth::Resource> visible(op::Context& context, auth::Resource resource, Reason otherwise) {
  Status readable = context.auth.authorise(context.who, auth::Access::read, resource);
  bool hidden = !readable.ok() && readable.error().reason == Reason::denied;
  return hidden ? Result<auth::Resource>(fail(otherwise)) : resource;
}

Status authorise_target(Sync& room, op::Context& context, std::int64_t connection_id, const std::string& name,
                        const std::string& repository) {
  TRY(auto connection, room.connections().get(connection_id));
  if (!connection.own()) return {};
  if (name.empty()) return context.auth.authorise(context.who, auth::Access::administer, {});
  TRY(auto target, room.registry().get_namespace(name));
  std::string full = repository.empty() ? target.name : target.name + "/" + repository;
  auth::Resource resource{.namespace_id = target.id, .name = full};
  Status allowed = context.auth.authorise(context.who, auth::Access::write, resource);
  bool visible = context.auth.authorise(context.who, auth::Access::read, resource).ok();
  return allowed.ok() || visible ? allowed : Status(fail(Reason::namespace_unknown));
}

}  // namespace wharfage::sync::ops
