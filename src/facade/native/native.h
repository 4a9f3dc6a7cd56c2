// The native REST API under /api/v1: what no cloud call covers, and the waybill. Callers sign in with Basic
// credentials, a token of POST /api/v1/tokens (Authorization: Bearer) or both clouds' access keys through the
// facades. Answers are JSON; errors are {"error":{"code","message","detail","request_id"}}. The OpenAPI
// document is made from the same tables that decode requests. Thread-safe.
#pragma once

#include <string>

#include "auth/auth.h"
#include "base/log.h"
#include "http/server.h"
#include "job/queue.h"
#include "op/audit.h"
#include "registry/maintenance.h"
#include "registry/policies.h"
#include "registry/registry.h"
#include "registry/retention.h"

namespace wharfage::build {
class Builds;
}
namespace wharfage::scan {
class Scanning;
}
namespace wharfage::sign {
class Signing;
}
namespace wharfage::sync {
class Sync;
}
namespace wharfage::connect {
class Connections;
}
namespace wharfage::inventory {
class Inventory;
}
namespace wharfage::notify {
class Webhooks;
}

namespace wharfage::native {

// The rooms the operations live in.
struct Rooms {
  registry::Registry& registry;
  registry::Policies& policies;
  registry::Retention& retention;
  job::Queue& queue;
  build::Builds& builds;
  scan::Scanning& scans;
  sign::Signing& signing;
  sync::Sync& sync;
  connect::Connections& connections;
  inventory::Inventory& inventory;
  notify::Webhooks& webhooks;
  registry::Maintenance& maintenance;
};

class Native {
 public:
  Native(Rooms rooms, auth::Auth& auth, op::Audit& audit, const Clock& clock, std::string version, Log log);
  http::Plan plan(const http::Request& head);
  http::Response answer(const http::Request& request);

 private:
  Rooms x_rooms;
  auth::Auth& x_auth;
  op::Audit& x_audit;
  const Clock& x_clock;
  std::string x_version, x_openapi;
  Log x_log;
};

}  // namespace wharfage::native
