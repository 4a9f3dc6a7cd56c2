// Operations on looking after the store. Administrators only.
#pragma once

#include <string>
#include <vector>

#include "op/operation.h"
#include "registry/maintenance.h"

namespace wharfage::registry::ops {

struct BeginMaintenance {
  static constexpr op::Declaration declaration{"registry:BeginMaintenance", auth::Access::administer};
  using Request = Maintenance::Wanted;
  using Response = MaintenanceRun;
  static Result<auth::Resource> resource(Maintenance& room, op::Context& context, const Request& request);
  static Result<Response> run(Maintenance& room, op::Context& context, const Request& request);
};

struct GetMaintenance {
  static constexpr op::Declaration declaration{"registry:GetMaintenance", auth::Access::administer};
  struct Request {
    std::string id;
  };
  using Response = MaintenanceRun;
  static Result<auth::Resource> resource(Maintenance& room, op::Context& context, const Request& request);
  static Result<Response> run(Maintenance& room, op::Context& context, const Request& request);
};

struct ListMaintenance {
  static constexpr op::Declaration declaration{"registry:ListMaintenance", auth::Access::administer};
  struct Request {};
  using Response = std::vector<MaintenanceRun>;
  static Result<auth::Resource> resource(Maintenance& room, op::Context& context, const Request& request);
  static Result<Response> run(Maintenance& room, op::Context& context, const Request& request);
};

}  // namespace wharfage::registry::ops
