#include "registry/ops/policies.h"

namespace wharfage::registry::ops {
// ---------------------------------------------------------------- immutability rules

Result<std::vector<ImmutabilityRule>> ListImmutabilityRules::run(Policies& room, op::Context& context,
                                                                 const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request));
  return room.list_rules(space.id);
}

Result<auth::Resource> ListAllImmutabilityRules::resource(Policies&, op::Context&, const Request&) {
  return auth::Resource{.name = "immutability rules"};
}

Result<Page<LocatedRule>> ListAllImmutabilityRules::run(Policies& room, op::Context& context,
                                                        const Request& request) {
  TRY(auto readable, context.auth.readable_namespaces(context.who));
  return room.list_rules(readable, request.namespace_id, request.slice);
}

Result<ImmutabilityRule> CreateImmutabilityRule::run(Policies& room, op::Context& context,
                                                     const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  ImmutabilityRule rule = request.rule;
  rule.namespace_id = space.id;
  rule.creator = context.who.name;
  return room.create_rule(std::move(rule));
}

Result<ImmutabilityRule> GetImmutabilityRule::run(Policies& room, op::Context& context,
                                                  const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  return room.get_rule(space.id, request.id);
}

Result<ImmutabilityRule> UpdateImmutabilityRule::run(Policies& room, op::Context& context,
                                                     const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  ImmutabilityRule rule = request.rule;
  rule.namespace_id = space.id;
  return room.update_rule(rule);
}

Result<op::Nothing> DeleteImmutabilityRule::run(Policies& room, op::Context& context,
                                                const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  TRY_STATUS(room.delete_rule(space.id, request.id));
  return op::Nothing{};
}

Result<op::Nothing> SetImmutable::run(Policies& room, op::Context& context, const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  TRY_STATUS(room.hold_everything(space.id, request.immutable, context.who.name));
  return op::Nothing{};
}

// ---------------------------------------------------------------- quotas

namespace {

Result<QuotaReport> report(Policies& room, std::int64_t namespace_id) {
  QuotaReport report;
  TRY(report.quota, room.quota(namespace_id));
  TRY(report.usage, room.usage(namespace_id));
  return report;
}

}  // namespace

Result<QuotaReport> GetQuota::run(Policies& room, op::Context& context, const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request));
  return report(room, space.id);
}

Result<QuotaReport> SetQuota::run(Policies& room, op::Context& context, const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  TRY_STATUS(room.set_quota(space.id, request.quota, context.who));
  return report(room, space.id);
}

// ---------------------------------------------------------------- tag history

Result<std::vector<TagChange>> ListTagHistory::run(Policies& room, op::Context& context,
                                                   const Request& request) {
  TRY(Repository repository, find_repository(room.registry(), context, request.repository));
  return room.tag_history(repository, request.tag, request.after, request.limit);
}

Result<Tag> RestoreTag::run(Policies& room, op::Context& context, const Request& request) {
  TRY(Repository repository, find_repository(room.registry(), context, request.repository));
  TRY(Digest digest, Digest::parse(request.digest));
  // What somebody has deleted comes back by those who may delete.
  bool may_revive = context.auth.authorise(context.who, auth::Access::remove, repository.resource()).ok();
  return room.restore_tag(repository, request.tag, digest, context.who, may_revive);
}

// ---------------------------------------------------------------- what was deleted

Result<Deleted> ListDeleted::run(Policies& room, op::Context& context, const Request& request) {
  TRY(Repository repository, find_repository(room.registry(), context, request.repository));
  Deleted deleted;
  TRY(deleted.images, room.deleted_manifests(repository, request.slice));
  TRY(deleted.tags, room.deleted_tags(repository, request.slice));
  return deleted;
}

Result<Manifest> RestoreDeleted::run(Policies& room, op::Context& context, const Request& request) {
  TRY(Repository repository, find_repository(room.registry(), context, request.repository));
  bool by_digest = request.reference.find(':') != request.reference.npos;
  if (!by_digest) {
    TRY(Tag tag, room.restore_deleted_tag(repository, request.reference, context.who));
    return tag.manifest;
  }
  TRY(Digest digest, Digest::parse(request.reference));
  return room.restore_manifest(repository, digest, context.who);
}

Result<op::Nothing> PurgeDeleted::run(Policies& room, op::Context& context, const Request& request) {
  TRY(Repository repository, find_repository(room.registry(), context, request.repository));
  TRY(Digest digest, Digest::parse(request.digest));
  TRY_STATUS(room.purge_manifest(repository, digest));
  return op::Nothing{};
}

Result<op::Nothing> PurgeNamespace::run(Policies& room, op::Context& context, const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request));
  TRY_STATUS(room.purge_namespace(space.id));
  return op::Nothing{};
}

Result<std::vector<DeletedRepository>> ListDeletedRepositories::run(Policies& room, op::Context& context,
                                                                    const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  return room.deleted_repositories(space.id, request.slice);
}

Result<Repository> RestoreRepository::run(Policies& room, op::Context& context, const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  return room.restore_repository(space.id, request.id);
}

Result<op::Nothing> PurgeRepository::run(Policies& room, op::Context& context, const Request& request) {
  TRY(Namespace space, find_namespace(room.registry(), context, request.space));
  TRY_STATUS(room.purge_repository(space.id, request.id));
  return op::Nothing{};
}

}  // namespace wharfage::registry::ops
