#include "build/schema.h"

namespace wharfage::build {

std::vector<meta::Migration> schema() {
  return {
      {400, "build: sources and rules", R"ddl(
        CREATE TABLE source_providers (
          id INTEGER PRIMARY KEY,
          name TEXT NOT NULL UNIQUE,
          type TEXT NOT NULL,
          domain TEXT NOT NULL,
          url_template TEXT NOT NULL,
          credential TEXT NOT NULL,
          username TEXT NOT NULL,
          known_hosts TEXT NOT NULL,
          sealed TEXT NOT NULL,
          created_at BIGINT NOT NULL,
          updated_at BIGINT NOT NULL
        );
        CREATE INDEX source_providers_by_type ON source_providers (type, id);
        CREATE TABLE build_sources (
          repository_id INTEGER PRIMARY KEY,
          provider_id INTEGER NOT NULL REFERENCES source_providers (id),
          space TEXT NOT NULL,
          name TEXT NOT NULL,
          disable_cache INTEGER NOT NULL,
          created_at BIGINT NOT NULL,
          updated_at BIGINT NOT NULL
        );
        CREATE INDEX build_sources_by_provider ON build_sources (provider_id);
        CREATE TABLE build_rules (
          number INTEGER PRIMARY KEY,
          id TEXT NOT NULL UNIQUE,
          repository_id INTEGER NOT NULL,
          recipe TEXT NOT NULL,
          created_at BIGINT NOT NULL,
          updated_at BIGINT NOT NULL
        );
        CREATE INDEX build_rules_by_repository ON build_rules (repository_id, number);
      )ddl"},
      {401, "build: records", R"ddl(
        CREATE TABLE build_records (
          number INTEGER PRIMARY KEY,
          id TEXT NOT NULL UNIQUE,
          repository_id INTEGER NOT NULL,
          namespace_id INTEGER NOT NULL,
          repository_public_id TEXT NOT NULL,
          namespace_name TEXT NOT NULL,
          repository_name TEXT NOT NULL,
          rule_id TEXT NOT NULL,
          job_id TEXT NOT NULL,
          recipe TEXT NOT NULL,
          progress INTEGER NOT NULL,
          image_tag TEXT NOT NULL,
          image_digest TEXT NOT NULL,
          reference TEXT NOT NULL,
          commit_id TEXT NOT NULL,
          source_url TEXT NOT NULL,
          failing_stage TEXT NOT NULL,
          failing_step TEXT NOT NULL,
          error TEXT NOT NULL,
          creator_id INTEGER NOT NULL,
          creator TEXT NOT NULL,
          robot TEXT NOT NULL,
          created_at BIGINT NOT NULL,
          started_at BIGINT NOT NULL,
          ended_at BIGINT NOT NULL
        );
        CREATE INDEX build_records_by_repository ON build_records (repository_id, number);
        CREATE INDEX build_records_by_image ON build_records (repository_id, image_digest) WHERE image_digest <> '';
        CREATE INDEX build_records_with_robot ON build_records (number) WHERE robot <> '';
        CREATE INDEX build_records_unfinished ON build_records (repository_id, progress) WHERE progress < 2;
      )ddl"},
  };
}

}  // namespace wharfage::build
