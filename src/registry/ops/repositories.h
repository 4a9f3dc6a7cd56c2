// Operations on repositories. Whoever may push into a namespace may create one; settings and deletion are the
// managers'. A list shows what the caller may read: public repositories and those of readable namespaces.
#pragma once

#include <string>

#include "registry/ops/scope.h"

namespace wharfage::registry::ops {

struct CreateRepository {
  static constexpr op::Declaration declaration{"registry:CreateRepository", auth::Access::write};
  using Request = Registry::NewRepository;
  using Response = Repository;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

struct GetRepository {
  static constexpr op::Declaration declaration{"registry:GetRepository", auth::Access::read};
  using Request = RepositoryRef;
  using Response = Repository;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

struct ListRepositories {
  static constexpr op::Declaration declaration{"registry:ListRepositories", auth::Access::read, true};
  struct Request {
    NamespaceRef space;  // empty: of all
    std::string name_contains;
    bool newest_first = false;
    Slice slice;
  };
  using Response = Page<Repository>;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

struct UpdateRepository {
  static constexpr op::Declaration declaration{"registry:UpdateRepository", auth::Access::manage};
  struct Request {
    RepositoryRef repository;
    Registry::RepositoryChange change;
  };
  using Response = Repository;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

struct DeleteRepository {
  static constexpr op::Declaration declaration{"registry:DeleteRepository", auth::Access::manage};
  using Request = RepositoryRef;
  using Response = op::Nothing;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

}  // namespace wharfage::registry::ops
