#include <algorithm>
#include <set>

#include "base/limits.h"
#include "registry/policies.h"
#include "registry/policy_limits.h"
#include "registry/policy_records.h"
#include "registry/records.h"

// The history of tags, and the way back for what was deleted. What comes back is pushed again from the bytes
// that were kept, so protection, history and events are those of every push.
namespace wharfage::registry {
namespace {

constexpr const char* origin = "restore";

Slice bounded_page(Slice slice) {
  slice.offset = std::max<std::int64_t>(slice.offset, 0);
  slice.limit = std::clamp<std::int64_t>(slice.limit, 0, static_cast<std::int64_t>(limits::list_page_max));
  return slice;
}

}  // namespace

Result<std::vector<TagChange>> Policies::tag_history(const Repository& repository, std::string_view tag,
                                                     const std::optional<TagChangeKey>& after,
                                                     std::int64_t limit) {
  limit = bounded_page({0, limit}).limit;
  TagChangeKey before = after.value_or(TagChangeKey{INT64_MAX, "", INT64_MAX});
  return x_registry.db().read([&](meta::Tx& tx) {
    return tag.empty() ? records::tag_history(tx, repository.id, before, limit)
                       : records::tag_history_of(tx, repository.id, tag, before.number, limit);
  });
}

Result<Tag> Policies::restore_tag(const Repository& repository, const std::string& tag, const Digest& digest,
                                  const auth::Principal& who, bool may_revive) {
  TRY(bool known, x_registry.db().read([&](meta::Tx& tx) {
    return records::has_pointed_to(tx, repository.id, tag, digest.text());
  }));
  if (!known)
    return fail(Reason::manifest_unknown, "the history does not know the tag with this digest",
                digest.text());
  if (may_revive) {
    TRY_STATUS(admit_restore(repository, digest.text(), tag));
    TRY_STATUS(restore(repository, digest.text(), who, 0));
  }
  TRY(Manifest manifest, x_registry.get_manifest(repository, digest.text()));
  TRY_STATUS(x_registry.put_manifest(repository,
                                     {.bytes = manifest.bytes,
                                      .media_type = manifest.media_type,
                                      .digest = digest,
                                      .tags = {tag},
                                      .event_origin = origin},
                                     who));
  return x_registry.get_tag(repository, tag);
}

Result<std::vector<DeletedManifest>> Policies::deleted_manifests(const Repository& repository, Slice slice) {
  return x_registry.db().read(
      [&](meta::Tx& tx) { return records::deleted_manifests(tx, repository.id, bounded_page(slice)); });
}

Result<std::vector<DeletedTag>> Policies::deleted_tags(const Repository& repository, Slice slice) {
  return x_registry.db().read(
      [&](meta::Tx& tx) { return records::deleted_tags(tx, repository.id, bounded_page(slice)); });
}

Result<std::vector<DeletedRepository>> Policies::deleted_repositories(std::int64_t namespace_id,
                                                                      Slice slice) {
  return x_registry.db().read(
      [&](meta::Tx& tx) { return records::deleted_repositories(tx, namespace_id, bounded_page(slice)); });
}

Result<Manifest> Policies::restore_manifest(const Repository& repository, const Digest& digest,
                                            const auth::Principal& who) {
  TRY_STATUS(admit_restore(repository, digest.text(), ""));
  return restore(repository, digest.text(), who, 0);
}

namespace {

// Some of the tags that went with a manifest, and whose names are free.
struct FreeTags {
  std::vector<std::string> names;
  std::string last;  // where the next ones begin
  bool end = false;
};

Result<FreeTags> free_tags(meta::Tx& tx, const DeletedManifest& deleted, const std::string& after) {
  constexpr std::int64_t page = limits::manifest_tags_per_push_max;
  FreeTags found;
  TRY(auto tags, records::deleted_tags_of(tx, deleted.manifest.id, after, page));
  found.end = static_cast<std::int64_t>(tags.size()) < page;
  if (!tags.empty()) found.last = tags.back().name;
  for (const auto& tag : tags) {
    TRY(auto taken, records::find_tag_row(tx, deleted.manifest.repository_id, tag.name));
    if (!taken && tag.deleted_at >= deleted.deleted_at) found.names.push_back(tag.name);
  }
  return found;
}

// Signatures and the like that went no earlier than their subject.
Result<std::vector<std::string>> accessories_of(meta::Tx& tx, const DeletedManifest& deleted) {
  std::int64_t repository_id = deleted.manifest.repository_id;
  std::string stem = deleted.manifest.digest->text();
  TRY(auto found, records::deleted_referrers(tx, repository_id, stem, deleted.deleted_at));
  stem[stem.find(':')] = '-';
  for (const char* suffix : {"", ".sig", ".att", ".sbom"}) {
    TRY(auto tag, records::find_deleted_tag(tx, repository_id, stem + suffix));
    if (tag && tag->deleted_at >= deleted.deleted_at) found.push_back(tag->digest);
  }
  return found;
}

Error too_deep() {
  return fail(Reason::too_large, "the image is nested too deeply");
}

// Counts the tags that restore() would bring back, on the same way through the images.
struct TagCount {
  meta::Db& db;
  const std::int64_t repository_id;
  const std::string& apart;  // a tag that is not counted
  std::set<std::string> seen;
  std::int64_t tags = 0;

  Status add(const std::string& digest, int depth) {
    if (depth > limits::restore_depth_max) return too_deep();
    if (!seen.insert(digest).second) return {};
    std::vector<std::string> along;
    TRY(auto deleted, db.read([&](meta::Tx& tx) -> Result<std::optional<DeletedManifest>> {
      TRY(auto found, records::find_deleted_manifest(tx, repository_id, digest));
      if (!found) return found;
      TRY(along, records::deleted_children(tx, found->manifest.id));
      TRY(auto accessories, accessories_of(tx, *found));
      along.insert(along.end(), accessories.begin(), accessories.end());
      return found;
    }));
    if (!deleted) return {};
    TRY_STATUS(add_tags(*deleted));
    for (const auto& next : along) TRY_STATUS(add(next, depth + 1));
    return {};
  }

  Status add_tags(const DeletedManifest& deleted) {
    for (FreeTags page; !page.end;) {
      TRY(page, db.read([&](meta::Tx& tx) { return free_tags(tx, deleted, page.last); }));
      for (const auto& name : page.names) tags += name == apart || is_accessory_tag(name) ? 0 : 1;
    }
    return {};
  }
};

}  // namespace

// All tags that the image brings along, and `tag` if it is none of them, are admitted before any of it comes
// back. What it weighs has been counted all the time.
Status Policies::admit_restore(const Repository& repository, const std::string& digest,
                               const std::string& tag) {
  meta::Db& db = x_registry.db();
  TRY(auto deleted,
      db.read([&](meta::Tx& tx) { return records::find_deleted_manifest(tx, repository.id, digest); }));
  if (!deleted) return {};
  TRY(auto there, db.read([&](meta::Tx& tx) { return records::find_tag_row(tx, repository.id, tag); }));
  TagCount count{.db = db, .repository_id = repository.id, .apart = tag};
  TRY_STATUS(count.add(digest, 0));
  std::int64_t more = count.tags + (tag.empty() || there || is_accessory_tag(tag) ? 0 : 1);
  TRY(auto space, x_registry.get_namespace(repository.namespace_id));
  return x_registry.admit(space, {.tags = more});
}

// Children first, so that the index finds them; then what is attached to it. What is there already stays as
// it is.
Result<Manifest> Policies::restore(const Repository& repository, const std::string& digest,
                                   const auth::Principal& who, int depth) {
  if (depth > limits::restore_depth_max) return too_deep();
  struct Found {
    std::optional<DeletedManifest> deleted;
    std::string bytes;
    std::vector<std::string> children;
  };
  TRY(auto found, x_registry.db().read([&](meta::Tx& tx) -> Result<Found> {
    Found found;
    TRY(found.deleted, records::find_deleted_manifest(tx, repository.id, digest));
    if (!found.deleted) return found;
    TRY(found.bytes, records::manifest_bytes(tx, found.deleted->manifest.id));
    TRY(found.children, records::deleted_children(tx, found.deleted->manifest.id));
    return found;
  }));
  if (!found.deleted) return x_registry.get_manifest(repository, digest);
  for (const auto& child : found.children) TRY_STATUS(restore(repository, child, who, depth + 1));
  TRY_STATUS(restore_tags(repository, *found.deleted, found.bytes, who));
  TRY_STATUS(restore_accessories(repository, *found.deleted, who, depth));
  return x_registry.get_manifest(repository, digest);
}

// In steps of as many tags as one push may have. Without any it comes back under its digest.
Status Policies::restore_tags(const Repository& repository, const DeletedManifest& deleted,
                              const std::string& bytes, const auth::Principal& who) {
  meta::Db& db = x_registry.db();
  FreeTags step;
  for (bool first = true; !step.end; first = false) {
    TRY(step, db.read([&](meta::Tx& tx) { return free_tags(tx, deleted, step.last); }));
    if (step.names.empty() && !first) continue;
    ManifestPush push{.bytes = bytes,
                      .media_type = deleted.manifest.media_type,
                      .digest = deleted.manifest.digest,
                      .tags = step.names,
                      .event_origin = origin};
    TRY_STATUS(x_registry.put_manifest(repository, push, who));
    TRY_STATUS(db.write([&](meta::Tx& tx) -> Status {
      for (const auto& name : step.names) TRY_STATUS(records::forget_deleted_tag(tx, repository.id, name));
      return {};
    }));
  }
  return {};
}

Status Policies::restore_accessories(const Repository& repository, const DeletedManifest& deleted,
                                     const auth::Principal& who, int depth) {
  TRY(auto digests, x_registry.db().read([&](meta::Tx& tx) { return accessories_of(tx, deleted); }));
  for (const auto& digest : digests) TRY_STATUS(restore(repository, digest, who, depth + 1));
  return {};
}

Result<Tag> Policies::restore_deleted_tag(const Repository& repository, const std::string& tag,
                                          const auth::Principal& who) {
  TRY(auto deleted, x_registry.db().read([&](meta::Tx& tx) -> Result<DeletedTag> {
    TRY(auto found, records::find_deleted_tag(tx, repository.id, tag));
    if (!found) return fail(Reason::tag_unknown, {}, tag);
    TRY(auto taken, records::find_tag_row(tx, repository.id, tag));
    if (taken) return fail(Reason::conflict, "there is such a tag again", tag);
    return *std::move(found);
  }));
  TRY_STATUS(admit_restore(repository, deleted.digest, tag));
  TRY_STATUS(restore(repository, deleted.digest, who, 0));
  TRY(Manifest manifest, x_registry.get_manifest(repository, deleted.digest));
  TRY_STATUS(x_registry.put_manifest(repository,
                                     {.bytes = manifest.bytes,
                                      .media_type = manifest.media_type,
                                      .digest = manifest.digest,
                                      .tags = {tag},
                                      .event_origin = origin},
                                     who));
  TRY_STATUS(x_registry.db().write(
      [&](meta::Tx& tx) { return records::forget_deleted_tag(tx, repository.id, tag); }));
  return x_registry.get_tag(repository, tag);
}

// ---------------------------------------------------------------- repositories

namespace {

// Of this namespace, and not being emptied already.
Result<records::UnnamedRepository> known(meta::Tx& tx, std::int64_t namespace_id, std::int64_t id,
                                         TimeMs now) {
  TRY(auto found, records::find_deleted_repository(tx, id));
  if (!found || found->repository.namespace_id != namespace_id || found->repository.purge_at <= now)
    return fail(Reason::repository_unknown, "there is no such deleted repository", std::to_string(id));
  return *std::move(found);
}

}  // namespace

Result<Repository> Policies::restore_repository(std::int64_t namespace_id, std::int64_t id) {
  TRY(auto tags, x_registry.db().read([&](meta::Tx& tx) -> Result<std::int64_t> {
    TRY_STATUS(known(tx, namespace_id, id, x_registry.clock().now()));
    TRY(auto held, records::counts(tx, id));
    return held.tags;
  }));
  TRY(auto into, x_registry.get_namespace(namespace_id));
  TRY_STATUS(x_registry.admit(into, {.repositories = 1, .tags = tags}));
  TRY_STATUS(x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY(auto found, known(tx, namespace_id, id, x_registry.clock().now()));
    TRY(auto space, records::find_namespace(tx, namespace_id));
    if (!space) return fail(Reason::namespace_unknown);
    TRY(bool renamed, records::rename_repository(tx, found, space->name));
    if (!renamed) return fail(Reason::repository_exists, {}, space->name + "/" + found.repository.name);
    TRY(auto held, records::counts(tx, id));
    TRY_STATUS(records::append_usage(tx, namespace_id, {.repositories = 1, .tags = held.tags}));
    return records::append_change(tx, 0, {.repositories = 1});
  }));
  return x_registry.get_repository(id);
}

Status Policies::purge_repository(std::int64_t namespace_id, std::int64_t id) {
  TimeMs now = x_registry.clock().now();
  return x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY(auto found, known(tx, namespace_id, id, now));
    return records::purge_repository_at(tx, id, std::max(now, found.repository.deleted_at + 1));
  });
}

}  // namespace wharfage::registry
