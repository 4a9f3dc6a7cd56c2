#include "meta/rows.h"
#include "registry/policy_records.h"

// What namespaces may hold and do hold.
namespace wharfage::registry::records {
using namespace meta::rows;
namespace {

Quota to_quota(const meta::Row& row) {
  return {row.optional_integer(0), row.optional_integer(1), row.optional_integer(2)};
}

NamespaceUsage to_usage(const meta::Row& row) {
  return {row.integer(0), row.integer(1), row.integer(2), row.integer(3)};
}

NamespaceUsage sum(const NamespaceUsage& a, const NamespaceUsage& b) {
  return {a.repositories + b.repositories, a.tags + b.tags, a.blobs + b.blobs, a.bytes + b.bytes};
}

Result<NamespaceUsage> folded(meta::Tx& tx, std::int64_t namespace_id) {
  TRY(auto found, one(tx.first(R"sql(
    SELECT repositories, tags, blobs, bytes FROM namespace_counts WHERE namespace_id = $1)sql",
                               {namespace_id}),
                      to_usage));
  return found.value_or(NamespaceUsage{});
}

Result<NamespaceUsage> appended(meta::Tx& tx, std::int64_t namespace_id) {
  TRY(auto found, one(tx.first(R"sql(
    SELECT CAST(COALESCE(SUM(repositories), 0) AS BIGINT), CAST(COALESCE(SUM(tags), 0) AS BIGINT),
           CAST(COALESCE(SUM(blobs), 0) AS BIGINT), CAST(COALESCE(SUM(bytes), 0) AS BIGINT)
    FROM namespace_changes WHERE namespace_id = $1)sql",
                               {namespace_id}),
                      to_usage));
  return found.value_or(NamespaceUsage{});
}

}  // namespace

Result<Quota> quota(meta::Tx& tx, std::int64_t namespace_id) {
  TRY(auto found, one(tx.first(R"sql(
    SELECT bytes, tags, repositories FROM namespace_quotas WHERE namespace_id = $1)sql",
                               {namespace_id}),
                      to_quota));
  return found.value_or(Quota{});
}

Status put_quota(meta::Tx& tx, std::int64_t namespace_id, const Quota& quota, std::string_view set_by,
                 TimeMs now) {
  return done(tx.execute(R"sql(
    INSERT INTO namespace_quotas (namespace_id, bytes, tags, repositories, set_by, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (namespace_id) DO UPDATE SET
      bytes = excluded.bytes, tags = excluded.tags, repositories = excluded.repositories,
      set_by = excluded.set_by, updated_at = excluded.updated_at)sql",
                         {namespace_id, quota.bytes, quota.tags, quota.repositories, set_by, now}));
}

Status append_usage(meta::Tx& tx, std::int64_t namespace_id, const NamespaceUsage& c) {
  return done(tx.execute(R"sql(
    INSERT INTO namespace_changes (namespace_id, repositories, tags, blobs, bytes)
    VALUES ($1, $2, $3, $4, $5))sql",
                         {namespace_id, c.repositories, c.tags, c.blobs, c.bytes}));
}

Status append_manifest_bytes(meta::Tx& tx, std::int64_t repository_id, std::int64_t bytes) {
  if (bytes == 0) return {};
  return done(tx.execute(R"sql(
    INSERT INTO namespace_changes (namespace_id, repositories, tags, blobs, bytes)
    SELECT COALESCE(r.namespace_id, r.deleted_namespace_id), 0, 0, 0, CAST($2 AS BIGINT)
    FROM repositories r
    WHERE r.id = $1 AND COALESCE(r.namespace_id, r.deleted_namespace_id) IS NOT NULL)sql",
                         {repository_id, bytes}));
}

Status uncount_manifest(meta::Tx& tx, const Manifest& manifest) {
  TRY_STATUS(append_change(tx, manifest.repository_id, {.bytes = -manifest.size}));
  return append_manifest_bytes(tx, manifest.repository_id, -manifest.size);
}

Result<NamespaceUsage> usage(meta::Tx& tx, std::int64_t namespace_id) {
  TRY(auto old, folded(tx, namespace_id));
  TRY(auto fresh, appended(tx, namespace_id));
  return sum(old, fresh);
}

Result<std::vector<std::int64_t>> namespaces_to_fold(meta::Tx& tx, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT DISTINCT namespace_id FROM namespace_changes ORDER BY namespace_id LIMIT $1)sql",
                      {limit}),
             first_integer);
}

// Of a namespace that has gone, nothing is kept.
Result<FoldedUsage> fold_usage(meta::Tx& tx, std::int64_t namespace_id) {
  FoldedUsage usage;
  TRY(usage.before, folded(tx, namespace_id));
  TRY(auto change, appended(tx, namespace_id));
  usage.after = sum(usage.before, change);
  TRY_STATUS(tx.execute(R"sql(DELETE FROM namespace_changes WHERE namespace_id = $1)sql", {namespace_id}));
  TRY_STATUS(tx.execute(R"sql(
    INSERT INTO namespace_counts (namespace_id, repositories, tags, blobs, bytes)
    SELECT n.id, $2, $3, $4, $5 FROM namespaces n WHERE n.id = $1
    ON CONFLICT (namespace_id) DO UPDATE SET
      repositories = namespace_counts.repositories + excluded.repositories,
      tags = namespace_counts.tags + excluded.tags,
      blobs = namespace_counts.blobs + excluded.blobs,
      bytes = namespace_counts.bytes + excluded.bytes)sql",
                        {namespace_id, change.repositories, change.tags, change.blobs, change.bytes}));
  return usage;
}

Result<bool> is_linked_in(meta::Tx& tx, std::int64_t namespace_id, std::string_view digest) {
  return exists(tx.first(R"sql(
    SELECT 1 FROM repository_blobs WHERE digest = $1 AND namespace_id = $2 LIMIT 1)sql",
                         {digest, namespace_id}));
}

}  // namespace wharfage::registry::records
