#include "meta/rows.h"
#include "registry/records.h"

// What manifests need: blobs, other manifests, and (of sparse images) blobs that were not here yet. The
// latter count as needed once they come, so that collecting leaves them alone.
namespace wharfage::registry::records {
using namespace meta::rows;

Result<bool> refer_to_blob(meta::Tx& tx, const Manifest& manifest, std::string_view digest) {
  return changed(tx.execute(R"sql(
    INSERT INTO manifest_blobs (manifest_id, repository_id, digest)
    SELECT CAST($1 AS BIGINT), l.repository_id, l.digest
    FROM repository_blobs l JOIN blobs b ON b.digest = l.digest
    WHERE l.repository_id = $2 AND l.digest = $3 AND b.state = 0 AND l.hidden = 0)sql",
                            {manifest.id, manifest.repository_id, digest}));
}

Status expect_blob(meta::Tx& tx, const Manifest& manifest, std::string_view digest) {
  return done(tx.execute(R"sql(
    INSERT INTO manifest_absent_blobs (manifest_id, repository_id, digest) VALUES ($1, $2, $3))sql",
                         {manifest.id, manifest.repository_id, digest}));
}

Result<bool> refer_to_child(meta::Tx& tx, const Manifest& manifest, std::string_view digest) {
  return changed(tx.execute(R"sql(
    INSERT INTO manifest_children (manifest_id, repository_id, digest)
    SELECT CAST($1 AS BIGINT), m.repository_id, m.digest FROM manifests m
    WHERE m.repository_id = $2 AND m.digest = $3 AND m.deleted_at IS NULL)sql",
                            {manifest.id, manifest.repository_id, digest}));
}

Result<std::int64_t> size_of_children(meta::Tx& tx, std::int64_t manifest_id) {
  return number(tx.first(R"sql(
    SELECT CAST(COALESCE(SUM(m.total_size), 0) AS BIGINT)
    FROM manifest_children c JOIN manifests m ON m.repository_id = c.repository_id AND m.digest = c.digest
    WHERE c.manifest_id = $1)sql",
                         {manifest_id}));
}

Status set_total_size(meta::Tx& tx, std::int64_t manifest_id, std::int64_t total_size) {
  return done(
      tx.execute(R"sql(UPDATE manifests SET total_size = $2 WHERE id = $1)sql", {manifest_id, total_size}));
}

Result<bool> is_child(meta::Tx& tx, std::int64_t repository_id, std::string_view digest) {
  return exists(tx.first(R"sql(
    SELECT 1 FROM manifest_children c JOIN manifests m ON m.id = c.manifest_id
    WHERE c.repository_id = $1 AND c.digest = $2 AND m.deleted_at IS NULL LIMIT 1)sql",
                         {repository_id, digest}));
}

Status let_blob_go(meta::Tx& tx, const Manifest& manifest, std::string_view digest, TimeMs now) {
  TRY_STATUS(tx.execute(R"sql(
    DELETE FROM manifest_blobs WHERE repository_id = $1 AND digest = $2 AND manifest_id = $3)sql",
                        {manifest.repository_id, digest, manifest.id}));
  return done(tx.execute(R"sql(
    UPDATE repository_blobs SET loose_since = $3
    WHERE repository_id = $1 AND digest = $2
      AND NOT EXISTS (SELECT 1 FROM manifest_blobs other
                      WHERE other.repository_id = $1 AND other.digest = $2))sql",
                         {manifest.repository_id, digest, now}));
}

Result<std::optional<Reference>> find_reference(meta::Tx& tx, const Place& blob, std::int64_t manifest_id) {
  TRY(auto row, tx.first(R"sql(
    SELECT CASE WHEN b.state <> 0 OR l.digest IS NULL THEN 1 ELSE 0 END
    FROM manifest_blobs m JOIN blobs b ON b.digest = m.digest
         LEFT JOIN repository_blobs l ON l.repository_id = m.repository_id AND l.digest = m.digest
    WHERE m.repository_id = $1 AND m.digest = $2 AND m.manifest_id = $3
    UNION ALL SELECT 0 FROM manifest_absent_blobs WHERE manifest_id = $3 AND digest = $2
    LIMIT 1)sql",
                         {blob.repository_id, blob.digest, manifest_id}));
  if (!row) return std::optional<Reference>();
  return std::optional(Reference{.lost = row->integer(0) != 0});
}

Result<std::vector<std::string>> search_references(meta::Tx& tx, const Manifest& manifest) {
  return all(tx.query(R"sql(
    SELECT digest FROM manifest_blobs WHERE repository_id = $1 AND manifest_id = $2
    UNION ALL SELECT digest FROM manifest_absent_blobs WHERE manifest_id = $2)sql",
                      {manifest.repository_id, manifest.id}),
             first_text);
}

Result<bool> has_stale_reference(meta::Tx& tx, const Place& blob) {
  return exists(tx.first(R"sql(
    SELECT 1 FROM manifest_blobs b
    WHERE b.repository_id = $1 AND b.digest = $2
      AND NOT EXISTS (SELECT 1 FROM manifests m WHERE m.id = b.manifest_id) LIMIT 1)sql",
                         {blob.repository_id, blob.digest}));
}

Status delete_stale_references(meta::Tx& tx, const Place& blob) {
  return done(tx.execute(R"sql(
    DELETE FROM manifest_blobs
    WHERE repository_id = $1 AND digest = $2
      AND NOT EXISTS (SELECT 1 FROM manifests m WHERE m.id = manifest_blobs.manifest_id))sql",
                         {blob.repository_id, blob.digest}));
}

Result<std::int64_t> delete_children_of(meta::Tx& tx, std::int64_t repository_id, std::int64_t limit) {
  return tx.execute(R"sql(
    DELETE FROM manifest_children
    WHERE manifest_id IN (SELECT c.manifest_id FROM manifest_children c WHERE c.repository_id = $1
                          LIMIT $2))sql",
                    {repository_id, limit});
}

}  // namespace wharfage::registry::records
