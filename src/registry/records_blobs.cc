#include "base/limits.h"
#include "meta/rows.h"
#include "registry/records.h"

// Blobs, the links through which repositories see them, and uploads.
namespace wharfage::registry::records {
using namespace meta::rows;
namespace {

Place to_place(const meta::Row& row) {
  return {row.integer(0), row.text(1)};
}

DoomedBlob to_doomed(const meta::Row& row) {
  return {row.text(0), row.integer(1)};
}

UploadRow to_upload(const meta::Row& row) {
  return {row.text(0), row.integer(1)};
}

}  // namespace

// ---------------------------------------------------------------- blobs

Result<std::optional<BlobRow>> find_blob(meta::Tx& tx, std::string_view digest) {
  TRY(auto row, tx.first(R"sql(SELECT size, state FROM blobs WHERE digest = $1)sql", {digest}));
  if (!row) return std::optional<BlobRow>();
  return std::optional(BlobRow{row->integer(0), static_cast<BlobState>(row->integer(1))});
}

Status put_blob(meta::Tx& tx, std::string_view digest, BlobRow row, TimeMs now) {
  return done(tx.execute(R"sql(
    INSERT INTO blobs (digest, size, state, changed_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (digest) DO UPDATE SET size = excluded.size, state = excluded.state,
                                       changed_at = excluded.changed_at)sql",
                         {digest, row.size, static_cast<int>(row.state), now}));
}

Result<std::vector<DoomedBlob>> doomed_blobs(meta::Tx& tx, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT b.digest, b.size FROM blobs b
    WHERE b.state <> 0 AND b.state = 1
      AND NOT EXISTS (SELECT 1 FROM repository_blobs l WHERE l.digest = b.digest)
    ORDER BY b.changed_at, b.digest LIMIT $1)sql",
                      {limit}),
             to_doomed);
}

Result<bool> delete_doomed_blob(meta::Tx& tx, std::string_view digest) {
  return changed(tx.execute(R"sql(DELETE FROM blobs WHERE digest = $1 AND state = 1)sql", {digest}));
}

Result<std::vector<std::string>> users_of(meta::Tx& tx, std::string_view digest, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT r.full_name FROM repository_blobs l JOIN repositories r ON r.id = l.repository_id
    WHERE l.digest = $1 AND r.full_name IS NOT NULL LIMIT $2)sql",
                      {digest, limit}),
             first_text);
}

// ---------------------------------------------------------------- links

Result<std::optional<Link>> find_link(meta::Tx& tx, std::int64_t repository_id, std::string_view digest,
                                      bool with_hidden) {
  TRY(auto row, tx.first(R"sql(
    SELECT b.size, l.loose_since, b.state FROM repository_blobs l JOIN blobs b ON b.digest = l.digest
    WHERE l.repository_id = $1 AND l.digest = $2 AND l.hidden <= $3)sql",
                         {repository_id, digest, with_hidden ? 1 : 0}));
  if (!row) return std::optional<Link>();
  bool lost = static_cast<BlobState>(row->integer(2)) == BlobState::lost;
  return std::optional(Link{row->integer(0), row->optional_integer(1), lost});
}

Status put_link(meta::Tx& tx, const Repository& repository, std::string_view digest, TimeMs now) {
  return done(tx.execute(R"sql(
    INSERT INTO repository_blobs (repository_id, digest, linked_at, loose_since, namespace_id)
    VALUES ($1, $2, $3, $3, $4)
    ON CONFLICT (repository_id, digest) DO UPDATE SET
      hidden = 0,
      loose_since = CASE WHEN repository_blobs.loose_since IS NULL THEN NULL ELSE excluded.loose_since END
    WHERE repository_blobs.loose_since IS NOT NULL OR repository_blobs.hidden = 1)sql",
                         {repository.id, digest, now, repository.namespace_id}));
}

Result<bool> is_referred(meta::Tx& tx, std::int64_t repository_id, std::string_view digest) {
  return exists(tx.first(R"sql(
    SELECT 1 FROM manifest_blobs WHERE repository_id = $1 AND digest = $2
    UNION ALL SELECT 1 FROM manifest_absent_blobs WHERE repository_id = $1 AND digest = $2
    LIMIT 1)sql",
                         {repository_id, digest}));
}

Result<std::int64_t> delete_link(meta::Tx& tx, std::int64_t repository_id, std::string_view digest) {
  return number(tx.first(R"sql(
    DELETE FROM repository_blobs WHERE repository_id = $1 AND digest = $2 RETURNING namespace_id)sql",
                         {repository_id, digest}));
}

Status tighten_link(meta::Tx& tx, std::int64_t repository_id, std::string_view digest) {
  return done(tx.execute(R"sql(
    UPDATE repository_blobs SET loose_since = NULL
    WHERE repository_id = $1 AND digest = $2 AND loose_since IS NOT NULL)sql",
                         {repository_id, digest}));
}

Status renew_link(meta::Tx& tx, std::int64_t repository_id, std::string_view digest, TimeMs now) {
  return done(tx.execute(R"sql(
    UPDATE repository_blobs SET loose_since = $3
    WHERE repository_id = $1 AND digest = $2 AND loose_since < $3)sql",
                         {repository_id, digest, now}));
}

Result<bool> is_linked(meta::Tx& tx, std::string_view digest) {
  return exists(tx.first(R"sql(SELECT 1 FROM repository_blobs WHERE digest = $1 LIMIT 1)sql", {digest}));
}

Result<bool> is_linked_readably(meta::Tx& tx, std::string_view digest, const Readable& readable) {
  return exists(tx.first(R"sql(
    SELECT 1 FROM (SELECT l.repository_id FROM repository_blobs l
                   WHERE l.digest = $1 AND l.hidden = 0 LIMIT $4) AS near
         JOIN repositories r ON r.id = near.repository_id
    WHERE r.deleted_at IS NULL
      AND ($2 = 1 OR r.is_public = 1 OR $3 LIKE '%,' || r.namespace_id || ',%')
    LIMIT 1)sql",
                         {digest, readable ? 0 : 1, id_list(readable), limits::mount_candidates_max}));
}

Result<std::vector<Place>> loose_links(meta::Tx& tx, TimeMs before, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT repository_id, digest FROM repository_blobs
    WHERE loose_since IS NOT NULL AND loose_since <= $1
    ORDER BY loose_since, repository_id, digest LIMIT $2)sql",
                      {before, limit}),
             to_place);
}

// ---------------------------------------------------------------- uploads

Status insert_upload(meta::Tx& tx, std::string_view id, std::int64_t repository_id, std::string_view owner,
                     TimeMs now) {
  return done(tx.execute(R"sql(
    INSERT INTO uploads (id, repository_id, owner, started_at) VALUES ($1, $2, $3, $4))sql",
                         {id, repository_id, owner, now}));
}

Result<OpenUploads> count_uploads(meta::Tx& tx, std::int64_t repository_id, std::string_view owner) {
  TRY(auto row, tx.first(R"sql(
    SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN owner = $2 THEN 1 ELSE 0 END), 0) AS BIGINT)
    FROM uploads WHERE repository_id = $1)sql",
                         {repository_id, owner}));
  return OpenUploads{row->integer(0), row->integer(1)};
}

Result<bool> has_upload(meta::Tx& tx, std::string_view id, std::int64_t repository_id,
                        std::string_view owner) {
  return exists(tx.first(R"sql(
    SELECT 1 FROM uploads WHERE id = $1 AND repository_id = $2 AND owner = $3)sql",
                         {id, repository_id, owner}));
}

Result<bool> delete_upload(meta::Tx& tx, std::string_view id, std::int64_t repository_id) {
  return changed(
      tx.execute(R"sql(DELETE FROM uploads WHERE id = $1 AND repository_id = $2)sql", {id, repository_id}));
}

Result<bool> delete_upload(meta::Tx& tx, std::string_view id) {
  return changed(tx.execute(R"sql(DELETE FROM uploads WHERE id = $1)sql", {id}));
}

Result<std::vector<UploadRow>> uploads_after(meta::Tx& tx, const UploadRow& last, TimeMs before,
                                             std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT id, started_at FROM uploads
    WHERE (started_at > $1 OR (started_at = $1 AND id > $2)) AND started_at <= $3
    ORDER BY started_at, id LIMIT $4)sql",
                      {last.started_at, last.id, before, limit}),
             to_upload);
}

Result<std::vector<std::string>> uploads_of(meta::Tx& tx, std::int64_t repository_id, std::int64_t limit) {
  return all(
      tx.query(R"sql(SELECT id FROM uploads WHERE repository_id = $1 LIMIT $2)sql", {repository_id, limit}),
      first_text);
}

}  // namespace wharfage::registry::records
