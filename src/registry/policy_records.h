// The SQL of what namespaces decide about their images and of what was deleted: records_policies.cc,
// records_history.cc and records_deleted.cc. As in records.h, everything runs in the caller's transaction.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "meta/db.h"
#include "registry/policy_model.h"
#include "registry/records.h"

namespace wharfage::registry::records {

// ---- immutability rules
Result<std::vector<ImmutabilityRule>> immutability_rules(meta::Tx& tx, std::int64_t namespace_id);
// Of every readable namespace, or of one of them (0: all), by id.
Result<Page<LocatedRule>> immutability_rules_in(meta::Tx& tx, const Readable& readable,
                                                std::int64_t namespace_id, Slice slice);
Result<std::optional<ImmutabilityRule>> find_immutability_rule(meta::Tx& tx, std::int64_t id);
Status insert_immutability_rule(meta::Tx& tx, const ImmutabilityRule& rule);
Status update_immutability_rule(meta::Tx& tx, const ImmutabilityRule& rule);
Status delete_immutability_rule(meta::Tx& tx, std::int64_t id);
Result<std::vector<std::string>> tags_of_after(meta::Tx& tx, std::int64_t manifest_id, std::string_view last,
                                               std::int64_t limit);

// ---- tag history
Status add_tag_change(meta::Tx& tx, const TagChange& change);  // numbers it
// The same, "deleted", for every image tag of a manifest that is about to go.
Status add_tags_deleted(meta::Tx& tx, const Manifest& manifest, TimeMs at, const Cause& cause);
Result<std::vector<TagChange>> tag_history(meta::Tx& tx, std::int64_t repository_id,
                                           const TagChangeKey& before, std::int64_t limit);
Result<std::vector<TagChange>> tag_history_of(meta::Tx& tx, std::int64_t repository_id, std::string_view tag,
                                              std::int64_t before, std::int64_t limit);
// Tags that went by one way (TagChange::origin), newest first.
Result<Page<TagChange>> tags_removed_by(meta::Tx& tx, std::int64_t repository_id, std::string_view origin,
                                        Slice slice);
Result<bool> has_pointed_to(meta::Tx& tx, std::int64_t repository_id, std::string_view tag,
                            std::string_view digest);
Result<std::string> digest_of(meta::Tx& tx, std::int64_t manifest_id);
// The time of the change after which `keep` newer ones follow; nullopt when there are not so many.
Result<std::optional<TimeMs>> tag_history_end(meta::Tx& tx, std::int64_t repository_id, std::int64_t keep);
// Up to `limit` changes at or before `until`.
Result<std::int64_t> prune_tag_history(meta::Tx& tx, std::int64_t repository_id, TimeMs until,
                                       std::int64_t limit);
Result<std::vector<std::int64_t>> repositories_with_history(meta::Tx& tx, std::int64_t after_id,
                                                            std::int64_t limit);

// ---- quotas (records_quota.cc). Like the counts of repositories: changes are appended, and folded later.
Result<Quota> quota(meta::Tx& tx, std::int64_t namespace_id);
Status put_quota(meta::Tx& tx, std::int64_t namespace_id, const Quota& quota, std::string_view set_by,
                 TimeMs now);
Status append_usage(meta::Tx& tx, std::int64_t namespace_id, const NamespaceUsage& change);
// The same for bytes of the repository's namespace, also when the repository was deleted.
Status append_manifest_bytes(meta::Tx& tx, std::int64_t repository_id, std::int64_t bytes);
// A manifest that goes for good: neither its repository nor the namespace holds its bytes any more.
Status uncount_manifest(meta::Tx& tx, const Manifest& manifest);
Result<NamespaceUsage> usage(meta::Tx& tx, std::int64_t namespace_id);  // folded and appended
Result<std::vector<std::int64_t>> namespaces_to_fold(meta::Tx& tx, std::int64_t limit);
struct FoldedUsage {
  NamespaceUsage before, after;
};
Result<FoldedUsage> fold_usage(meta::Tx& tx, std::int64_t namespace_id);
struct UsageAt {
  std::int64_t namespace_id = 0;
  NamespaceUsage usage;
};
// From the rows that are counted, for the next `limit` namespaces. Reads every link of the store. What
// manifests weigh is taken from the counts of repositories, which are held against the rows themselves.
Result<std::vector<UsageAt>> recount_usage(meta::Tx& tx, std::int64_t after_id, std::int64_t limit);
// Whether any repository of the namespace has the blob.
Result<bool> is_linked_in(meta::Tx& tx, std::int64_t namespace_id, std::string_view digest);

// ---- what was deleted and can come back
struct Removal {
  TimeMs at = 0, purge_at = 0;
  Cause cause;
};
Status hide_manifest(meta::Tx& tx, std::int64_t id, const Removal& removal);
Status reveal_manifest(meta::Tx& tx, const Manifest& manifest);  // with its media type, kind and time
Result<std::optional<DeletedManifest>> find_deleted_manifest(meta::Tx& tx, std::int64_t repository_id,
                                                             std::string_view digest);
Result<std::vector<DeletedManifest>> deleted_manifests(meta::Tx& tx, std::int64_t repository_id, Slice slice);
Result<std::vector<DeletedManifest>> deleted_manifests_due(meta::Tx& tx, TimeMs now, std::int64_t limit);
// Children of an index, or referrers of a subject deleted no earlier than `since`.
Result<std::vector<std::string>> deleted_children(meta::Tx& tx, std::int64_t manifest_id);
Result<std::vector<std::string>> deleted_referrers(meta::Tx& tx, std::int64_t repository_id,
                                                   std::string_view subject, TimeMs since);
// Whether an index, deleted or not, refers to it.
Result<bool> has_parent(meta::Tx& tx, std::int64_t repository_id, std::string_view digest);
Result<std::optional<TimeMs>> last_parent_purge(meta::Tx& tx, std::int64_t repository_id,
                                                std::string_view digest);
// All that was deleted in a repository, or the deleted repositories of a namespace, are due at `now`.
Status purge_deleted_in(meta::Tx& tx, std::int64_t repository_id, TimeMs now);
Status purge_repositories_of(meta::Tx& tx, std::int64_t namespace_id, TimeMs now);
Result<std::vector<std::int64_t>> repositories_of_after(meta::Tx& tx, std::int64_t namespace_id,
                                                        std::int64_t after_id, std::int64_t limit);
Status postpone_purge(meta::Tx& tx, std::int64_t manifest_id, TimeMs purge_at);

Status keep_deleted_tag(meta::Tx& tx, const DeletedTag& tag);
Status keep_deleted_tags_of(meta::Tx& tx, std::int64_t manifest_id, const Removal& removal);
Result<std::optional<DeletedTag>> find_deleted_tag(meta::Tx& tx, std::int64_t repository_id,
                                                   std::string_view name);
Result<std::vector<DeletedTag>> deleted_tags(meta::Tx& tx, std::int64_t repository_id, Slice slice);
Result<std::vector<DeletedTag>> deleted_tags_of(meta::Tx& tx, std::int64_t manifest_id,
                                                std::string_view after, std::int64_t limit);
Status forget_deleted_tag(meta::Tx& tx, std::int64_t repository_id, std::string_view name);
Result<std::int64_t> forget_deleted_tags_due(meta::Tx& tx, TimeMs now, std::int64_t limit);
Result<std::int64_t> forget_deleted_tags_in(meta::Tx& tx, std::int64_t repository_id, std::int64_t limit);

struct UnnamedRepository {
  DeletedRepository repository;
  std::string public_id;
  bool is_public = false;
};
Status unname_repository(meta::Tx& tx, const Repository& repository, const Removal& removal);
Result<std::optional<UnnamedRepository>> find_deleted_repository(meta::Tx& tx, std::int64_t id);
Result<std::vector<DeletedRepository>> deleted_repositories(meta::Tx& tx, std::int64_t namespace_id,
                                                            Slice slice);
// False: its name has been taken.
Result<bool> rename_repository(meta::Tx& tx, const UnnamedRepository& repository,
                               std::string_view namespace_name);
Status purge_repository_at(meta::Tx& tx, std::int64_t id, TimeMs purge_at);

// A link that a client has deleted while only deleted manifests need it.
Result<bool> is_needed(meta::Tx& tx, std::int64_t repository_id,
                       std::string_view digest);  // by one that is not deleted
Status hide_link(meta::Tx& tx, std::int64_t repository_id, std::string_view digest);
Status reveal_link(meta::Tx& tx, std::int64_t repository_id, std::string_view digest);

}  // namespace wharfage::registry::records
