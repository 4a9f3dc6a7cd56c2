// One row of the route table: method, path template, success status and the function between wire and
// operation:
//
//   Result<Reply> list_tasks(Call& call, const Query& query, const NoBody&);  // path and query members in
//   Query route<&list_tasks>("GET", "/v2/{project_id}/instances/{instance_id}/…", 200)
//
// Query's fields are the path's variables and the query's parameters; Body's are the JSON body's.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "facade/huawei/huawei.h"
#include "op/operation.h"
#include "wire/schema.h"

namespace wharfage::huawei {

enum class Service { swr, hss, iam };  // whose error form is answered

struct Call {
  Rooms& rooms;
  op::Context context;
  const Options& options;
  const http::Request& request;
  http::Headers reply_headers;  // added to the reply, e.g. X-Subject-Token
};

struct NoBody {
  static constexpr auto fields() { return std::array<wire::Field, 0>{}; }
};
using Empty = NoBody;  // a reply without a body

struct Route {
  std::string_view method, path;
  int status = 200;
  Service service = Service::swr;
  bool anonymous = false;  // needs no credential (sign-in)
  // The reply as JSON text; empty for an empty body.
  Result<std::string> (*run)(Call&, const Params&) = nullptr;
  std::span<const wire::Field> (*query)() = nullptr;
  std::span<const wire::Field> (*body)() = nullptr;
  std::span<const wire::Field> (*reply)() = nullptr;

  constexpr Route of(Service which) const {
    Route copy = *this;
    copy.service = which;
    return copy;
  }
  constexpr Route without_credential() const {
    Route copy = *this;
    copy.anonymous = true;
    return copy;
  }
};

namespace detail {
template <auto Run>
struct Binding;
template <class Query, class Body, class Reply, Result<Reply> (*Run)(Call&, const Query&, const Body&)>
struct Binding<Run> {
  static Result<std::string> run(Call& call, const Params& params) {
    TRY(Query query, wire::decode_params<Query>(params));
    Body body{};
    if constexpr (!std::is_same_v<Body, NoBody>) {
      TRY(body, wire::decode_json<Body>(call.request.body));
    }
    TRY(Reply reply, Run(call, query, body));
    if constexpr (std::is_same_v<Reply, Empty>) return std::string();
    return wire::encode_json(reply);
  }
  static constexpr Route make(std::string_view method, std::string_view path, int status) {
    return {method,
            path,
            status,
            Service::swr,
            false,
            &run,
            &wire::fields_of<Query>,
            &wire::fields_of<Body>,
            &wire::fields_of<Reply>};
  }
};
}  // namespace detail

template <auto Run>
constexpr Route route(std::string_view method, std::string_view path, int status = 200) {
  return detail::Binding<Run>::make(method, path, status);
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
std::span<const Route> replication_routes();
std::span<const Route> credential_routes();
std::span<const Route> hss_routes();
std::span<const Route> iam_routes();

// SWR pages: offset 0 or a multiple of limit, limit 1-100 (10 unless given). HSS pages: offset 0-2,000,000,
// limit 10-200.
Result<registry::Slice> swr_page(std::optional<std::int64_t> offset, std::optional<std::int64_t> limit,
                                 std::int64_t limit_default = 10);
Result<registry::Slice> hss_page(std::optional<std::int64_t> offset, std::optional<std::int64_t> limit,
                                 std::int64_t limit_low = 10);
// Ids of the path must be ours. Errors: project_unknown, instance_unknown.
Status check_project(const Call& call, std::string_view project_id);
Status check_instance(const Call& call, std::string_view project_id, std::string_view instance_id);

}  // namespace wharfage::huawei
