// Operations on retention: who may read sees rules and runs, who manages the namespace changes and starts
// them. The room is Retention.
#pragma once

#include <string>
#include <vector>

#include "registry/ops/scope.h"
#include "registry/retention.h"

namespace wharfage::registry::ops {

struct GetRetention : Inside {
  static constexpr op::Declaration declaration{"registry:GetRetention", auth::Access::read};
  using Request = NamespaceRef;
  using Response = RetentionPolicy;
  static Result<Response> run(Retention& room, op::Context& context, const Request& request);
};

// Of every namespace the caller may read.
struct ListAllRetention {
  static constexpr op::Declaration declaration{"registry:ListAllRetention", auth::Access::read, true};
  struct Request {
    std::int64_t namespace_id = 0;  // 0: of all of them
    std::string name;               // "": any
    Slice slice;
  };
  using Response = Page<LocatedRetention>;
  static Result<auth::Resource> resource(Retention& room, op::Context& context, const Request& request);
  static Result<Response> run(Retention& room, op::Context& context, const Request& request);
};

struct SetRetention : Inside {
  static constexpr op::Declaration declaration{"registry:SetRetention", auth::Access::manage};
  struct Request {
    NamespaceRef space;
    RetentionPolicy policy;  // namespace, times and who sets it are filled in
  };
  using Response = RetentionPolicy;
  static Result<Response> run(Retention& room, op::Context& context, const Request& request);
};

struct RunRetention : Inside {
  static constexpr op::Declaration declaration{"registry:RunRetention", auth::Access::manage};
  struct Request {
    NamespaceRef space;
    bool dry = false;
  };
  using Response = RetentionRun;
  static Result<Response> run(Retention& room, op::Context& context, const Request& request);
};

struct ListRetentionRuns : Inside {
  static constexpr op::Declaration declaration{"registry:ListRetentionRuns", auth::Access::read};
  struct Request {
    NamespaceRef space;
    Slice slice;
  };
  using Response = Page<RetentionRun>;
  static Result<Response> run(Retention& room, op::Context& context, const Request& request);
};

struct RetentionRunRef {
  NamespaceRef space;
  std::int64_t id = 0;
};

struct GetRetentionRun : Inside {
  static constexpr op::Declaration declaration{"registry:GetRetentionRun", auth::Access::read};
  using Request = RetentionRunRef;
  using Response = RetentionRun;
  static Result<Response> run(Retention& room, op::Context& context, const Request& request);
};

struct ListRetentionItems : Inside {
  static constexpr op::Declaration declaration{"registry:ListRetentionItems", auth::Access::read};
  struct Request {
    NamespaceRef space;
    std::int64_t run_id = 0;
    std::string outcome;  // "": all
    std::int64_t after = 0, limit = 50;
  };
  using Response = std::vector<RetentionItem>;
  static Result<Response> run(Retention& room, op::Context& context, const Request& request);
};

struct ListRetentionTasks : Inside {
  static constexpr op::Declaration declaration{"registry:ListRetentionTasks", auth::Access::read};
  struct Request {
    NamespaceRef space;
    std::int64_t run_id = 0;
    std::string status;  // "": all; "succeeded", "failed"
    Slice slice;
  };
  using Response = Page<RetentionTask>;
  static Result<Response> run(Retention& room, op::Context& context, const Request& request);
};

struct ListRetentionTaskItems : Inside {
  static constexpr op::Declaration declaration{"registry:ListRetentionTaskItems", auth::Access::read};
  struct Request {
    NamespaceRef space;
    std::int64_t run_id = 0, repository_id = 0;
    std::string outcome;  // "": all; "removed", "failed"
    Slice slice;
  };
  struct Response {
    RetentionTask task;
    Page<RetentionItem> items;
  };
  static Result<Response> run(Retention& room, op::Context& context, const Request& request);
};

// ---- the rules of one repository

struct GetRepositoryRetention : Inside {
  static constexpr op::Declaration declaration{"registry:GetRepositoryRetention", auth::Access::read};
  using Request = RepositoryRef;
  struct Response {
    Repository repository;
    std::vector<RetentionRule> rules;
  };
  static Result<Response> run(Retention& room, op::Context& context, const Request& request);
};

// They change what happens in the namespace, so its managers set them; no rules: drops them.
struct SetRepositoryRetention : Inside {
  static constexpr op::Declaration declaration{"registry:SetRepositoryRetention", auth::Access::manage};
  struct Request {
    RepositoryRef repository;
    std::vector<RetentionRule> rules;
  };
  using Response = Repository;
  static Result<Response> run(Retention& room, op::Context& context, const Request& request);
};

struct ListRemovedTags : Inside {
  static constexpr op::Declaration declaration{"registry:ListRemovedTags", auth::Access::read};
  struct Request {
    RepositoryRef repository;
    Slice slice;
  };
  using Response = Page<TagChange>;
  static Result<Response> run(Retention& room, op::Context& context, const Request& request);
};

struct CancelRetentionRun : Inside {
  static constexpr op::Declaration declaration{"registry:CancelRetentionRun", auth::Access::manage};
  using Request = RetentionRunRef;
  using Response = op::Nothing;
  static Result<Response> run(Retention& room, op::Context& context, const Request& request);
};

}  // namespace wharfage::registry::ops
