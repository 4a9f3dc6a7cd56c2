#include "registry/policy_schema.h"

namespace wharfage::registry {

// A manifest that was deleted keeps its row, its bytes and its references until purge_at, so what it needs
// stays; every reader asks for deleted_at IS NULL. Tags that were deleted lie in a table of their own: their
// names are free. repository_blobs.hidden: a client deleted the blob while a deleted manifest needs it.
std::vector<meta::Migration> policy_schema() {
  return {
      {310, "registry: immutability rules and tag history", R"ddl(
        CREATE TABLE immutability_rules (
          id INTEGER PRIMARY KEY,
          namespace_id INTEGER NOT NULL REFERENCES namespaces (id) ON DELETE CASCADE,
          name TEXT NOT NULL,
          repositories TEXT NOT NULL,
          except_repositories TEXT NOT NULL,
          tags TEXT NOT NULL,
          except_tags TEXT NOT NULL,
          enabled INTEGER NOT NULL,
          creator TEXT NOT NULL,
          created_at BIGINT NOT NULL,
          updated_at BIGINT NOT NULL
        );
        CREATE INDEX immutability_rules_of ON immutability_rules (namespace_id, id);
        CREATE TABLE tag_history (
          repository_id INTEGER NOT NULL REFERENCES repositories (id),
          tag TEXT NOT NULL,
          number INTEGER NOT NULL,
          changed_at BIGINT NOT NULL,
          from_digest TEXT NOT NULL,
          to_digest TEXT NOT NULL,
          actor TEXT NOT NULL,
          origin TEXT NOT NULL,
          PRIMARY KEY (repository_id, tag, number)
        );
        CREATE INDEX tag_history_newest ON tag_history (repository_id, changed_at, tag, number);
      )ddl"},
      {311, "registry: deleting with a way back", R"ddl(
        ALTER TABLE manifests ADD COLUMN deleted_at BIGINT;
        ALTER TABLE manifests ADD COLUMN purge_at BIGINT;
        ALTER TABLE manifests ADD COLUMN deleted_by TEXT;
        ALTER TABLE manifests ADD COLUMN deleted_origin TEXT;
        DROP INDEX manifests_listed;
        CREATE INDEX manifests_listed ON manifests (repository_id, pushed_at, id)
          WHERE is_accessory = 0 AND deleted_at IS NULL;
        CREATE INDEX manifests_deleted ON manifests (repository_id, deleted_at, id)
          WHERE deleted_at IS NOT NULL;
        CREATE INDEX manifests_purge ON manifests (purge_at, id) WHERE deleted_at IS NOT NULL;
        CREATE TABLE deleted_tags (
          repository_id INTEGER NOT NULL REFERENCES repositories (id),
          name TEXT NOT NULL,
          manifest_id INTEGER NOT NULL REFERENCES manifests (id),
          created_at BIGINT NOT NULL,
          deleted_at BIGINT NOT NULL,
          purge_at BIGINT NOT NULL,
          deleted_by TEXT NOT NULL,
          deleted_origin TEXT NOT NULL,
          PRIMARY KEY (repository_id, name)
        );
        CREATE INDEX deleted_tags_of_manifest ON deleted_tags (manifest_id, name);
        CREATE INDEX deleted_tags_newest ON deleted_tags (repository_id, deleted_at, name);
        CREATE INDEX deleted_tags_purge ON deleted_tags (purge_at);
        ALTER TABLE repository_blobs ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE repositories ADD COLUMN purge_at BIGINT;
        ALTER TABLE repositories ADD COLUMN deleted_by TEXT;
        ALTER TABLE repositories ADD COLUMN deleted_namespace_id INTEGER;
        ALTER TABLE repositories ADD COLUMN deleted_public_id TEXT;
        ALTER TABLE repositories ADD COLUMN deleted_public INTEGER;
        UPDATE repositories SET purge_at = deleted_at WHERE deleted_at IS NOT NULL;
        DROP INDEX repositories_deleted;
        CREATE INDEX repositories_deleted ON repositories (purge_at, id) WHERE deleted_at IS NOT NULL;
        CREATE INDEX repositories_deleted_of ON repositories (deleted_namespace_id, deleted_at, id)
          WHERE deleted_at IS NOT NULL;
      )ddl"},
      {312, "registry: quotas of namespaces", R"ddl(
        ALTER TABLE repository_blobs ADD COLUMN namespace_id INTEGER NOT NULL DEFAULT 0;
        UPDATE repository_blobs SET namespace_id = COALESCE(
          (SELECT COALESCE(r.namespace_id, r.deleted_namespace_id) FROM repositories r
           WHERE r.id = repository_blobs.repository_id), 0);
        CREATE INDEX repository_blobs_namespace ON repository_blobs (digest, namespace_id);
        CREATE TABLE namespace_quotas (
          namespace_id INTEGER PRIMARY KEY REFERENCES namespaces (id) ON DELETE CASCADE,
          bytes BIGINT,
          tags BIGINT,
          repositories BIGINT,
          set_by TEXT NOT NULL,
          updated_at BIGINT NOT NULL
        );
        CREATE TABLE namespace_counts (
          namespace_id INTEGER PRIMARY KEY REFERENCES namespaces (id) ON DELETE CASCADE,
          repositories BIGINT NOT NULL,
          tags BIGINT NOT NULL,
          blobs BIGINT NOT NULL,
          bytes BIGINT NOT NULL
        );
        CREATE TABLE namespace_changes (
          namespace_id INTEGER NOT NULL,
          repositories BIGINT NOT NULL,
          tags BIGINT NOT NULL,
          blobs BIGINT NOT NULL,
          bytes BIGINT NOT NULL
        );
        CREATE INDEX namespace_changes_of ON namespace_changes (namespace_id);
        INSERT INTO namespace_counts (namespace_id, repositories, tags, blobs, bytes)
        SELECT n.id,
               (SELECT COUNT(*) FROM repositories r WHERE r.namespace_id = n.id),
               (SELECT COUNT(*) FROM tags t JOIN repositories r ON r.id = t.repository_id
                WHERE r.namespace_id = n.id AND t.is_accessory = 0),
               (SELECT COUNT(DISTINCT l.digest) FROM repository_blobs l WHERE l.namespace_id = n.id),
               (SELECT CAST(COALESCE(SUM(b.size), 0) AS BIGINT) FROM blobs b
                WHERE b.digest IN (SELECT l.digest FROM repository_blobs l WHERE l.namespace_id = n.id))
        FROM namespaces n;
      )ddl"},
      {314, "registry: last pulls of repositories", R"ddl(
        CREATE TABLE repository_pulls (
          repository_id INTEGER PRIMARY KEY REFERENCES repositories (id),
          pulled_at BIGINT NOT NULL
        );
      )ddl"},
      {313, "registry: retention", R"ddl(
        CREATE TABLE retention_policies (
          namespace_id INTEGER PRIMARY KEY REFERENCES namespaces (id) ON DELETE CASCADE,
          cron TEXT NOT NULL,
          rules TEXT NOT NULL,
          set_by TEXT NOT NULL,
          updated_at BIGINT NOT NULL,
          next_run_at BIGINT
        );
        CREATE INDEX retention_policies_due ON retention_policies (next_run_at)
          WHERE next_run_at IS NOT NULL;
        CREATE TABLE retention_runs (
          id INTEGER PRIMARY KEY,
          namespace_id INTEGER NOT NULL REFERENCES namespaces (id) ON DELETE CASCADE,
          is_dry INTEGER NOT NULL,
          cause TEXT NOT NULL,
          actor TEXT NOT NULL,
          status TEXT NOT NULL,
          error TEXT NOT NULL,
          job_id TEXT NOT NULL,
          repositories BIGINT NOT NULL,
          kept BIGINT NOT NULL,
          removed_tags BIGINT NOT NULL,
          removed_images BIGINT NOT NULL,
          failed BIGINT NOT NULL,
          created_at BIGINT NOT NULL,
          ended_at BIGINT NOT NULL,
          rules TEXT NOT NULL,
          last_repository_id INTEGER NOT NULL,
          items BIGINT NOT NULL
        );
        CREATE INDEX retention_runs_of ON retention_runs (namespace_id, id);
        CREATE TABLE retention_items (
          run_id INTEGER NOT NULL REFERENCES retention_runs (id) ON DELETE CASCADE,
          number BIGINT NOT NULL,
          repository TEXT NOT NULL,
          tag TEXT NOT NULL,
          digest TEXT NOT NULL,
          outcome TEXT NOT NULL,
          reason TEXT NOT NULL,
          PRIMARY KEY (run_id, number)
        );
      )ddl"},
      // What is there is appended, and folded like any change.
      {316, "registry: quotas count the bytes of manifests", R"ddl(
        INSERT INTO registry_changes (repository_id, repositories, tags, accessory_tags, manifests,
                                      accessories, pulls, blobs, bytes)
        SELECT m.repository_id, 0, 0, 0, 0, 0, 0, 0, CAST(SUM(m.size) AS BIGINT)
        FROM manifests m GROUP BY m.repository_id;
        INSERT INTO namespace_changes (namespace_id, repositories, tags, blobs, bytes)
        SELECT COALESCE(r.namespace_id, r.deleted_namespace_id), 0, 0, 0, CAST(SUM(m.size) AS BIGINT)
        FROM manifests m JOIN repositories r ON r.id = m.repository_id
        WHERE COALESCE(r.namespace_id, r.deleted_namespace_id) IS NOT NULL
        GROUP BY COALESCE(r.namespace_id, r.deleted_namespace_id);
      )ddl"},
      {317, "registry: retention policies have names and tell what was done in single repositories", R"ddl(
        ALTER TABLE retention_policies ADD COLUMN name TEXT NOT NULL DEFAULT '';
        ALTER TABLE retention_policies ADD COLUMN enabled INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE retention_policies ADD COLUMN own_rules INTEGER NOT NULL DEFAULT 1;
        UPDATE retention_policies SET own_rules = 0 WHERE rules = '{"rules":[]}';
        CREATE TABLE retention_tasks (
          run_id INTEGER NOT NULL REFERENCES retention_runs (id) ON DELETE CASCADE,
          repository_id INTEGER NOT NULL,
          repository TEXT NOT NULL,
          kept BIGINT NOT NULL,
          removed BIGINT NOT NULL,
          failed BIGINT NOT NULL,
          first_item BIGINT NOT NULL,
          last_item BIGINT NOT NULL,
          started_at BIGINT NOT NULL,
          ended_at BIGINT NOT NULL,
          PRIMARY KEY (run_id, repository_id)
        );
      )ddl"},
      {318, "registry: charts are found among images", R"ddl(
        CREATE INDEX manifests_charts ON manifests (repository_id, pushed_at, id)
          WHERE artifact_type = 'application/vnd.cncf.helm.config.v1+json' AND is_accessory = 0
            AND deleted_at IS NULL;
      )ddl"},
  };
}

}  // namespace wharfage::registry
