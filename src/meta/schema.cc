#include "meta/schema.h"

namespace wharfage::meta {

std::vector<Migration> migrations() {
  return {
      // IF NOT EXISTS: it is also what migrate() runs to learn what was applied.
      {1, "meta: migrations", R"ddl(
        CREATE TABLE IF NOT EXISTS schema_migrations (
          number INTEGER PRIMARY KEY,
          name TEXT NOT NULL,
          applied_at TEXT NOT NULL
        );
      )ddl"},
      {2, "meta: integer ids", R"ddl(
        CREATE TABLE id_blocks (
          kind TEXT NOT NULL PRIMARY KEY,
          next_id BIGINT NOT NULL
        );
      )ddl"},
  };
}

}  // namespace wharfage::meta
