#include "registry/ops/maintenance.h"

namespace wharfage::registry::ops {
namespace {

auth::Resource installation(std::string name) {
  return {0, std::move(name), false};
}

}  // namespace

Result<auth::Resource> BeginMaintenance::resource(Maintenance&, op::Context&, const Request& request) {
  return installation(request.kind);
}
Result<MaintenanceRun> BeginMaintenance::run(Maintenance& room, op::Context&, const Request& request) {
  return room.begin(request);
}

Result<auth::Resource> GetMaintenance::resource(Maintenance&, op::Context&, const Request& request) {
  return installation(request.id);
}
Result<MaintenanceRun> GetMaintenance::run(Maintenance& room, op::Context&, const Request& request) {
  return room.get(request.id);
}

Result<auth::Resource> ListMaintenance::resource(Maintenance&, op::Context&, const Request&) {
  return installation("");
}
Result<std::vector<MaintenanceRun>> ListMaintenance::run(Maintenance& room, op::Context&, const Request&) {
  return room.list(runs_kept_max);
}

}  // namespace wharfage::registry::ops
