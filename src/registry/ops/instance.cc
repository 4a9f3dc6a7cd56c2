#include "registry/ops/instance.h"

namespace wharfage::registry::ops {

Result<auth::Resource> GetInstance::resource(Registry& room, op::Context&, const Request&) {
  return auth::Resource{.name = room.instance().cri_id};
}

Result<Instance> GetInstance::run(Registry& room, op::Context&, const Request&) {
  return room.instance();
}

Result<auth::Resource> GetUsage::resource(Registry& room, op::Context&, const Request&) {
  return auth::Resource{.name = room.instance().cri_id};
}

Result<Registry::Usage> GetUsage::run(Registry& room, op::Context&, const Request&) {
  return room.usage();
}

}  // namespace wharfage::registry::ops
