// The operations on the inventory. Starting a run talks to every registry with the installation's credentials
// and is the administrators'; everybody who is signed in may read what was found, of our own registry only
// what is in namespaces he may read.
#pragma once

#include "inventory/inventory.h"
#include "op/operation.h"

namespace wharfage::inventory::ops {

struct CreateTask {
  static constexpr op::Declaration declaration{"inventory:CreateTask", auth::Access::administer};
  using Request = NewTask;  // creator is filled in from the caller
  using Response = Task;
  static Result<auth::Resource> resource(Inventory& room, op::Context& context, const Request& request);
  static Result<Response> run(Inventory& room, op::Context& context, const Request& request);
};

struct GetTask {
  static constexpr op::Declaration declaration{"inventory:GetTask", auth::Access::read};
  struct Request {
    std::string task_id;
  };
  using Response = Task;
  static Result<auth::Resource> resource(Inventory& room, op::Context& context, const Request& request);
  static Result<Response> run(Inventory& room, op::Context& context, const Request& request);
};

struct ListTasks {
  static constexpr op::Declaration declaration{"inventory:ListTasks", auth::Access::read};
  struct Request {
    TaskFilter filter;
    Slice slice;
  };
  using Response = Page<Task>;
  static Result<auth::Resource> resource(Inventory& room, op::Context& context, const Request& request);
  static Result<Response> run(Inventory& room, op::Context& context, const Request& request);
};

struct ListTaskRegistries {
  static constexpr op::Declaration declaration{"inventory:ListTaskRegistries", auth::Access::read};
  struct Request {
    std::string task_id;
    RegistryFilter filter;
    Slice slice;
  };
  using Response = Page<TaskRegistry>;
  static Result<auth::Resource> resource(Inventory& room, op::Context& context, const Request& request);
  static Result<Response> run(Inventory& room, op::Context& context, const Request& request);
};

struct ListImages {
  static constexpr op::Declaration declaration{"inventory:ListImages", auth::Access::read};
  struct Request {
    ImageFilter filter;  // readable is filled in from the caller
    Slice slice;
  };
  using Response = Page<Image>;
  static Result<auth::Resource> resource(Inventory& room, op::Context& context, const Request& request);
  static Result<Response> run(Inventory& room, op::Context& context, const Request& request);
};

}  // namespace wharfage::inventory::ops
