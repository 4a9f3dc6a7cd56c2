// What an operation is: control-plane behaviour declared once and invoked by one function that resolves,
// authorises, runs, audits and meters. Facades map wire names to an operation and back; none of them decides
// anything.
//
//   struct GetRecord {
//     static constexpr op::Declaration declaration{"build:GetRecord", auth::Access::read};
//     struct Request { std::string record_id; };
//     using Response = Record;
//     // What is acted upon, resolved inside the caller's scope (an id from elsewhere is simply not found).
//     static Result<auth::Resource> resource(Builds& room, op::Context& context, const Request& request);
//     static Result<Response> run(Builds& room, op::Context& context, const Request& request);
//   };
//
// Straight-line synchronous code on a worker thread. An unreadable resource is reported as not found, so that
// its existence does not leak.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "auth/auth.h"
#include "auth/principal.h"
#include "base/log.h"
#include "base/result.h"
#include "base/time.h"

namespace wharfage::op {

struct Declaration {
  std::string_view action;  // "build:GetRecord": unique, used in grants' denials, audit and metrics
  auth::Access access;
  // Operations on accounts' own things (my access keys) authorise themselves in run().
  bool self_authorising = false;
};

class Audit;

// One caller's request while it runs.
struct Context {
  auth::Principal who;
  std::string request_id;
  std::string peer;    // address
  std::string facade;  // "alibaba", "huawei", "native", "oci", "job"
  auth::Auth& auth;
  Audit& audit;
  const Clock& clock;
  Log log;
};

namespace detail {
Status authorise(Context& context, const Declaration& declaration, const auth::Resource& resource);
void record(Context& context, const Declaration& declaration, const auth::Resource& resource,
            const Error* error, std::int64_t started_us);
std::int64_t now_us();
}  // namespace detail

template <class Operation, class Room>
Result<typename Operation::Response> invoke(Room& room, Context& context,
                                            const typename Operation::Request& request) {
  const Declaration& declaration = Operation::declaration;
  std::int64_t started = detail::now_us();
  auto resource = Operation::resource(room, context, request);
  if (!resource.ok()) {
    detail::record(context, declaration, {}, &resource.error(), started);
    return resource.error();
  }
  if (Status allowed = detail::authorise(context, declaration, *resource); !allowed.ok()) {
    detail::record(context, declaration, *resource, &allowed.error(), started);
    return allowed.error();
  }
  auto response = Operation::run(room, context, request);
  detail::record(context, declaration, *resource, response.ok() ? nullptr : &response.error(), started);
  return response;
}

// A response without content.
struct Nothing {};

}  // namespace wharfage::op
