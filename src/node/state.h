// The objects of a running node, in the order in which they depend on each other. Only node.cc makes one.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "auth/auth.h"
#include "base/workers.h"
#include "blob/store.h"
#include "build/builds.h"
#include "connect/connections.h"
#include "crypto/keys.h"
#include "facade/alibaba/alibaba.h"
#include "facade/console/console.h"
#include "facade/huawei/huawei.h"
#include "facade/native/native.h"
#include "facade/oci/oci.h"
#include "http/client.h"
#include "http/server.h"
#include "inventory/inventory.h"
#include "job/events.h"
#include "job/queue.h"
#include "meta/db.h"
#include "node/config.h"
#include "node/data_folder.h"
#include "node/dispatch.h"
#include "node/health.h"
#include "node/housekeeping.h"
#include "node/metrics.h"
#include "node/node.h"
#include "notify/webhooks.h"
#include "op/audit.h"
#include "registry/maintenance.h"
#include "registry/policies.h"
#include "registry/registry.h"
#include "registry/retention.h"
#include "scan/scanning.h"
#include "sign/signing.h"
#include "sync/sync.h"

namespace wharfage::node {

struct Address {
  std::string host;
  std::uint16_t port = 0;
  std::string text() const { return host + ":" + std::to_string(port); }
};
// "host:port"; port 0 picks a free one now. Error: invalid_parameter.
Result<Address> parse_address(const std::string& text);

// Vault, database and everything that must be read before objects can be made.
struct Foundations {
  std::unique_ptr<DataFolder> folder;
  crypto::Vault vault;
  std::unique_ptr<meta::Db> db;
  std::unique_ptr<blob::Store> blobs;
  crypto::EcdsaKey token_key;
};
Result<Foundations> lay_foundations(const Config& config);

registry::MaintenanceOptions maintenance_options(const Config& config);

struct Node::State {
  State(const Config& config, Address address, Foundations foundations, Log log);
  Status prepare(const Environment& environment);  // first start, start-up of features
  Status open();                                   // listens, starts jobs and chores
  void close();

  Destination destination(const http::Request& head) const;
  http::Plan route(const http::Request& head);
  std::vector<Chore> chores();
  std::vector<Check> checks();
  std::string metrics();
  Status check_certificate();
  http::ServerOptions server_options() const;

  Config config;
  Address address;
  Log log;
  Log request_log;  // one line per request, collected: what goes wrong is written at once through `log`
  Foundations base;
  SystemClock clock;
  Welcome welcome;
  http::Client client;
  meta::Ids ids;
  auth::Auth auth;
  auth::RegistryTokens tokens;
  op::Audit audit;
  job::Events events;
  job::Queue queue;
  registry::Registry registry;
  registry::Policies policies;
  registry::Retention retention;
  registry::Maintenance maintenance;
  connect::Connections connections;
  build::Builds builds;
  scan::Scanning scans;
  sign::Signing signing;
  sync::Sync sync;
  inventory::Inventory inventory;
  std::optional<notify::Webhooks> webhooks;  // named after the instance, which the first start makes

  std::optional<oci::Oci> oci;
  std::optional<alibaba::Alibaba> alibaba;
  std::optional<huawei::Huawei> huawei;
  std::optional<native::Native> native;
  console::Console console;
  std::optional<Health> health;
  RequestMetrics requests;

  Workers workers;
  std::unique_ptr<http::Server> server;
  std::optional<Housekeeping> housekeeping;
  std::atomic<bool> closing{false};  // long chores end early
};

}  // namespace wharfage::node
