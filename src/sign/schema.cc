#include "sign/signing.h"

namespace wharfage::sign {

std::vector<meta::Migration> schema() {
  return {{600, "sign: keys, policies, executions and signatures", R"ddl(
CREATE TABLE signing_keys (
  uuid TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  private_sealed TEXT NOT NULL,
  public_pem TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE TABLE sign_policies (
  id INTEGER PRIMARY KEY,
  namespace_id INTEGER NOT NULL,
  namespace_name TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  algorithm TEXT NOT NULL,
  key_uuid TEXT NOT NULL REFERENCES signing_keys (uuid),
  trigger_type TEXT NOT NULL,
  cron TEXT NOT NULL,
  scope_rules TEXT NOT NULL,
  creator TEXT NOT NULL,
  next_run_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (namespace_id, name)
);
CREATE INDEX sign_policies_due ON sign_policies (next_run_at);
CREATE TABLE sign_executions (
  id INTEGER PRIMARY KEY,
  policy_id INTEGER NOT NULL REFERENCES sign_policies (id) ON DELETE CASCADE,
  origin TEXT NOT NULL UNIQUE,
  cause TEXT NOT NULL,
  status TEXT NOT NULL,
  status_text TEXT NOT NULL,
  planned INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX sign_executions_of ON sign_executions (policy_id, id);
CREATE TABLE sign_tasks (
  id INTEGER PRIMARY KEY,
  execution_id INTEGER NOT NULL REFERENCES sign_executions (id) ON DELETE CASCADE,
  repository_id INTEGER NOT NULL,
  namespace_name TEXT NOT NULL,
  repository TEXT NOT NULL,
  only_tag TEXT NOT NULL,
  job_id TEXT NOT NULL,
  status TEXT NOT NULL,
  status_text TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX sign_tasks_of ON sign_tasks (execution_id, id);
CREATE TABLE sign_sub_tasks (
  id INTEGER PRIMARY KEY,
  task_id INTEGER NOT NULL REFERENCES sign_tasks (id) ON DELETE CASCADE,
  job_id TEXT NOT NULL,
  tags TEXT NOT NULL,
  digest TEXT NOT NULL,
  status TEXT NOT NULL,
  status_text TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (task_id, digest)
);
CREATE TABLE signatures (
  repository_id INTEGER NOT NULL,
  digest TEXT NOT NULL,
  key_uuid TEXT NOT NULL,
  signature_digest TEXT NOT NULL,
  execution_id INTEGER NOT NULL,
  signed_at BIGINT NOT NULL,
  PRIMARY KEY (repository_id, digest, key_uuid)
)
)ddl"}};
}

}  // namespace wharfage::sign
