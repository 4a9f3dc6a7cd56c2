#include "registry/forgetting.h"
#include "registry/needs.h"
#include "registry/policies.h"
#include "registry/policy_limits.h"
#include "registry/policy_records.h"
#include "registry/records.h"

// What nobody wanted back in time goes for good, in short transactions; collect() then reclaims the bytes.
namespace wharfage::registry {
namespace {

Status purge_one(meta::Tx& tx, Registry& registry, const Manifest& manifest) {
  TRY_STATUS(remove_manifest(tx, manifest, registry.clock().now()));
  TRY(auto repository, records::find_repository(tx, manifest.repository_id));
  return repository ? tell_purged(tx, registry.events(), *repository, manifest) : Status();
}

// A child goes after every index that refers to it.
Status purge_or_postpone(meta::Tx& tx, Registry& registry, const Manifest& manifest) {
  TRY(bool parent, records::has_parent(tx, manifest.repository_id, manifest.digest->text()));
  if (!parent) return purge_one(tx, registry, manifest);
  TRY(auto later, records::last_parent_purge(tx, manifest.repository_id, manifest.digest->text()));
  return records::postpone_purge(tx, manifest.id, later.value_or(registry.clock().now()) + 1);
}

Result<bool> purge_tags(meta::Db& db, TimeMs now) {
  for (int batch = 0; batch < limits::purge_batches_max; ++batch) {
    TRY(std::int64_t gone, db.write([&](meta::Tx& tx) {
      return records::forget_deleted_tags_due(tx, now, limits::purge_batch);
    }));
    if (gone < limits::purge_batch) return false;
  }
  return true;
}

// False: there are none. They are read for what they need, so it is their size that bounds a step.
Result<bool> purge_some(meta::Tx& tx, Registry& registry, TimeMs now) {
  TRY(auto due, records::deleted_manifests_due(tx, now, limits::purge_batch));
  std::int64_t bytes = 0;
  for (const auto& deleted : due) {
    if (bytes >= limits::purge_batch_bytes) break;
    TRY_STATUS(purge_or_postpone(tx, registry, deleted.manifest));
    bytes += deleted.manifest.size;
  }
  return !due.empty();
}

Result<bool> purge_manifests(Registry& registry, TimeMs now) {
  for (int batch = 0; batch < limits::purge_batches_max; ++batch) {
    TRY(bool found, registry.db().write([&](meta::Tx& tx) { return purge_some(tx, registry, now); }));
    if (!found) return false;
  }
  return true;
}

}  // namespace

Result<bool> Policies::purge() {
  TimeMs now = x_registry.clock().now();
  TRY(bool tags, purge_tags(x_registry.db(), now));
  TRY(bool manifests, purge_manifests(x_registry, now));
  return tags || manifests;
}

Status Policies::purge_manifest(const Repository& repository, const Digest& digest) {
  return x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY(auto deleted, records::find_deleted_manifest(tx, repository.id, digest.text()));
    if (!deleted) return fail(Reason::manifest_unknown, "there is no such deleted image", digest.text());
    TRY(bool parent, records::has_parent(tx, repository.id, digest.text()));
    if (parent)
      return fail(Reason::conflict, "a deleted index refers to it: purge that first", digest.text());
    return purge_one(tx, x_registry, deleted->manifest);
  });
}

Status Policies::purge_namespace(std::int64_t namespace_id) {
  meta::Db& db = x_registry.db();
  TimeMs now = x_registry.clock().now();
  TRY_STATUS(db.write([&](meta::Tx& tx) { return records::purge_repositories_of(tx, namespace_id, now); }));
  for (std::int64_t last = 0;;) {
    TRY(auto ids, db.read([&](meta::Tx& tx) {
      return records::repositories_of_after(tx, namespace_id, last, limits::purge_batch);
    }));
    if (ids.empty()) return {};
    TRY_STATUS(db.write([&](meta::Tx& tx) -> Status {
      for (std::int64_t id : ids) TRY_STATUS(records::purge_deleted_in(tx, id, now));
      return {};
    }));
    last = ids.back();
  }
}

namespace {

Status prune_one(meta::Db& db, std::int64_t repository_id, TimeMs until) {
  TRY(auto end, db.read([&](meta::Tx& tx) {
    return records::tag_history_end(tx, repository_id, limits::tag_history_per_repository_max);
  }));
  if (end) until = std::max(until, *end);
  TRY_STATUS(db.write([&](meta::Tx& tx) {
    return records::prune_tag_history(tx, repository_id, until, limits::tag_history_prune_batch);
  }));
  return {};
}

}  // namespace

// A few repositories at a time, round and round.
Status Policies::prune_history() {
  meta::Db& db = x_registry.db();
  TRY(auto ids, db.read([this](meta::Tx& tx) {
    return records::repositories_with_history(tx, x_history_cursor, limits::tag_history_prune_repositories);
  }));
  TimeMs until = x_registry.clock().now() - x_options.tag_history_ms;
  for (std::int64_t id : ids) TRY_STATUS(prune_one(db, id, until));
  bool round = static_cast<std::int64_t>(ids.size()) < limits::tag_history_prune_repositories;
  x_history_cursor = round ? 0 : ids.back();
  return {};
}

}  // namespace wharfage::registry
