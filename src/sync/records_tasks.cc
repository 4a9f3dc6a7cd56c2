// Tasks, their layers, and what is where.
#include "base/limits.h"
#include "meta/rows.h"
#include "sync/records.h"

namespace wharfage::sync::records {
using namespace meta::rows;
namespace {

Task task_of(const meta::Row& row) {
  Task task;
  task.id = row.integer(0);
  task.public_id = row.text(1);
  task.batch_id = row.text(2);
  task.group_id = row.integer(3);
  task.execution_id = row.integer(4);
  task.rule_id = row.integer(5);
  task.rule_public_id = row.text(6);
  task.direction = parse<Direction>(row.text(7)).value_or(Direction::push);
  task.from = {row.integer(8), row.text(9), row.text(10), row.text(11)};
  task.to = {row.integer(12), row.text(13), row.text(14), row.text(15)};
  task.repository_id = row.integer(16);
  task.namespace_id = row.integer(17);
  task.digest = row.text(18);
  task.cause = parse<Trigger>(row.text(19)).value_or(Trigger::manual);
  task.overwrite = row.integer(20) != 0;
  task.state = parse<State>(row.text(21)).value_or(State::failed);
  task.issue = parse<Issue>(row.text(22)).value_or(Issue::internal);
  task.text = row.text(23);
  task.progress = static_cast<int>(row.integer(24));
  task.bytes_total = row.integer(25);
  task.bytes_done = row.integer(26);
  task.bytes_sent = row.integer(27);
  task.job_id = row.text(28);
  task.created_at = row.integer(29);
  task.updated_at = row.integer(30);
  task.started_at = row.integer(31);
  task.ended_at = row.integer(32);
  return task;
}

meta::Arguments arguments_of(const TaskFilter& filter, const std::string& readable) {
  return {
      filter.group_id, filter.source_namespace, filter.source_repository,
      filter.tag,      filter.batch_id,         filter.state ? name_of(*filter.state) : std::string_view(),
      readable};
}

}  // namespace

Result<bool> insert_task(meta::Tx& tx, const Task& task, std::string_view origin) {
  TRY(auto inserted, tx.execute(R"sql(
    INSERT INTO sync_tasks (id, public_id, origin, batch_id, group_id, execution_id, rule_id, rule_public_id, direction,
      from_connection, from_namespace, from_repository, from_tag, to_connection, to_namespace, to_repository, to_tag,
      repository_id, namespace_id, digest, cause, overwrite, state, issue, status_text, progress, bytes_total,
      bytes_done, bytes_sent, job_id, created_at, updated_at, started_at, ended_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
      'pending', '', '', 0, 0, 0, 0, $23, $24, $24, 0, 0) ON CONFLICT (origin) DO NOTHING)sql",
                                {task.id,
                                 task.public_id,
                                 origin,
                                 task.batch_id,
                                 task.group_id,
                                 task.execution_id,
                                 task.rule_id,
                                 task.rule_public_id,
                                 name_of(task.direction),
                                 task.from.connection_id,
                                 task.from.namespace_name,
                                 task.from.repository,
                                 task.from.tag,
                                 task.to.connection_id,
                                 task.to.namespace_name,
                                 task.to.repository,
                                 task.to.tag,
                                 task.repository_id,
                                 task.namespace_id,
                                 task.digest,
                                 name_of(task.cause),
                                 task.overwrite ? 1 : 0,
                                 task.job_id,
                                 task.created_at}));
  return inserted > 0;
}

Result<std::optional<Task>> find_task(meta::Tx& tx, std::int64_t id) {
  return one<Task>(tx.first(R"sql(
    SELECT id, public_id, batch_id, group_id, execution_id, rule_id, rule_public_id, direction, from_connection,
      from_namespace, from_repository, from_tag, to_connection, to_namespace, to_repository, to_tag, repository_id,
      namespace_id, digest, cause, overwrite, state, issue, status_text, progress, bytes_total, bytes_done, bytes_sent,
      job_id, created_at, updated_at, started_at, ended_at FROM sync_tasks WHERE id = $1)sql",
                            {id}),
                   task_of);
}

Result<std::optional<Task>> find_task(meta::Tx& tx, std::string_view public_id) {
  return one<Task>(tx.first(R"sql(
    SELECT id, public_id, batch_id, group_id, execution_id, rule_id, rule_public_id, direction, from_connection,
      from_namespace, from_repository, from_tag, to_connection, to_namespace, to_repository, to_tag, repository_id,
      namespace_id, digest, cause, overwrite, state, issue, status_text, progress, bytes_total, bytes_done, bytes_sent,
      job_id, created_at, updated_at, started_at, ended_at FROM sync_tasks WHERE public_id = $1)sql",
                            {public_id}),
                   task_of);
}

Result<std::vector<Task>> list_tasks(meta::Tx& tx, const TaskFilter& filter, const std::string& readable,
                                     Slice slice) {
  auto arguments = arguments_of(filter, readable);
  arguments.insert(arguments.end(), {slice.limit, slice.offset});
  return all<Task>(tx.query(R"sql(
    SELECT id, public_id, batch_id, group_id, execution_id, rule_id, rule_public_id, direction, from_connection,
      from_namespace, from_repository, from_tag, to_connection, to_namespace, to_repository, to_tag, repository_id,
      namespace_id, digest, cause, overwrite, state, issue, status_text, progress, bytes_total, bytes_done, bytes_sent,
      job_id, created_at, updated_at, started_at, ended_at FROM sync_tasks
    WHERE (CAST($1 AS BIGINT) = 0 OR group_id = CAST($1 AS BIGINT)) AND ($2 = '' OR from_namespace = $2)
      AND ($3 = '' OR from_repository = $3) AND ($4 = '' OR from_tag = $4) AND ($5 = '' OR batch_id = $5)
      AND ($6 = '' OR state = $6) AND ($7 = '' OR $7 LIKE '%,' || CAST(namespace_id AS TEXT) || ',%')
    ORDER BY id DESC LIMIT $8 OFFSET $9)sql",
                            arguments),
                   task_of);
}

Result<std::int64_t> count_tasks(meta::Tx& tx, const TaskFilter& filter, const std::string& readable) {
  auto arguments = arguments_of(filter, readable);
  arguments.emplace_back(limits::inventory_count_max);
  TRY(auto row, tx.first(R"sql(
    SELECT count(*) FROM (SELECT id FROM sync_tasks
    WHERE (CAST($1 AS BIGINT) = 0 OR group_id = CAST($1 AS BIGINT)) AND ($2 = '' OR from_namespace = $2)
      AND ($3 = '' OR from_repository = $3) AND ($4 = '' OR from_tag = $4) AND ($5 = '' OR batch_id = $5)
      AND ($6 = '' OR state = $6) AND ($7 = '' OR $7 LIKE '%,' || CAST(namespace_id AS TEXT) || ',%')
    LIMIT $8) AS found)sql",
                         arguments));
  return row ? row->integer(0) : 0;
}

Result<std::vector<Task>> open_tasks(meta::Tx& tx, std::int64_t execution_id, std::int64_t rule_id) {
  return all<Task>(tx.query(R"sql(
    SELECT id, public_id, batch_id, group_id, execution_id, rule_id, rule_public_id, direction, from_connection,
      from_namespace, from_repository, from_tag, to_connection, to_namespace, to_repository, to_tag, repository_id,
      namespace_id, digest, cause, overwrite, state, issue, status_text, progress, bytes_total, bytes_done, bytes_sent,
      job_id, created_at, updated_at, started_at, ended_at FROM sync_tasks
    WHERE ((CAST($1 AS BIGINT) > 0 AND execution_id = CAST($1 AS BIGINT))
        OR (CAST($2 AS BIGINT) > 0 AND rule_id = CAST($2 AS BIGINT))) AND state IN ('pending', 'running')
    ORDER BY id LIMIT $3)sql",
                            {execution_id, rule_id, limits::sync_tasks_per_execution_max}),
                   task_of);
}

Result<States> task_states(meta::Tx& tx, std::int64_t group_id) {
  TRY(auto rows, tx.query(R"sql(
    SELECT state, count(*) FROM sync_tasks WHERE group_id = $1 GROUP BY state)sql",
                          {group_id}));
  States states;
  for (const auto& row : rows) {
    State state = parse<State>(row.text(0)).value_or(State::failed);
    std::int64_t& count = state == State::succeeded  ? states.succeeded
                          : state == State::failed   ? states.failed
                          : state == State::canceled ? states.canceled
                                                     : states.open;
    count += row.integer(1);
  }
  return states;
}

Status begin_task(meta::Tx& tx, std::int64_t id, TimeMs now) {
  return done(tx.execute(R"sql(
    UPDATE sync_tasks SET state = 'running', issue = '', status_text = '',
      started_at = CASE WHEN started_at = 0 THEN CAST($2 AS BIGINT) ELSE started_at END, updated_at = $2
    WHERE id = $1 AND state IN ('pending', 'running'))sql",
                         {id, now}));
}

Status set_trouble(meta::Tx& tx, std::int64_t id, Issue issue, std::string_view text, TimeMs now) {
  return done(tx.execute(R"sql(
    UPDATE sync_tasks SET state = 'pending', issue = $2, status_text = $3, updated_at = $4
    WHERE id = $1 AND state IN ('pending', 'running'))sql",
                         {id, name_of(issue), text, now}));
}

Status set_progress(meta::Tx& tx, const Task& task) {
  return done(tx.execute(R"sql(
    UPDATE sync_tasks SET digest = $2, progress = $3, bytes_total = $4, bytes_done = $5, bytes_sent = $6,
      updated_at = $7 WHERE id = $1)sql",
                         {task.id, task.digest, task.progress, task.bytes_total, task.bytes_done,
                          task.bytes_sent, task.updated_at}));
}

Status set_place(meta::Tx& tx, std::int64_t id, std::int64_t repository_id, std::int64_t namespace_id) {
  return done(tx.execute(R"sql(UPDATE sync_tasks SET repository_id = $2, namespace_id = $3 WHERE id = $1)sql",
                         {id, repository_id, namespace_id}));
}

Result<bool> end_task(meta::Tx& tx, const Task& task) {
  TRY(auto changed,
      tx.execute(R"sql(
    UPDATE sync_tasks SET state = $2, issue = $3, status_text = $4, progress = $5, bytes_total = $6, bytes_done = $7,
      bytes_sent = $8, digest = $9, updated_at = $10, ended_at = $10
    WHERE id = $1 AND state IN ('pending', 'running'))sql",
                 {task.id, name_of(task.state), name_of(task.issue), task.text, task.progress,
                  task.bytes_total, task.bytes_done, task.bytes_sent, task.digest, task.ended_at}));
  return changed > 0;
}

Result<std::int64_t> forget_tasks(meta::Tx& tx, TimeMs before) {
  return tx.execute(R"sql(
    DELETE FROM sync_tasks WHERE id IN (SELECT id FROM sync_tasks
      WHERE ended_at > 0 AND ended_at < $1 ORDER BY ended_at LIMIT $2))sql",
                    {before, limits::sync_prune_batch});
}

Status put_layer(meta::Tx& tx, std::int64_t task_id, std::int64_t position, const Layer& layer) {
  return done(
      tx.execute(R"sql(
    INSERT INTO sync_layers (task_id, position, public_id, artifact_digest, digest, size, done, state)
    VALUES ($1, $2, $3, $4, $5, $6, 0, 'pending') ON CONFLICT (task_id, digest) DO NOTHING)sql",
                 {task_id, position, layer.public_id, layer.artifact_digest, layer.digest, layer.size}));
}

Status set_layer(meta::Tx& tx, std::int64_t task_id, std::string_view digest, std::int64_t done_bytes,
                 State state) {
  return done(tx.execute(R"sql(
    UPDATE sync_layers SET done = $3, state = $4 WHERE task_id = $1 AND digest = $2)sql",
                         {task_id, digest, done_bytes, name_of(state)}));
}

Status end_layers(meta::Tx& tx, std::int64_t task_id, State state) {
  return done(tx.execute(R"sql(
    UPDATE sync_layers SET state = $2, done = CASE WHEN $2 = 'succeeded' THEN size ELSE done END
    WHERE task_id = $1 AND state IN ('pending', 'running'))sql",
                         {task_id, name_of(state)}));
}

Result<std::vector<Layer>> layers_of(meta::Tx& tx, std::int64_t task_id) {
  return all<Layer>(tx.query(R"sql(
    SELECT public_id, artifact_digest, digest, size, done, state FROM sync_layers WHERE task_id = $1
    ORDER BY position LIMIT 1000)sql",
                             {task_id}),
                    [](const meta::Row& row) {
                      return Layer{row.text(0),    row.text(1),
                                   row.text(2),    row.integer(3),
                                   row.integer(4), parse<State>(row.text(5)).value_or(State::failed)};
                    });
}

Status put_copy(meta::Tx& tx, std::int64_t repository_id, std::int64_t rule_id, const Copy& copy) {
  return done(tx.execute(
      R"sql(
    INSERT INTO sync_copies (repository_id, digest, connection_id, direction, repository, tag, rule_id, state,
      status_text, bytes_sent, verified, copied_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    ON CONFLICT (repository_id, digest, connection_id, direction, repository, tag) DO UPDATE SET
      rule_id = excluded.rule_id, state = excluded.state, status_text = excluded.status_text,
      bytes_sent = sync_copies.bytes_sent + excluded.bytes_sent, verified = excluded.verified,
      copied_at = excluded.copied_at
    WHERE sync_copies.state <> 'succeeded' OR excluded.state = 'succeeded')sql",
      {repository_id, copy.digest, copy.connection_id, name_of(copy.direction), copy.repository, copy.tag,
       rule_id, name_of(copy.state), copy.text, copy.bytes_sent, copy.verified ? 1 : 0, copy.at}));
}

Status drop_copies(meta::Tx& tx, std::int64_t repository_id, std::string_view digest, TimeMs until) {
  return done(tx.execute(R"sql(
    DELETE FROM sync_copies WHERE repository_id = $1 AND digest = $2 AND copied_at <= $3)sql",
                         {repository_id, digest, until}));
}

Result<bool> drop_some_copies(meta::Tx& tx, std::int64_t repository_id) {
  TRY(std::int64_t rows, tx.execute(R"sql(
    DELETE FROM sync_copies WHERE (repository_id, digest, connection_id, direction, repository, tag) IN
      (SELECT repository_id, digest, connection_id, direction, repository, tag FROM sync_copies
       WHERE repository_id = $1 LIMIT $2))sql",
                                    {repository_id, forget_batch}));
  return rows == forget_batch;
}

Result<std::vector<Copy>> copies_of(meta::Tx& tx, std::int64_t repository_id, std::string_view digest) {
  return all<Copy>(tx.query(R"sql(
    SELECT connection_id, direction, repository, tag, digest, state, status_text, bytes_sent, verified, copied_at
    FROM sync_copies WHERE repository_id = $1 AND digest = $2 ORDER BY copied_at DESC LIMIT 1000)sql",
                            {repository_id, digest}),
                   [](const meta::Row& row) {
                     return Copy{.connection_id = row.integer(0),
                                 .direction = parse<Direction>(row.text(1)).value_or(Direction::push),
                                 .repository = row.text(2),
                                 .tag = row.text(3),
                                 .digest = row.text(4),
                                 .state = parse<State>(row.text(5)).value_or(State::failed),
                                 .text = row.text(6),
                                 .bytes_sent = row.integer(7),
                                 .verified = row.integer(8) != 0,
                                 .at = row.integer(9)};
                   });
}

Status remember_blob(meta::Tx& tx, std::int64_t connection_id, std::string_view digest,
                     std::string_view repository, TimeMs now) {
  return done(tx.execute(R"sql(
    INSERT INTO sync_blobs (connection_id, digest, repository, seen_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (connection_id, digest) DO UPDATE SET repository = excluded.repository,
      seen_at = excluded.seen_at)sql",
                         {connection_id, digest, repository, now}));
}

Result<std::string> where_is_blob(meta::Tx& tx, std::int64_t connection_id, std::string_view digest) {
  TRY(auto row, tx.first(R"sql(
    SELECT repository FROM sync_blobs WHERE connection_id = $1 AND digest = $2)sql",
                         {connection_id, digest}));
  return row ? row->text(0) : std::string();
}

Result<std::int64_t> forget_blobs(meta::Tx& tx, TimeMs before) {
  return tx.execute(R"sql(
    DELETE FROM sync_blobs WHERE (connection_id, digest) IN (SELECT connection_id, digest FROM sync_blobs
      WHERE seen_at < $1 ORDER BY seen_at LIMIT $2))sql",
                    {before, limits::sync_prune_batch});
}

}  // namespace wharfage::sync::records
