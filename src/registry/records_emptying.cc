#include "registry/records.h"
#include "registry/rows.h"

// Emptying a repository that has lost its name. A step is a few statements, however many rows it takes: in
// the order of an index, up to the last of `limit` digests.
namespace wharfage::registry::records {

Result<std::optional<Counts>> delete_some_manifests(meta::Tx& tx, std::int64_t repository_id,
                                                    std::int64_t limit) {
  TRY(auto last, tx.first(R"sql(
    SELECT MAX(digest) FROM (SELECT digest FROM manifests WHERE repository_id = $1
                             ORDER BY digest LIMIT $2) AS step)sql",
                          {repository_id, limit}));
  if (!last || last->null(0)) return std::optional<Counts>();
  std::string upto = last->text(0);
  Counts gone;
  TRY(auto rows, tx.query(R"sql(
    SELECT is_accessory, COUNT(*) FROM manifests WHERE repository_id = $1 AND digest <= $2
    GROUP BY is_accessory)sql",
                          {repository_id, upto}));
  for (const auto& row : rows) (row.integer(0) ? gone.accessories : gone.manifests) = row.integer(1);
  TRY_STATUS(tx.execute(R"sql(
    DELETE FROM manifest_blobs WHERE manifest_id IN
      (SELECT id FROM manifests WHERE repository_id = $1 AND digest <= $2))sql",
                        {repository_id, upto}));
  TRY_STATUS(tx.execute(R"sql(
    DELETE FROM manifest_absent_blobs WHERE manifest_id IN
      (SELECT id FROM manifests WHERE repository_id = $1 AND digest <= $2))sql",
                        {repository_id, upto}));
  TRY_STATUS(tx.execute(R"sql(
    DELETE FROM manifest_pulls WHERE manifest_id IN
      (SELECT id FROM manifests WHERE repository_id = $1 AND digest <= $2))sql",
                        {repository_id, upto}));
  TRY_STATUS(tx.execute(R"sql(
    DELETE FROM manifest_bytes WHERE manifest_id IN
      (SELECT id FROM manifests WHERE repository_id = $1 AND digest <= $2))sql",
                        {repository_id, upto}));
  TRY_STATUS(tx.execute(R"sql(DELETE FROM manifests WHERE repository_id = $1 AND digest <= $2)sql",
                        {repository_id, upto}));
  return std::optional(gone);
}

Result<std::optional<Counts>> delete_some_links(meta::Tx& tx, std::int64_t repository_id, TimeMs now,
                                                std::int64_t limit) {
  TRY(auto last, tx.first(R"sql(
    SELECT MAX(digest) FROM (SELECT digest FROM repository_blobs WHERE repository_id = $1
                             ORDER BY digest LIMIT $2) AS step)sql",
                          {repository_id, limit}));
  if (!last || last->null(0)) return std::optional<Counts>();
  std::string upto = last->text(0);
  TRY(auto doomed, tx.first(R"sql(
    SELECT COUNT(*), CAST(COALESCE(SUM(b.size), 0) AS BIGINT)
    FROM repository_blobs l JOIN blobs b ON b.digest = l.digest
    WHERE l.repository_id = $1 AND l.digest <= $2 AND b.state = 0
      AND NOT EXISTS (SELECT 1 FROM repository_blobs o WHERE o.digest = l.digest AND o.repository_id <> $1))sql",
                            {repository_id, upto}));
  TRY_STATUS(tx.execute(R"sql(
    UPDATE blobs SET state = 1, changed_at = $3
    WHERE state IN (0, 3)
      AND digest IN (SELECT digest FROM repository_blobs WHERE repository_id = $1 AND digest <= $2)
      AND NOT EXISTS (SELECT 1 FROM repository_blobs o WHERE o.digest = blobs.digest AND o.repository_id <> $1))sql",
                        {repository_id, upto, now}));
  TRY_STATUS(tx.execute(R"sql(DELETE FROM repository_blobs WHERE repository_id = $1 AND digest <= $2)sql",
                        {repository_id, upto}));
  return std::optional(Counts{.blobs = doomed->integer(0), .bytes = doomed->integer(1)});
}

}  // namespace wharfage::registry::records
