// The operations on single copies. Whoever may write in the namespace an image comes from may copy it to a
// connected registry; a copy inside this registry also needs write access where it goes.
#pragma once

#include "op/operation.h"
#include "sync/sync.h"

namespace wharfage::sync::ops {

struct CreateTask {
  static constexpr op::Declaration declaration{"sync:CreateTask", auth::Access::write};
  struct Request {
    std::string repository_public_id;           // "crr-…"; or
    std::string source_namespace, source_name;  // when that is empty
    std::string tag;
    // The target: a connection by number or UUID ("link"), or by alias and region.
    std::string link, alias, region;
    std::string target_namespace, target_repository, target_tag;
    bool overwrite = false;
  };
  using Response = Task;
  static Result<auth::Resource> resource(Sync& room, op::Context& context, const Request& request);
  static Result<Response> run(Sync& room, op::Context& context, const Request& request);
};

struct CreateTaskByRule {
  static constexpr op::Declaration declaration{"sync:CreateTaskByRule", auth::Access::write};
  struct Request {
    std::string rule_public_id, repository_public_id, tag;
  };
  using Response = Task;
  static Result<auth::Resource> resource(Sync& room, op::Context& context, const Request& request);
  static Result<Response> run(Sync& room, op::Context& context, const Request& request);
};

struct GetTask {
  static constexpr op::Declaration declaration{"sync:GetTask", auth::Access::read};
  struct Request {
    std::string public_id;
  };
  struct Response {
    Task task;
    std::vector<Layer> layers;
  };
  static Result<auth::Resource> resource(Sync& room, op::Context& context, const Request& request);
  static Result<Response> run(Sync& room, op::Context& context, const Request& request);
};

struct ListTasks {
  static constexpr op::Declaration declaration{"sync:ListTasks", auth::Access::read};
  struct Request {
    TaskFilter filter;  // readable is filled in from the caller
    Slice slice;
  };
  using Response = Page<Task>;
  static Result<auth::Resource> resource(Sync& room, op::Context& context, const Request& request);
  static Result<Response> run(Sync& room, op::Context& context, const Request& request);
};

struct CancelTask {
  static constexpr op::Declaration declaration{"sync:CancelTask", auth::Access::write};
  struct Request {
    std::string public_id;
  };
  using Response = op::Nothing;
  static Result<auth::Resource> resource(Sync& room, op::Context& context, const Request& request);
  static Result<Response> run(Sync& room, op::Context& context, const Request& request);
};

// Where else an image is: for its waybill.
struct ListCopies {
  static constexpr op::Declaration declaration{"sync:ListCopies", auth::Access::read};
  struct Request {
    std::int64_t repository_id = 0;
    std::string digest;
  };
  using Response = std::vector<Copy>;
  static Result<auth::Resource> resource(Sync& room, op::Context& context, const Request& request);
  static Result<Response> run(Sync& room, op::Context& context, const Request& request);
};

// How ACR names a target: a link (connection number or UUID) wins over alias and region. connection_unknown.
Result<connect::Connection> find_target(Sync& room, const std::string& link, const std::string& alias,
                                        const std::string& region);

}  // namespace wharfage::sync::ops
