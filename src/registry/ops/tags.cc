#include "registry/ops/tags.h"

namespace wharfage::registry::ops {

Result<auth::Resource> ListTags::resource(Registry& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.repository);
}

Result<Page<Tag>> ListTags::run(Registry& room, op::Context& context, const Request& request) {
  TRY(Repository repository, find_repository(room, context, request.repository));
  return room.list_tags(
      repository, {.with_accessories = request.with_accessories, .name_contains = request.name_contains},
      request.slice);
}

Result<auth::Resource> GetTag::resource(Registry& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.repository);
}

Result<Tag> GetTag::run(Registry& room, op::Context& context, const Request& request) {
  TRY(Repository repository, find_repository(room, context, request.repository));
  return room.get_tag(repository, request.tag);
}

Result<auth::Resource> CreateTag::resource(Registry& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.repository);
}

Result<Tag> CreateTag::run(Registry& room, op::Context& context, const Request& request) {
  TRY(Repository repository, find_repository(room, context, request.repository));
  TRY(Manifest manifest, room.get_manifest(repository, request.reference));
  ManifestPush push;
  push.bytes = std::move(manifest.bytes);
  push.media_type = manifest.media_type;
  push.digest = manifest.digest;
  push.tags = {request.tag};
  push.event_origin = "api";
  TRY_STATUS(room.put_manifest(repository, push, context.who));
  return room.get_tag(repository, request.tag);
}

Result<auth::Resource> DeleteTag::resource(Registry& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.repository);
}

Result<op::Nothing> DeleteTag::run(Registry& room, op::Context& context, const Request& request) {
  TRY(Repository repository, find_repository(room, context, request.repository));
  TRY_STATUS(room.delete_tag(repository, request.tag, {.actor = context.who.name}));
  return op::Nothing{};
}

}  // namespace wharfage::registry::ops
