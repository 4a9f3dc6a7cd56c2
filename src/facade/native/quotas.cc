// Quotas of namespaces, and what is used of them.
#include "facade/native/place_queries.h"
#include "facade/native/route.h"
#include "registry/ops/policies.h"

namespace wharfage::native {
namespace {

namespace ops = registry::ops;
using wire::field;
using wire::required;

struct Limits {
  std::optional<std::int64_t> bytes;
  std::optional<std::int64_t> tags;
  std::optional<std::int64_t> repositories;
  static constexpr auto fields() {
    return std::array{field<&Limits::bytes>("bytes").range(0, INT64_MAX).about("left out: no limit"),
                      field<&Limits::tags>("tags").range(0, INT64_MAX),
                      field<&Limits::repositories>("repositories").range(0, INT64_MAX)};
  }
};
struct Usage {
  std::int64_t bytes = 0;
  std::int64_t blobs = 0;
  std::int64_t tags = 0;
  std::int64_t repositories = 0;
  static constexpr auto fields() {
    return std::array{field<&Usage::bytes>("bytes").about(
                          "each blob once, whichever repositories have it, and each manifest"),
                      field<&Usage::blobs>("blobs"), field<&Usage::tags>("tags"),
                      field<&Usage::repositories>("repositories")};
  }
};
struct Report {
  Limits limits;
  Usage usage;
  static constexpr auto fields() {
    return std::array{field<&Report::limits>("limits"), field<&Report::usage>("usage")};
  }
};

Report to_wire(const ops::QuotaReport& from) {
  return {{from.quota.bytes, from.quota.tags, from.quota.repositories},
          {from.usage.bytes, from.usage.blobs, from.usage.tags, from.usage.repositories}};
}

Result<Report> get_quota(Call& call, const SpaceQuery& query, const NoBody&) {
  TRY(auto report, op::invoke<ops::GetQuota>(call.rooms.policies, call.context, space_of(query.space)));
  return to_wire(report);
}

Result<Report> set_quota(Call& call, const SpaceQuery& query, const Limits& body) {
  registry::Quota quota{body.bytes, body.tags, body.repositories};
  TRY(auto report,
      op::invoke<ops::SetQuota>(call.rooms.policies, call.context, {space_of(query.space), quota}));
  return to_wire(report);
}

}  // namespace

std::span<const Route> quota_routes() {
  static constexpr std::array table{
      route<&get_quota>("GET", "/api/v1/namespaces/{namespace}/quota")
          .about("what a namespace may hold, and what it holds"),
      route<&set_quota>("PUT", "/api/v1/namespaces/{namespace}/quota").about("say what a namespace may hold"),
  };
  return table;
}

}  // namespace wharfage::native
