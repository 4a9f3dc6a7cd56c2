// One row of the route table: method, path template, success status and the function between wire and
// operation:
//
//   Result<Reply> list_tasks(Call& call, const Query& query, const NoBody&);  // path and query members in
//   Query route<&list_tasks>("GET", "/v2/{project_id}/instances/{instance_id}/…", 200)
//
// Query's fields are the path's variables and the query's parameters; Body's are the JSON body's. The project
// and the instance a path names have been held against ours before.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "facade/huawei/huawei.h"
#include "op/operation.h"
#include "op/rest.h"
#include "wire/schema.h"

namespace wharfage::huawei {

enum Service { swr, hss, iam };  // whose error form is answered

struct Call {
  static constexpr auto body_names = wire::Names::ignored;
  Rooms& rooms;
  op::Context context;
  const Options& options;
  const http::Request& request;
  http::Headers reply_headers;  // added to the reply, e.g. X-Subject-Token
};

using op::Empty;
using op::NoBody;
using NoQuery = op::NoBody;
using Route = op::RestRoute<Call>;

template <auto Run>
constexpr Route route(std::string_view method, std::string_view path, int status = 200) {
  return op::rest_route<Call, Run>(method, path, status);
}

struct Match {
  const Route* route = nullptr;  // nullptr: no such path (or not with this method)
  bool other_method = false;     // the path exists with another method
  Service service = Service::swr;
  Params variables;  // the path's, decoded
};
// `path` is raw: a variable's segment may hold %2F, %252F for a slash.
Match find_route(std::string_view method, std::string_view path);
std::vector<const Route*> routes();  // for documentation and tests

// Every family of routes is one file; the table lists them all (table.cc).
std::span<const Route> instance_routes();
std::span<const Route> namespace_routes();
std::span<const Route> repository_routes();
std::span<const Route> artifact_routes();
std::span<const Route> sign_routes();
std::span<const Route> immutable_routes();
std::span<const Route> retention_routes();
std::span<const Route> retention_execution_routes();
std::span<const Route> repository_retention_routes();
std::span<const Route> replication_registry_routes();
std::span<const Route> replication_policy_routes();
std::span<const Route> replication_execution_routes();
std::span<const Route> credential_routes();
std::span<const Route> hss_task_routes();
std::span<const Route> hss_image_routes();
std::span<const Route> hss_registry_routes();
std::span<const Route> iam_routes();

// SWR pages: offset 0 or a multiple of limit, limit 1-100 (10 unless given). HSS pages: offset 0-2,000,000,
// limit 10-200.
Result<registry::Slice> swr_page(std::optional<std::int64_t> offset, std::optional<std::int64_t> limit,
                                 std::int64_t limit_default = 10);
Result<registry::Slice> hss_page(std::optional<std::int64_t> offset, std::optional<std::int64_t> limit,
                                 std::int64_t limit_low = 10);
}  // namespace wharfage::huawei
