// The operations on synchronisation rules and their executions. A rule belongs to the namespace it copies
// from and is managed by its maintainers; one that also writes into this registry (a copy inside it) needs
// write access there, and one that fetches from elsewhere with the installation's credentials, or spans
// namespaces, is the administrators'.
#pragma once

#include "op/operation.h"
#include "sync/sync.h"

namespace wharfage::sync::ops {

// A rule is named by number (SWR) or by public id (cr): whichever is set.
struct RuleKey {
  std::int64_t id = 0;
  std::string public_id;
};
// What is not set is any; execution ids are searched inside the rules the caller may read.
struct ExecutionKey {
  std::int64_t execution_id = 0;
};

struct CreateRule {
  static constexpr op::Declaration declaration{"sync:CreateRule", auth::Access::manage};
  using Request = Rule;  // creator, ids and times are filled in
  using Response = Rule;
  static Result<auth::Resource> resource(Sync& room, op::Context& context, const Request& request);
  static Result<Response> run(Sync& room, op::Context& context, const Request& request);
};

struct GetRule {
  static constexpr op::Declaration declaration{"sync:GetRule", auth::Access::read};
  using Request = RuleKey;
  using Response = Rule;
  static Result<auth::Resource> resource(Sync& room, op::Context& context, const Request& request);
  static Result<Response> run(Sync& room, op::Context& context, const Request& request);
};

struct ListRules {
  static constexpr op::Declaration declaration{"sync:ListRules", auth::Access::read};
  struct Request {
    RuleFilter filter;  // readable is filled in from the caller
    Slice slice;
  };
  using Response = Page<Rule>;
  static Result<auth::Resource> resource(Sync& room, op::Context& context, const Request& request);
  static Result<Response> run(Sync& room, op::Context& context, const Request& request);
};

struct UpdateRule {
  static constexpr op::Declaration declaration{"sync:UpdateRule", auth::Access::manage};
  using Request = Rule;  // by id; everything but ids, creator and times is replaced
  using Response = Rule;
  static Result<auth::Resource> resource(Sync& room, op::Context& context, const Request& request);
  static Result<Response> run(Sync& room, op::Context& context, const Request& request);
};

struct DeleteRule {
  static constexpr op::Declaration declaration{"sync:DeleteRule", auth::Access::manage};
  using Request = RuleKey;
  using Response = op::Nothing;
  static Result<auth::Resource> resource(Sync& room, op::Context& context, const Request& request);
  static Result<Response> run(Sync& room, op::Context& context, const Request& request);
};

struct ExecuteRule {
  static constexpr op::Declaration declaration{"sync:ExecuteRule", auth::Access::write};
  using Request = RuleKey;
  struct Response {
    std::int64_t execution_id = 0;
  };
  static Result<auth::Resource> resource(Sync& room, op::Context& context, const Request& request);
  static Result<Response> run(Sync& room, op::Context& context, const Request& request);
};

struct ListExecutions {
  static constexpr op::Declaration declaration{"sync:ListExecutions", auth::Access::read};
  struct Request {
    std::int64_t rule_id = 0;  // 0: of all rules the caller may read
    Slice slice;
  };
  using Response = Page<Execution>;
  static Result<auth::Resource> resource(Sync& room, op::Context& context, const Request& request);
  static Result<Response> run(Sync& room, op::Context& context, const Request& request);
};

struct GetExecution {
  static constexpr op::Declaration declaration{"sync:GetExecution", auth::Access::read};
  using Request = ExecutionKey;
  using Response = Execution;
  static Result<auth::Resource> resource(Sync& room, op::Context& context, const Request& request);
  static Result<Response> run(Sync& room, op::Context& context, const Request& request);
};

struct StopExecution {
  static constexpr op::Declaration declaration{"sync:StopExecution", auth::Access::write};
  using Request = ExecutionKey;
  using Response = op::Nothing;
  static Result<auth::Resource> resource(Sync& room, op::Context& context, const Request& request);
  static Result<Response> run(Sync& room, op::Context& context, const Request& request);
};

// One per repository: what SWR calls the tasks of an execution.
struct ListGroups {
  static constexpr op::Declaration declaration{"sync:ListExecutionTasks", auth::Access::read};
  struct Request {
    std::int64_t execution_id = 0;
    Slice slice;
  };
  using Response = Page<Group>;
  static Result<auth::Resource> resource(Sync& room, op::Context& context, const Request& request);
  static Result<Response> run(Sync& room, op::Context& context, const Request& request);
};

// One per tag: what SWR calls sub-tasks.
struct ListGroupTasks {
  static constexpr op::Declaration declaration{"sync:ListExecutionSubTasks", auth::Access::read};
  struct Request {
    std::int64_t execution_id = 0, group_id = 0;
    std::optional<State> state;
    Slice slice;
  };
  using Response = Page<Task>;
  static Result<auth::Resource> resource(Sync& room, op::Context& context, const Request& request);
  static Result<Response> run(Sync& room, op::Context& context, const Request& request);
};

}  // namespace wharfage::sync::ops
