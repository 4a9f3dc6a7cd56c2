#include "op/records.h"

namespace wharfage::op::records {

Result<std::int64_t> last_id(meta::Tx& tx) {
  TRY(auto row, tx.first(R"sql(SELECT max(id) FROM audit_entries)sql"));
  return row ? row->integer(0) : 0;
}

Status insert(meta::Tx& tx, const AuditEntry& entry) {
  auto inserted = tx.execute(R"sql(
    INSERT INTO audit_entries (id, at_ms, actor, action, resource, outcome, facade, peer, request_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9))sql",
                             {entry.id, entry.at, entry.actor, entry.action, entry.resource, entry.outcome,
                              entry.facade, entry.peer, entry.request_id});
  if (!inserted.ok()) return inserted.error();
  return {};
}

Result<std::vector<AuditEntry>> list(meta::Tx& tx, const Audit::Filter& filter) {
  TRY(auto rows, tx.query(R"sql(
    SELECT id, at_ms, actor, action, resource, outcome, facade, peer, request_id FROM audit_entries
    WHERE ($1 = 0 OR id < $1) AND ($2 = '' OR actor = $2) AND ($3 = '' OR action = $3)
      AND ($4 = '' OR resource = $4)
    ORDER BY id DESC LIMIT $5)sql",
                          {filter.before_id, filter.actor, filter.action, filter.resource, filter.limit}));
  std::vector<AuditEntry> entries;
  for (const auto& row : rows) {
    entries.push_back({.id = row.integer(0),
                       .at = row.integer(1),
                       .actor = row.text(2),
                       .action = row.text(3),
                       .resource = row.text(4),
                       .outcome = row.text(5),
                       .facade = row.text(6),
                       .peer = row.text(7),
                       .request_id = row.text(8)});
  }
  return entries;
}

}  // namespace wharfage::op::records
