// What a manifest says: read once, checked against the ways manifests have been used to confuse registries
// (an image that is also an index, a body that contradicts its Content-Type, doubled keys:
// GHSA-qq97-vm5h-rrhg). Formats: OCI image-spec manifest.md and image-index.md, docker's manifest v2
// schema 2. The bytes stay as they came; this is only what the registry must know of them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"

namespace wharfage::registry {

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::int64_t size = 0;
};

struct Document {
  bool index = false;         // an index or manifest list: has children; else config and layers
  std::string media_type;     // without parameters
  std::string artifact_type;  // artifactType, else of an image config.mediaType
  std::optional<Digest> subject;
  std::optional<Descriptor> config;
  std::vector<Descriptor> layers;    // of an image
  std::vector<Descriptor> children;  // of an index
};

// `content_type` "" is taken from the body's mediaType. Errors: too_large, unsupported (not a kind of
// manifest we keep), manifest_invalid.
Result<Document> parse_document(std::string_view bytes, std::string_view content_type);

bool is_manifest_type(std::string_view media_type);
// Layers that clients fetch elsewhere and do not push.
bool is_distributed_elsewhere(const Descriptor& layer);

}  // namespace wharfage::registry
