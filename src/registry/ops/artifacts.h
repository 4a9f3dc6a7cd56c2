// Operations on manifests as people see them ("artifacts"), with their tags and what hangs on them:
// signatures and other accessories, and the history of their making.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "registry/ops/scope.h"

namespace wharfage::registry::ops {

struct Artifact {
  Manifest manifest;      // without bytes
  std::vector<Tag> tags;  // at most limits::artifact_tags_max; their manifest is not filled
};

bool is_chart(const Manifest& manifest);  // a Helm chart, told by its config

struct ListArtifacts {
  static constexpr op::Declaration declaration{"registry:ListArtifacts", auth::Access::read};
  static constexpr std::size_t tags_max = 100;
  struct Request {
    RepositoryRef repository;
    bool with_accessories = false;
    Slice slice;
    // Of these only, without accessories. At most tags_max.
    std::optional<Registry::Contents> contents = {};
    std::vector<std::string> tags = {};
  };
  using Response = Page<Artifact>;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

// Of everything the caller may read, by ascending id.
struct ListAllArtifacts {
  static constexpr op::Declaration declaration{"registry:ListAllArtifacts", auth::Access::read, true};
  struct Request {
    std::int64_t after_id = 0, limit = 50;
  };
  using Response = std::vector<Registry::Located>;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

struct GetArtifact {
  static constexpr op::Declaration declaration{"registry:GetArtifact", auth::Access::read};
  struct Request {
    RepositoryRef repository;
    std::string reference;  // tag or digest
  };
  using Response = Artifact;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

struct DeleteArtifact {
  static constexpr op::Declaration declaration{"registry:DeleteArtifact", auth::Access::remove};
  struct Request {
    RepositoryRef repository;
    std::string reference;  // a tag stands for its manifest, with all its tags
  };
  using Response = op::Nothing;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

struct Accessory {
  Manifest manifest;  // without bytes
  std::int64_t subject_id = 0;
  std::string type;  // signature.cosign, attestation.cosign, sbom.cosign, else the artifact type
};

struct ListAccessories {
  static constexpr op::Declaration declaration{"registry:ListAccessories", auth::Access::read};
  struct Request {
    RepositoryRef repository;
    std::string reference;
    std::string type;  // "": all
    Slice slice;
  };
  using Response = Page<Accessory>;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

struct HistoryStep {
  std::string created, created_by;  // as the image tells
  bool empty_layer = false;
  std::string media_type, digest;  // of its layer
  std::int64_t size = 0;
};

// From the image's config (image-spec config.md). Error: unsupported for what is no image.
struct GetHistory {
  static constexpr op::Declaration declaration{"registry:GetHistory", auth::Access::read};
  struct Request {
    RepositoryRef repository;
    std::string reference;
  };
  using Response = std::vector<HistoryStep>;
  static Result<auth::Resource> resource(Registry& room, op::Context& context, const Request& request);
  static Result<Response> run(Registry& room, op::Context& context, const Request& request);
};

}  // namespace wharfage::registry::ops
