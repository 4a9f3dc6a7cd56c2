// Ids and names of a request become rows here, always inside what the caller may read: what lies outside is
// not found, whether it exists or not.
#pragma once

#include <cstdint>
#include <string>

#include "op/operation.h"
#include "registry/registry.h"

namespace wharfage::registry::ops {

// The first that is set counts: id, public id, name.
struct NamespaceRef {
  std::string name;
  std::string public_id;
  std::int64_t id = 0;
  bool empty() const { return name.empty() && public_id.empty() && id == 0; }
};
struct RepositoryRef {
  std::string namespace_name, name;
  std::string public_id;
  std::int64_t id = 0;
};

inline NamespaceRef space_of(const std::string& name) {
  return {.name = name, .public_id = {}, .id = 0};
}
inline RepositoryRef repository_of(const std::string& space, const std::string& name) {
  return {.namespace_name = space, .name = name, .public_id = {}, .id = 0};
}

// Whoever asks.
Result<Namespace> any_namespace(Registry& registry, const NamespaceRef& ref);

// missing_parameter, namespace_unknown, repository_unknown; unauthenticated for nobody.
Result<Namespace> find_namespace(Registry& registry, op::Context& context, const NamespaceRef& ref);
Result<Repository> find_repository(Registry& registry, op::Context& context, const RepositoryRef& ref);

// What the registry says of one that does not exist.
Error absent(const NamespaceRef& ref);

auth::Resource resource_of(const Namespace& space);
// Of what lies in it and is not public with it (op/visible.h).
Result<auth::Resource> inside(Registry& registry, op::Context& context, const NamespaceRef& ref);
Result<auth::Resource> inside(Registry& registry, op::Context& context, const RepositoryRef& ref);
Result<auth::Resource> resource_of(Registry& registry, op::Context& context, const RepositoryRef& ref);

// The base of operations on what lies in a namespace or a repository. Their request names it: as its member
// `space` or `repository`, or by being such a name itself.
struct Inside {
  template <class Room, class Request>
  static Result<auth::Resource> resource(Room& room, op::Context& context, const Request& request) {
    if constexpr (requires { request.space; }) {
      return inside(room.registry(), context, request.space);
    } else if constexpr (requires { request.repository; }) {
      return inside(room.registry(), context, request.repository);
    } else {
      return inside(room.registry(), context, request);
    }
  }
};

}  // namespace wharfage::registry::ops
