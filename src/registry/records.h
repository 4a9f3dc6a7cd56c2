// The registry's SQL, as functions of what they do to rows. Everything runs inside the caller's transaction;
// what belongs together is decided there. Counts of tags, images and bytes are never updated in place: a
// change is appended (Change) and folded later, so pushes share no row.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"
#include "meta/db.h"
#include "registry/registry.h"

namespace wharfage::registry::records {

using Readable = std::optional<std::vector<std::int64_t>>;

// ---- instances (records_places.cc)
Result<std::optional<Instance>> find_instance(meta::Tx& tx);
Status insert_instance(meta::Tx& tx, const Instance& instance);
Result<bool> is_project(meta::Tx& tx, std::string_view name);

// ---- namespaces
Status insert_namespace(meta::Tx& tx, const Namespace& space);  // namespace_exists
Result<std::optional<Namespace>> find_namespace(meta::Tx& tx, std::string_view name);
Result<std::optional<Namespace>> find_namespace(meta::Tx& tx, std::int64_t id);
Result<std::optional<Namespace>> find_namespace_by_public_id(meta::Tx& tx, std::string_view public_id);
Result<Page<Namespace>> list_namespaces(meta::Tx& tx, const Registry::NamespaceFilter& filter, Slice slice);
Status update_namespace(meta::Tx& tx, const Namespace& space);
Result<bool> has_repositories(meta::Tx& tx, std::int64_t namespace_id);
Status delete_namespace(meta::Tx& tx, std::int64_t id);

// ---- repositories; rows on their way out are not found
Result<bool> insert_repository(meta::Tx& tx, const Repository& repository);  // false: the name is taken
Result<std::optional<Repository>> find_repository(meta::Tx& tx, std::string_view full_name);
Result<std::optional<Repository>> find_repository(meta::Tx& tx, std::int64_t id);
Result<std::optional<Repository>> find_repository_by_public_id(meta::Tx& tx, std::string_view public_id);
Result<Page<Repository>> list_repositories(meta::Tx& tx, const Registry::RepositoryFilter& filter,
                                           Slice slice);
Status update_repository(meta::Tx& tx, const Repository& repository);
Result<std::vector<std::string>> names_after(meta::Tx& tx, std::string_view last, std::int64_t limit);
Result<std::vector<std::string>> public_names_after(meta::Tx& tx, std::string_view last, std::int64_t limit);
Result<std::vector<std::string>> names_after(meta::Tx& tx, std::int64_t namespace_id, std::string_view last,
                                             std::int64_t limit);
// One on its way out whose time to come back is over.
Result<std::optional<std::int64_t>> find_unnamed_repository(meta::Tx& tx, TimeMs now);
Status delete_repository(meta::Tx& tx, std::int64_t id);

// ---- manifests (records_images.cc); deleted ones are not found
Status put_manifest_bytes(meta::Tx& tx, std::int64_t id, const std::string& bytes);
Status insert_manifest(meta::Tx& tx, const Manifest& manifest);
Result<std::optional<Manifest>> find_manifest(meta::Tx& tx, std::int64_t repository_id,
                                              std::string_view digest);
Result<std::optional<Manifest>> find_manifest(meta::Tx& tx, std::int64_t id);  // with pulls
Result<std::optional<Manifest>> find_tagged(meta::Tx& tx, std::int64_t repository_id, std::string_view tag);
Result<std::string> manifest_bytes(meta::Tx& tx, std::int64_t id);
Result<std::optional<std::string>> find_manifest_bytes(meta::Tx& tx, std::int64_t id);
Result<std::vector<Manifest>> list_manifests(meta::Tx& tx, std::int64_t repository_id, bool with_accessories,
                                             Slice slice);
// Charts have an index of their own, so the cost grows with what is listed and with the number of charts.
Result<std::vector<Manifest>> list_charts(meta::Tx& tx, std::int64_t repository_id, Slice slice);
Result<std::vector<Manifest>> list_images(meta::Tx& tx, std::int64_t repository_id, Slice slice);
Result<std::int64_t> count_charts(meta::Tx& tx, std::int64_t repository_id);
Result<std::vector<Registry::Located>> manifests_after(meta::Tx& tx, const Readable& readable,
                                                       std::int64_t after_id, std::int64_t limit);
Result<std::vector<Manifest>> referrers(meta::Tx& tx, std::int64_t repository_id, std::string_view subject,
                                        std::string_view artifact_type, std::int64_t after_id,
                                        std::int64_t limit);
// And its bytes, pulls and children; of its blobs it must have let go before.
Status delete_manifest(meta::Tx& tx, std::int64_t id);
Manifest manifest_of(const meta::Row& row);  // from the columns every query of manifests begins with

// References. False: the other side is not in this repository.
Result<bool> refer_to_blob(meta::Tx& tx, const Manifest& manifest, std::string_view digest);
Result<bool> refer_to_child(meta::Tx& tx, const Manifest& manifest, std::string_view digest);
// A blob that is not here counts as referred to when it comes.
Status expect_blob(meta::Tx& tx, const Manifest& manifest, std::string_view digest);
Result<std::int64_t> size_of_children(meta::Tx& tx, std::int64_t manifest_id);
Status set_total_size(meta::Tx& tx, std::int64_t manifest_id, std::int64_t total_size);
Result<bool> is_child(meta::Tx& tx, std::int64_t repository_id, std::string_view digest);
// The manifest needs this blob no longer. If it was the last one, the blob becomes loose (and of those that
// came late perhaps some that others need too: is_referred() tells).
Status let_blob_go(meta::Tx& tx, const Manifest& manifest, std::string_view digest, TimeMs now);
struct Reference {
  bool lost = false;  // the blob's bytes, or the link to it
};
struct Place {
  std::int64_t repository_id = 0;
  std::string digest;
};
Result<std::optional<Reference>> find_reference(meta::Tx& tx, const Place& blob, std::int64_t manifest_id);
// Digests of blobs a manifest refers to, for one that cannot be read any more: goes through all references of
// its repository. needs_of() (needs.h) is the usual way.
Result<std::vector<std::string>> search_references(meta::Tx& tx, const Manifest& manifest);
// Those of manifests that are there no longer.
Result<bool> has_stale_reference(meta::Tx& tx, const Place& blob);
Status delete_stale_references(meta::Tx& tx, const Place& blob);
Result<std::int64_t> delete_children_of(meta::Tx& tx, std::int64_t repository_id, std::int64_t limit);

// ---- tags
struct TagRow {
  std::int64_t id = 0, manifest_id = 0;
};
Result<std::optional<TagRow>> find_tag_row(meta::Tx& tx, std::int64_t repository_id, std::string_view name);
Status insert_tag(meta::Tx& tx, const Tag& tag);
Status move_tag(meta::Tx& tx, std::int64_t id, std::int64_t manifest_id, TimeMs now);
Result<std::optional<Tag>> find_tag(meta::Tx& tx, std::int64_t repository_id, std::string_view name);
Result<std::vector<Tag>> list_tags(meta::Tx& tx, std::int64_t repository_id,
                                   const Registry::TagFilter& filter, Slice slice);
Result<std::int64_t> count_tags(meta::Tx& tx, std::int64_t repository_id, const Registry::TagFilter& filter);
Result<std::vector<std::string>> tags_after(meta::Tx& tx, std::int64_t repository_id, std::string_view last,
                                            std::int64_t limit);
Result<std::vector<std::string>> tags_of(meta::Tx& tx, std::int64_t manifest_id, std::int64_t limit);
Result<std::vector<Tag>> tags_on(meta::Tx& tx, std::int64_t manifest_id, std::int64_t limit);
Result<bool> has_image_tag(meta::Tx& tx, std::int64_t manifest_id);  // one that is no accessory's
Status delete_tag(meta::Tx& tx, std::int64_t id);
struct Removed {
  std::int64_t tags = 0, accessory_tags = 0;
};
Result<Removed> delete_tags_of(meta::Tx& tx, std::int64_t manifest_id);
Result<Removed> delete_some_tags(meta::Tx& tx, std::int64_t repository_id, std::int64_t limit);

// ---- blobs and links (records_blobs.cc)
// lost: linked, but its bytes are gone or corrupt; refused until it is pushed again.
enum class BlobState { live = 0, doomed = 1, lost = 3 };
struct BlobRow {
  std::int64_t size = 0;
  BlobState state = BlobState::live;
};
Result<std::optional<BlobRow>> find_blob(meta::Tx& tx, std::string_view digest);
Status put_blob(meta::Tx& tx, std::string_view digest, BlobRow row, TimeMs now);
struct Link {
  std::int64_t size = 0;
  std::optional<TimeMs> loose_since;
  bool lost = false;  // the blob's bytes
};
Result<std::optional<Link>> find_link(meta::Tx& tx, std::int64_t repository_id, std::string_view digest,
                                      bool with_hidden = false);
Status put_link(meta::Tx& tx, const Repository& repository, std::string_view digest, TimeMs now);
Result<bool> is_referred(meta::Tx& tx, std::int64_t repository_id, std::string_view digest);
// Tells of which namespace it was; 0: there was none.
Result<std::int64_t> delete_link(meta::Tx& tx, std::int64_t repository_id, std::string_view digest);
Status tighten_link(meta::Tx& tx, std::int64_t repository_id, std::string_view digest);
Status renew_link(meta::Tx& tx, std::int64_t repository_id, std::string_view digest, TimeMs now);
Result<bool> is_linked(meta::Tx& tx, std::string_view digest);
Result<bool> is_linked_readably(meta::Tx& tx, std::string_view digest, const Readable& readable);
Result<std::vector<Place>> loose_links(meta::Tx& tx, TimeMs before, std::int64_t limit);
struct DoomedBlob {
  std::string digest;
  std::int64_t size = 0;
};
// That nobody links; those doomed first come first.
Result<std::vector<DoomedBlob>> doomed_blobs(meta::Tx& tx, std::int64_t limit);
Result<bool> delete_doomed_blob(meta::Tx& tx, std::string_view digest);
Result<std::vector<std::string>> users_of(meta::Tx& tx, std::string_view digest,
                                          std::int64_t limit);  // names

// ---- uploads
struct UploadRow {
  std::string id;
  TimeMs started_at = 0;
};
Status insert_upload(meta::Tx& tx, std::string_view id, std::int64_t repository_id, std::string_view owner,
                     TimeMs now);
struct OpenUploads {
  std::int64_t all = 0, owned = 0;
};
Result<OpenUploads> count_uploads(meta::Tx& tx, std::int64_t repository_id, std::string_view owner);
Result<bool> has_upload(meta::Tx& tx, std::string_view id, std::int64_t repository_id,
                        std::string_view owner);
Result<bool> delete_upload(meta::Tx& tx, std::string_view id, std::int64_t repository_id);
Result<bool> delete_upload(meta::Tx& tx, std::string_view id);
// Started before `before`, after this row.
Result<std::vector<UploadRow>> uploads_after(meta::Tx& tx, const UploadRow& last, TimeMs before,
                                             std::int64_t limit);
Result<std::vector<std::string>> uploads_of(meta::Tx& tx, std::int64_t repository_id, std::int64_t limit);

// ---- counts (records_counts.cc). Repository 0 holds what concerns the whole store.
struct Counts {
  std::int64_t repositories = 0, tags = 0, accessory_tags = 0, manifests = 0, accessories = 0, pulls = 0,
               blobs = 0;
  // Of the store: what its blobs come to. Of a repository: what its manifests come to themselves, those that
  // were deleted among them.
  std::int64_t bytes = 0;
};
// Of a repository that is being emptied, at most `limit` at once; nullopt: there are none. They tell how many
// manifests went, and how many blobs with how many bytes were doomed because nobody else links them.
Result<std::optional<Counts>> delete_some_manifests(meta::Tx& tx, std::int64_t repository_id,
                                                    std::int64_t limit);
Result<std::int64_t> delete_some_references(meta::Tx& tx, std::int64_t repository_id, std::int64_t limit);
Result<std::optional<Counts>> delete_some_links(meta::Tx& tx, std::int64_t repository_id, TimeMs now,
                                                std::int64_t limit);
Status append_change(meta::Tx& tx, std::int64_t repository_id, const Counts& change);
Result<Counts> counts(meta::Tx& tx, std::int64_t repository_id);  // folded and appended
Result<Counts> store_counts(meta::Tx& tx);
Result<std::int64_t> count_namespaces(meta::Tx& tx);
// Folds the appended changes of up to `limit` repositories; tells of how many.
Result<std::int64_t> fold_changes(meta::Tx& tx, std::int64_t limit);
Status fold_changes_of(meta::Tx& tx, std::int64_t repository_id);
// Of a repository that has been emptied, after a fold. Until now its namespace held what the manifests weigh.
Status forget_counts(meta::Tx& tx, std::int64_t repository_id);
// Of a repository: once per fold, not per pull. 0: never.
Status note_last_pull(meta::Tx& tx, std::int64_t repository_id, TimeMs at);
Result<TimeMs> last_pull(meta::Tx& tx, std::int64_t repository_id);
Result<bool> add_pulls(meta::Tx& tx, std::int64_t manifest_id, std::int64_t pulls, TimeMs at);

// ---- for checks (records_check.cc): pages of everything, in the order of their keys
struct BlobAt {
  std::string digest;
  BlobRow row;
  bool linked = false;
};
Result<std::vector<BlobAt>> blobs_after(meta::Tx& tx, std::string_view last, std::int64_t limit);
struct LinkAt {
  Place place;
  bool loose = false, referred = false, dangling = false;
  bool stale = false;  // a manifest that is there no longer refers to it
};
Result<std::vector<LinkAt>> links_after(meta::Tx& tx, const Place& last, std::int64_t limit);
struct ManifestAt {
  std::int64_t id = 0, repository_id = 0;
  std::string digest, media_type;
  std::optional<std::string> bytes;
};
Result<std::vector<ManifestAt>> manifests_at(meta::Tx& tx, std::int64_t after_id, std::int64_t limit);
Result<std::vector<std::string>> lost_children_of(meta::Tx& tx, std::int64_t manifest_id);  // without a row
Result<std::vector<std::string>> children_of(meta::Tx& tx, std::int64_t manifest_id);
struct TagAt {
  std::int64_t id = 0, repository_id = 0;
  std::string name;
  bool dangling = false;
};
Result<std::vector<TagAt>> tags_at(meta::Tx& tx, std::int64_t after_id, std::int64_t limit);
Result<std::vector<std::int64_t>> repositories_after(meta::Tx& tx, std::int64_t id, std::int64_t limit);
Result<bool> is_leaving(meta::Tx& tx, std::int64_t repository_id);  // it was deleted
Result<Counts> recount(meta::Tx& tx, std::int64_t repository_id);   // tags and manifests, from their rows
Result<Counts> recount_store(meta::Tx& tx);
Status loosen_link(meta::Tx& tx, const Place& place, TimeMs now);

// ---- tools
std::string contains(std::string_view text);    // a LIKE pattern with '\' as escape
std::string id_list(const Readable& readable);  // ",1,2,": matched against '%,' || id || ',%'

}  // namespace wharfage::registry::records
