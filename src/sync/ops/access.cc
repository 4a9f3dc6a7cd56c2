#include "sync/ops/access.h"

#include "op/visible.h"

namespace wharfage::sync::ops {

Result<auth::Resource> namespace_resource(Sync& room, std::int64_t id) {
  if (!id) return auth::Resource{};
  auto found = room.registry().get_namespace(id);
  // Of a namespace that is gone only its number is left, in which nobody but administrators stands.
  if (!found.ok() && found.error().kind() == ErrorKind::not_found) return auth::Resource{.namespace_id = id};
  if (!found.ok()) return found.error();
  return auth::Resource{.namespace_id = found->id, .name = found->name};
}

Status authorise_target(Sync& room, op::Context& context, std::int64_t connection_id, const std::string& name,
                        const std::string& repository) {
  TRY(auto connection, room.connections().get(connection_id));
  if (!connection.own()) return {};
  if (name.empty()) return context.auth.authorise(context.who, auth::Access::administer, {});
  TRY(auto target, room.registry().get_namespace(name));
  std::string full = repository.empty() ? target.name : target.name + "/" + repository;
  TRY(auto resource, op::visible(context, {.namespace_id = target.id, .name = full},
                                 fail(Reason::namespace_unknown, {}, name)));
  return context.auth.authorise(context.who, auth::Access::write, resource);
}

}  // namespace wharfage::sync::ops
