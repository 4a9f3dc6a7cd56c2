// Operations on tags.
#pragma once

#include <string>

#include "registry/ops/scope.h"

namespace wharfage::registry::ops {

struct ListTags {
  static constexpr op::Declaration declaration{"registry:ListTags", auth::Access::read};
  struct Request {
    RepositoryRef repository;
    bool with_accessories = false;
    std::string name_contains;
    Slice slice;
  };
  using Response = Page<Tag>;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

struct GetTag {
  static constexpr op::Declaration declaration{"registry:GetTag", auth::Access::read};
  struct Request {
    RepositoryRef repository;
    std::string tag;
  };
  using Response = Tag;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

// A further tag for the image that `reference` (a tag or digest) names.
struct CreateTag {
  static constexpr op::Declaration declaration{"registry:CreateTag", auth::Access::write};
  struct Request {
    RepositoryRef repository;
    std::string reference, tag;
  };
  using Response = Tag;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

struct DeleteTag {
  static constexpr op::Declaration declaration{"registry:DeleteTag", auth::Access::remove};
  struct Request {
    RepositoryRef repository;
    std::string tag;
  };
  using Response = op::Nothing;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

}  // namespace wharfage::registry::ops
