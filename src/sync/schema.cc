#include "sync/sync.h"

namespace wharfage::sync {

std::vector<meta::Migration> schema() {
  return {{700, "sync: rules, executions, tasks and copies", R"ddl(
CREATE TABLE sync_rules (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  direction TEXT NOT NULL,
  connection_id INTEGER NOT NULL REFERENCES registry_connections (id),
  source_namespace TEXT NOT NULL,
  scope TEXT NOT NULL,
  source_repository TEXT NOT NULL,
  patterns TEXT NOT NULL,
  repository_pattern TEXT NOT NULL,
  tag_pattern TEXT NOT NULL,
  target_namespace TEXT NOT NULL,
  target_repository TEXT NOT NULL,
  trigger_type TEXT NOT NULL,
  cron TEXT NOT NULL,
  overwrite INTEGER NOT NULL,
  enabled INTEGER NOT NULL,
  extras TEXT NOT NULL,
  namespace_id BIGINT NOT NULL,
  creator TEXT NOT NULL,
  next_run_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (namespace_id, name)
);
CREATE INDEX sync_rules_of ON sync_rules (connection_id);
CREATE INDEX sync_rules_due ON sync_rules (next_run_at);
CREATE TABLE sync_executions (
  id INTEGER PRIMARY KEY,
  rule_id INTEGER NOT NULL REFERENCES sync_rules (id) ON DELETE CASCADE,
  origin TEXT NOT NULL UNIQUE,
  cause TEXT NOT NULL,
  state TEXT NOT NULL,
  status_text TEXT NOT NULL,
  planned INTEGER NOT NULL,
  plan_job TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL
);
CREATE INDEX sync_executions_of ON sync_executions (rule_id, id);
CREATE INDEX sync_executions_ended ON sync_executions (ended_at);
CREATE TABLE sync_groups (
  id INTEGER PRIMARY KEY,
  execution_id INTEGER NOT NULL REFERENCES sync_executions (id) ON DELETE CASCADE,
  source TEXT NOT NULL,
  target TEXT NOT NULL,
  job_id TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  UNIQUE (execution_id, source)
);
CREATE INDEX sync_groups_state ON sync_groups (execution_id, state);
CREATE TABLE sync_tasks (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  origin TEXT NOT NULL UNIQUE,
  batch_id TEXT NOT NULL,
  group_id BIGINT NOT NULL,
  execution_id BIGINT NOT NULL,
  rule_id BIGINT NOT NULL,
  rule_public_id TEXT NOT NULL,
  direction TEXT NOT NULL,
  from_connection BIGINT NOT NULL,
  from_namespace TEXT NOT NULL,
  from_repository TEXT NOT NULL,
  from_tag TEXT NOT NULL,
  to_connection BIGINT NOT NULL,
  to_namespace TEXT NOT NULL,
  to_repository TEXT NOT NULL,
  to_tag TEXT NOT NULL,
  repository_id BIGINT NOT NULL,
  namespace_id BIGINT NOT NULL,
  digest TEXT NOT NULL,
  cause TEXT NOT NULL,
  overwrite INTEGER NOT NULL,
  state TEXT NOT NULL,
  issue TEXT NOT NULL,
  status_text TEXT NOT NULL,
  progress INTEGER NOT NULL,
  bytes_total BIGINT NOT NULL,
  bytes_done BIGINT NOT NULL,
  bytes_sent BIGINT NOT NULL,
  job_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL
);
CREATE INDEX sync_tasks_group ON sync_tasks (group_id, state);
CREATE INDEX sync_tasks_execution ON sync_tasks (execution_id, state);
CREATE INDEX sync_tasks_rule ON sync_tasks (rule_id, state);
CREATE INDEX sync_tasks_batch ON sync_tasks (batch_id);
CREATE INDEX sync_tasks_source ON sync_tasks (from_namespace, from_repository, id);
CREATE INDEX sync_tasks_digest ON sync_tasks (repository_id, digest);
CREATE INDEX sync_tasks_ended ON sync_tasks (ended_at);
CREATE TABLE sync_layers (
  task_id INTEGER NOT NULL REFERENCES sync_tasks (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  public_id TEXT NOT NULL,
  artifact_digest TEXT NOT NULL,
  digest TEXT NOT NULL,
  size BIGINT NOT NULL,
  done BIGINT NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (task_id, digest)
);
CREATE TABLE sync_copies (
  repository_id BIGINT NOT NULL,
  digest TEXT NOT NULL,
  connection_id INTEGER NOT NULL REFERENCES registry_connections (id) ON DELETE CASCADE,
  direction TEXT NOT NULL,
  repository TEXT NOT NULL,
  tag TEXT NOT NULL,
  rule_id BIGINT NOT NULL,
  state TEXT NOT NULL,
  status_text TEXT NOT NULL,
  bytes_sent BIGINT NOT NULL,
  verified INTEGER NOT NULL,
  copied_at BIGINT NOT NULL,
  PRIMARY KEY (repository_id, digest, connection_id, direction, repository, tag)
);
CREATE TABLE sync_blobs (
  connection_id INTEGER NOT NULL REFERENCES registry_connections (id) ON DELETE CASCADE,
  digest TEXT NOT NULL,
  repository TEXT NOT NULL,
  seen_at BIGINT NOT NULL,
  PRIMARY KEY (connection_id, digest)
);
CREATE INDEX sync_blobs_seen ON sync_blobs (seen_at)
)ddl"}};
}

}  // namespace wharfage::sync
