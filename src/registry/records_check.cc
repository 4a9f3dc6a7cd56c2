#include "meta/rows.h"
#include "registry/policy_records.h"
#include "registry/records.h"

// Pages of everything there is, for checks.
namespace wharfage::registry::records {
using namespace meta::rows;
namespace {

BlobAt to_blob(const meta::Row& row) {
  return {row.text(0), {row.integer(1), static_cast<BlobState>(row.integer(2))}, row.integer(3) != 0};
}

LinkAt to_link(const meta::Row& row) {
  return {{row.integer(0), row.text(1)},
          row.integer(2) != 0,
          row.integer(3) != 0,
          row.integer(4) != 0,
          row.integer(5) != 0};
}

ManifestAt to_manifest(const meta::Row& row) {
  ManifestAt manifest{row.integer(0), row.integer(1), row.text(2), row.text(3), {}};
  if (row.integer(4) != 0) manifest.bytes = row.bytes(5);
  return manifest;
}

TagAt to_tag(const meta::Row& row) {
  return {row.integer(0), row.integer(1), row.text(2), row.integer(3) != 0};
}

UsageAt to_usage(const meta::Row& row) {
  return {row.integer(0), {row.integer(1), row.integer(2), row.integer(3), row.integer(4)}};
}

}  // namespace

Result<std::vector<BlobAt>> blobs_after(meta::Tx& tx, std::string_view last, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT b.digest, b.size, b.state,
           CASE WHEN EXISTS (SELECT 1 FROM repository_blobs l WHERE l.digest = b.digest) THEN 1 ELSE 0 END
    FROM blobs b WHERE b.digest > $1 ORDER BY b.digest LIMIT $2)sql",
                      {last, limit}),
             to_blob);
}

Result<std::vector<LinkAt>> links_after(meta::Tx& tx, const Place& last, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT l.repository_id, l.digest, CASE WHEN l.loose_since IS NULL THEN 0 ELSE 1 END,
           CASE WHEN EXISTS (SELECT 1 FROM manifest_blobs m
                             WHERE m.repository_id = l.repository_id AND m.digest = l.digest)
                THEN 1 ELSE 0 END,
           CASE WHEN EXISTS (SELECT 1 FROM blobs b WHERE b.digest = l.digest) THEN 0 ELSE 1 END,
           CASE WHEN EXISTS (SELECT 1 FROM manifest_blobs m
                             WHERE m.repository_id = l.repository_id AND m.digest = l.digest
                               AND NOT EXISTS (SELECT 1 FROM manifests x WHERE x.id = m.manifest_id))
                THEN 1 ELSE 0 END
    FROM repository_blobs l WHERE (l.repository_id, l.digest) > ($1, $2)
    ORDER BY l.repository_id, l.digest LIMIT $3)sql",
                      {last.repository_id, last.digest, limit}),
             to_link);
}

Result<std::vector<ManifestAt>> manifests_at(meta::Tx& tx, std::int64_t after_id, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT m.id, m.repository_id, m.digest, m.media_type,
           CASE WHEN b.manifest_id IS NULL THEN 0 ELSE 1 END, b.bytes
    FROM manifests m LEFT JOIN manifest_bytes b ON b.manifest_id = m.id
    WHERE m.id > $1 ORDER BY m.id LIMIT $2)sql",
                      {after_id, limit}),
             to_manifest);
}

Result<std::vector<std::string>> children_of(meta::Tx& tx, std::int64_t manifest_id) {
  return all(tx.query(R"sql(SELECT digest FROM manifest_children WHERE manifest_id = $1)sql", {manifest_id}),
             first_text);
}

Result<std::vector<std::string>> lost_children_of(meta::Tx& tx, std::int64_t manifest_id) {
  return all(tx.query(R"sql(
    SELECT c.digest FROM manifest_children c
    WHERE c.manifest_id = $1
      AND NOT EXISTS (SELECT 1 FROM manifests m
                      WHERE m.repository_id = c.repository_id AND m.digest = c.digest))sql",
                      {manifest_id}),
             first_text);
}

Result<std::vector<TagAt>> tags_at(meta::Tx& tx, std::int64_t after_id, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT t.id, t.repository_id, t.name,
           CASE WHEN EXISTS (SELECT 1 FROM manifests m
                             WHERE m.id = t.manifest_id AND m.repository_id = t.repository_id)
                THEN 0 ELSE 1 END
    FROM tags t WHERE t.id > $1 ORDER BY t.id LIMIT $2)sql",
                      {after_id, limit}),
             to_tag);
}

Result<std::vector<std::int64_t>> repositories_after(meta::Tx& tx, std::int64_t id, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT id FROM repositories WHERE id > $1 AND deleted_at IS NULL ORDER BY id LIMIT $2)sql",
                      {id, limit}),
             first_integer);
}

Result<bool> is_leaving(meta::Tx& tx, std::int64_t repository_id) {
  return exists(tx.first(R"sql(
    SELECT 1 FROM repositories WHERE id = $1 AND deleted_at IS NOT NULL)sql",
                         {repository_id}));
}

Result<Counts> recount(meta::Tx& tx, std::int64_t repository_id) {
  Counts counts;
  TRY(auto tags, tx.query(R"sql(
    SELECT is_accessory, COUNT(*) FROM tags WHERE repository_id = $1 GROUP BY is_accessory)sql",
                          {repository_id}));
  for (const auto& row : tags) (row.integer(0) ? counts.accessory_tags : counts.tags) = row.integer(1);
  TRY(auto manifests, tx.query(R"sql(
    SELECT is_accessory, COUNT(*) FROM manifests WHERE repository_id = $1 AND deleted_at IS NULL
    GROUP BY is_accessory)sql",
                               {repository_id}));
  for (const auto& row : manifests) (row.integer(0) ? counts.accessories : counts.manifests) = row.integer(1);
  TRY(counts.bytes, number(tx.first(R"sql(
    SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM manifests WHERE repository_id = $1)sql",
                                    {repository_id})));
  return counts;
}

Result<Counts> recount_store(meta::Tx& tx) {
  Counts counts;
  TRY(auto blobs, tx.first(R"sql(
    SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM blobs WHERE state = 0)sql"));
  counts.blobs = (*blobs).integer(0);
  counts.bytes = (*blobs).integer(1);
  TRY(auto repositories, tx.first(R"sql(SELECT COUNT(*) FROM repositories WHERE deleted_at IS NULL)sql"));
  counts.repositories = (*repositories).integer(0);
  TRY(auto tags, tx.query(R"sql(SELECT is_accessory, COUNT(*) FROM tags GROUP BY is_accessory)sql"));
  for (const auto& row : tags) (row.integer(0) ? counts.accessory_tags : counts.tags) = row.integer(1);
  TRY(auto manifests, tx.query(R"sql(
    SELECT is_accessory, COUNT(*) FROM manifests WHERE deleted_at IS NULL GROUP BY is_accessory)sql"));
  for (const auto& row : manifests) (row.integer(0) ? counts.accessories : counts.manifests) = row.integer(1);
  return counts;
}

Result<std::vector<UsageAt>> recount_usage(meta::Tx& tx, std::int64_t after_id, std::int64_t limit) {
  return all(tx.query(R"sql(
    WITH page AS (SELECT id FROM namespaces WHERE id > $1 ORDER BY id LIMIT $2),
         held AS (SELECT l.namespace_id, COUNT(*) AS blobs, CAST(SUM(b.size) AS BIGINT) AS bytes
                  FROM (SELECT DISTINCT digest, namespace_id FROM repository_blobs
                        WHERE namespace_id IN (SELECT id FROM page)) l
                  JOIN blobs b ON b.digest = l.digest
                  GROUP BY l.namespace_id),
         places AS (SELECT id, COALESCE(namespace_id, deleted_namespace_id) AS namespace_id
                    FROM repositories
                    WHERE COALESCE(namespace_id, deleted_namespace_id) IN (SELECT id FROM page)),
         weighed AS (SELECT c.namespace_id, CAST(SUM(c.bytes) AS BIGINT) AS bytes
                     FROM (SELECT p.namespace_id, f.bytes
                           FROM places p JOIN registry_counts f ON f.repository_id = p.id
                           UNION ALL
                           SELECT p.namespace_id, f.bytes
                           FROM places p JOIN registry_changes f ON f.repository_id = p.id) c
                     GROUP BY c.namespace_id)
    SELECT n.id,
           (SELECT COUNT(*) FROM repositories r WHERE r.namespace_id = n.id),
           (SELECT COUNT(*) FROM repositories r JOIN tags t ON t.repository_id = r.id
            WHERE r.namespace_id = n.id AND t.is_accessory = 0),
           COALESCE(h.blobs, 0), COALESCE(h.bytes, 0) + COALESCE(w.bytes, 0)
    FROM page n LEFT JOIN held h ON h.namespace_id = n.id
         LEFT JOIN weighed w ON w.namespace_id = n.id
    ORDER BY n.id)sql",
                      {after_id, limit}),
             to_usage);
}

Status loosen_link(meta::Tx& tx, const Place& place, TimeMs now) {
  return done(tx.execute(R"sql(
    UPDATE repository_blobs SET loose_since = $3
    WHERE repository_id = $1 AND digest = $2 AND loose_since IS NULL)sql",
                         {place.repository_id, place.digest, now}));
}

}  // namespace wharfage::registry::records
