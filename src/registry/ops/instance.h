// Operations on the instance itself: who it is, how much it holds. Any user may ask.
#pragma once

#include "registry/ops/scope.h"

namespace wharfage::registry::ops {

struct GetInstance {
  static constexpr op::Declaration declaration{"registry:GetInstance", auth::Access::read};
  struct Request {};
  using Response = Instance;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

struct GetUsage {
  static constexpr op::Declaration declaration{"registry:GetUsage", auth::Access::read};
  struct Request {};
  using Response = Registry::Usage;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

}  // namespace wharfage::registry::ops
