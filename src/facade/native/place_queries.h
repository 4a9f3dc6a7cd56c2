// What the routes below /api/v1/namespaces/{namespace} are asked by, and whom that names, alike in all of
// their files.
#pragma once

#include <cstdint>
#include <string>

#include "registry/ops/scope.h"
#include "wire/schema.h"

namespace wharfage::native {

struct SpaceQuery {
  std::string space;
  static constexpr auto fields() {
    return std::array{wire::field<&SpaceQuery::space>("namespace", wire::required)};
  }
};

struct NumberQuery {
  std::string space;
  std::int64_t id = 0;
  static constexpr auto fields() {
    return std::array{wire::field<&NumberQuery::space>("namespace", wire::required),
                      wire::field<&NumberQuery::id>("id", wire::required)};
  }
};

struct RepositoryQuery {
  std::string space;
  std::string repository;
  static constexpr auto fields() {
    return std::array{wire::field<&RepositoryQuery::space>("namespace", wire::required),
                      wire::field<&RepositoryQuery::repository>("repository", wire::required)};
  }
};

using registry::ops::repository_of;
using registry::ops::space_of;

}  // namespace wharfage::native
