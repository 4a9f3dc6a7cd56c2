#include "meta/rows.h"
#include "registry/policy_records.h"
#include "registry/records.h"

// What was deleted and can come back.
namespace wharfage::registry::records {
using namespace meta::rows;
namespace {

DeletedManifest to_deleted_manifest(const meta::Row& row) {
  DeletedManifest deleted;
  deleted.manifest = manifest_of(row);
  deleted.deleted_at = row.integer(13);
  deleted.purge_at = row.integer(14);
  deleted.actor = row.text(15);
  deleted.origin = row.text(16);
  return deleted;
}

DeletedTag to_deleted_tag(const meta::Row& row) {
  DeletedTag tag;
  tag.repository_id = row.integer(0);
  tag.name = row.text(1);
  tag.manifest_id = row.integer(2);
  tag.digest = row.text(3);
  tag.created_at = row.integer(4);
  tag.deleted_at = row.integer(5);
  tag.purge_at = row.integer(6);
  tag.actor = row.text(7);
  tag.origin = row.text(8);
  return tag;
}

UnnamedRepository to_unnamed_repository(const meta::Row& row) {
  UnnamedRepository found;
  found.repository.id = row.integer(0);
  found.repository.namespace_id = row.integer(1);
  found.repository.name = row.text(2);
  found.repository.deleted_at = row.integer(3);
  found.repository.purge_at = row.integer(4);
  found.repository.actor = row.text(5);
  found.public_id = row.text(6);
  found.is_public = row.integer(7) != 0;
  return found;
}

DeletedRepository to_deleted_repository(const meta::Row& row) {
  return to_unnamed_repository(row).repository;
}

TimeMs first_time(const meta::Row& row) {
  return row.integer(0);
}

}  // namespace

// ---------------------------------------------------------------- manifests

Status hide_manifest(meta::Tx& tx, std::int64_t id, const Removal& removal) {
  return done(tx.execute(R"sql(
    UPDATE manifests SET deleted_at = $2, purge_at = $3, deleted_by = $4, deleted_origin = $5
    WHERE id = $1)sql",
                         {id, removal.at, removal.purge_at, removal.cause.actor, removal.cause.origin}));
}

Status reveal_manifest(meta::Tx& tx, const Manifest& m) {
  return done(tx.execute(R"sql(
    UPDATE manifests SET deleted_at = NULL, purge_at = NULL, deleted_by = NULL, deleted_origin = NULL,
                         media_type = $2, is_accessory = $3, pushed_at = $4
    WHERE id = $1)sql",
                         {m.id, m.media_type, m.accessory, m.pushed_at}));
}

Result<std::optional<DeletedManifest>> find_deleted_manifest(meta::Tx& tx, std::int64_t repository_id,
                                                             std::string_view digest) {
  return one(tx.first(R"sql(
    SELECT m.id, m.repository_id, m.digest, m.media_type, m.artifact_type, m.subject_digest,
           m.config_digest, m.size, m.total_size, m.is_accessory, m.pushed_at, 0, 0,
           m.deleted_at, m.purge_at, m.deleted_by, m.deleted_origin
    FROM manifests m WHERE m.repository_id = $1 AND m.digest = $2 AND m.deleted_at IS NOT NULL)sql",
                      {repository_id, digest}),
             to_deleted_manifest);
}

Result<std::vector<DeletedManifest>> deleted_manifests(meta::Tx& tx, std::int64_t repository_id,
                                                       Slice slice) {
  return all(tx.query(R"sql(
    SELECT m.id, m.repository_id, m.digest, m.media_type, m.artifact_type, m.subject_digest,
           m.config_digest, m.size, m.total_size, m.is_accessory, m.pushed_at, 0, 0,
           m.deleted_at, m.purge_at, m.deleted_by, m.deleted_origin
    FROM manifests m WHERE m.repository_id = $1 AND m.deleted_at IS NOT NULL
    ORDER BY m.deleted_at DESC, m.id DESC LIMIT $2 OFFSET $3)sql",
                      {repository_id, slice.limit, slice.offset}),
             to_deleted_manifest);
}

Result<std::vector<DeletedManifest>> deleted_manifests_due(meta::Tx& tx, TimeMs now, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT m.id, m.repository_id, m.digest, m.media_type, m.artifact_type, m.subject_digest,
           m.config_digest, m.size, m.total_size, m.is_accessory, m.pushed_at, 0, 0,
           m.deleted_at, m.purge_at, m.deleted_by, m.deleted_origin
    FROM manifests m WHERE m.deleted_at IS NOT NULL AND m.purge_at <= $1
    ORDER BY m.purge_at, m.id LIMIT $2)sql",
                      {now, limit}),
             to_deleted_manifest);
}

Result<std::vector<std::string>> deleted_children(meta::Tx& tx, std::int64_t manifest_id) {
  return all(tx.query(R"sql(
    SELECT c.digest FROM manifest_children c
         JOIN manifests m ON m.repository_id = c.repository_id AND m.digest = c.digest
    WHERE c.manifest_id = $1 AND m.deleted_at IS NOT NULL ORDER BY c.digest)sql",
                      {manifest_id}),
             first_text);
}

Result<std::vector<std::string>> deleted_referrers(meta::Tx& tx, std::int64_t repository_id,
                                                   std::string_view subject, TimeMs since) {
  return all(tx.query(R"sql(
    SELECT m.digest FROM manifests m
    WHERE m.repository_id = $1 AND m.subject_digest = $2 AND m.deleted_at IS NOT NULL AND m.deleted_at >= $3
    ORDER BY m.id)sql",
                      {repository_id, subject, since}),
             first_text);
}

Result<bool> has_parent(meta::Tx& tx, std::int64_t repository_id, std::string_view digest) {
  return exists(tx.first(R"sql(
    SELECT 1 FROM manifest_children WHERE repository_id = $1 AND digest = $2 LIMIT 1)sql",
                         {repository_id, digest}));
}

Result<std::optional<TimeMs>> last_parent_purge(meta::Tx& tx, std::int64_t repository_id,
                                                std::string_view digest) {
  return one(tx.first(R"sql(
    SELECT m.purge_at FROM manifest_children c JOIN manifests m ON m.id = c.manifest_id
    WHERE c.repository_id = $1 AND c.digest = $2 AND m.purge_at IS NOT NULL
    ORDER BY m.purge_at DESC LIMIT 1)sql",
                      {repository_id, digest}),
             first_time);
}

Status postpone_purge(meta::Tx& tx, std::int64_t manifest_id, TimeMs purge_at) {
  return done(
      tx.execute(R"sql(UPDATE manifests SET purge_at = $2 WHERE id = $1)sql", {manifest_id, purge_at}));
}

Status purge_deleted_in(meta::Tx& tx, std::int64_t repository_id, TimeMs now) {
  TRY_STATUS(tx.execute(R"sql(
    UPDATE manifests SET purge_at = $2
    WHERE repository_id = $1 AND deleted_at IS NOT NULL AND purge_at > $2)sql",
                        {repository_id, now}));
  return done(tx.execute(R"sql(
    UPDATE deleted_tags SET purge_at = $2 WHERE repository_id = $1 AND purge_at > $2)sql",
                         {repository_id, now}));
}

// ---------------------------------------------------------------- tags

Status keep_deleted_tag(meta::Tx& tx, const DeletedTag& t) {
  return done(tx.execute(
      R"sql(
    INSERT INTO deleted_tags (repository_id, name, manifest_id, created_at, deleted_at, purge_at, deleted_by,
                              deleted_origin)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (repository_id, name) DO UPDATE SET
      manifest_id = excluded.manifest_id, created_at = excluded.created_at, deleted_at = excluded.deleted_at,
      purge_at = excluded.purge_at, deleted_by = excluded.deleted_by,
      deleted_origin = excluded.deleted_origin)sql",
      {t.repository_id, t.name, t.manifest_id, t.created_at, t.deleted_at, t.purge_at, t.actor, t.origin}));
}

Status keep_deleted_tags_of(meta::Tx& tx, std::int64_t manifest_id, const Removal& removal) {
  return done(
      tx.execute(R"sql(
    INSERT INTO deleted_tags (repository_id, name, manifest_id, created_at, deleted_at, purge_at, deleted_by,
                              deleted_origin)
    SELECT t.repository_id, t.name, t.manifest_id, t.created_at, CAST($2 AS BIGINT), CAST($3 AS BIGINT),
           CAST($4 AS TEXT), CAST($5 AS TEXT)
    FROM tags t WHERE t.manifest_id = $1
    ON CONFLICT (repository_id, name) DO UPDATE SET
      manifest_id = excluded.manifest_id, created_at = excluded.created_at, deleted_at = excluded.deleted_at,
      purge_at = excluded.purge_at, deleted_by = excluded.deleted_by,
      deleted_origin = excluded.deleted_origin)sql",
                 {manifest_id, removal.at, removal.purge_at, removal.cause.actor, removal.cause.origin}));
}

Result<std::optional<DeletedTag>> find_deleted_tag(meta::Tx& tx, std::int64_t repository_id,
                                                   std::string_view name) {
  return one(tx.first(R"sql(
    SELECT d.repository_id, d.name, d.manifest_id, m.digest, d.created_at, d.deleted_at, d.purge_at,
           d.deleted_by, d.deleted_origin
    FROM deleted_tags d JOIN manifests m ON m.id = d.manifest_id
    WHERE d.repository_id = $1 AND d.name = $2)sql",
                      {repository_id, name}),
             to_deleted_tag);
}

Result<std::vector<DeletedTag>> deleted_tags(meta::Tx& tx, std::int64_t repository_id, Slice slice) {
  return all(tx.query(R"sql(
    SELECT d.repository_id, d.name, d.manifest_id, m.digest, d.created_at, d.deleted_at, d.purge_at,
           d.deleted_by, d.deleted_origin
    FROM deleted_tags d JOIN manifests m ON m.id = d.manifest_id
    WHERE d.repository_id = $1 ORDER BY d.deleted_at DESC, d.name DESC LIMIT $2 OFFSET $3)sql",
                      {repository_id, slice.limit, slice.offset}),
             to_deleted_tag);
}

Result<std::vector<DeletedTag>> deleted_tags_of(meta::Tx& tx, std::int64_t manifest_id,
                                                std::string_view after, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT d.repository_id, d.name, d.manifest_id, m.digest, d.created_at, d.deleted_at, d.purge_at,
           d.deleted_by, d.deleted_origin
    FROM deleted_tags d JOIN manifests m ON m.id = d.manifest_id
    WHERE d.manifest_id = $1 AND d.name > $2 ORDER BY d.name LIMIT $3)sql",
                      {manifest_id, after, limit}),
             to_deleted_tag);
}

Status forget_deleted_tag(meta::Tx& tx, std::int64_t repository_id, std::string_view name) {
  return done(tx.execute(R"sql(DELETE FROM deleted_tags WHERE repository_id = $1 AND name = $2)sql",
                         {repository_id, name}));
}

Result<std::int64_t> forget_deleted_tags_due(meta::Tx& tx, TimeMs now, std::int64_t limit) {
  return tx.execute(R"sql(
    DELETE FROM deleted_tags WHERE (repository_id, name) IN (
      SELECT d.repository_id, d.name FROM deleted_tags d WHERE d.purge_at <= $1 ORDER BY d.purge_at
      LIMIT $2))sql",
                    {now, limit});
}

Result<std::int64_t> forget_deleted_tags_in(meta::Tx& tx, std::int64_t repository_id, std::int64_t limit) {
  return tx.execute(R"sql(
    DELETE FROM deleted_tags WHERE (repository_id, name) IN (
      SELECT d.repository_id, d.name FROM deleted_tags d WHERE d.repository_id = $1 LIMIT $2))sql",
                    {repository_id, limit});
}

// ---------------------------------------------------------------- repositories

Status unname_repository(meta::Tx& tx, const Repository& r, const Removal& removal) {
  return done(tx.execute(
      R"sql(
    UPDATE repositories SET namespace_id = NULL, full_name = NULL, public_id = NULL, is_public = 0,
                            deleted_at = $2, purge_at = $3, deleted_by = $4, deleted_namespace_id = $5,
                            deleted_public_id = $6, deleted_public = $7
    WHERE id = $1)sql",
      {r.id, removal.at, removal.purge_at, removal.cause.actor, r.namespace_id, r.public_id, r.is_public}));
}

Result<std::optional<UnnamedRepository>> find_deleted_repository(meta::Tx& tx, std::int64_t id) {
  return one(tx.first(R"sql(
    SELECT id, deleted_namespace_id, name, deleted_at, purge_at, deleted_by, deleted_public_id,
           deleted_public
    FROM repositories WHERE id = $1 AND deleted_at IS NOT NULL AND deleted_namespace_id IS NOT NULL)sql",
                      {id}),
             to_unnamed_repository);
}

Result<std::vector<DeletedRepository>> deleted_repositories(meta::Tx& tx, std::int64_t namespace_id,
                                                            Slice slice) {
  return all(tx.query(R"sql(
    SELECT id, deleted_namespace_id, name, deleted_at, purge_at, deleted_by, deleted_public_id,
           deleted_public
    FROM repositories WHERE deleted_namespace_id = $1 AND deleted_at IS NOT NULL
    ORDER BY deleted_at DESC, id DESC LIMIT $2 OFFSET $3)sql",
                      {namespace_id, slice.limit, slice.offset}),
             to_deleted_repository);
}

Result<bool> rename_repository(meta::Tx& tx, const UnnamedRepository& r, std::string_view namespace_name) {
  std::string full_name = std::string(namespace_name) + "/" + r.repository.name;
  TRY(auto taken, find_repository(tx, full_name));
  if (taken) return false;
  return changed(
      tx.execute(R"sql(
    UPDATE repositories SET namespace_id = $2, full_name = $3, public_id = $4, is_public = $5,
                            deleted_at = NULL, purge_at = NULL, deleted_by = NULL,
                            deleted_namespace_id = NULL, deleted_public_id = NULL, deleted_public = NULL
    WHERE id = $1)sql",
                 {r.repository.id, r.repository.namespace_id, full_name, r.public_id, r.is_public}));
}

Status purge_repository_at(meta::Tx& tx, std::int64_t id, TimeMs purge_at) {
  return done(tx.execute(R"sql(
    UPDATE repositories SET purge_at = $2 WHERE id = $1 AND deleted_at IS NOT NULL)sql",
                         {id, purge_at}));
}

Status purge_repositories_of(meta::Tx& tx, std::int64_t namespace_id, TimeMs now) {
  return done(tx.execute(R"sql(
    UPDATE repositories SET purge_at = $2
    WHERE deleted_namespace_id = $1 AND deleted_at IS NOT NULL AND purge_at > $2)sql",
                         {namespace_id, now}));
}

Result<std::vector<std::int64_t>> repositories_of_after(meta::Tx& tx, std::int64_t namespace_id,
                                                        std::int64_t after_id, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT id FROM repositories WHERE namespace_id = $1 AND id > $2 ORDER BY id LIMIT $3)sql",
                      {namespace_id, after_id, limit}),
             first_time);
}

// ---------------------------------------------------------------- links

Result<bool> is_needed(meta::Tx& tx, std::int64_t repository_id, std::string_view digest) {
  return exists(tx.first(R"sql(
    SELECT 1 FROM manifest_blobs b JOIN manifests m ON m.id = b.manifest_id
    WHERE b.repository_id = $1 AND b.digest = $2 AND m.deleted_at IS NULL
    UNION ALL
    SELECT 1 FROM manifest_absent_blobs b JOIN manifests m ON m.id = b.manifest_id
    WHERE b.repository_id = $1 AND b.digest = $2 AND m.deleted_at IS NULL
    LIMIT 1)sql",
                         {repository_id, digest}));
}

Status hide_link(meta::Tx& tx, std::int64_t repository_id, std::string_view digest) {
  return done(tx.execute(R"sql(
    UPDATE repository_blobs SET hidden = 1 WHERE repository_id = $1 AND digest = $2)sql",
                         {repository_id, digest}));
}

Status reveal_link(meta::Tx& tx, std::int64_t repository_id, std::string_view digest) {
  return done(tx.execute(R"sql(
    UPDATE repository_blobs SET hidden = 0 WHERE repository_id = $1 AND digest = $2 AND hidden = 1)sql",
                         {repository_id, digest}));
}

}  // namespace wharfage::registry::records
