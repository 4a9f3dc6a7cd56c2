#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "registry/policies.h"
#include "registry/policy_limits.h"
#include "registry/policy_records.h"
#include "registry/records.h"
#include "registry/state.h"

// Quotas. The check reads, outside the transaction that writes, what was folded and what was appended since:
// so pushes into one namespace neither wait for each other nor undo each other on a serialising database.
// What is under way at the same time may overshoot by what it brings.
namespace wharfage::registry {
namespace {

Error exceeded(std::string_view what, std::int64_t used, std::int64_t more, std::int64_t allowed,
               const std::string& space) {
  return fail(Reason::quota_exceeded,
              fmt::format("the namespace's quota of {} {} is used up: it holds {}, {} more were asked for",
                          allowed, what, used, more),
              space);
}

}  // namespace

Status Registry::State::admit(meta::Tx& tx, std::int64_t namespace_id, const std::string& space,
                              const NamespaceUsage& more) const {
  TRY(auto quota, records::quota(tx, namespace_id));
  if (!quota.bytes && !quota.tags && !quota.repositories) return {};
  TRY(auto usage, records::usage(tx, namespace_id));
  auto check = [&space](std::string_view what, std::optional<std::int64_t> allowed, std::int64_t used,
                        std::int64_t wanted) -> Status {
    bool over = allowed && wanted > 0 && used + wanted > *allowed;
    return over ? Status(exceeded(what, used, wanted, *allowed, space)) : Status();
  };
  TRY_STATUS(check("bytes", quota.bytes, usage.bytes, more.bytes));
  TRY_STATUS(check("tags", quota.tags, usage.tags, more.tags));
  return check("repositories", quota.repositories, usage.repositories, more.repositories);
}

// A blob that the namespace has already costs nothing.
Status Registry::State::admit_blob(const Repository& repository, const Digest& digest,
                                   std::int64_t size) const {
  return db.read([&](meta::Tx& tx) -> Status {
    TRY(auto quota, records::quota(tx, repository.namespace_id));
    if (!quota.bytes) return {};
    TRY(bool there, records::is_linked_in(tx, repository.namespace_id, digest.text()));
    if (there) return {};
    return admit(tx, repository.namespace_id, repository.namespace_name, {.bytes = size});
  });
}

// An upload that was begun and never finished must not keep its client from sending the blob again, so what
// unfinished ones hold is not taken from what is left: all of them together may hold another quota.
Result<Registry::State::Room> Registry::State::room(meta::Tx& tx, const Repository& repository,
                                                    const std::optional<Digest>& becomes) const {
  TRY(auto quota, records::quota(tx, repository.namespace_id));
  if (!quota.bytes) return Room{};
  TRY(auto usage, records::usage(tx, repository.namespace_id));
  std::int64_t left = std::max<std::int64_t>(*quota.bytes - usage.bytes, 0);
  if (becomes) {
    TRY(bool there, records::is_linked_in(tx, repository.namespace_id, becomes->text()));
    TRY(auto blob, records::find_blob(tx, becomes->text()));
    if (there && blob) left = std::max(left, blob->size);
  }
  return Room{left, std::max(left, *quota.bytes), *quota.bytes};
}

Status Registry::admit(const Namespace& space, const NamespaceUsage& more) {
  return x_state->db.read([&](meta::Tx& tx) { return x_state->admit(tx, space.id, space.name, more); });
}

Status Registry::admit(const Repository& repository, std::int64_t bytes) {
  return x_state->db.read([&](meta::Tx& tx) {
    return x_state->admit(tx, repository.namespace_id, repository.namespace_name, {.bytes = bytes});
  });
}

// ---------------------------------------------------------------- what people ask for

Result<Quota> Policies::quota(std::int64_t namespace_id) {
  return x_registry.db().read([&](meta::Tx& tx) { return records::quota(tx, namespace_id); });
}

Status Policies::set_quota(std::int64_t namespace_id, const Quota& quota, const auth::Principal& who) {
  for (const auto& allowed : {quota.bytes, quota.tags, quota.repositories}) {
    if (allowed && *allowed < 0) return fail(Reason::invalid_parameter, "a quota is 0 or more");
  }
  return x_registry.db().write([&](meta::Tx& tx) {
    return records::put_quota(tx, namespace_id, quota, who.name, x_registry.clock().now());
  });
}

Result<NamespaceUsage> Policies::usage(std::int64_t namespace_id) {
  return x_registry.db().read([&](meta::Tx& tx) { return records::usage(tx, namespace_id); });
}

// ---------------------------------------------------------------- folding, and the warning

namespace {

bool nearly(std::optional<std::int64_t> allowed, std::int64_t used) {
  return allowed && used * 100 >= *allowed * limits::quota_warning_percent;
}

Status warn(meta::Tx& tx, Registry& registry, const Namespace& space, std::string_view what,
            std::int64_t allowed, std::int64_t used) {
  job::Event event;
  event.type = "quota.warning";
  event.subject = space.name;
  event.namespace_id = space.id;
  event.data = boost::json::serialize(boost::json::object{{"instance", registry.instance().cri_id},
                                                          {"namespace", space.name},
                                                          {"what", std::string(what)},
                                                          {"used", used},
                                                          {"allowed", allowed}});
  return registry.events().emit(tx, std::move(event));
}

// Once, when the line is crossed.
Status fold_one(meta::Tx& tx, Registry& registry, std::int64_t namespace_id) {
  TRY(auto usage, records::fold_usage(tx, namespace_id));
  TRY(auto quota, records::quota(tx, namespace_id));
  TRY(auto space, records::find_namespace(tx, namespace_id));
  if (!space) return {};
  struct Line {
    const char* what;
    std::optional<std::int64_t> allowed;
    std::int64_t before, after;
  };
  const Line lines[] = {
      {"bytes", quota.bytes, usage.before.bytes, usage.after.bytes},
      {"tags", quota.tags, usage.before.tags, usage.after.tags},
      {"repositories", quota.repositories, usage.before.repositories, usage.after.repositories}};
  for (const Line& line : lines) {
    if (nearly(line.allowed, line.before) || !nearly(line.allowed, line.after)) continue;
    TRY_STATUS(warn(tx, registry, *space, line.what, *line.allowed, line.after));
  }
  return {};
}

}  // namespace

Status Policies::fold_usage() {
  meta::Db& db = x_registry.db();
  TRY(auto ids,
      db.read([](meta::Tx& tx) { return records::namespaces_to_fold(tx, limits::fold_namespaces_max); }));
  for (std::int64_t id : ids)
    TRY_STATUS(db.write([&](meta::Tx& tx) { return fold_one(tx, x_registry, id); }));
  return {};
}

}  // namespace wharfage::registry
