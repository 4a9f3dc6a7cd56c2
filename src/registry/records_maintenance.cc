#include "registry/records_maintenance.h"

#include "meta/rows.h"

namespace wharfage::registry::records {
using namespace meta::rows;
namespace {

MaintenanceRun to_run(const meta::Row& row) {
  MaintenanceRun run;
  run.id = row.text(0);
  run.kind = row.text(1);
  run.mend = row.integer(2) != 0;
  run.bytes_per_s = row.integer(3);
  run.state = row.text(4);
  run.error = row.text(5);
  run.after = row.text(6);
  run.report = Report::parse(row.text(7));
  run.created_at = row.integer(8);
  run.updated_at = row.integer(9);
  return run;
}

}  // namespace

Status insert_run(meta::Tx& tx, const MaintenanceRun& run) {
  return done(tx.execute(R"sql(
    INSERT INTO maintenance_runs (id, kind, mend, bytes_per_s, state, error, after_digest, report, created_at,
                                  updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10))sql",
                         {run.id, run.kind, run.mend ? 1 : 0, run.bytes_per_s, run.state, run.error,
                          run.after, run.report.json(), run.created_at, run.updated_at}));
}

Status update_run(meta::Tx& tx, const MaintenanceRun& run) {
  return done(tx.execute(R"sql(
    UPDATE maintenance_runs SET state = $2, error = $3, after_digest = $4, report = $5, updated_at = $6
    WHERE id = $1)sql",
                         {run.id, run.state, run.error, run.after, run.report.json(), run.updated_at}));
}

Result<std::optional<MaintenanceRun>> find_run(meta::Tx& tx, std::string_view id) {
  return one(tx.first(R"sql(
    SELECT id, kind, mend, bytes_per_s, state, error, after_digest, report, created_at, updated_at
    FROM maintenance_runs WHERE id = $1)sql",
                      {id}),
             to_run);
}

Result<std::vector<MaintenanceRun>> list_runs(meta::Tx& tx, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT id, kind, mend, bytes_per_s, state, error, after_digest, report, created_at, updated_at
    FROM maintenance_runs ORDER BY created_at DESC, id DESC LIMIT $1)sql",
                      {limit}),
             to_run);
}

Result<TimeMs> newest_run(meta::Tx& tx, std::string_view kind) {
  return number(tx.first(R"sql(
    SELECT CAST(COALESCE(MAX(created_at), 0) AS BIGINT) FROM maintenance_runs WHERE kind = $1)sql",
                         {kind}));
}

Status prune_runs(meta::Tx& tx, std::int64_t keep) {
  return done(tx.execute(R"sql(
    DELETE FROM maintenance_runs WHERE state NOT IN ('waiting', 'running') AND id NOT IN
      (SELECT id FROM maintenance_runs ORDER BY created_at DESC, id DESC LIMIT $1))sql",
                         {keep}));
}

}  // namespace wharfage::registry::records
