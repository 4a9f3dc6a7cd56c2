// Operations on what a namespace decides about its images, on the history of tags and on what was deleted.
// Whoever may read sees rules and history; a developer may put a tag back, whoever may delete may bring back
// what was deleted, whoever manages the namespace changes its rules and purges. The room is Policies.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "registry/ops/scope.h"
#include "registry/policies.h"

namespace wharfage::registry::ops {

struct ImmutabilityRuleRef {
  NamespaceRef space;
  std::int64_t id = 0;
};

struct ListImmutabilityRules : Inside {
  static constexpr op::Declaration declaration{"registry:ListImmutabilityRules", auth::Access::read};
  using Request = NamespaceRef;
  using Response = std::vector<ImmutabilityRule>;
  static Result<Response> run(Policies& room, op::Context& context, const Request& request);
};

// Of every namespace the caller may read.
struct ListAllImmutabilityRules {
  static constexpr op::Declaration declaration{"registry:ListAllImmutabilityRules", auth::Access::read, true};
  struct Request {
    std::int64_t namespace_id = 0;  // 0: of all of them
    Slice slice;
  };
  using Response = Page<LocatedRule>;
  static Result<auth::Resource> resource(Policies& room, op::Context& context, const Request& request);
  static Result<Response> run(Policies& room, op::Context& context, const Request& request);
};

struct CreateImmutabilityRule : Inside {
  static constexpr op::Declaration declaration{"registry:CreateImmutabilityRule", auth::Access::manage};
  struct Request {
    NamespaceRef space;
    ImmutabilityRule rule;  // namespace, creator, id and times are filled in
  };
  using Response = ImmutabilityRule;
  static Result<Response> run(Policies& room, op::Context& context, const Request& request);
};

struct GetImmutabilityRule : Inside {
  static constexpr op::Declaration declaration{"registry:GetImmutabilityRule", auth::Access::read};
  using Request = ImmutabilityRuleRef;
  using Response = ImmutabilityRule;
  static Result<Response> run(Policies& room, op::Context& context, const Request& request);
};

struct UpdateImmutabilityRule : Inside {
  static constexpr op::Declaration declaration{"registry:UpdateImmutabilityRule", auth::Access::manage};
  struct Request {
    NamespaceRef space;
    ImmutabilityRule rule;  // by id; name, selector and enabled are replaced
  };
  using Response = ImmutabilityRule;
  static Result<Response> run(Policies& room, op::Context& context, const Request& request);
};

struct DeleteImmutabilityRule : Inside {
  static constexpr op::Declaration declaration{"registry:DeleteImmutabilityRule", auth::Access::manage};
  using Request = ImmutabilityRuleRef;
  using Response = op::Nothing;
  static Result<Response> run(Policies& room, op::Context& context, const Request& request);
};

// Makes every tag of a namespace immutable by one rule, or drops such rules.
struct SetImmutable : Inside {
  static constexpr op::Declaration declaration{"registry:SetImmutable", auth::Access::manage};
  struct Request {
    NamespaceRef space;
    bool immutable = true;
  };
  using Response = op::Nothing;
  static Result<Response> run(Policies& room, op::Context& context, const Request& request);
};

struct QuotaReport {
  Quota quota;
  NamespaceUsage usage;
};
struct GetQuota : Inside {
  static constexpr op::Declaration declaration{"registry:GetQuota", auth::Access::read};
  using Request = NamespaceRef;
  using Response = QuotaReport;
  static Result<Response> run(Policies& room, op::Context& context, const Request& request);
};

// The administrators': who fills a namespace does not say how much it may hold.
struct SetQuota : Inside {
  static constexpr op::Declaration declaration{"registry:SetQuota", auth::Access::administer};
  struct Request {
    NamespaceRef space;
    Quota quota;
  };
  using Response = QuotaReport;
  static Result<Response> run(Policies& room, op::Context& context, const Request& request);
};

struct ListTagHistory : Inside {
  static constexpr op::Declaration declaration{"registry:ListTagHistory", auth::Access::read};
  struct Request {
    RepositoryRef repository;
    std::string tag;  // "": of all
    std::optional<TagChangeKey> after;
    std::int64_t limit = 50;
  };
  using Response = std::vector<TagChange>;
  static Result<Response> run(Policies& room, op::Context& context, const Request& request);
};

struct RestoreTag : Inside {
  static constexpr op::Declaration declaration{"registry:RestoreTag", auth::Access::write};
  struct Request {
    RepositoryRef repository;
    std::string tag, digest;
  };
  using Response = Tag;
  static Result<Response> run(Policies& room, op::Context& context, const Request& request);
};

struct Deleted {
  std::vector<DeletedManifest> images;
  std::vector<DeletedTag> tags;
};
struct ListDeleted : Inside {
  static constexpr op::Declaration declaration{"registry:ListDeleted", auth::Access::remove};
  struct Request {
    RepositoryRef repository;
    Slice slice;  // of each of the two
  };
  using Response = Deleted;
  static Result<Response> run(Policies& room, op::Context& context, const Request& request);
};

// A digest or a tag of what was deleted.
struct RestoreDeleted : Inside {
  static constexpr op::Declaration declaration{"registry:RestoreDeleted", auth::Access::remove};
  struct Request {
    RepositoryRef repository;
    std::string reference;
  };
  using Response = Manifest;  // that is there again
  static Result<Response> run(Policies& room, op::Context& context, const Request& request);
};

struct PurgeDeleted : Inside {
  static constexpr op::Declaration declaration{"registry:PurgeDeleted", auth::Access::manage};
  struct Request {
    RepositoryRef repository;
    std::string digest;
  };
  using Response = op::Nothing;
  static Result<Response> run(Policies& room, op::Context& context, const Request& request);
};

// Of the whole namespace, its deleted repositories included; it goes within the next reclaiming run.
struct PurgeNamespace : Inside {
  static constexpr op::Declaration declaration{"registry:PurgeNamespace", auth::Access::manage};
  using Request = NamespaceRef;
  using Response = op::Nothing;
  static Result<Response> run(Policies& room, op::Context& context, const Request& request);
};

struct ListDeletedRepositories : Inside {
  static constexpr op::Declaration declaration{"registry:ListDeletedRepositories", auth::Access::manage};
  struct Request {
    NamespaceRef space;
    Slice slice;
  };
  using Response = std::vector<DeletedRepository>;
  static Result<Response> run(Policies& room, op::Context& context, const Request& request);
};

struct DeletedRepositoryRef {
  NamespaceRef space;
  std::int64_t id = 0;
};

struct RestoreRepository : Inside {
  static constexpr op::Declaration declaration{"registry:RestoreRepository", auth::Access::manage};
  using Request = DeletedRepositoryRef;
  using Response = Repository;
  static Result<Response> run(Policies& room, op::Context& context, const Request& request);
};

struct PurgeRepository : Inside {
  static constexpr op::Declaration declaration{"registry:PurgeRepository", auth::Access::manage};
  using Request = DeletedRepositoryRef;
  using Response = op::Nothing;
  static Result<Response> run(Policies& room, op::Context& context, const Request& request);
};

}  // namespace wharfage::registry::ops
