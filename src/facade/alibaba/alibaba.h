// The RPC APIs of Alibaba Cloud on "/": Container Registry (cr 2018-12-01) and Security Center (sas
// 2018-12-03). Finds the action, proves who signed, decodes, calls the operation and puts the answer into the
// vendor's envelope. Wire format: captured from the official SDKs (tests/captures/alibaba). Thread-safe.
#pragma once

#include <string>

#include "auth/auth.h"
#include "base/log.h"
#include "http/server.h"
#include "op/audit.h"
#include "registry/policies.h"

namespace wharfage::build {
class Builds;
}
namespace wharfage::scan {
class Scanning;
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

namespace wharfage::alibaba {

// The rooms the operations live in.
struct Rooms {
  registry::Registry& registry;
  registry::Policies& policies;
  build::Builds& builds;
  scan::Scanning& scans;
  sync::Sync& sync;
  connect::Connections& connections;
  inventory::Inventory& inventory;
};

struct Options {
  std::string external_host;  // shown as endpoint domains: "registry.example:5000"
};

class Alibaba {
 public:
  Alibaba(Rooms rooms, auth::Auth& auth, op::Audit& audit, const Clock& clock, Options options, Log log);
  http::Plan plan(const http::Request& head);
  http::Response answer(const http::Request& request);

 private:
  Rooms x_rooms;
  auth::Auth& x_auth;
  op::Audit& x_audit;
  const Clock& x_clock;
  Options x_options;
  Log x_log;
};

}  // namespace wharfage::alibaba
