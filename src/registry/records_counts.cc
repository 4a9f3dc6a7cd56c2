#include "meta/rows.h"
#include "registry/policy_records.h"
#include "registry/records.h"

// Figures: every change is a row of its own, folding adds them up.
namespace wharfage::registry::records {
using namespace meta::rows;
namespace {

Counts counts_at(const meta::Row& row, std::size_t from) {
  Counts counts;
  counts.repositories = row.integer(from);
  counts.tags = row.integer(from + 1);
  counts.accessory_tags = row.integer(from + 2);
  counts.manifests = row.integer(from + 3);
  counts.accessories = row.integer(from + 4);
  counts.pulls = row.integer(from + 5);
  counts.blobs = row.integer(from + 6);
  counts.bytes = row.integer(from + 7);
  return counts;
}

Counts to_counts(const meta::Row& row) {
  return counts_at(row, 0);
}

Result<Counts> counts_or_none(Result<std::optional<meta::Row>> row) {
  TRY(auto found, one(std::move(row), to_counts));
  return found.value_or(Counts{});
}

Counts sum(Counts a, const Counts& b) {
  a.repositories += b.repositories;
  a.tags += b.tags;
  a.accessory_tags += b.accessory_tags;
  a.manifests += b.manifests;
  a.accessories += b.accessories;
  a.pulls += b.pulls;
  a.blobs += b.blobs;
  a.bytes += b.bytes;
  return a;
}

Result<Counts> folded(meta::Tx& tx, std::int64_t repository_id) {
  return counts_or_none(tx.first(R"sql(
    SELECT repositories, tags, accessory_tags, manifests, accessories, pulls, blobs, bytes
    FROM registry_counts WHERE repository_id = $1)sql",
                                 {repository_id}));
}

Result<Counts> appended(meta::Tx& tx, std::int64_t repository_id) {
  return counts_or_none(tx.first(R"sql(
    SELECT CAST(COALESCE(SUM(repositories), 0) AS BIGINT), CAST(COALESCE(SUM(tags), 0) AS BIGINT),
           CAST(COALESCE(SUM(accessory_tags), 0) AS BIGINT), CAST(COALESCE(SUM(manifests), 0) AS BIGINT),
           CAST(COALESCE(SUM(accessories), 0) AS BIGINT), CAST(COALESCE(SUM(pulls), 0) AS BIGINT),
           CAST(COALESCE(SUM(blobs), 0) AS BIGINT), CAST(COALESCE(SUM(bytes), 0) AS BIGINT)
    FROM registry_changes WHERE repository_id = $1)sql",
                                 {repository_id}));
}

Status add_counts(meta::Tx& tx, std::int64_t repository_id, const Counts& c) {
  return done(tx.execute(R"sql(
    INSERT INTO registry_counts (repository_id, repositories, tags, accessory_tags, manifests, accessories,
                                 pulls, blobs, bytes)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (repository_id) DO UPDATE SET
      repositories = registry_counts.repositories + excluded.repositories,
      tags = registry_counts.tags + excluded.tags,
      accessory_tags = registry_counts.accessory_tags + excluded.accessory_tags,
      manifests = registry_counts.manifests + excluded.manifests,
      accessories = registry_counts.accessories + excluded.accessories,
      pulls = registry_counts.pulls + excluded.pulls,
      blobs = registry_counts.blobs + excluded.blobs,
      bytes = registry_counts.bytes + excluded.bytes)sql",
                         {repository_id, c.repositories, c.tags, c.accessory_tags, c.manifests, c.accessories,
                          c.pulls, c.blobs, c.bytes}));
}

}  // namespace

Status append_change(meta::Tx& tx, std::int64_t repository_id, const Counts& c) {
  return done(tx.execute(R"sql(
    INSERT INTO registry_changes (repository_id, repositories, tags, accessory_tags, manifests, accessories,
                                  pulls, blobs, bytes)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9))sql",
                         {repository_id, c.repositories, c.tags, c.accessory_tags, c.manifests, c.accessories,
                          c.pulls, c.blobs, c.bytes}));
}

Result<Counts> counts(meta::Tx& tx, std::int64_t repository_id) {
  TRY(auto old, folded(tx, repository_id));
  TRY(auto fresh, appended(tx, repository_id));
  return sum(old, fresh);
}

Result<Counts> store_counts(meta::Tx& tx) {
  TRY(auto old, folded(tx, 0));
  TRY(auto fresh, counts_or_none(tx.first(R"sql(
    SELECT CAST(COALESCE(SUM(repositories), 0) AS BIGINT), CAST(COALESCE(SUM(tags), 0) AS BIGINT),
           CAST(COALESCE(SUM(accessory_tags), 0) AS BIGINT), CAST(COALESCE(SUM(manifests), 0) AS BIGINT),
           CAST(COALESCE(SUM(accessories), 0) AS BIGINT), CAST(COALESCE(SUM(pulls), 0) AS BIGINT),
           CAST(COALESCE(SUM(blobs), 0) AS BIGINT),
           CAST(COALESCE(SUM(CASE WHEN repository_id = 0 THEN bytes ELSE 0 END), 0) AS BIGINT)
    FROM registry_changes)sql")));
  return sum(old, fresh);
}

Result<std::int64_t> count_namespaces(meta::Tx& tx) {
  return number(tx.first(R"sql(SELECT COUNT(*) FROM namespaces)sql"));
}

Status fold_changes_of(meta::Tx& tx, std::int64_t repository_id) {
  TRY(auto change, appended(tx, repository_id));
  TRY_STATUS(tx.execute(R"sql(DELETE FROM registry_changes WHERE repository_id = $1)sql", {repository_id}));
  TRY_STATUS(add_counts(tx, repository_id, change));
  if (repository_id == 0) return {};
  change.bytes = 0;  // manifests are no blobs of the store
  return add_counts(tx, 0, change);
}

Result<std::int64_t> fold_changes(meta::Tx& tx, std::int64_t limit) {
  TRY(auto repositories, all(tx.query(R"sql(
    SELECT DISTINCT repository_id FROM registry_changes ORDER BY repository_id LIMIT $1)sql",
                                      {limit}),
                             first_integer));
  for (std::int64_t id : repositories) TRY_STATUS(fold_changes_of(tx, id));
  return static_cast<std::int64_t>(repositories.size());
}

Status forget_counts(meta::Tx& tx, std::int64_t repository_id) {
  TRY(auto held, folded(tx, repository_id));
  TRY_STATUS(append_manifest_bytes(tx, repository_id, -held.bytes));
  return done(tx.execute(R"sql(DELETE FROM registry_counts WHERE repository_id = $1)sql", {repository_id}));
}

Status note_last_pull(meta::Tx& tx, std::int64_t repository_id, TimeMs at) {
  return done(tx.execute(R"sql(
    INSERT INTO repository_pulls (repository_id, pulled_at)
    SELECT r.id, $2 FROM repositories r WHERE r.id = $1
    ON CONFLICT (repository_id) DO UPDATE SET pulled_at = excluded.pulled_at
    WHERE repository_pulls.pulled_at < excluded.pulled_at)sql",
                         {repository_id, at}));
}

Result<TimeMs> last_pull(meta::Tx& tx, std::int64_t repository_id) {
  return number(
      tx.first(R"sql(SELECT pulled_at FROM repository_pulls WHERE repository_id = $1)sql", {repository_id}));
}

Result<bool> add_pulls(meta::Tx& tx, std::int64_t manifest_id, std::int64_t pulls, TimeMs at) {
  return changed(tx.execute(R"sql(
    INSERT INTO manifest_pulls (manifest_id, pulls, pulled_at)
    SELECT m.id, $2, $3 FROM manifests m WHERE m.id = $1
    ON CONFLICT (manifest_id) DO UPDATE SET
      pulls = manifest_pulls.pulls + excluded.pulls,
      pulled_at = CASE WHEN manifest_pulls.pulled_at > excluded.pulled_at THEN manifest_pulls.pulled_at
                       ELSE excluded.pulled_at END)sql",
                            {manifest_id, pulls, at}));
}

}  // namespace wharfage::registry::records
