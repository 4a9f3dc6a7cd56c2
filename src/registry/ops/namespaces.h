// Operations on namespaces. Only administrators create them; whoever manages one may change it and, once it
// is empty, delete it. A list shows what the caller may read.
#pragma once

#include <optional>
#include <string>

#include "registry/ops/scope.h"

namespace wharfage::registry::ops {

struct CreateNamespace {
  static constexpr op::Declaration declaration{"registry:CreateNamespace", auth::Access::administer};
  using Request = Registry::NewNamespace;
  using Response = Namespace;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

struct GetNamespace {
  static constexpr op::Declaration declaration{"registry:GetNamespace", auth::Access::read};
  using Request = NamespaceRef;
  using Response = Namespace;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

struct ListNamespaces {
  static constexpr op::Declaration declaration{"registry:ListNamespaces", auth::Access::read, true};
  struct Request {
    std::string name_contains;
    std::optional<bool> is_public;
    bool newest_first = false;
    Slice slice;
  };
  using Response = Page<Namespace>;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

struct UpdateNamespace {
  static constexpr op::Declaration declaration{"registry:UpdateNamespace", auth::Access::manage};
  struct Request {
    NamespaceRef space;
    std::optional<bool> is_public, auto_create;
    std::optional<std::string> metadata;
  };
  using Response = Namespace;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

struct DeleteNamespace {
  static constexpr op::Declaration declaration{"registry:DeleteNamespace", auth::Access::manage};
  using Request = NamespaceRef;
  using Response = op::Nothing;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

}  // namespace wharfage::registry::ops
