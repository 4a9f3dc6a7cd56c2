// What a namespace decides about its images: which tags are immutable, and, for what was changed or deleted,
// the history of tags and the way back. The rules are enforced by the Registry itself, on every path, in the
// transaction that would break them (protection.h). Callers have been authorised. Thread-safe, blocking.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "registry/policy_model.h"

namespace wharfage::registry {

struct PolicyOptions {
  TimeMs tag_history_ms = std::int64_t{90} * 24 * 3600 * 1000;  // older changes are forgotten
};

class Policies {
 public:
  Policies(Registry& registry, meta::Ids& ids, PolicyOptions options = {});

  Registry& registry() { return x_registry; }

  // ---- immutability rules: not_found, invalid_parameter, quota_exceeded. Ids are searched in the namespace.
  Result<ImmutabilityRule> create_rule(ImmutabilityRule wanted);  // id and times are filled in
  Result<std::vector<ImmutabilityRule>> list_rules(std::int64_t namespace_id);
  // Of the namespaces with these ids (nullopt: of all), and of only one of them unless `namespace_id` is 0.
  Result<Page<LocatedRule>> list_rules(const std::optional<std::vector<std::int64_t>>& readable,
                                       std::int64_t namespace_id, Slice slice);
  Result<ImmutabilityRule> get_rule(std::int64_t namespace_id, std::int64_t id);
  Result<ImmutabilityRule> update_rule(const ImmutabilityRule& rule);
  Status delete_rule(std::int64_t namespace_id, std::int64_t id);
  // Whether an enabled rule holds every tag of the namespace; making one, or dropping such rules.
  Result<bool> holds_everything(std::int64_t namespace_id);
  Status hold_everything(std::int64_t namespace_id, bool wanted, std::string_view actor);

  // ---- tag history, newest first: of one tag, or of all. `after` continues a page.
  Result<std::vector<TagChange>> tag_history(const Repository& repository, std::string_view tag,
                                             const std::optional<TagChangeKey>& after, std::int64_t limit);
  // Puts the tag back on an image it once pointed to, reviving that when it was deleted and `may_revive`.
  // Errors: manifest_unknown (it never pointed there, or that image has gone), tag_immutable.
  Result<Tag> restore_tag(const Repository& repository, const std::string& tag, const Digest& digest,
                          const auth::Principal& who, bool may_revive = true);

  // ---- what was deleted and can come back, newest first
  Result<std::vector<DeletedManifest>> deleted_manifests(const Repository& repository, Slice slice);
  Result<std::vector<DeletedTag>> deleted_tags(const Repository& repository, Slice slice);
  Result<std::vector<DeletedRepository>> deleted_repositories(std::int64_t namespace_id, Slice slice);
  // With the children of an index, what was attached to it and went with it, and those of its tags whose
  // names are still free. manifest_unknown; quota_exceeded, like a push that brings so many tags, from all of
  // these.
  Result<Manifest> restore_manifest(const Repository& repository, const Digest& digest,
                                    const auth::Principal& who);
  // With its manifest. tag_unknown; conflict when there is such a tag again.
  Result<Tag> restore_deleted_tag(const Repository& repository, const std::string& tag,
                                  const auth::Principal& who);
  // repository_unknown; repository_exists when the name was taken.
  Result<Repository> restore_repository(std::int64_t namespace_id, std::int64_t id);
  // For good, now. manifest_unknown; conflict when a deleted index refers to it.
  Status purge_manifest(const Repository& repository, const Digest& digest);
  Status purge_repository(std::int64_t namespace_id, std::int64_t id);  // repository_unknown
  // Everything deleted in the namespace is due at once: the next purge() takes it.
  Status purge_namespace(std::int64_t namespace_id);

  // ---- quotas. A push is admitted by what was counted when it began: those under way at the same time may
  // overshoot by what they bring, none waits for another. quota_exceeded, from the push.
  Result<Quota> quota(std::int64_t namespace_id);
  Status set_quota(std::int64_t namespace_id, const Quota& quota, const auth::Principal& who);
  Result<NamespaceUsage> usage(std::int64_t namespace_id);

  // ---- chores: bounded per call; purge() tells whether there is more to do.
  Result<bool> purge();
  Status prune_history();
  Status fold_usage();  // and tell, by "quota.warning", of namespaces that are now 85 % full

 private:
  Result<Manifest> restore(const Repository& repository, const std::string& digest,
                           const auth::Principal& who, int depth);
  Status admit_restore(const Repository& repository, const std::string& digest, const std::string& tag);
  Status restore_tags(const Repository& repository, const DeletedManifest& deleted, const std::string& bytes,
                      const auth::Principal& who);
  Status restore_accessories(const Repository& repository, const DeletedManifest& deleted,
                             const auth::Principal& who, int depth);
  Registry& x_registry;
  meta::Ids& x_ids;
  const PolicyOptions x_options;
  std::int64_t x_history_cursor = 0;  // of prune_history(), which one thread calls
};

}  // namespace wharfage::registry
