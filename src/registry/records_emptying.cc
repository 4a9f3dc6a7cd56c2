#include "meta/rows.h"
#include "registry/policy_records.h"
#include "registry/records.h"

// Emptying a repository that has lost its name. A step is a few statements, however many rows it takes: in
// the order of an index, up to the last of `limit` digests.
namespace wharfage::registry::records {
using namespace meta::rows;

// From the oldest on: what was written together lies together, and a step touches few pages. Every statement
// finds the same manifests, until the last one removes them.
Result<std::optional<Counts>> delete_some_manifests(meta::Tx& tx, std::int64_t repository_id,
                                                    std::int64_t limit) {
  // Deleted ones were counted when they were deleted.
  TRY(auto step, tx.first(R"sql(
    SELECT COUNT(*),
           CAST(COALESCE(SUM(CASE WHEN deleted_at IS NULL THEN 1 - is_accessory ELSE 0 END), 0) AS BIGINT),
           CAST(COALESCE(SUM(CASE WHEN deleted_at IS NULL THEN is_accessory ELSE 0 END), 0) AS BIGINT)
    FROM (SELECT deleted_at, is_accessory FROM manifests
          WHERE repository_id = $1 ORDER BY pushed_at, id LIMIT $2) AS step)sql",
                          {repository_id, limit}));
  if (!step || step->integer(0) == 0) return std::optional<Counts>();
  meta::Arguments which{repository_id, limit};
  TRY_STATUS(tx.execute(R"sql(
    DELETE FROM deleted_tags WHERE manifest_id IN
      (SELECT id FROM manifests WHERE repository_id = $1 ORDER BY pushed_at, id LIMIT $2))sql",
                        which));
  TRY_STATUS(tx.execute(R"sql(
    DELETE FROM manifest_absent_blobs WHERE manifest_id IN
      (SELECT id FROM manifests WHERE repository_id = $1 ORDER BY pushed_at, id LIMIT $2))sql",
                        which));
  TRY_STATUS(tx.execute(R"sql(
    DELETE FROM manifest_children WHERE manifest_id IN
      (SELECT id FROM manifests WHERE repository_id = $1 ORDER BY pushed_at, id LIMIT $2))sql",
                        which));
  TRY_STATUS(tx.execute(R"sql(
    DELETE FROM manifest_pulls WHERE manifest_id IN
      (SELECT id FROM manifests WHERE repository_id = $1 ORDER BY pushed_at, id LIMIT $2))sql",
                        which));
  TRY_STATUS(tx.execute(R"sql(
    DELETE FROM manifest_bytes WHERE manifest_id IN
      (SELECT id FROM manifests WHERE repository_id = $1 ORDER BY pushed_at, id LIMIT $2))sql",
                        which));
  TRY_STATUS(tx.execute(R"sql(
    DELETE FROM manifests WHERE id IN
      (SELECT id FROM manifests WHERE repository_id = $1 ORDER BY pushed_at, id LIMIT $2))sql",
                        which));
  return std::optional(Counts{.manifests = step->integer(1), .accessories = step->integer(2)});
}

// In the order of their blobs, as they lie.
Result<std::int64_t> delete_some_references(meta::Tx& tx, std::int64_t repository_id, std::int64_t limit) {
  return tx.execute(R"sql(
    DELETE FROM manifest_blobs
    WHERE repository_id = $1 AND (digest, manifest_id) IN
      (SELECT step.digest, step.manifest_id FROM manifest_blobs step WHERE step.repository_id = $1
       ORDER BY step.digest, step.manifest_id LIMIT $2))sql",
                    {repository_id, limit});
}

namespace {

// What the namespace has no longer when these links go.
Status uncount_links(meta::Tx& tx, std::int64_t repository_id, const std::string& upto) {
  TRY(auto spaces, tx.query(R"sql(
    SELECT l.namespace_id, COUNT(*), CAST(COALESCE(SUM(b.size), 0) AS BIGINT)
    FROM repository_blobs l JOIN blobs b ON b.digest = l.digest
    WHERE l.repository_id = $1 AND l.digest <= $2 AND l.namespace_id <> 0
      AND NOT EXISTS (SELECT 1 FROM repository_blobs o
                      WHERE o.digest = l.digest AND o.namespace_id = l.namespace_id
                        AND o.repository_id <> $1)
    GROUP BY l.namespace_id)sql",
                            {repository_id, upto}));
  for (const auto& row : spaces)
    TRY_STATUS(append_usage(tx, row.integer(0), {.blobs = -row.integer(1), .bytes = -row.integer(2)}));
  return {};
}

}  // namespace

Result<std::optional<Counts>> delete_some_links(meta::Tx& tx, std::int64_t repository_id, TimeMs now,
                                                std::int64_t limit) {
  TRY(auto last, tx.first(R"sql(
    SELECT MAX(digest) FROM (SELECT digest FROM repository_blobs WHERE repository_id = $1
                             ORDER BY digest LIMIT $2) AS step)sql",
                          {repository_id, limit}));
  if (!last || last->null(0)) return std::optional<Counts>();
  std::string upto = last->text(0);
  TRY_STATUS(uncount_links(tx, repository_id, upto));
  TRY(auto doomed, tx.first(R"sql(
    SELECT COUNT(*), CAST(COALESCE(SUM(b.size), 0) AS BIGINT)
    FROM repository_blobs l JOIN blobs b ON b.digest = l.digest
    WHERE l.repository_id = $1 AND l.digest <= $2 AND b.state = 0
      AND NOT EXISTS (SELECT 1 FROM repository_blobs o
                      WHERE o.digest = l.digest AND o.repository_id <> $1))sql",
                            {repository_id, upto}));
  TRY_STATUS(tx.execute(R"sql(
    UPDATE blobs SET state = 1, changed_at = $3
    WHERE state IN (0, 3)
      AND digest IN (SELECT digest FROM repository_blobs WHERE repository_id = $1 AND digest <= $2)
      AND NOT EXISTS (SELECT 1 FROM repository_blobs o
                      WHERE o.digest = blobs.digest AND o.repository_id <> $1))sql",
                        {repository_id, upto, now}));
  TRY_STATUS(tx.execute(R"sql(DELETE FROM repository_blobs WHERE repository_id = $1 AND digest <= $2)sql",
                        {repository_id, upto}));
  return std::optional(Counts{.blobs = doomed->integer(0), .bytes = doomed->integer(1)});
}

}  // namespace wharfage::registry::records
