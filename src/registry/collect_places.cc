#include "registry/collector.h"
#include "registry/forgetting.h"
#include "registry/policy_limits.h"
#include "registry/policy_records.h"

// Repositories that have lost their name are emptied piece by piece: tags, then references and links, then
// manifests. Nothing of one is found by then, so nobody misses what a manifest needs.
namespace wharfage::registry {
namespace {

constexpr int unnamed_steps_max = 8;

}  // namespace

Status Registry::Collector::empty_unnamed() {
  for (int step = 0; step < unnamed_steps_max; ++step) {
    auto due = [this](meta::Tx& tx) { return records::find_unnamed_repository(tx, x_now); };
    TRY(auto found, x_state.db.read(due));
    if (!found) return {};
    // Looked for once more: it may have been given back its name meanwhile.
    TRY_STATUS(write([&](meta::Tx& tx) -> Status {
      TRY(auto id, due(tx));
      if (id) TRY_STATUS(empty_step(tx, *id));
      return {};
    }));
  }
  collected.more = true;
  return {};
}

// One bounded piece; true when the repository itself has gone.
Result<bool> Registry::Collector::empty_step(meta::Tx& tx, std::int64_t id) {
  TRY(auto tags, records::delete_some_tags(tx, id, rows_per_step));
  if (tags.tags + tags.accessory_tags > 0) {
    TRY_STATUS(records::append_change(tx, id, {.tags = -tags.tags, .accessory_tags = -tags.accessory_tags}));
    return false;
  }
  TRY(std::int64_t forgotten, records::forget_deleted_tags_in(tx, id, rows_per_step));
  if (forgotten > 0) return false;
  TRY(forgotten, records::prune_tag_history(tx, id, INT64_MAX, limits::tag_history_prune_batch));
  if (forgotten > 0) return false;
  // Blobs first: their files are removed beside what follows.
  TRY(std::int64_t references, records::delete_some_references(tx, id, references_per_step));
  if (references > 0) return false;
  TRY(bool links, remove_links(tx, id));
  if (links) return false;
  TRY(std::int64_t children, records::delete_children_of(tx, id, rows_per_step));
  if (children > 0) return false;
  TRY(bool manifests, remove_manifests(tx, id));
  if (manifests) return false;
  TRY(bool uploads, remove_uploads(tx, id));
  if (uploads) return false;
  TRY_STATUS(records::fold_changes_of(tx, id));
  TRY_STATUS(records::forget_counts(tx, id));
  TRY(auto told, records::find_deleted_repository(tx, id));
  TRY_STATUS(records::delete_repository(tx, id));
  bool could_return = told && told->repository.purge_at > told->repository.deleted_at;
  if (could_return) TRY_STATUS(tell_end(tx, told->repository));
  return true;
}

// Of a repository that could have come back: only now it is certain.
Status Registry::Collector::tell_end(meta::Tx& tx, const DeletedRepository& gone) {
  Repository repository;
  repository.id = gone.id;
  repository.namespace_id = gone.namespace_id;
  repository.name = gone.name;
  TRY(auto space, records::find_namespace(tx, gone.namespace_id));
  if (space) repository.namespace_name = space->name;
  return tell_purged(tx, x_state.events, repository);
}

Result<bool> Registry::Collector::remove_manifests(meta::Tx& tx, std::int64_t id) {
  TRY(auto gone, records::delete_some_manifests(tx, id, manifests_per_step));
  if (!gone) return false;
  TRY_STATUS(
      records::append_change(tx, id, {.manifests = -gone->manifests, .accessories = -gone->accessories}));
  return true;
}

Result<bool> Registry::Collector::remove_links(meta::Tx& tx, std::int64_t id) {
  TRY(auto doomed, records::delete_some_links(tx, id, x_now, blobs_per_step));
  if (!doomed) return false;
  tx.on_commit([this, id] { x_state.open_blobs.drop_suffix("/" + std::to_string(id)); });
  TRY_STATUS(records::append_change(tx, 0, {.blobs = -doomed->blobs, .bytes = -doomed->bytes}));
  return true;
}

Result<bool> Registry::Collector::remove_uploads(meta::Tx& tx, std::int64_t id) {
  TRY(auto uploads, records::uploads_of(tx, id, rows_per_step));
  for (const auto& upload : uploads) {
    TRY_STATUS(records::delete_upload(tx, upload));
    tx.on_commit([this, upload] {
      (void)x_state.blobs.cancel_upload(upload);
      x_state.upload_bytes.drop(upload);
    });
  }
  return !uploads.empty();
}

}  // namespace wharfage::registry
