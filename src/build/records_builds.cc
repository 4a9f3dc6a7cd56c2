// The rows of build records.
#include "build/recipe_text.h"
#include "build/records.h"
#include "meta/rows.h"

namespace wharfage::build::records {
using namespace meta::rows;
namespace {

Record record_of(const meta::Row& row) {
  Record record;
  record.number = row.integer(0);
  record.id = row.text(1);
  record.repository_id = row.integer(2);
  record.namespace_id = row.integer(3);
  record.repository_public_id = row.text(4);
  record.namespace_name = row.text(5);
  record.repository_name = row.text(6);
  record.rule_id = row.text(7);
  record.job_id = row.text(8);
  record.recipe = recipe_of(row.text(9));
  record.progress = static_cast<Progress>(row.integer(10));
  record.image_tag = row.text(11);
  record.image_digest = row.text(12);
  record.reference = row.text(13);
  record.commit = row.text(14);
  record.source_url = row.text(15);
  record.failing_stage = row.text(16);
  record.failing_step = row.text(17);
  record.error = row.text(18);
  record.creator_id = row.integer(19);
  record.creator = row.text(20);
  record.robot = row.text(21);
  record.created_at = row.integer(22);
  record.started_at = row.integer(23);
  record.ended_at = row.integer(24);
  return record;
}

std::vector<Record> records_of(const meta::Rows& rows) {
  std::vector<Record> records;
  for (const meta::Row& row : rows) records.push_back(record_of(row));
  return records;
}

std::int64_t number_of(Progress progress) {
  return static_cast<std::int64_t>(progress);
}

}  // namespace

Status insert_record(meta::Tx& tx, const Record& record) {
  return done(tx.execute(
      R"sql(
    INSERT INTO build_records (number, id, repository_id, namespace_id, repository_public_id, namespace_name,
                               repository_name, rule_id, job_id, recipe, progress, image_tag, image_digest,
                               reference, commit_id, source_url, failing_stage, failing_step, error, creator_id,
                               creator, robot, created_at, started_at, ended_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, '', '', '', '', '', '', '', $12, $13, '', $14, 0, 0)
  )sql",
      {record.number, record.id, record.repository_id, record.namespace_id, record.repository_public_id,
       record.namespace_name, record.repository_name, record.rule_id, record.job_id,
       recipe_text(record.recipe), record.image_tag, record.creator_id, record.creator, record.created_at}));
}

Result<std::optional<Record>> find_record(meta::Tx& tx, std::string_view id) {
  TRY(auto row, tx.first(R"sql(
    SELECT number, id, repository_id, namespace_id, repository_public_id, namespace_name, repository_name, rule_id,
           job_id, recipe, progress, image_tag, image_digest, reference, commit_id, source_url, failing_stage,
           failing_step, error, creator_id, creator, robot, created_at, started_at, ended_at
    FROM build_records WHERE id = $1
  )sql",
                         {id}));
  if (!row) return std::optional<Record>();
  return std::optional<Record>(record_of(*row));
}

Result<std::vector<Record>> records_of_image(meta::Tx& tx, std::int64_t repository_id,
                                             std::string_view digest) {
  TRY(auto rows, tx.query(R"sql(
    SELECT number, id, repository_id, namespace_id, repository_public_id, namespace_name, repository_name, rule_id,
           job_id, recipe, progress, image_tag, image_digest, reference, commit_id, source_url, failing_stage,
           failing_step, error, creator_id, creator, robot, created_at, started_at, ended_at
    FROM build_records WHERE repository_id = $1 AND image_digest = $2 AND image_digest <> ''
    ORDER BY number DESC LIMIT 20
  )sql",
                          {repository_id, digest}));
  return records_of(rows);
}

Result<Page<Record>> list_records(meta::Tx& tx, std::int64_t repository_id, std::int64_t offset,
                                  std::int64_t limit) {
  Page<Record> page;
  TRY(auto rows, tx.query(R"sql(
    SELECT number, id, repository_id, namespace_id, repository_public_id, namespace_name, repository_name, rule_id,
           job_id, recipe, progress, image_tag, image_digest, reference, commit_id, source_url, failing_stage,
           failing_step, error, creator_id, creator, robot, created_at, started_at, ended_at
    FROM build_records WHERE repository_id = $1 ORDER BY number DESC LIMIT $2 OFFSET $3
  )sql",
                          {repository_id, limit, offset}));
  page.items = records_of(rows);
  TRY(auto total,
      tx.first(R"sql(SELECT COUNT(*) FROM build_records WHERE repository_id = $1)sql", {repository_id}));
  page.total = total->integer(0);
  return page;
}

Result<std::int64_t> count_unfinished(meta::Tx& tx, std::int64_t repository_id) {
  TRY(auto row, tx.first(R"sql(
    SELECT COUNT(*) FROM build_records WHERE repository_id = $1 AND progress < 2
  )sql",
                         {repository_id}));
  return row->integer(0);
}

Result<std::vector<Record>> unfinished(meta::Tx& tx, std::int64_t repository_id, std::int64_t limit) {
  TRY(auto rows, tx.query(R"sql(
    SELECT number, id, repository_id, namespace_id, repository_public_id, namespace_name, repository_name, rule_id,
           job_id, recipe, progress, image_tag, image_digest, reference, commit_id, source_url, failing_stage,
           failing_step, error, creator_id, creator, robot, created_at, started_at, ended_at
    FROM build_records WHERE repository_id = $1 AND progress < 2 LIMIT $2
  )sql",
                          {repository_id, limit}));
  return records_of(rows);
}

Result<std::vector<Record>> ended_with_robot(meta::Tx& tx, std::int64_t limit) {
  TRY(auto rows, tx.query(R"sql(
    SELECT number, id, repository_id, namespace_id, repository_public_id, namespace_name, repository_name, rule_id,
           job_id, recipe, progress, image_tag, image_digest, reference, commit_id, source_url, failing_stage,
           failing_step, error, creator_id, creator, robot, created_at, started_at, ended_at
    FROM build_records WHERE robot <> '' AND progress >= 2 ORDER BY number LIMIT $1
  )sql",
                          {limit}));
  return records_of(rows);
}

Result<bool> begin_record(meta::Tx& tx, std::string_view id, TimeMs now) {
  return changed(tx.execute(R"sql(
    UPDATE build_records SET progress = 1, started_at = CASE WHEN started_at = 0 THEN $2 ELSE started_at END
    WHERE id = $1 AND progress < 2
  )sql",
                            {id, now}));
}

Result<bool> note_source(meta::Tx& tx, const Record& record) {
  return changed(
      tx.execute(R"sql(
    UPDATE build_records SET source_url = $2, reference = $3, commit_id = $4, image_tag = $5
    WHERE id = $1 AND progress < 2
  )sql",
                 {record.id, record.source_url, record.reference, record.commit, record.image_tag}));
}

Result<bool> note_failure(meta::Tx& tx, std::string_view id, std::string_view stage, std::string_view step) {
  return changed(tx.execute(R"sql(
    UPDATE build_records SET failing_stage = $2, failing_step = $3 WHERE id = $1 AND progress < 2
  )sql",
                            {id, stage, step}));
}

Result<bool> end_record(meta::Tx& tx, const Record& record) {
  return changed(tx.execute(R"sql(
    UPDATE build_records SET progress = $2, image_digest = $3, failing_stage = $4, failing_step = $5, error = $6,
           ended_at = $7
    WHERE id = $1 AND progress < 2
  )sql",
                            {record.id, number_of(record.progress), record.image_digest, record.failing_stage,
                             record.failing_step, record.error, record.ended_at}));
}

Status set_robot(meta::Tx& tx, std::string_view id, std::string_view robot) {
  return done(tx.execute(R"sql(UPDATE build_records SET robot = $2 WHERE id = $1)sql", {id, robot}));
}

Status prune_records(meta::Tx& tx, std::int64_t repository_id, std::int64_t keep) {
  return done(tx.execute(R"sql(
    DELETE FROM build_records WHERE repository_id = $1 AND progress >= 2 AND robot = '' AND number <=
      (SELECT number FROM build_records WHERE repository_id = $1 ORDER BY number DESC LIMIT 1 OFFSET $2)
  )sql",
                         {repository_id, keep}));
}

Status delete_of_repository(meta::Tx& tx, std::int64_t repository_id) {
  TRY_STATUS(
      done(tx.execute(R"sql(DELETE FROM build_sources WHERE repository_id = $1)sql", {repository_id})));
  TRY_STATUS(done(tx.execute(R"sql(DELETE FROM build_rules WHERE repository_id = $1)sql", {repository_id})));
  return done(tx.execute(R"sql(
    DELETE FROM build_records WHERE repository_id = $1 AND robot = ''
  )sql",
                         {repository_id}));
}

}  // namespace wharfage::build::records
