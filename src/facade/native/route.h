// The route table of the native API (op/rest.h tells how a row binds wire and operation).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "facade/native/native.h"
#include "op/operation.h"
#include "op/rest.h"

namespace wharfage::native {

struct Call {
  static constexpr auto body_names = wire::Names::refused;
  Rooms& rooms;
  op::Context context;
  const http::Request& request;
};

using op::Empty;
using op::NoBody;
using Route = op::RestRoute<Call>;

template <auto Run>
constexpr Route route(std::string_view method, std::string_view path, int status = 200) {
  return op::rest_route<Call, Run>(method, path, status);
}

std::vector<const Route*> routes();
std::string openapi_document(std::string_view version);

// Every family of routes is one file; the table lists them all (table.cc).
std::span<const Route> account_routes();      // users, robots, access keys, grants, tokens, whoami
std::span<const Route> registry_routes();     // namespaces, repositories, tags, waybill
std::span<const Route> repository_routes();   // repositories and tags with their figures
std::span<const Route> policy_routes();       // immutable tags, tag history
std::span<const Route> deleted_routes();      // what can come back
std::span<const Route> quota_routes();        // what namespaces may hold
std::span<const Route> retention_routes();    // which tags are kept, and runs
std::span<const Route> build_routes();        // source providers, sources, rules, records
std::span<const Route> scan_routes();         // advisory data, packages, findings
std::span<const Route> sign_routes();         // keys
std::span<const Route> connection_routes();   // registry connections, inventory, synchronisation
std::span<const Route> system_routes();       // jobs, audit, status
std::span<const Route> webhook_routes();      // webhooks and deliveries
std::span<const Route> maintenance_routes();  // checks, scrubs, reclaiming

// What is empty, or has not happened, is left out of a reply.
inline std::optional<std::string> unless_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}
inline std::optional<std::string> unless_zero(TimeMs time) {
  return time ? std::optional(rfc3339(time)) : std::nullopt;
}

// Pages of the native API: offset and limit (50, at most 1000).
Result<registry::Slice> page_of(std::optional<std::int64_t> offset, std::optional<std::int64_t> limit);

}  // namespace wharfage::native
