// Rules, executions and groups; tasks are in records_tasks.cc.
#include "sync/records.h"

#include "base/limits.h"
#include "meta/rows.h"

namespace wharfage::sync::records {
using namespace meta::rows;
namespace {

Rule rule_of(const meta::Row& row) {
  Rule rule;
  rule.id = row.integer(0);
  rule.public_id = row.text(1);
  rule.name = row.text(2);
  rule.description = row.text(3);
  rule.direction = parse<Direction>(row.text(4)).value_or(Direction::push);
  rule.connection_id = row.integer(5);
  rule.source_namespace = row.text(6);
  rule.scope = parse<Scope>(row.text(7)).value_or(Scope::whole_namespace);
  rule.source_repository = row.text(8);
  rule.patterns = parse<Patterns>(row.text(9)).value_or(Patterns::glob);
  rule.repository_pattern = row.text(10);
  rule.tag_pattern = row.text(11);
  rule.target_namespace = row.text(12);
  rule.target_repository = row.text(13);
  rule.trigger = parse<Trigger>(row.text(14)).value_or(Trigger::manual);
  rule.cron = row.text(15);
  rule.overwrite = row.integer(16) != 0;
  rule.enabled = row.integer(17) != 0;
  rule.extras = row.text(18);
  rule.namespace_id = row.integer(19);
  rule.creator = row.text(20);
  rule.created_at = row.integer(21);
  rule.updated_at = row.integer(22);
  return rule;
}

Execution execution_of(const meta::Row& row) {
  Execution execution;
  execution.id = row.integer(0);
  execution.rule_id = row.integer(1);
  execution.cause = parse<Trigger>(row.text(2)).value_or(Trigger::manual);
  execution.state = parse<State>(row.text(3)).value_or(State::failed);
  execution.text = row.text(4);
  execution.created_at = row.integer(5);
  execution.ended_at = row.integer(6);
  execution.total = row.integer(7);
  execution.succeeded = row.integer(8);
  execution.failed = row.integer(9);
  execution.canceled = row.integer(10);
  execution.running = execution.total - execution.succeeded - execution.failed - execution.canceled;
  return execution;
}

Group group_of(const meta::Row& row) {
  return {.id = row.integer(0),
          .execution_id = row.integer(1),
          .source = row.text(2),
          .target = row.text(3),
          .job_id = row.text(4),
          .state = parse<State>(row.text(5)).value_or(State::failed),
          .revision = row.integer(8),
          .created_at = row.integer(6),
          .ended_at = row.integer(7)};
}

}  // namespace

Status insert_rule(meta::Tx& tx, const Rule& rule, std::optional<TimeMs> next_run) {
  return done(tx.execute(
      R"sql(
    INSERT INTO sync_rules (id, public_id, name, description, direction, connection_id, source_namespace, scope,
      source_repository, patterns, repository_pattern, tag_pattern, target_namespace, target_repository, trigger_type,
      cron, overwrite, enabled, extras, namespace_id, creator, next_run_at, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
      $23))sql",
      {rule.id,
       rule.public_id,
       rule.name,
       rule.description,
       name_of(rule.direction),
       rule.connection_id,
       rule.source_namespace,
       name_of(rule.scope),
       rule.source_repository,
       name_of(rule.patterns),
       rule.repository_pattern,
       rule.tag_pattern,
       rule.target_namespace,
       rule.target_repository,
       name_of(rule.trigger),
       rule.cron,
       rule.overwrite ? 1 : 0,
       rule.enabled ? 1 : 0,
       rule.extras,
       rule.namespace_id,
       rule.creator,
       next_run,
       rule.created_at}));
}

Result<std::int64_t> update_rule(meta::Tx& tx, const Rule& rule, std::optional<TimeMs> next_run) {
  return tx.execute(
      R"sql(
    UPDATE sync_rules SET name = $2, description = $3, direction = $4, connection_id = $5, source_namespace = $6,
      scope = $7, source_repository = $8, patterns = $9, repository_pattern = $10, tag_pattern = $11,
      target_namespace = $12, target_repository = $13, trigger_type = $14, cron = $15, overwrite = $16, enabled = $17,
      extras = $18, namespace_id = $19, next_run_at = $20, updated_at = $21 WHERE id = $1)sql",
      {rule.id,
       rule.name,
       rule.description,
       name_of(rule.direction),
       rule.connection_id,
       rule.source_namespace,
       name_of(rule.scope),
       rule.source_repository,
       name_of(rule.patterns),
       rule.repository_pattern,
       rule.tag_pattern,
       rule.target_namespace,
       rule.target_repository,
       name_of(rule.trigger),
       rule.cron,
       rule.overwrite ? 1 : 0,
       rule.enabled ? 1 : 0,
       rule.extras,
       rule.namespace_id,
       next_run,
       rule.updated_at});
}

Result<std::int64_t> delete_rule(meta::Tx& tx, std::int64_t id) {
  return tx.execute(R"sql(DELETE FROM sync_rules WHERE id = $1)sql", {id});
}

Result<std::optional<Rule>> find_rule(meta::Tx& tx, std::int64_t id) {
  return one<Rule>(tx.first(R"sql(
    SELECT id, public_id, name, description, direction, connection_id, source_namespace, scope, source_repository,
      patterns, repository_pattern, tag_pattern, target_namespace, target_repository, trigger_type, cron, overwrite,
      enabled, extras, namespace_id, creator, created_at, updated_at FROM sync_rules WHERE id = $1)sql",
                            {id}),
                   rule_of);
}

Result<std::optional<Rule>> find_rule(meta::Tx& tx, std::string_view public_id) {
  return one<Rule>(tx.first(R"sql(
    SELECT id, public_id, name, description, direction, connection_id, source_namespace, scope, source_repository,
      patterns, repository_pattern, tag_pattern, target_namespace, target_repository, trigger_type, cron, overwrite,
      enabled, extras, namespace_id, creator, created_at, updated_at FROM sync_rules WHERE public_id = $1)sql",
                            {public_id}),
                   rule_of);
}

Result<std::vector<Rule>> all_rules(meta::Tx& tx) {
  return all<Rule>(tx.query(R"sql(
    SELECT id, public_id, name, description, direction, connection_id, source_namespace, scope, source_repository,
      patterns, repository_pattern, tag_pattern, target_namespace, target_repository, trigger_type, cron, overwrite,
      enabled, extras, namespace_id, creator, created_at, updated_at FROM sync_rules ORDER BY id LIMIT $1)sql",
                            {limits::sync_rules_max}),
                   rule_of);
}

Result<std::int64_t> count_rules(meta::Tx& tx) {
  return number(tx.first(R"sql(SELECT count(*) FROM sync_rules)sql"));
}

Result<std::vector<Rule>> rules_on_push(meta::Tx& tx, std::int64_t namespace_id) {
  return all<Rule>(tx.query(R"sql(
    SELECT id, public_id, name, description, direction, connection_id, source_namespace, scope, source_repository,
      patterns, repository_pattern, tag_pattern, target_namespace, target_repository, trigger_type, cron, overwrite,
      enabled, extras, namespace_id, creator, created_at, updated_at FROM sync_rules
    WHERE namespace_id IN (0, $1) AND enabled = 1 AND trigger_type = 'event' AND direction = 'push'
    ORDER BY id LIMIT 200)sql",
                            {namespace_id}),
                   rule_of);
}

Result<std::vector<Rule>> rules_due(meta::Tx& tx, TimeMs now) {
  return all<Rule>(tx.query(R"sql(
    SELECT id, public_id, name, description, direction, connection_id, source_namespace, scope, source_repository,
      patterns, repository_pattern, tag_pattern, target_namespace, target_repository, trigger_type, cron, overwrite,
      enabled, extras, namespace_id, creator, created_at, updated_at FROM sync_rules
    WHERE next_run_at <= $1 ORDER BY next_run_at LIMIT 100)sql",
                            {now}),
                   rule_of);
}

Status set_next_run(meta::Tx& tx, std::int64_t id, std::optional<TimeMs> next_run) {
  return done(tx.execute(R"sql(UPDATE sync_rules SET next_run_at = $2 WHERE id = $1)sql", {id, next_run}));
}

Result<std::vector<std::int64_t>> rules_that_carried(meta::Tx& tx, std::int64_t repository_id,
                                                     std::string_view digest) {
  return all<std::int64_t>(tx.query(R"sql(
    SELECT r.id FROM sync_rules r WHERE r.enabled = 1 AND r.trigger_type = 'event' AND r.direction = 'push'
      AND (r.id IN (SELECT c.rule_id FROM sync_copies c
                    WHERE c.repository_id = $1 AND c.digest = $2 AND c.state = 'succeeded')
        OR r.id IN (SELECT t.rule_id FROM sync_tasks t
                    WHERE t.repository_id = $1 AND t.digest = $2 AND t.state IN ('pending', 'running')))
    ORDER BY r.id LIMIT 200)sql",
                                    {repository_id, digest}),
                           [](const meta::Row& row) { return row.integer(0); });
}

Result<bool> insert_execution(meta::Tx& tx, const Execution& execution, std::string_view origin,
                              bool planned) {
  TRY(auto inserted, tx.execute(R"sql(
    INSERT INTO sync_executions (id, rule_id, origin, cause, state, status_text, planned, plan_job, created_at,
      ended_at)
    VALUES ($1, $2, $3, $4, 'running', '', $5, '', $6, 0) ON CONFLICT (origin) DO NOTHING)sql",
                                {execution.id, execution.rule_id, origin, name_of(execution.cause),
                                 planned ? 1 : 0, execution.created_at}));
  return inserted > 0;
}

Status set_plan_job(meta::Tx& tx, std::int64_t id, std::string_view job_id) {
  return done(tx.execute(R"sql(UPDATE sync_executions SET plan_job = $2 WHERE id = $1)sql", {id, job_id}));
}

Result<std::string> plan_job(meta::Tx& tx, std::int64_t id) {
  TRY(auto row, tx.first(R"sql(SELECT plan_job FROM sync_executions WHERE id = $1)sql", {id}));
  return row ? row->text(0) : std::string();
}

Result<bool> is_planned(meta::Tx& tx, std::int64_t id) {
  TRY(auto planned, number(tx.first(R"sql(SELECT planned FROM sync_executions WHERE id = $1)sql", {id})));
  return planned != 0;
}

Status set_planned(meta::Tx& tx, std::int64_t id) {
  return done(tx.execute(R"sql(UPDATE sync_executions SET planned = 1 WHERE id = $1)sql", {id}));
}

Result<bool> end_execution(meta::Tx& tx, std::int64_t id, State state, std::string_view text, TimeMs now) {
  TRY(auto changed, tx.execute(R"sql(
    UPDATE sync_executions SET state = $2, status_text = $3, ended_at = $4
    WHERE id = $1 AND state = 'running')sql",
                               {id, name_of(state), text, now}));
  return changed > 0;
}

Result<std::optional<Execution>> find_execution(meta::Tx& tx, std::int64_t id) {
  return one<Execution>(tx.first(R"sql(
    SELECT e.id, e.rule_id, e.cause, e.state, e.status_text, e.created_at, e.ended_at,
      (SELECT count(*) FROM sync_groups g WHERE g.execution_id = e.id),
      (SELECT count(*) FROM sync_groups g WHERE g.execution_id = e.id AND g.state = 'succeeded'),
      (SELECT count(*) FROM sync_groups g WHERE g.execution_id = e.id AND g.state = 'failed'),
      (SELECT count(*) FROM sync_groups g WHERE g.execution_id = e.id AND g.state = 'canceled')
    FROM sync_executions e WHERE e.id = $1)sql",
                                 {id}),
                        execution_of);
}

Result<std::vector<Execution>> list_executions(meta::Tx& tx, std::int64_t rule_id,
                                               const std::string& readable, Slice slice) {
  return all<Execution>(tx.query(R"sql(
    SELECT e.id, e.rule_id, e.cause, e.state, e.status_text, e.created_at, e.ended_at,
      (SELECT count(*) FROM sync_groups g WHERE g.execution_id = e.id),
      (SELECT count(*) FROM sync_groups g WHERE g.execution_id = e.id AND g.state = 'succeeded'),
      (SELECT count(*) FROM sync_groups g WHERE g.execution_id = e.id AND g.state = 'failed'),
      (SELECT count(*) FROM sync_groups g WHERE g.execution_id = e.id AND g.state = 'canceled')
    FROM sync_executions e JOIN sync_rules r ON r.id = e.rule_id
    WHERE ($1 = 0 OR e.rule_id = $1) AND ($2 = '' OR $2 LIKE '%,' || CAST(r.namespace_id AS TEXT) || ',%')
    ORDER BY e.id DESC LIMIT $3 OFFSET $4)sql",
                                 {rule_id, readable, slice.limit, slice.offset}),
                        execution_of);
}

Result<std::int64_t> count_executions(meta::Tx& tx, std::int64_t rule_id, const std::string& readable) {
  return number(tx.first(R"sql(
    SELECT count(*) FROM sync_executions e JOIN sync_rules r ON r.id = e.rule_id
    WHERE ($1 = 0 OR e.rule_id = $1) AND ($2 = '' OR $2 LIKE '%,' || CAST(r.namespace_id AS TEXT) || ',%'))sql",
                         {rule_id, readable}));
}

Result<std::int64_t> forget_executions(meta::Tx& tx, TimeMs before) {
  return tx.execute(R"sql(
    DELETE FROM sync_executions WHERE id IN (SELECT id FROM sync_executions
      WHERE ended_at > 0 AND ended_at < $1 ORDER BY ended_at LIMIT $2))sql",
                    {before, limits::sync_prune_batch});
}

Result<bool> insert_group(meta::Tx& tx, const Group& group) {
  TRY(auto inserted,
      tx.execute(R"sql(
    INSERT INTO sync_groups (id, execution_id, source, target, job_id, state, created_at, ended_at)
    VALUES ($1, $2, $3, $4, $5, 'pending', $6, 0) ON CONFLICT (execution_id, source) DO NOTHING)sql",
                 {group.id, group.execution_id, group.source, group.target, group.job_id, group.created_at}));
  return inserted > 0;
}

Result<std::optional<Group>> find_group(meta::Tx& tx, std::int64_t id) {
  return one<Group>(tx.first(R"sql(
    SELECT g.id, g.execution_id, g.source, g.target, g.job_id, g.state, g.created_at, g.ended_at,
      (SELECT count(*) FROM sync_tasks t
       WHERE t.group_id = g.id AND t.state IN ('succeeded', 'failed', 'canceled'))
    FROM sync_groups g WHERE g.id = $1)sql",
                             {id}),
                    group_of);
}

Status set_group(meta::Tx& tx, std::int64_t id, State state, TimeMs ended_at) {
  return done(tx.execute(R"sql(UPDATE sync_groups SET state = $2, ended_at = $3 WHERE id = $1)sql",
                         {id, name_of(state), ended_at}));
}

Status set_group_running(meta::Tx& tx, std::int64_t id) {
  return done(tx.execute(
      R"sql(UPDATE sync_groups SET state = 'running' WHERE id = $1 AND state = 'pending')sql", {id}));
}

Result<std::vector<Group>> list_groups(meta::Tx& tx, std::int64_t execution_id, Slice slice) {
  return all<Group>(tx.query(R"sql(
    SELECT g.id, g.execution_id, g.source, g.target, g.job_id, g.state, g.created_at, g.ended_at,
      (SELECT count(*) FROM sync_tasks t
       WHERE t.group_id = g.id AND t.state IN ('succeeded', 'failed', 'canceled'))
    FROM sync_groups g WHERE g.execution_id = $1 ORDER BY g.id LIMIT $2 OFFSET $3)sql",
                             {execution_id, slice.limit, slice.offset}),
                    group_of);
}

Result<std::int64_t> count_groups(meta::Tx& tx, std::int64_t execution_id) {
  return number(
      tx.first(R"sql(SELECT count(*) FROM sync_groups WHERE execution_id = $1)sql", {execution_id}));
}

}  // namespace wharfage::sync::records
