// The operations of signing. Facades call these; what they may do is decided by op::invoke.
#pragma once

#include "op/operation.h"
#include "sign/signing.h"

namespace wharfage::sign {

// Policies, executions and tasks are always named together with the namespace they live in.
struct PolicyPath {
  std::string namespace_name;
  std::int64_t policy_id = 0;
};

struct CreateKey {
  static constexpr op::Declaration declaration{"sign:CreateKey", auth::Access::administer};
  struct Request {
    std::string name;
  };
  using Response = Key;
  static Result<auth::Resource> resource(Signing& room, op::Context& context, const Request& request);
  static Result<Response> run(Signing& room, op::Context& context, const Request& request);
};

struct GetKey {
  static constexpr op::Declaration declaration{"sign:GetKey", auth::Access::read};
  struct Request {
    std::string uuid;
  };
  using Response = Key;
  static Result<auth::Resource> resource(Signing& room, op::Context& context, const Request& request);
  static Result<Response> run(Signing& room, op::Context& context, const Request& request);
};

struct ListKeys {
  static constexpr op::Declaration declaration{"sign:ListKeys", auth::Access::read};
  struct Request {};
  using Response = std::vector<Key>;
  static Result<auth::Resource> resource(Signing& room, op::Context& context, const Request& request);
  static Result<Response> run(Signing& room, op::Context& context, const Request& request);
};

struct DeleteKey {
  static constexpr op::Declaration declaration{"sign:DeleteKey", auth::Access::administer};
  struct Request {
    std::string uuid;
  };
  using Response = op::Nothing;
  static Result<auth::Resource> resource(Signing& room, op::Context& context, const Request& request);
  static Result<Response> run(Signing& room, op::Context& context, const Request& request);
};

struct CreatePolicy {
  static constexpr op::Declaration declaration{"sign:CreatePolicy", auth::Access::manage};
  struct Request {
    Policy policy;  // namespace_name names its namespace; id, creator and times are set by us
  };
  using Response = Policy;
  static Result<auth::Resource> resource(Signing& room, op::Context& context, const Request& request);
  static Result<Response> run(Signing& room, op::Context& context, const Request& request);
};

struct ListPolicies {
  static constexpr op::Declaration declaration{"sign:ListPolicies", auth::Access::read};
  struct Request {
    Slice slice;
  };
  using Response = Page<Policy>;
  static Result<auth::Resource> resource(Signing& room, op::Context& context, const Request& request);
  static Result<Response> run(Signing& room, op::Context& context, const Request& request);
};

struct GetPolicy {
  static constexpr op::Declaration declaration{"sign:GetPolicy", auth::Access::read};
  using Request = PolicyPath;
  using Response = Policy;
  static Result<auth::Resource> resource(Signing& room, op::Context& context, const Request& request);
  static Result<Response> run(Signing& room, op::Context& context, const Request& request);
};

struct UpdatePolicy {
  static constexpr op::Declaration declaration{"sign:UpdatePolicy", auth::Access::manage};
  struct Request {
    Policy policy;  // namespace_name and id name it
  };
  using Response = op::Nothing;
  static Result<auth::Resource> resource(Signing& room, op::Context& context, const Request& request);
  static Result<Response> run(Signing& room, op::Context& context, const Request& request);
};

struct DeletePolicy {
  static constexpr op::Declaration declaration{"sign:DeletePolicy", auth::Access::manage};
  using Request = PolicyPath;
  using Response = op::Nothing;
  static Result<auth::Resource> resource(Signing& room, op::Context& context, const Request& request);
  static Result<Response> run(Signing& room, op::Context& context, const Request& request);
};

struct ExecutePolicy {
  static constexpr op::Declaration declaration{"sign:ExecutePolicy", auth::Access::manage};
  using Request = PolicyPath;
  using Response = std::int64_t;  // the execution
  static Result<auth::Resource> resource(Signing& room, op::Context& context, const Request& request);
  static Result<Response> run(Signing& room, op::Context& context, const Request& request);
};

struct ListExecutions {
  static constexpr op::Declaration declaration{"sign:ListExecutions", auth::Access::read};
  struct Request : PolicyPath {
    Slice slice;
  };
  using Response = Page<Execution>;
  static Result<auth::Resource> resource(Signing& room, op::Context& context, const Request& request);
  static Result<Response> run(Signing& room, op::Context& context, const Request& request);
};

struct ListTasks {
  static constexpr op::Declaration declaration{"sign:ListTasks", auth::Access::read};
  struct Request : PolicyPath {
    std::int64_t execution_id = 0;
    Slice slice;
  };
  using Response = Page<Task>;
  static Result<auth::Resource> resource(Signing& room, op::Context& context, const Request& request);
  static Result<Response> run(Signing& room, op::Context& context, const Request& request);
};

struct ListSubTasks {
  static constexpr op::Declaration declaration{"sign:ListSubTasks", auth::Access::read};
  struct Request : PolicyPath {
    std::int64_t execution_id = 0, task_id = 0;
    std::string status;  // "" : all
    Slice slice;
  };
  using Response = Page<SubTask>;
  static Result<auth::Resource> resource(Signing& room, op::Context& context, const Request& request);
  static Result<Response> run(Signing& room, op::Context& context, const Request& request);
};

}  // namespace wharfage::sign
