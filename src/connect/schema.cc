#include "connect/connections.h"

namespace wharfage::connect {

std::vector<meta::Migration> schema() {
  return {{350, "connect: registry connections", R"ddl(
CREATE TABLE registry_connections (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL,
  kind TEXT NOT NULL,
  driver TEXT NOT NULL,
  url TEXT NOT NULL,
  verify_tls INTEGER NOT NULL,
  ca_pem TEXT NOT NULL,
  username TEXT NOT NULL,
  password_sealed TEXT NOT NULL,
  token_hash TEXT UNIQUE,
  alias TEXT NOT NULL UNIQUE,
  alias_region TEXT NOT NULL,
  sas TEXT NOT NULL,
  hss TEXT NOT NULL,
  swr TEXT NOT NULL,
  status TEXT NOT NULL,
  fail_reason TEXT NOT NULL,
  image_count BIGINT NOT NULL,
  synced_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
)
)ddl"}};
}

}  // namespace wharfage::connect
