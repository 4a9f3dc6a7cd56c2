#include "registry/policy_schema.h"
#include "registry/registry.h"

namespace wharfage::registry {

// blobs.state: 0 live (some repository links it, its bytes are in place), 1 doomed (no repository links it),
// 3 lost (linked, but its bytes are gone or corrupt). 2 was doomed, with its bytes in a trash.
// repository_blobs.loose_since: when it was last without a manifest. A repository on its way out has lost its
// names and its namespace; collect() removes what it held.
std::vector<meta::Migration> schema() {
  std::vector<meta::Migration> steps{
      {300, "registry: places", R"ddl(
        CREATE TABLE instances (
          id INTEGER PRIMARY KEY,
          cri_id TEXT NOT NULL UNIQUE,
          uuid TEXT NOT NULL UNIQUE,
          name TEXT NOT NULL,
          alibaba_region TEXT NOT NULL,
          huawei_region TEXT NOT NULL,
          project_id TEXT NOT NULL UNIQUE,
          project_name TEXT NOT NULL,
          domain_id TEXT NOT NULL,
          domain_name TEXT NOT NULL,
          ali_uid BIGINT NOT NULL,
          created_at BIGINT NOT NULL
        );
        CREATE TABLE namespaces (
          id INTEGER PRIMARY KEY,
          public_id TEXT NOT NULL UNIQUE,
          name TEXT NOT NULL UNIQUE,
          is_public INTEGER NOT NULL,
          auto_create INTEGER NOT NULL,
          metadata TEXT NOT NULL,
          created_at BIGINT NOT NULL,
          updated_at BIGINT NOT NULL
        );
        CREATE INDEX namespaces_newest ON namespaces (created_at, id);
        CREATE TABLE repositories (
          id INTEGER PRIMARY KEY,
          public_id TEXT UNIQUE,
          namespace_id INTEGER REFERENCES namespaces (id),
          full_name TEXT UNIQUE,
          name TEXT NOT NULL,
          summary TEXT NOT NULL,
          detail TEXT NOT NULL,
          is_public INTEGER NOT NULL,
          immutable_tags INTEGER NOT NULL,
          created_at BIGINT NOT NULL,
          updated_at BIGINT NOT NULL,
          deleted_at BIGINT
        );
        CREATE INDEX repositories_of_namespace ON repositories (namespace_id, full_name);
        CREATE INDEX repositories_newest_of_namespace ON repositories (namespace_id, created_at, id);
        CREATE INDEX repositories_newest ON repositories (created_at, id);
        CREATE INDEX repositories_public ON repositories (full_name) WHERE is_public = 1;
        CREATE INDEX repositories_deleted ON repositories (id) WHERE deleted_at IS NOT NULL;
      )ddl"},
      {301, "registry: images", R"ddl(
        CREATE TABLE manifests (
          id INTEGER PRIMARY KEY,
          repository_id INTEGER NOT NULL REFERENCES repositories (id),
          digest TEXT NOT NULL,
          media_type TEXT NOT NULL,
          artifact_type TEXT NOT NULL,
          subject_digest TEXT,
          config_digest TEXT,
          size BIGINT NOT NULL,
          total_size BIGINT NOT NULL,
          is_accessory INTEGER NOT NULL,
          pushed_at BIGINT NOT NULL,
          UNIQUE (repository_id, digest)
        );
        CREATE INDEX manifests_newest ON manifests (repository_id, pushed_at, id);
        CREATE INDEX manifests_listed ON manifests (repository_id, pushed_at, id) WHERE is_accessory = 0;
        CREATE INDEX manifests_subject ON manifests (repository_id, subject_digest, id)
          WHERE subject_digest IS NOT NULL;
        CREATE TABLE manifest_bytes (
          manifest_id INTEGER PRIMARY KEY REFERENCES manifests (id),
          bytes $BYTES NOT NULL
        );
        CREATE TABLE tags (
          id INTEGER PRIMARY KEY,
          repository_id INTEGER NOT NULL REFERENCES repositories (id),
          name TEXT NOT NULL,
          manifest_id INTEGER NOT NULL REFERENCES manifests (id),
          is_accessory INTEGER NOT NULL,
          created_at BIGINT NOT NULL,
          updated_at BIGINT NOT NULL,
          UNIQUE (repository_id, name)
        );
        CREATE INDEX tags_of_manifest ON tags (manifest_id, name);
        CREATE INDEX tags_newest ON tags (repository_id, updated_at, id);
        CREATE INDEX tags_listed ON tags (repository_id, updated_at, id) WHERE is_accessory = 0;
      )ddl"},
      {302, "registry: blobs", R"ddl(
        CREATE TABLE blobs (
          digest TEXT PRIMARY KEY,
          size BIGINT NOT NULL,
          state INTEGER NOT NULL,
          changed_at BIGINT NOT NULL
        );
        CREATE INDEX blobs_leaving ON blobs (state, changed_at) WHERE state <> 0;
        CREATE TABLE repository_blobs (
          repository_id INTEGER NOT NULL REFERENCES repositories (id),
          digest TEXT NOT NULL REFERENCES blobs (digest),
          linked_at BIGINT NOT NULL,
          loose_since BIGINT,
          PRIMARY KEY (repository_id, digest)
        );
        CREATE INDEX repository_blobs_digest ON repository_blobs (digest, repository_id);
        CREATE INDEX repository_blobs_loose ON repository_blobs (loose_since)
          WHERE loose_since IS NOT NULL;
        CREATE TABLE manifest_blobs (
          manifest_id INTEGER NOT NULL REFERENCES manifests (id),
          repository_id INTEGER NOT NULL,
          digest TEXT NOT NULL,
          PRIMARY KEY (manifest_id, digest),
          FOREIGN KEY (repository_id, digest) REFERENCES repository_blobs (repository_id, digest)
        );
        CREATE INDEX manifest_blobs_digest ON manifest_blobs (repository_id, digest);
        CREATE TABLE manifest_children (
          manifest_id INTEGER NOT NULL REFERENCES manifests (id),
          repository_id INTEGER NOT NULL,
          digest TEXT NOT NULL,
          PRIMARY KEY (manifest_id, digest),
          FOREIGN KEY (repository_id, digest) REFERENCES manifests (repository_id, digest)
        );
        CREATE INDEX manifest_children_digest ON manifest_children (repository_id, digest);
        CREATE TABLE uploads (
          id TEXT PRIMARY KEY,
          repository_id INTEGER NOT NULL REFERENCES repositories (id),
          owner TEXT NOT NULL,
          started_at BIGINT NOT NULL
        );
        CREATE INDEX uploads_of_repository ON uploads (repository_id);
        CREATE INDEX uploads_started ON uploads (started_at, id);
      )ddl"},
      {303, "registry: counts", R"ddl(
        CREATE TABLE manifest_pulls (
          manifest_id INTEGER PRIMARY KEY REFERENCES manifests (id),
          pulls BIGINT NOT NULL,
          pulled_at BIGINT NOT NULL
        );
        CREATE TABLE registry_counts (
          repository_id INTEGER PRIMARY KEY,
          repositories BIGINT NOT NULL,
          tags BIGINT NOT NULL,
          accessory_tags BIGINT NOT NULL,
          manifests BIGINT NOT NULL,
          accessories BIGINT NOT NULL,
          pulls BIGINT NOT NULL,
          blobs BIGINT NOT NULL,
          bytes BIGINT NOT NULL
        );
        CREATE TABLE registry_changes (
          repository_id INTEGER NOT NULL,
          repositories BIGINT NOT NULL,
          tags BIGINT NOT NULL,
          accessory_tags BIGINT NOT NULL,
          manifests BIGINT NOT NULL,
          accessories BIGINT NOT NULL,
          pulls BIGINT NOT NULL,
          blobs BIGINT NOT NULL,
          bytes BIGINT NOT NULL
        );
        CREATE INDEX registry_changes_repository ON registry_changes (repository_id);
      )ddl"},
      {304, "registry: blobs that sparse images need", R"ddl(
        CREATE TABLE manifest_absent_blobs (
          manifest_id INTEGER NOT NULL REFERENCES manifests (id),
          repository_id INTEGER NOT NULL,
          digest TEXT NOT NULL,
          PRIMARY KEY (manifest_id, digest)
        );
        CREATE INDEX manifest_absent_blobs_digest ON manifest_absent_blobs (repository_id, digest);
      )ddl"},
      {305, "registry: maintenance", R"ddl(
        CREATE TABLE maintenance_runs (
          id TEXT PRIMARY KEY,
          kind TEXT NOT NULL,
          mend INTEGER NOT NULL,
          bytes_per_s BIGINT NOT NULL,
          state TEXT NOT NULL,
          error TEXT NOT NULL,
          after_digest TEXT NOT NULL,
          report TEXT NOT NULL,
          created_at BIGINT NOT NULL,
          updated_at BIGINT NOT NULL
        );
        CREATE INDEX maintenance_runs_newest ON maintenance_runs (created_at, id);
      )ddl"},
      {306, "registry: leaving blobs in the order of their digests", R"ddl(
        DROP INDEX blobs_leaving;
        CREATE INDEX blobs_leaving ON blobs (state, changed_at, digest) WHERE state <> 0;
      )ddl"},
      // Rows lie in the order of their keys and have one index less: what is removed or looked for together
      // shares pages. Children go before their parents, so no key dangles on the way. What a damaged store
      // has lost must not keep it from being opened: a blob that is linked but has no row is lost until a
      // check finds its file or somebody pushes it, and what names a repository, an image or a link that is
      // gone is dropped.
      {315, "registry: blobs and what refers to them lie in the order of their keys", R"ddl(
        CREATE TABLE blobs_in_order (
          digest TEXT PRIMARY KEY,
          size BIGINT NOT NULL,
          state INTEGER NOT NULL,
          changed_at BIGINT NOT NULL
        ) $CLUSTERED;
        CREATE TABLE repository_blobs_in_order (
          repository_id INTEGER NOT NULL REFERENCES repositories (id),
          digest TEXT NOT NULL REFERENCES blobs_in_order (digest),
          namespace_id INTEGER NOT NULL DEFAULT 0,
          linked_at BIGINT NOT NULL,
          loose_since BIGINT,
          hidden INTEGER NOT NULL DEFAULT 0,
          PRIMARY KEY (repository_id, digest)
        ) $CLUSTERED;
        CREATE TABLE manifest_blobs_in_order (
          manifest_id INTEGER NOT NULL REFERENCES manifests (id),
          repository_id INTEGER NOT NULL,
          digest TEXT NOT NULL,
          PRIMARY KEY (manifest_id, digest),
          FOREIGN KEY (repository_id, digest) REFERENCES repository_blobs_in_order (repository_id, digest)
        ) $CLUSTERED;
        INSERT INTO blobs_in_order (digest, size, state, changed_at)
        SELECT digest, size, state, changed_at FROM blobs ORDER BY digest;
        INSERT INTO blobs_in_order (digest, size, state, changed_at)
        SELECT DISTINCT l.digest, 0, 3, 0 FROM repository_blobs l
        WHERE NOT EXISTS (SELECT 1 FROM blobs b WHERE b.digest = l.digest)
          AND EXISTS (SELECT 1 FROM repositories r WHERE r.id = l.repository_id);
        INSERT INTO repository_blobs_in_order
               (repository_id, digest, namespace_id, linked_at, loose_since, hidden)
        SELECT l.repository_id, l.digest, l.namespace_id, l.linked_at, l.loose_since, l.hidden
        FROM repository_blobs l
        WHERE EXISTS (SELECT 1 FROM repositories r WHERE r.id = l.repository_id)
        ORDER BY l.repository_id, l.digest;
        INSERT INTO manifest_blobs_in_order (manifest_id, repository_id, digest)
        SELECT n.manifest_id, n.repository_id, n.digest FROM manifest_blobs n
        WHERE EXISTS (SELECT 1 FROM manifests m WHERE m.id = n.manifest_id)
          AND EXISTS (SELECT 1 FROM repository_blobs_in_order l
                      WHERE l.repository_id = n.repository_id AND l.digest = n.digest)
        ORDER BY n.manifest_id, n.digest;
        DROP TABLE manifest_blobs;
        DROP TABLE repository_blobs;
        DROP TABLE blobs;
        ALTER TABLE blobs_in_order RENAME TO blobs;
        ALTER TABLE repository_blobs_in_order RENAME TO repository_blobs;
        ALTER TABLE manifest_blobs_in_order RENAME TO manifest_blobs;
        CREATE INDEX blobs_leaving ON blobs (state, changed_at, digest) WHERE state <> 0;
        CREATE INDEX repository_blobs_digest ON repository_blobs (digest, namespace_id, repository_id);
        CREATE INDEX repository_blobs_loose ON repository_blobs (loose_since, repository_id, digest)
          WHERE loose_since IS NOT NULL;
        CREATE INDEX manifest_blobs_digest ON manifest_blobs (repository_id, digest);
      )ddl"},
      // Kept by blob alone: what a manifest needs stands in the manifest.
      {319, "registry: references lie where their blobs' links do", R"ddl(
        CREATE TABLE manifest_blobs_by_digest (
          manifest_id INTEGER NOT NULL,
          repository_id INTEGER NOT NULL,
          digest TEXT NOT NULL,
          PRIMARY KEY (repository_id, digest, manifest_id),
          FOREIGN KEY (repository_id, digest) REFERENCES repository_blobs (repository_id, digest)
        ) $CLUSTERED;
        INSERT INTO manifest_blobs_by_digest (manifest_id, repository_id, digest)
        SELECT n.manifest_id, n.repository_id, n.digest FROM manifest_blobs n
        WHERE EXISTS (SELECT 1 FROM manifests m WHERE m.id = n.manifest_id)
          AND EXISTS (SELECT 1 FROM repository_blobs l
                      WHERE l.repository_id = n.repository_id AND l.digest = n.digest)
        ORDER BY n.repository_id, n.digest, n.manifest_id;
        DROP TABLE manifest_blobs;
        ALTER TABLE manifest_blobs_by_digest RENAME TO manifest_blobs;
      )ddl"},
      {320, "registry: there is no trash between doomed and gone", R"ddl(
        UPDATE blobs SET state = 1 WHERE state = 2;
      )ddl"},
  };
  for (const auto& step : policy_schema()) steps.push_back(step);
  return steps;
}

}  // namespace wharfage::registry
