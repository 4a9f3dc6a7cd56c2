// The REST APIs of Huawei Cloud: SWR (v2, enterprise instances), HSS image security (v5) and the part of IAM
// (v3) that SDKs and Terraform need. Routes on the raw path, proves who signed (SDK-HMAC-SHA256 or
// X-Auth-Token), decodes, calls the operation and answers in the service's own form. Wire format: captured
// from the official SDKs (tests/captures/huawei). Thread-safe.
#pragma once

#include <string>

#include "auth/auth.h"
#include "base/log.h"
#include "http/server.h"
#include "op/audit.h"
#include "registry/policies.h"
#include "registry/retention.h"

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

namespace wharfage::huawei {

// The rooms the operations live in.
struct Rooms {
  registry::Registry& registry;
  registry::Policies& policies;
  registry::Retention& retention;
  scan::Scanning& scans;
  sign::Signing& signing;
  sync::Sync& sync;
  connect::Connections& connections;
  inventory::Inventory& inventory;
};

struct Options {
  std::string external_url;  // "https://registry.example"; empty: from each request's Host
};

class Huawei {
 public:
  Huawei(Rooms rooms, auth::Auth& auth, op::Audit& audit, const Clock& clock, Options options, Log log);
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

}  // namespace wharfage::huawei
