#include "inventory/inventory.h"

namespace wharfage::inventory {

std::vector<meta::Migration> schema() {
  return {{800, "inventory: tasks, their registries and the images found", R"ddl(
CREATE TABLE inventory_tasks (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  origin TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  every_one INTEGER NOT NULL,
  creator TEXT NOT NULL,
  total BIGINT NOT NULL,
  finished BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL
);
CREATE INDEX inventory_tasks_by_time ON inventory_tasks (created_at);
CREATE TABLE inventory_registries (
  task_seq INTEGER NOT NULL REFERENCES inventory_tasks (seq) ON DELETE CASCADE,
  connection_id INTEGER NOT NULL,
  connection_uuid TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  failed_reason TEXT NOT NULL,
  images BIGINT NOT NULL,
  generation BIGINT NOT NULL,
  job_id TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  PRIMARY KEY (task_seq, connection_id)
);
CREATE INDEX inventory_registries_running ON inventory_registries (connection_id, state);
CREATE TABLE inventory_current (
  connection_id INTEGER PRIMARY KEY REFERENCES registry_connections (id) ON DELETE CASCADE,
  generation BIGINT NOT NULL,
  synced_at BIGINT NOT NULL
);
CREATE TABLE external_images (
  generation BIGINT NOT NULL,
  id BIGINT NOT NULL,
  connection_id INTEGER NOT NULL REFERENCES registry_connections (id) ON DELETE CASCADE,
  local_namespace_id BIGINT NOT NULL,
  namespace_name TEXT NOT NULL,
  name TEXT NOT NULL,
  tag TEXT NOT NULL,
  digest TEXT NOT NULL,
  media_type TEXT NOT NULL,
  size BIGINT NOT NULL,
  multi_arch INTEGER NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (generation, id)
);
CREATE UNIQUE INDEX external_images_names ON external_images (connection_id, generation, namespace_name, name, tag);
CREATE INDEX external_images_ids ON external_images (id)
)ddl"}};
}

}  // namespace wharfage::inventory
