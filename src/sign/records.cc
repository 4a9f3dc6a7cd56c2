#include "sign/records.h"

#include <boost/json.hpp>

#include "meta/rows.h"
#include "wire/schema.h"

namespace wharfage::sign {
using namespace meta::rows;
namespace {

// How scope rules are kept: our own JSON, not a cloud's.
struct StoredSelector {
  std::string kind, decoration, pattern, extras;
  static constexpr auto fields() {
    return std::array{
        wire::field<&StoredSelector::kind>("kind"), wire::field<&StoredSelector::decoration>("decoration"),
        wire::field<&StoredSelector::pattern>("pattern"), wire::field<&StoredSelector::extras>("extras")};
  }
};
struct StoredRule {
  std::vector<StoredSelector> tags, repositories;
  std::string mode;
  static constexpr auto fields() {
    return std::array{wire::field<&StoredRule::tags>("tags"),
                      wire::field<&StoredRule::repositories>("repositories"),
                      wire::field<&StoredRule::mode>("mode")};
  }
};
struct StoredRules {
  std::vector<StoredRule> rules;
  static constexpr auto fields() { return std::array{wire::field<&StoredRules::rules>("rules")}; }
};

template <class To, class From>
std::vector<To> convert(const std::vector<From>& from) {
  std::vector<To> to;
  for (const auto& one : from) to.push_back({one.kind, one.decoration, one.pattern, one.extras});
  return to;
}

std::string rules_text(const std::vector<ScopeRule>& rules) {
  StoredRules stored;
  for (const auto& rule : rules) {
    stored.rules.push_back({convert<StoredSelector>(rule.tags), convert<StoredSelector>(rule.repositories),
                            rule.repo_scope_mode});
  }
  return wire::encode_json(stored);
}

std::vector<ScopeRule> rules_of(const std::string& text) {
  std::vector<ScopeRule> rules;
  auto stored = wire::decode_json<StoredRules>(text);
  if (!stored.ok()) return rules;
  for (const auto& rule : stored->rules) {
    rules.push_back({convert<Selector>(rule.tags), convert<Selector>(rule.repositories), rule.mode});
  }
  return rules;
}

Policy policy_of(const meta::Row& row) {
  Policy policy;
  policy.id = row.integer(0);
  policy.namespace_id = row.integer(1);
  policy.namespace_name = row.text(2);
  policy.name = row.text(3);
  policy.description = row.text(4);
  policy.enabled = row.integer(5) != 0;
  policy.algorithm = row.text(6);
  policy.key_uuid = row.text(7);
  policy.trigger = row.text(8);
  policy.cron = row.text(9);
  policy.rules = rules_of(row.text(10));
  policy.creator = row.text(11);
  policy.created_at = row.integer(12);
  policy.updated_at = row.integer(13);
  return policy;
}

Execution execution_of(const meta::Row& row) {
  Execution execution;
  execution.id = row.integer(0);
  execution.policy_id = row.integer(1);
  execution.cause = row.text(2);
  execution.status = row.text(3);
  execution.status_text = row.text(4);
  execution.created_at = row.integer(5);
  execution.updated_at = row.integer(6);
  execution.total = row.integer(7);
  execution.succeed = row.integer(8);
  execution.failed = row.integer(9);
  execution.stopped = row.integer(10);
  execution.in_progress = execution.total - execution.succeed - execution.failed - execution.stopped;
  return execution;
}

Task task_of(const meta::Row& row) {
  return {.id = row.integer(0),
          .execution_id = row.integer(1),
          .job_id = row.text(2),
          .status = row.text(3),
          .status_text = row.text(4),
          .namespace_name = row.text(5),
          .repository = row.text(6),
          .created_at = row.integer(7),
          .updated_at = row.integer(8)};
}

SubTask sub_task_of(const meta::Row& row) {
  return {.id = row.integer(0),
          .job_id = row.text(1),
          .tags = row.text(2),
          .digest = row.text(3),
          .status = row.text(4),
          .status_text = row.text(5),
          .namespace_name = row.text(6),
          .repository = row.text(7),
          .created_at = row.integer(8),
          .updated_at = row.integer(9)};
}

Key key_of(const meta::Row& row) {
  return {row.text(0), row.text(1), row.text(2), row.integer(3)};
}

}  // namespace

namespace records {

Status insert_key(meta::Tx& tx, const Key& key, const std::string& private_sealed) {
  return done(tx.execute(R"sql(
    INSERT INTO signing_keys (uuid, name, private_sealed, public_pem, created_at) VALUES ($1, $2, $3, $4, $5))sql",
                         {key.uuid, key.name, private_sealed, key.public_pem, key.created_at}));
}

Result<std::optional<StoredKey>> find_key(meta::Tx& tx, std::string_view uuid) {
  return one<StoredKey>(tx.first(R"sql(
    SELECT uuid, name, public_pem, created_at, private_sealed FROM signing_keys WHERE uuid = $1)sql",
                                 {uuid}),
                        [](const meta::Row& row) { return StoredKey{key_of(row), row.text(4)}; });
}

Result<std::vector<Key>> list_keys(meta::Tx& tx) {
  return all<Key>(tx.query(R"sql(
    SELECT uuid, name, public_pem, created_at FROM signing_keys ORDER BY name LIMIT 1000)sql"),
                  key_of);
}

Result<std::int64_t> delete_key(meta::Tx& tx, std::string_view uuid) {
  return tx.execute(R"sql(DELETE FROM signing_keys WHERE uuid = $1)sql", {uuid});
}

Status insert_policy(meta::Tx& tx, const Policy& policy, std::optional<TimeMs> next_run) {
  return done(
      tx.execute(R"sql(
    INSERT INTO sign_policies (id, namespace_id, namespace_name, name, description, enabled, algorithm, key_uuid,
      trigger_type, cron, scope_rules, creator, next_run_at, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14))sql",
                 {policy.id, policy.namespace_id, policy.namespace_name, policy.name, policy.description,
                  policy.enabled ? 1 : 0, policy.algorithm, policy.key_uuid, policy.trigger, policy.cron,
                  rules_text(policy.rules), policy.creator, next_run, policy.created_at}));
}

Result<std::int64_t> update_policy(meta::Tx& tx, const Policy& policy, std::optional<TimeMs> next_run) {
  return tx.execute(R"sql(
    UPDATE sign_policies SET name = $3, description = $4, enabled = $5, algorithm = $6, key_uuid = $7,
      trigger_type = $8, cron = $9, scope_rules = $10, next_run_at = $11, updated_at = $12
    WHERE namespace_id = $1 AND id = $2)sql",
                    {policy.namespace_id, policy.id, policy.name, policy.description, policy.enabled ? 1 : 0,
                     policy.algorithm, policy.key_uuid, policy.trigger, policy.cron, rules_text(policy.rules),
                     next_run, policy.updated_at});
}

Result<std::int64_t> delete_policy(meta::Tx& tx, std::int64_t namespace_id, std::int64_t id) {
  return tx.execute(R"sql(DELETE FROM sign_policies WHERE namespace_id = $1 AND id = $2)sql",
                    {namespace_id, id});
}

Result<std::optional<Policy>> find_policy(meta::Tx& tx, std::int64_t namespace_id, std::int64_t id) {
  return one<Policy>(tx.first(R"sql(
    SELECT id, namespace_id, namespace_name, name, description, enabled, algorithm, key_uuid, trigger_type, cron,
      scope_rules, creator, created_at, updated_at FROM sign_policies
    WHERE id = $2 AND ($1 = 0 OR namespace_id = $1))sql",
                              {namespace_id, id}),
                     policy_of);
}

Result<std::vector<Policy>> policies_on_push(meta::Tx& tx, std::int64_t namespace_id) {
  return all<Policy>(tx.query(R"sql(
    SELECT id, namespace_id, namespace_name, name, description, enabled, algorithm, key_uuid, trigger_type, cron,
      scope_rules, creator, created_at, updated_at FROM sign_policies
    WHERE namespace_id = $1 AND enabled = 1 AND trigger_type = 'event_based' ORDER BY id LIMIT 100)sql",
                              {namespace_id}),
                     policy_of);
}

Result<std::vector<Policy>> policies_due(meta::Tx& tx, TimeMs now) {
  return all<Policy>(tx.query(R"sql(
    SELECT id, namespace_id, namespace_name, name, description, enabled, algorithm, key_uuid, trigger_type, cron,
      scope_rules, creator, created_at, updated_at FROM sign_policies
    WHERE next_run_at <= $1 ORDER BY next_run_at LIMIT 100)sql",
                              {now}),
                     policy_of);
}

Status set_next_run(meta::Tx& tx, std::int64_t id, std::optional<TimeMs> next_run) {
  return done(tx.execute(R"sql(UPDATE sign_policies SET next_run_at = $2 WHERE id = $1)sql", {id, next_run}));
}

Result<std::vector<Policy>> all_policies(meta::Tx& tx, Slice slice) {
  return all<Policy>(tx.query(R"sql(
    SELECT id, namespace_id, namespace_name, name, description, enabled, algorithm, key_uuid, trigger_type, cron,
      scope_rules, creator, created_at, updated_at FROM sign_policies ORDER BY id DESC LIMIT $1 OFFSET $2)sql",
                              {slice.limit, slice.offset}),
                     policy_of);
}

Result<std::vector<Policy>> policies_of(meta::Tx& tx, std::int64_t namespace_id) {
  return all<Policy>(tx.query(R"sql(
    SELECT id, namespace_id, namespace_name, name, description, enabled, algorithm, key_uuid, trigger_type, cron,
      scope_rules, creator, created_at, updated_at FROM sign_policies WHERE namespace_id = $1
    ORDER BY id DESC LIMIT 1000)sql",
                              {namespace_id}),
                     policy_of);
}

Result<std::int64_t> count_policies(meta::Tx& tx) {
  return number(tx.first(R"sql(SELECT count(*) FROM sign_policies)sql"));
}

Result<bool> insert_execution(meta::Tx& tx, std::int64_t id, std::int64_t policy_id, std::string_view origin,
                              std::string_view cause, TimeMs now) {
  TRY(auto inserted, tx.execute(R"sql(
    INSERT INTO sign_executions (id, policy_id, origin, cause, status, status_text, planned, created_at, updated_at)
    VALUES ($1, $2, $3, $4, 'InProgress', '', 0, $5, $5) ON CONFLICT (origin) DO NOTHING)sql",
                                {id, policy_id, origin, cause, now}));
  return inserted == 1;
}

Status set_planned(meta::Tx& tx, std::int64_t id) {
  return done(tx.execute(R"sql(UPDATE sign_executions SET planned = 1 WHERE id = $1)sql", {id}));
}

Result<bool> is_planned(meta::Tx& tx, std::int64_t execution_id) {
  TRY(auto planned,
      number(tx.first(R"sql(SELECT planned FROM sign_executions WHERE id = $1)sql", {execution_id})));
  return planned != 0;
}

Status set_execution(meta::Tx& tx, std::int64_t id, std::string_view status, std::string_view text,
                     TimeMs now) {
  return done(tx.execute(R"sql(
    UPDATE sign_executions SET status = $2, status_text = $3, updated_at = $4 WHERE id = $1)sql",
                         {id, status, text, now}));
}

Result<std::optional<Execution>> find_execution(meta::Tx& tx, std::int64_t policy_id, std::int64_t id) {
  return one<Execution>(tx.first(R"sql(
    SELECT e.id, e.policy_id, e.cause, e.status, e.status_text, e.created_at, e.updated_at,
      (SELECT count(*) FROM sign_tasks t WHERE t.execution_id = e.id),
      (SELECT count(*) FROM sign_tasks t WHERE t.execution_id = e.id AND t.status = 'Success'),
      (SELECT count(*) FROM sign_tasks t WHERE t.execution_id = e.id AND t.status = 'Failed'),
      (SELECT count(*) FROM sign_tasks t WHERE t.execution_id = e.id AND t.status = 'Stopped')
    FROM sign_executions e WHERE e.id = $2 AND ($1 = 0 OR e.policy_id = $1))sql",
                                 {policy_id, id}),
                        execution_of);
}

Result<std::vector<Execution>> list_executions(meta::Tx& tx, std::int64_t policy_id, Slice slice) {
  return all<Execution>(tx.query(R"sql(
    SELECT e.id, e.policy_id, e.cause, e.status, e.status_text, e.created_at, e.updated_at,
      (SELECT count(*) FROM sign_tasks t WHERE t.execution_id = e.id),
      (SELECT count(*) FROM sign_tasks t WHERE t.execution_id = e.id AND t.status = 'Success'),
      (SELECT count(*) FROM sign_tasks t WHERE t.execution_id = e.id AND t.status = 'Failed'),
      (SELECT count(*) FROM sign_tasks t WHERE t.execution_id = e.id AND t.status = 'Stopped')
    FROM sign_executions e WHERE e.policy_id = $1 ORDER BY e.id DESC LIMIT $2 OFFSET $3)sql",
                                 {policy_id, slice.limit, slice.offset}),
                        execution_of);
}

Result<std::int64_t> count_executions(meta::Tx& tx, std::int64_t policy_id) {
  return number(tx.first(R"sql(SELECT count(*) FROM sign_executions WHERE policy_id = $1)sql", {policy_id}));
}

Status insert_task(meta::Tx& tx, const StoredTask& task) {
  return done(tx.execute(R"sql(
    INSERT INTO sign_tasks (id, execution_id, repository_id, namespace_name, repository, only_tag, job_id, status,
      status_text, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'Initialized', '', $8, $8))sql",
                         {task.task.id, task.task.execution_id, task.repository_id, task.task.namespace_name,
                          task.task.repository, task.only_tag, task.task.job_id, task.task.created_at}));
}

Result<std::optional<StoredTask>> find_task(meta::Tx& tx, std::int64_t id) {
  return one<StoredTask>(
      tx.first(R"sql(
    SELECT id, execution_id, job_id, status, status_text, namespace_name, repository, created_at, updated_at,
      repository_id, only_tag FROM sign_tasks WHERE id = $1)sql",
               {id}),
      [](const meta::Row& row) { return StoredTask{task_of(row), row.integer(9), row.text(10)}; });
}

Status set_task(meta::Tx& tx, std::int64_t id, std::string_view status, std::string_view text, TimeMs now) {
  return done(tx.execute(R"sql(
    UPDATE sign_tasks SET status = $2, status_text = $3, updated_at = $4 WHERE id = $1)sql",
                         {id, status, text, now}));
}

Result<std::vector<Task>> list_tasks(meta::Tx& tx, std::int64_t execution_id, Slice slice) {
  return all<Task>(tx.query(R"sql(
    SELECT id, execution_id, job_id, status, status_text, namespace_name, repository, created_at, updated_at
    FROM sign_tasks WHERE execution_id = $1 ORDER BY id LIMIT $2 OFFSET $3)sql",
                            {execution_id, slice.limit, slice.offset}),
                   task_of);
}

Result<std::int64_t> count_tasks(meta::Tx& tx, std::int64_t execution_id) {
  return number(tx.first(R"sql(SELECT count(*) FROM sign_tasks WHERE execution_id = $1)sql", {execution_id}));
}

Status put_sub_task(meta::Tx& tx, std::int64_t task_id, const SubTask& sub_task) {
  return done(tx.execute(
      R"sql(
    INSERT INTO sign_sub_tasks (id, task_id, job_id, tags, digest, status, status_text, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, 'Initialized', '', $6, $6)
    ON CONFLICT (task_id, digest) DO UPDATE SET tags = excluded.tags)sql",
      {sub_task.id, task_id, sub_task.job_id, sub_task.tags, sub_task.digest, sub_task.created_at}));
}

Status set_sub_task(meta::Tx& tx, std::int64_t id, std::string_view status, std::string_view text,
                    TimeMs now) {
  return done(tx.execute(R"sql(
    UPDATE sign_sub_tasks SET status = $2, status_text = $3, updated_at = $4 WHERE id = $1)sql",
                         {id, status, text, now}));
}

Status stop_sub_tasks(meta::Tx& tx, std::int64_t task_id, std::string_view status, std::string_view text,
                      TimeMs now) {
  return done(tx.execute(R"sql(
    UPDATE sign_sub_tasks SET status = $2, status_text = $3, updated_at = $4
    WHERE task_id = $1 AND status IN ('Initialized', 'InProgress'))sql",
                         {task_id, status, text, now}));
}

Result<std::vector<SubTask>> list_sub_tasks(meta::Tx& tx, std::int64_t task_id, std::string_view status,
                                            Slice slice) {
  return all<SubTask>(tx.query(R"sql(
    SELECT s.id, s.job_id, s.tags, s.digest, s.status, s.status_text, t.namespace_name, t.repository, s.created_at,
      s.updated_at FROM sign_sub_tasks s JOIN sign_tasks t ON t.id = s.task_id
    WHERE s.task_id = $1 AND ($2 = '' OR s.status = $2) ORDER BY s.id LIMIT $3 OFFSET $4)sql",
                               {task_id, status, slice.limit, slice.offset}),
                      sub_task_of);
}

Result<std::int64_t> count_sub_tasks(meta::Tx& tx, std::int64_t task_id, std::string_view status) {
  return number(tx.first(R"sql(
    SELECT count(*) FROM sign_sub_tasks WHERE task_id = $1 AND ($2 = '' OR status = $2))sql",
                         {task_id, status}));
}

Status put_signature(meta::Tx& tx, std::int64_t repository_id, const Signature& signature) {
  return done(tx.execute(R"sql(
    INSERT INTO signatures (repository_id, digest, key_uuid, signature_digest, execution_id, signed_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (repository_id, digest, key_uuid) DO UPDATE SET
      signed_at = CASE WHEN signatures.signature_digest = excluded.signature_digest
                       THEN signatures.signed_at ELSE excluded.signed_at END,
      signature_digest = excluded.signature_digest)sql",
                         {repository_id, signature.digest, signature.key_uuid, signature.signature_digest,
                          signature.execution_id, signature.signed_at}));
}

Status drop_signatures(meta::Tx& tx, std::int64_t repository_id, std::string_view digest, TimeMs until) {
  return done(tx.execute(R"sql(
    DELETE FROM signatures WHERE repository_id = $1 AND digest = $2 AND signed_at <= $3)sql",
                         {repository_id, digest, until}));
}

Result<bool> drop_some_signatures(meta::Tx& tx, std::int64_t repository_id) {
  TRY(std::int64_t rows, tx.execute(R"sql(
    DELETE FROM signatures WHERE (repository_id, digest, key_uuid) IN
      (SELECT repository_id, digest, key_uuid FROM signatures WHERE repository_id = $1 LIMIT $2))sql",
                                    {repository_id, forget_batch}));
  return rows == forget_batch;
}

Result<std::vector<Signature>> signatures_of(meta::Tx& tx, std::int64_t repository_id,
                                             std::string_view digest) {
  return all<Signature>(tx.query(R"sql(
    SELECT s.digest, s.key_uuid, k.name, s.signature_digest, s.execution_id, s.signed_at
    FROM signatures s LEFT JOIN signing_keys k ON k.uuid = s.key_uuid
    WHERE s.repository_id = $1 AND s.digest = $2 ORDER BY s.signed_at LIMIT 100)sql",
                                 {repository_id, digest}),
                        [](const meta::Row& row) {
                          return Signature{row.text(0), row.text(1),    row.text(2),
                                           row.text(3), row.integer(4), row.integer(5)};
                        });
}

}  // namespace records
}  // namespace wharfage::sign
