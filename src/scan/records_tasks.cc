#include "base/limits.h"
#include "scan/records.h"

namespace wharfage::scan::records {
namespace {

// id, repository_id, namespace_id, repository, tag, digest, image, cause, status, reason, message,
// created_at, updated_at
Task task_of(const meta::Row& row) {
  return {.id = row.text(0),
          .repository_id = row.integer(1),
          .namespace_id = row.integer(2),
          .repository = row.text(3),
          .tag = row.text(4),
          .digest = row.text(5),
          .image = row.text(6),
          .cause = row.text(7),
          .status = find_task_status(row.text(8)).value_or(TaskStatus::failed),
          .reason = row.text(9),
          .message = row.text(10),
          .created_at = row.integer(11),
          .updated_at = row.integer(12)};
}

Result<std::optional<Task>> task_or_nothing(Result<std::optional<meta::Row>> row) {
  if (!row.ok()) return std::move(row).error();
  if (!*row) return std::optional<Task>();
  return std::optional<Task>(task_of(**row));
}

std::vector<Task> tasks_of(const meta::Rows& rows) {
  std::vector<Task> tasks;
  for (const meta::Row& row : rows) tasks.push_back(task_of(row));
  return tasks;
}

Result<std::vector<std::string>> first_texts(Result<meta::Rows> rows) {
  if (!rows.ok()) return rows.error();
  std::vector<std::string> texts;
  for (const meta::Row& row : *rows) texts.push_back(row.text(0));
  return texts;
}

}  // namespace

Status insert_task(meta::Tx& tx, const Task& task, std::string_view job_id) {
  TRY_STATUS(
      tx.execute(R"sql(
      INSERT INTO scan_tasks (id, repository_id, namespace_id, repository, tag, digest, image, cause,
        job_id, status,
                              reason, message, created_at, updated_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', '', $11, $11)
    )sql",
                 {task.id, task.repository_id, task.namespace_id, task.repository, task.tag, task.digest,
                  task.image, task.cause, job_id, task_status_name(task.status), task.created_at}));
  return {};
}

Result<std::optional<Task>> find_task(meta::Tx& tx, std::string_view id) {
  return task_or_nothing(tx.first(R"sql(
      SELECT id, repository_id, namespace_id, repository, tag, digest, image, cause, status, reason, message,
             created_at, updated_at
      FROM scan_tasks WHERE id = $1
    )sql",
                                  {id}));
}

Result<std::optional<Task>> find_task_of_job(meta::Tx& tx, std::string_view job_id) {
  return task_or_nothing(tx.first(R"sql(
      SELECT id, repository_id, namespace_id, repository, tag, digest, image, cause, status, reason, message,
             created_at, updated_at
      FROM scan_tasks WHERE job_id = $1
    )sql",
                                  {job_id}));
}

Result<std::string> find_job(meta::Tx& tx, std::string_view task_id) {
  TRY(auto row, tx.first(R"sql(SELECT job_id FROM scan_tasks WHERE id = $1)sql", {task_id}));
  if (!row) return fail(Reason::scan_task_unknown);
  return row->text(0);
}

Result<std::optional<Task>> find_latest_task(meta::Tx& tx, std::int64_t repository_id,
                                             std::string_view digest) {
  return task_or_nothing(tx.first(R"sql(
      SELECT id, repository_id, namespace_id, repository, tag, digest, image, cause, status, reason, message,
             created_at, updated_at
      FROM scan_tasks WHERE repository_id = $1 AND digest = $2 ORDER BY created_at DESC, id DESC LIMIT 1
    )sql",
                                  {repository_id, digest}));
}

Result<std::vector<Task>> list_tasks(meta::Tx& tx, const TaskFilter& filter, Slice slice) {
  TRY(auto rows,
      tx.query(R"sql(
      SELECT id, repository_id, namespace_id, repository, tag, digest, image, cause, status, reason, message,
             created_at, updated_at
      FROM scan_tasks
      WHERE (CAST($1 AS BIGINT) = 0 OR namespace_id = $1) AND (CAST($2 AS BIGINT) = 0 OR repository_id = $2)
        AND ($3 = '' OR status = $3)
      ORDER BY created_at DESC, id DESC LIMIT $4 OFFSET $5
    )sql",
               {filter.namespace_id, filter.repository_id, filter.status, slice.limit, slice.offset}));
  return tasks_of(rows);
}

Result<std::int64_t> count_tasks(meta::Tx& tx, const TaskFilter& filter) {
  TRY(auto row,
      tx.first(R"sql(
      SELECT COUNT(*) FROM (
        SELECT 1 AS one FROM scan_tasks
        WHERE (CAST($1 AS BIGINT) = 0 OR namespace_id = $1) AND (CAST($2 AS BIGINT) = 0 OR repository_id = $2)
          AND ($3 = '' OR status = $3)
        LIMIT $4
      ) AS counted
    )sql",
               {filter.namespace_id, filter.repository_id, filter.status, limits::scan_tasks_counted_max}));
  return row ? row->integer(0) : 0;
}

Status set_task_image(meta::Tx& tx, std::string_view id, std::string_view image, TimeMs now) {
  TRY_STATUS(tx.execute(R"sql(UPDATE scan_tasks SET image = $2, updated_at = $3 WHERE id = $1)sql",
                        {id, image, now}));
  return {};
}

Status set_task_status(meta::Tx& tx, std::string_view id, TaskStatus status, std::string_view reason,
                       std::string_view message, TimeMs now) {
  TRY_STATUS(tx.execute(R"sql(
      UPDATE scan_tasks SET status = $2, reason = $3, message = $4, updated_at = $5 WHERE id = $1
    )sql",
                        {id, task_status_name(status), reason, message, now}));
  return {};
}

Result<std::vector<Task>> revive_tasks(meta::Tx& tx, std::string_view image, TimeMs now) {
  TRY(auto rows, tx.query(R"sql(
      UPDATE scan_tasks SET status = 'COMPLETE', reason = '', message = '', updated_at = $2
      WHERE image = $1 AND status = 'FAILED' AND reason = 'scan_impossible'
      RETURNING id, repository_id, namespace_id, repository, tag, digest, image, cause, status, reason,
        message,
                created_at, updated_at
    )sql",
                          {image, now}));
  return tasks_of(rows);
}

Status drop_old_tasks(meta::Tx& tx, std::int64_t repository_id, std::string_view digest, std::int64_t keep) {
  TRY_STATUS(tx.execute(R"sql(
      DELETE FROM scan_tasks
      WHERE repository_id = $1 AND digest = $2 AND status IN ('COMPLETE', 'FAILED')
        AND id NOT IN (SELECT id FROM scan_tasks WHERE repository_id = $1 AND digest = $2
                       ORDER BY created_at DESC, id DESC LIMIT $3)
    )sql",
                        {repository_id, digest, keep}));
  return {};
}

Result<std::vector<std::string>> drop_tasks(meta::Tx& tx, std::int64_t repository_id, std::string_view digest,
                                            TimeMs until) {
  return first_texts(tx.query(R"sql(
      DELETE FROM scan_tasks WHERE repository_id = $1 AND digest = $2 AND created_at <= $3 RETURNING image
    )sql",
                              {repository_id, digest, until}));
}

Result<std::vector<std::string>> drop_some_tasks(meta::Tx& tx, std::int64_t repository_id) {
  return first_texts(tx.query(R"sql(
      DELETE FROM scan_tasks WHERE id IN (SELECT id FROM scan_tasks WHERE repository_id = $1 LIMIT $2)
      RETURNING image
    )sql",
                              {repository_id, forget_batch}));
}

}  // namespace wharfage::scan::records
