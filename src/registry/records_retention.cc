#include <algorithm>

#include "meta/rows.h"
#include "registry/retention_records.h"
#include "wire/schema.h"

namespace wharfage::registry::records {
using namespace meta::rows;

// How rules lie in their row. Not file-local: the compiler needs the members' names (wire/schema.h).
struct StoredRetentionRule {
  std::string name, repositories, except_repositories, tags, except_tags, keep;
  std::int64_t value = 0;
  bool untagged = false, enabled = true;
  std::vector<std::string> spared;
  std::int64_t repository_id = 0;
  bool only_keeps = false;
  static constexpr auto fields() {
    return std::array{wire::field<&StoredRetentionRule::name>("name"),
                      wire::field<&StoredRetentionRule::repositories>("repositories"),
                      wire::field<&StoredRetentionRule::except_repositories>("except_repositories"),
                      wire::field<&StoredRetentionRule::tags>("tags"),
                      wire::field<&StoredRetentionRule::except_tags>("except_tags"),
                      wire::field<&StoredRetentionRule::keep>("keep"),
                      wire::field<&StoredRetentionRule::value>("value"),
                      wire::field<&StoredRetentionRule::untagged>("untagged"),
                      wire::field<&StoredRetentionRule::enabled>("enabled"),
                      wire::field<&StoredRetentionRule::spared>("spared"),
                      wire::field<&StoredRetentionRule::repository_id>("repository_id"),
                      wire::field<&StoredRetentionRule::only_keeps>("only_keeps")};
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
                            std::string(keep_name(r.keep)), r.value, r.untagged, r.enabled, r.spared,
                            r.repository_id, r.only_keeps});
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
                     r.untagged,
                     r.enabled,
                     r.spared,
                     r.repository_id,
                     r.only_keeps});
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
  policy.name = row.text(6);
  policy.enabled = row.integer(7) != 0;
  return policy;
}

LocatedRetention to_located_retention(const meta::Row& row) {
  return {to_policy(row), row.text(8)};
}

RetentionTask to_task(const meta::Row& row) {
  return {row.integer(0), row.text(1),    row.integer(2), row.integer(3), row.integer(4),
          row.integer(5), row.integer(6), row.integer(7), row.integer(8)};
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

}  // namespace

// ---------------------------------------------------------------- policies

Result<std::optional<RetentionPolicy>> find_retention(meta::Tx& tx, std::int64_t namespace_id) {
  return one(tx.first(R"sql(
    SELECT namespace_id, cron, rules, set_by, updated_at, next_run_at, name, enabled FROM retention_policies
    WHERE namespace_id = $1)sql",
                      {namespace_id}),
             to_policy);
}

Result<Page<LocatedRetention>> list_retention(meta::Tx& tx, const Readable& readable,
                                              std::int64_t namespace_id, std::string_view name, Slice slice) {
  const std::int64_t everything = readable ? 0 : 1;
  Page<LocatedRetention> page;
  TRY(page.items,
      all(tx.query(R"sql(
    SELECT p.namespace_id, p.cron, p.rules, p.set_by, p.updated_at, p.next_run_at, p.name, p.enabled, n.name
    FROM retention_policies p JOIN namespaces n ON n.id = p.namespace_id
    WHERE ($1 = 0 OR p.namespace_id = $1) AND ($2 = 1 OR $3 LIKE '%,' || p.namespace_id || ',%')
      AND ($4 = '' OR p.name = $4) AND p.own_rules > 0
    ORDER BY p.namespace_id LIMIT $5 OFFSET $6)sql",
                   {namespace_id, everything, id_list(readable), name, slice.limit, slice.offset}),
          to_located_retention));
  TRY(page.total, number(tx.first(R"sql(
    SELECT COUNT(*) FROM retention_policies p
    WHERE ($1 = 0 OR p.namespace_id = $1) AND ($2 = 1 OR $3 LIKE '%,' || p.namespace_id || ',%')
      AND ($4 = '' OR p.name = $4) AND p.own_rules > 0)sql",
                                  {namespace_id, everything, id_list(readable), name})));
  return page;
}

Result<bool> is_gone(meta::Tx& tx, std::int64_t repository_id) {
  if (repository_id == 0) return false;
  TRY(auto found, find_repository(tx, repository_id));
  return !found;
}

Status put_retention(meta::Tx& tx, const RetentionPolicy& p) {
  const std::int64_t own_rules =
      std::count_if(p.rules.begin(), p.rules.end(), [](const auto& rule) { return rule.repository_id == 0; });
  return done(tx.execute(R"sql(
    INSERT INTO retention_policies (namespace_id, cron, rules, set_by, updated_at, next_run_at, name, enabled,
                                    own_rules)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (namespace_id) DO UPDATE SET
      cron = excluded.cron, rules = excluded.rules, set_by = excluded.set_by,
      updated_at = excluded.updated_at, next_run_at = excluded.next_run_at, name = excluded.name,
      enabled = excluded.enabled, own_rules = excluded.own_rules)sql",
                         {p.namespace_id, p.cron, rules_text(p.rules), p.set_by, p.updated_at, p.next_run_at,
                          p.name, p.enabled, own_rules}));
}

Result<std::vector<RetentionPolicy>> retention_due(meta::Tx& tx, TimeMs now, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT namespace_id, cron, rules, set_by, updated_at, next_run_at, name, enabled FROM retention_policies
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
      SELECT r.id FROM retention_runs r WHERE r.namespace_id = $1
      ORDER BY r.id DESC LIMIT 100 OFFSET $2))sql",
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

// ---------------------------------------------------------------- single repositories of a run

Status put_task(meta::Tx& tx, std::int64_t run_id, const RetentionTask& t) {
  return done(tx.execute(R"sql(
    INSERT INTO retention_tasks (run_id, repository_id, repository, kept, removed, failed, first_item,
                                 last_item, started_at, ended_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (run_id, repository_id) DO UPDATE SET
      kept = excluded.kept, removed = excluded.removed, failed = excluded.failed,
      first_item = excluded.first_item, last_item = excluded.last_item, started_at = excluded.started_at,
      ended_at = excluded.ended_at)sql",
                         {run_id, t.repository_id, t.repository, t.kept, t.removed, t.failed, t.first_item,
                          t.last_item, t.started_at, t.ended_at}));
}

Result<std::optional<RetentionTask>> find_task(meta::Tx& tx, std::int64_t run_id,
                                               std::int64_t repository_id) {
  return one(tx.first(R"sql(
    SELECT repository_id, repository, kept, removed, failed, first_item, last_item, started_at, ended_at
    FROM retention_tasks WHERE run_id = $1 AND repository_id = $2)sql",
                      {run_id, repository_id}),
             to_task);
}

Result<Page<RetentionTask>> list_tasks(meta::Tx& tx, std::int64_t run_id, std::string_view status,
                                       Slice slice) {
  Page<RetentionTask> page;
  TRY(page.items, all(tx.query(R"sql(
    SELECT repository_id, repository, kept, removed, failed, first_item, last_item, started_at, ended_at
    FROM retention_tasks
    WHERE run_id = $1 AND ($2 = '' OR $2 = CASE WHEN failed = 0 THEN 'succeeded' ELSE 'failed' END)
    ORDER BY repository_id LIMIT $3 OFFSET $4)sql",
                               {run_id, status, slice.limit, slice.offset}),
                      to_task));
  TRY(page.total, number(tx.first(R"sql(
    SELECT COUNT(*) FROM retention_tasks
    WHERE run_id = $1 AND ($2 = '' OR $2 = CASE WHEN failed = 0 THEN 'succeeded' ELSE 'failed' END))sql",
                                  {run_id, status})));
  return page;
}

Result<Page<RetentionItem>> items_of_task(meta::Tx& tx, std::int64_t run_id, const RetentionTask& task,
                                          std::string_view outcome, Slice slice) {
  Page<RetentionItem> page;
  TRY(page.items, all(tx.query(R"sql(
    SELECT number, repository, tag, digest, outcome, reason FROM retention_items
    WHERE run_id = $1 AND number >= $2 AND number <= $3 AND outcome <> 'kept' AND ($4 = '' OR outcome = $4)
    ORDER BY number LIMIT $5 OFFSET $6)sql",
                               {run_id, task.first_item, task.last_item, outcome, slice.limit, slice.offset}),
                      to_item));
  TRY(page.total, number(tx.first(R"sql(
    SELECT COUNT(*) FROM retention_items
    WHERE run_id = $1 AND number >= $2 AND number <= $3
      AND outcome <> 'kept' AND ($4 = '' OR outcome = $4))sql",
                                  {run_id, task.first_item, task.last_item, outcome})));
  return page;
}

}  // namespace wharfage::registry::records
