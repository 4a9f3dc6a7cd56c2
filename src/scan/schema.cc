#include "scan/schema.h"

namespace wharfage::scan {

std::vector<meta::Migration> schema() {
  return {{500, "scan: analyses, images, tasks and rules", R"ddl(
CREATE TABLE scan_layers (
  diff_id TEXT NOT NULL,
  analyser INTEGER NOT NULL,
  analysis $BYTES NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (diff_id, analyser)
);
CREATE TABLE scan_blobs (
  digest TEXT NOT NULL,
  diff_id TEXT NOT NULL,
  PRIMARY KEY (digest)
);
CREATE INDEX scan_blobs_of ON scan_blobs (diff_id);
CREATE TABLE scan_images (
  digest TEXT NOT NULL PRIMARY KEY,
  analyser INTEGER NOT NULL,
  contents $BYTES NOT NULL,
  system TEXT NOT NULL,
  packages BIGINT NOT NULL,
  analysed_at BIGINT NOT NULL,
  judged_release TEXT NOT NULL,
  generation TEXT NOT NULL,
  problem TEXT NOT NULL,
  judged_at BIGINT NOT NULL,
  count_unknown BIGINT NOT NULL,
  count_negligible BIGINT NOT NULL,
  count_low BIGINT NOT NULL,
  count_medium BIGINT NOT NULL,
  count_high BIGINT NOT NULL,
  count_critical BIGINT NOT NULL,
  count_fixable BIGINT NOT NULL,
  count_hidden BIGINT NOT NULL
);
CREATE TABLE scan_image_layers (
  image TEXT NOT NULL REFERENCES scan_images (digest) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  digest TEXT NOT NULL,
  diff_id TEXT NOT NULL,
  PRIMARY KEY (image, place)
);
CREATE INDEX scan_image_layers_of ON scan_image_layers (diff_id);
CREATE TABLE scan_tasks (
  id TEXT NOT NULL PRIMARY KEY,
  repository_id BIGINT NOT NULL,
  namespace_id BIGINT NOT NULL,
  repository TEXT NOT NULL,
  tag TEXT NOT NULL,
  digest TEXT NOT NULL,
  image TEXT NOT NULL,
  cause TEXT NOT NULL,
  job_id TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  message TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX scan_tasks_of_digest ON scan_tasks (repository_id, digest, created_at, id);
CREATE INDEX scan_tasks_of_namespace ON scan_tasks (namespace_id, created_at, id);
CREATE INDEX scan_tasks_of_image ON scan_tasks (image, status);
CREATE INDEX scan_tasks_by_time ON scan_tasks (created_at, id);
CREATE INDEX scan_tasks_of_job ON scan_tasks (job_id);
CREATE TABLE scan_rules (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  scope TEXT NOT NULL,
  trigger_type TEXT NOT NULL,
  scan_type TEXT NOT NULL,
  namespaces TEXT NOT NULL,
  repositories TEXT NOT NULL,
  tag_pattern TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX scan_rules_by_trigger ON scan_rules (trigger_type);
CREATE INDEX scan_rules_by_time ON scan_rules (created_at, id);
)ddl"}};
}

}  // namespace wharfage::scan
