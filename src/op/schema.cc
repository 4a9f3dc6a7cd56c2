#include "op/audit.h"

namespace wharfage::op {

std::vector<meta::Migration> schema() {
  return {{150, "op: the audit log", R"ddl(
CREATE TABLE audit_entries (
  id BIGINT PRIMARY KEY,
  at_ms BIGINT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  resource TEXT NOT NULL,
  outcome TEXT NOT NULL,
  facade TEXT NOT NULL,
  peer TEXT NOT NULL,
  request_id TEXT NOT NULL
);
CREATE INDEX audit_by_resource ON audit_entries (resource, id);
CREATE INDEX audit_by_actor ON audit_entries (actor, id)
)ddl"}};
}

}  // namespace wharfage::op
