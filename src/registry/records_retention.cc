#include "meta/rows.h"
#include "registry/records.h"
#include "registry/retention_records.h"
#include "wire/schema.h"

namespace wharfage::registry::records {
using namespace meta::rows;

// How rules lie in their row. Not file-local: the compiler needs the members' names (wire/schema.h).
struct StoredRetentionRule {
  std::string name, repositories, except_repositories, tags, except_tags, keep;
  std::int64_t value = 0;
  bool untagged = false;
  static constexpr auto fields() {
    return std::array{wire::field<&StoredRetentionRule::name>("name"),
                      wire::field<&StoredRetentionRule::repositories>("repositories"),
                      wire::field<&StoredRetentionRule::except_repositories>("except_repositories"),
                      wire::field<&StoredRetentionRule::tags>("tags"),
                      wire::field<&StoredRetentionRule::except_tags>("except_tags"),
                      wire::field<&StoredRetentionRule::keep>("keep"),
                      wire::field<&StoredRetentionRule::value>("value"),
                      wire::field<&StoredRetentionRule::untagged>("untagged")};
  }
};
struct StoredRetentionRules {
  std::vector<StoredRetentionRule> rules;
  static constexpr auto fields() { return std::array{wire::field<&StoredRetentionRules::rules>("rules")}; }
};

namespace {

std::string rules_text(const std::vector<RetentionRule>& rules) {
  StoredRetentionRules stored;
  for (const auto& r : rules) {
    const Selector& s = r.selector;
    stored.rules.push_back({r.name, s.repositories, s.except_repositories, s.tags, s.except_tags,
                            std::string(keep_name(r.keep)), r.value, r.untagged});
  }
  return wire::encode_json(stored);
}

std::vector<RetentionRule> parse_rules(const std::string& text) {
  std::vector<RetentionRule> rules;
  auto stored = wire::decode_json<StoredRetentionRules>(text);
  if (!stored.ok()) return rules;
  for (const auto& r : stored->rules) {
    rules.push_back({r.name,
                     {r.repositories, r.except_repositories, r.tags, r.except_tags},
                     parse_keep(r.keep).value_or(Keep::all),
                     r.value,
                     r.untagged});
  }
  return rules;
}

RetentionPolicy to_policy(const meta::Row& row) {
  RetentionPolicy policy;
  policy.namespace_id = row.integer(0);
  policy.cron = row.text(1);
  policy.rules = parse_rules(row.text(2));
  policy.set_by = row.text(3);
  policy.updated_at = row.integer(4);
  policy.next_run_at = row.optional_integer(5);
  return policy;
}

RetentionRun to_run(const meta::Row& row) {
  RetentionRun run;
  run.id = row.integer(0);
  run.namespace_id = row.integer(1);
  run.dry = row.integer(2) != 0;
  run.cause = row.text(3);
  run.actor = row.text(4);
  run.status = row.text(5);
  run.error = row.text(6);
  run.job_id = row.text(7);
  run.repositories = row.integer(8);
  run.kept = row.integer(9);
  run.removed_tags = row.integer(10);
  run.removed_images = row.integer(11);
  run.failed = row.integer(12);
  run.created_at = row.integer(13);
  run.ended_at = row.integer(14);
  return run;
}

StoredRun to_stored_run(const meta::Row& row) {
  StoredRun stored;
  stored.run = to_run(row);
  stored.policy.namespace_id = stored.run.namespace_id;
  stored.policy.rules = parse_rules(row.text(15));
  stored.last_repository_id = row.integer(16);
  stored.items = row.integer(17);
  return stored;
}

RetentionItem to_item(const meta::Row& row) {
  return {row.integer(0), row.text(1), row.text(2), row.text(3), row.text(4), row.text(5)};
}

Candidate to_candidate(const meta::Row& row) {
  return {row.integer(0), row.text(1), row.integer(2), row.text(3), row.integer(4), row.integer(5)};
}

Near to_near(const meta::Row& row) {
  return {row.integer(0), row.text(1)};
}

}  // namespace

// ---------------------------------------------------------------- policies

Result<std::optional<RetentionPolicy>> find_retention(meta::Tx& tx, std::int64_t namespace_id) {
  return one(tx.first(R"sql(
    SELECT namespace_id, cron, rules, set_by, updated_at, next_run_at FROM retention_policies
    WHERE namespace_id = $1)sql",
                      {namespace_id}),
             to_policy);
}

Status put_retention(meta::Tx& tx, const RetentionPolicy& p) {
  return done(
      tx.execute(R"sql(
    INSERT INTO retention_policies (namespace_id, cron, rules, set_by, updated_at, next_run_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (namespace_id) DO UPDATE SET
      cron = excluded.cron, rules = excluded.rules, set_by = excluded.set_by,
      updated_at = excluded.updated_at, next_run_at = excluded.next_run_at)sql",
                 {p.namespace_id, p.cron, rules_text(p.rules), p.set_by, p.updated_at, p.next_run_at}));
}

Result<std::vector<RetentionPolicy>> retention_due(meta::Tx& tx, TimeMs now, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT namespace_id, cron, rules, set_by, updated_at, next_run_at FROM retention_policies
    WHERE next_run_at IS NOT NULL AND next_run_at <= $1 ORDER BY next_run_at LIMIT $2)sql",
                      {now, limit}),
             to_policy);
}

Status set_next_retention(meta::Tx& tx, std::int64_t namespace_id, std::optional<TimeMs> at) {
  return done(tx.execute(R"sql(
    UPDATE retention_policies SET next_run_at = $2 WHERE namespace_id = $1)sql",
                         {namespace_id, at}));
}

// ---------------------------------------------------------------- runs

Status insert_run(meta::Tx& tx, const RetentionRun& r, const RetentionPolicy& policy) {
  return done(tx.execute(R"sql(
    INSERT INTO retention_runs (id, namespace_id, is_dry, cause, actor, status, error, job_id, repositories,
                                kept, removed_tags, removed_images, failed, created_at, ended_at, rules,
                                last_repository_id, items)
    VALUES ($1, $2, $3, $4, $5, $6, '', $7, 0, 0, 0, 0, 0, $8, 0, $9, 0, 0))sql",
                         {r.id, r.namespace_id, r.dry, r.cause, r.actor, r.status, r.job_id, r.created_at,
                          rules_text(policy.rules)}));
}

Result<std::optional<StoredRun>> find_run(meta::Tx& tx, std::int64_t id) {
  return one(tx.first(R"sql(
    SELECT id, namespace_id, is_dry, cause, actor, status, error, job_id, repositories, kept, removed_tags,
           removed_images, failed, created_at, ended_at, rules, last_repository_id, items
    FROM retention_runs WHERE id = $1)sql",
                      {id}),
             to_stored_run);
}

Result<bool> has_running(meta::Tx& tx, std::int64_t namespace_id) {
  return exists(tx.first(R"sql(
    SELECT 1 FROM retention_runs WHERE namespace_id = $1 AND status = 'running' LIMIT 1)sql",
                         {namespace_id}));
}

Result<Page<RetentionRun>> list_runs(meta::Tx& tx, std::int64_t namespace_id, Slice slice) {
  Page<RetentionRun> page;
  TRY(page.total, number(tx.first(R"sql(
    SELECT COUNT(*) FROM retention_runs WHERE namespace_id = $1)sql",
                                  {namespace_id})));
  TRY(page.items, all(tx.query(R"sql(
    SELECT id, namespace_id, is_dry, cause, actor, status, error, job_id, repositories, kept, removed_tags,
           removed_images, failed, created_at, ended_at
    FROM retention_runs WHERE namespace_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3)sql",
                               {namespace_id, slice.limit, slice.offset}),
                      to_run));
  return page;
}

Status update_run(meta::Tx& tx, const StoredRun& s) {
  const RetentionRun& r = s.run;
  return done(tx.execute(R"sql(
    UPDATE retention_runs
    SET status = $2, error = $3, repositories = $4, kept = $5, removed_tags = $6, removed_images = $7,
        failed = $8, ended_at = $9, last_repository_id = $10, items = $11
    WHERE id = $1)sql",
                         {r.id, r.status, r.error, r.repositories, r.kept, r.removed_tags, r.removed_images,
                          r.failed, r.ended_at, s.last_repository_id, s.items}));
}

Status drop_old_runs(meta::Tx& tx, std::int64_t namespace_id, std::int64_t keep) {
  return done(tx.execute(R"sql(
    DELETE FROM retention_runs WHERE namespace_id = $1 AND id IN (
      SELECT r.id FROM retention_runs r WHERE r.namespace_id = $1 ORDER BY r.id DESC LIMIT 100 OFFSET $2))sql",
                         {namespace_id, keep}));
}

Status insert_item(meta::Tx& tx, std::int64_t run_id, const RetentionItem& i) {
  return done(tx.execute(R"sql(
    INSERT INTO retention_items (run_id, number, repository, tag, digest, outcome, reason)
    VALUES ($1, $2, $3, $4, $5, $6, $7))sql",
                         {run_id, i.number, i.repository, i.tag, i.digest, i.outcome, i.reason}));
}

Result<std::vector<RetentionItem>> items_after(meta::Tx& tx, std::int64_t run_id, std::string_view outcome,
                                               std::int64_t after, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT number, repository, tag, digest, outcome, reason FROM retention_items
    WHERE run_id = $1 AND number > $2 AND ($3 = '' OR outcome = $3) ORDER BY number LIMIT $4)sql",
                      {run_id, after, outcome, limit}),
             to_item);
}

// ---------------------------------------------------------------- pages of a plan

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
