#include <array>

#include "facade/huawei/route.h"

namespace wharfage::huawei {
namespace {

using Family = std::span<const Route> (*)();

constexpr std::array<Family, 17> families{&instance_routes,
                                          &namespace_routes,
                                          &repository_routes,
                                          &artifact_routes,
                                          &sign_routes,
                                          &immutable_routes,
                                          &retention_routes,
                                          &retention_execution_routes,
                                          &repository_retention_routes,
                                          &replication_registry_routes,
                                          &replication_policy_routes,
                                          &replication_execution_routes,
                                          &credential_routes,
                                          &hss_task_routes,
                                          &hss_image_routes,
                                          &hss_registry_routes,
                                          &iam_routes};

Service service_of(std::string_view path) {
  if (path.substr(0, 4) == "/v5/") return Service::hss;
  return path.substr(0, 3) == "/v3" ? Service::iam : Service::swr;
}

}  // namespace

std::vector<const Route*> routes() {
  std::vector<const Route*> all;
  for (Family family : families) {
    for (const Route& route : family()) all.push_back(&route);
  }
  return all;
}

Match find_route(std::string_view method, std::string_view path) {
  Match match;
  match.service = service_of(path);
  for (const Route* route : routes()) {
    Params variables;
    if (!op::match_path(route->path, path, variables)) continue;
    if (route->method != method) {
      match.other_method = true;
      continue;
    }
    match.route = route;
    match.service = static_cast<Service>(route->service);
    match.variables = std::move(variables);
    return match;
  }
  return match;
}

Result<registry::Slice> swr_page(std::optional<std::int64_t> offset, std::optional<std::int64_t> limit,
                                 std::int64_t limit_default) {
  constexpr std::int64_t limit_max = 100;
  registry::Slice slice{offset.value_or(0), limit.value_or(limit_default)};
  if (slice.limit < 1 || slice.limit > limit_max) {
    return fail(Reason::invalid_parameter, "limit must be between 1 and 100", "limit");
  }
  if (slice.offset < 0 || slice.offset % slice.limit != 0) {
    return fail(Reason::invalid_parameter, "offset must be 0 or a multiple of limit", "offset");
  }
  return slice;
}

Result<registry::Slice> hss_page(std::optional<std::int64_t> offset, std::optional<std::int64_t> limit,
                                 std::int64_t limit_low) {
  constexpr std::int64_t offset_max = 2'000'000, limit_max = 200;
  registry::Slice slice{offset.value_or(0), limit.value_or(10)};
  if (slice.limit < limit_low || slice.limit > limit_max) {
    return fail(Reason::invalid_parameter, "limit is out of range", "limit");
  }
  if (slice.offset < 0 || slice.offset > offset_max) {
    return fail(Reason::invalid_parameter, "offset must be between 0 and 2000000", "offset");
  }
  return slice;
}

}  // namespace wharfage::huawei
