// What a namespace decides about its images, and what is kept of the decisions: immutability rules, the
// history of tags, and what was deleted and can come back. Plain values; policies.h has the functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "registry/registry.h"
#include "registry/selector.h"

namespace wharfage::registry {

// A tag that the selector selects can be made, but neither moved nor deleted, nor can its manifest.
struct ImmutabilityRule {
  std::int64_t id = 0, namespace_id = 0;
  std::string name;
  Selector selector;
  bool enabled = true;
  std::string creator;
  TimeMs created_at = 0, updated_at = 0;
};

// A rule, when rules of several namespaces are listed.
struct LocatedRule {
  ImmutabilityRule rule;
  std::string namespace_name;
};

// One change of a tag. Numbers are dense per tag and start at 1; the oldest are forgotten.
struct TagChange {
  std::int64_t repository_id = 0;
  std::string tag;
  std::int64_t number = 0;
  TimeMs at = 0;
  std::string from, to;  // digests; "" where there was or is none
  std::string actor;
  std::string origin;  // "push", "build", "sign", "sync", "retention", "restore", "api"

  std::string_view kind() const { return from.empty() ? "created" : to.empty() ? "deleted" : "moved"; }
};

// Where a page of the history goes on: after this change.
struct TagChangeKey {
  TimeMs at = 0;
  std::string tag;
  std::int64_t number = 0;
};

// What a namespace may hold; nullopt: as much as it likes. Tags of accessories do not count.
struct Quota {
  std::optional<std::int64_t> bytes, tags, repositories;
};
// What it holds: each blob once, whichever repositories have it, and every manifest; what was deleted and can
// come back is among it.
struct NamespaceUsage {
  std::int64_t repositories = 0, tags = 0, blobs = 0, bytes = 0;
};

// Gone, and kept until `purge_at`.
struct DeletedManifest {
  Manifest manifest;  // without bytes
  TimeMs deleted_at = 0, purge_at = 0;
  std::string actor, origin;
};
struct DeletedTag {
  std::int64_t repository_id = 0;
  std::string name;
  std::int64_t manifest_id = 0;
  std::string digest;  // what it pointed to
  TimeMs created_at = 0, deleted_at = 0, purge_at = 0;
  std::string actor, origin;
};
struct DeletedRepository {
  std::int64_t id = 0, namespace_id = 0;
  std::string name;  // below the namespace
  TimeMs deleted_at = 0, purge_at = 0;
  std::string actor;
};

}  // namespace wharfage::registry
