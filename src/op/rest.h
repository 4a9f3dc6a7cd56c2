// REST bindings shared by the facades that have paths: a row names method, path template and success status,
// and holds the function between wire and operation:
//
//   Result<Reply> list_tasks(Call& call, const Query& query, const NoBody&);
//   op::rest_route<Call, &list_tasks>("GET", "/v2/{project_id}/instances/{instance_id}/…", 200)
//
// Query's fields are the path's variables and the query's parameters; Body's are the JSON body's; Reply's the
// JSON reply's (Empty: no body; std::vector<Row>: a bare array). The same fields feed the OpenAPI document.
// Call::body_names says what becomes of body members that are no fields.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/result.h"
#include "base/text.h"
#include "wire/schema.h"

namespace wharfage::op {

struct NoBody {
  static constexpr auto fields() { return std::array<wire::Field, 0>{}; }
};
using Empty = NoBody;

template <class Call>
struct RestRoute {
  std::string_view method, path;
  int status = 200;
  int service = 0;         // the facade's own classification
  bool anonymous = false;  // needs no credential
  std::string_view summary = {};
  // The reply as JSON text; empty for an empty body.
  Result<std::string> (*run)(Call&, const Params&, std::string_view body) = nullptr;
  std::span<const wire::Field> (*query)() = nullptr;
  std::span<const wire::Field> (*body)() = nullptr;
  std::span<const wire::Field> (*reply)() = nullptr;

  constexpr RestRoute of(int which) const {
    RestRoute copy = *this;
    copy.service = which;
    return copy;
  }
  constexpr RestRoute without_credential() const {
    RestRoute copy = *this;
    copy.anonymous = true;
    return copy;
  }
  constexpr RestRoute about(std::string_view text) const {
    RestRoute copy = *this;
    copy.summary = text;
    return copy;
  }
};

namespace detail {
template <class Reply>
struct RowOf {
  using type = Reply;
};
template <class Row>
struct RowOf<std::vector<Row>> {
  using type = Row;
};

// Its types are arguments of their own, so that bindings of file-local types stay local (wire/schema.h,
// Access).
template <class Call, class Query, class Body, class Reply,
          Result<Reply> (*Run)(Call&, const Query&, const Body&)>
struct RestBinding {
  static Result<std::string> run(Call& call, const Params& params, std::string_view text) {
    TRY(Query query, wire::decode_params<Query>(params));
    Body body{};
    if constexpr (!std::is_same_v<Body, NoBody>) {
      TRY(body, wire::decode_json<Body>(text, Call::body_names, wire::fields_of<Query>()));
    }
    TRY(Reply reply, Run(call, query, body));
    if constexpr (std::is_same_v<Reply, Empty>) {
      return std::string();
    } else {
      return wire::encode_json(reply);
    }
  }
};
template <class Call, auto Run, class Query, class Body, class Reply>
constexpr RestRoute<Call> make_route(Result<Reply> (*)(Call&, const Query&, const Body&),
                                     std::string_view method, std::string_view path, int status) {
  return {.method = method,
          .path = path,
          .status = status,
          .run = &RestBinding<Call, Query, Body, Reply, Run>::run,
          .query = &wire::fields_of<Query>,
          .body = &wire::fields_of<Body>,
          .reply = &wire::fields_of<typename RowOf<Reply>::type>};
}
}  // namespace detail

template <class Call, auto Run>
constexpr RestRoute<Call> rest_route(std::string_view method, std::string_view path, int status = 200) {
  return detail::make_route<Call, Run>(Run, method, path, status);
}

// Whether a raw path has the template's form; fills the variables, decoded. A variable is one segment, inside
// which a slash may stand as %2F (or %252F, where a client encodes twice).
bool match_path(std::string_view pattern, std::string_view path, Params& variables);

}  // namespace wharfage::op
