#include "meta/rows.h"
#include "registry/retention_records.h"

// The pages a retention plan is made from.
namespace wharfage::registry::records {
using namespace meta::rows;
namespace {

Candidate to_candidate(const meta::Row& row) {
  return {row.integer(0), row.text(1), row.integer(2), row.text(3), row.integer(4), row.integer(5)};
}

Near to_near(const meta::Row& row) {
  return {row.integer(0), row.text(1)};
}

}  // namespace

Result<std::vector<Candidate>> tag_candidates(meta::Tx& tx, std::int64_t repository_id,
                                              const CandidateKey& after, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT t.id, t.name, m.id, m.digest, t.updated_at, COALESCE(p.pulled_at, 0)
    FROM tags t JOIN manifests m ON m.id = t.manifest_id
         LEFT JOIN manifest_pulls p ON p.manifest_id = m.id
    WHERE t.repository_id = $1 AND t.is_accessory = 0 AND t.updated_at <= $2
      AND (t.updated_at < $2 OR t.id < $3)
    ORDER BY t.updated_at DESC, t.id DESC LIMIT $4)sql",
                      {repository_id, after.at, after.id, limit}),
             to_candidate);
}

Result<std::vector<Candidate>> untagged_candidates(meta::Tx& tx, std::int64_t repository_id,
                                                   const CandidateKey& after, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT m.id, '', m.id, m.digest, m.pushed_at, COALESCE(p.pulled_at, 0)
    FROM manifests m LEFT JOIN manifest_pulls p ON p.manifest_id = m.id
    WHERE m.repository_id = $1 AND m.is_accessory = 0 AND m.deleted_at IS NULL AND m.pushed_at <= $2
      AND (m.pushed_at < $2 OR m.id < $3)
      AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id)
      AND NOT EXISTS (SELECT 1 FROM manifest_children c JOIN manifests i ON i.id = c.manifest_id
                      WHERE c.repository_id = m.repository_id AND c.digest = m.digest
                        AND i.deleted_at IS NULL)
    ORDER BY m.pushed_at DESC, m.id DESC LIMIT $4)sql",
                      {repository_id, after.at, after.id, limit}),
             to_candidate);
}

Result<std::int64_t> count_tags_on(meta::Tx& tx, std::int64_t manifest_id) {
  return number(tx.first(R"sql(SELECT COUNT(*) FROM tags WHERE manifest_id = $1)sql", {manifest_id}));
}

Result<std::vector<Near>> near_children_of(meta::Tx& tx, std::int64_t manifest_id) {
  return all(tx.query(R"sql(
    SELECT m.id, m.digest FROM manifest_children c
         JOIN manifests m ON m.repository_id = c.repository_id AND m.digest = c.digest
    WHERE c.manifest_id = $1 AND m.deleted_at IS NULL ORDER BY m.id)sql",
                      {manifest_id}),
             to_near);
}

Result<std::vector<std::int64_t>> parents_of(meta::Tx& tx, std::int64_t repository_id,
                                             std::string_view digest) {
  return all(tx.query(R"sql(
    SELECT m.id FROM manifest_children c JOIN manifests m ON m.id = c.manifest_id
    WHERE c.repository_id = $1 AND c.digest = $2 AND m.deleted_at IS NULL)sql",
                      {repository_id, digest}),
             first_integer);
}

// By their subject, and by the names cosign and the referrers' fallback give them.
Result<std::vector<Near>> accessories_of(meta::Tx& tx, std::int64_t repository_id, std::string_view digest) {
  std::string stem(digest);
  stem[stem.find(':')] = '-';
  return all(tx.query(R"sql(
    SELECT m.id, m.digest FROM manifests m
    WHERE m.repository_id = $1 AND m.subject_digest = $2 AND m.deleted_at IS NULL
    UNION
    SELECT m.id, m.digest FROM tags t JOIN manifests m ON m.id = t.manifest_id
    WHERE t.repository_id = $1 AND t.name IN ($3, $4, $5, $6))sql",
                      {repository_id, digest, stem, stem + ".sig", stem + ".att", stem + ".sbom"}),
             to_near);
}

Result<std::optional<Repository>> next_repository(meta::Tx& tx, std::int64_t namespace_id,
                                                  std::int64_t after_id) {
  TRY(auto id, one(tx.first(R"sql(
    SELECT id FROM repositories WHERE namespace_id = $1 AND id > $2 ORDER BY id LIMIT 1)sql",
                            {namespace_id, after_id}),
                   first_integer));
  if (!id) return std::optional<Repository>();
  return find_repository(tx, *id);
}

}  // namespace wharfage::registry::records
