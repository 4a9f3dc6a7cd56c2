#include "notify/webhooks.h"

namespace wharfage::notify {

// webhook_deliveries.state: 0 waiting, 1 delivered, 2 failed. event_types: one a line.
std::vector<meta::Migration> schema() {
  return {
      {900, "notify: webhooks", R"ddl(
        CREATE TABLE webhooks (
          id INTEGER PRIMARY KEY,
          name TEXT NOT NULL,
          url TEXT NOT NULL,
          event_types TEXT NOT NULL,
          namespace_id BIGINT NOT NULL,
          namespace_name TEXT NOT NULL,
          secret TEXT NOT NULL,
          enabled INTEGER NOT NULL,
          created_at BIGINT NOT NULL,
          updated_at BIGINT NOT NULL
        );
        CREATE INDEX webhooks_namespace ON webhooks (namespace_id, id);
        CREATE TABLE webhook_deliveries (
          id TEXT PRIMARY KEY,
          webhook_id INTEGER NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
          event_id TEXT NOT NULL,
          event_type TEXT NOT NULL,
          subject TEXT NOT NULL,
          state INTEGER NOT NULL,
          attempts INTEGER NOT NULL,
          status_code INTEGER NOT NULL,
          error TEXT NOT NULL,
          response TEXT NOT NULL,
          body TEXT NOT NULL,
          created_at BIGINT NOT NULL,
          updated_at BIGINT NOT NULL
        );
        CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (webhook_id, created_at, id);
        CREATE INDEX webhook_deliveries_age ON webhook_deliveries (created_at);
        CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook_id) WHERE state = 0;
      )ddl"},
  };
}

}  // namespace wharfage::notify
