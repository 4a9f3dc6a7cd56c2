#include "sign/signing.h"

#include <algorithm>

#include "base/limits.h"
#include "base/random.h"
#include "job/cron.h"
#include "sign/records.h"

namespace wharfage::sign {
namespace {

Status check_key_name(std::string_view name) {
  bool valid = !name.empty() && name.size() <= 128 &&
               name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
                   name.npos;
  if (!valid)
    return fail(Reason::name_invalid, "a key's name has 1 to 128 letters, digits, '.', '_' or '-'", "name");
  return {};
}

std::optional<TimeMs> next_run(const Policy& policy, TimeMs now) {
  if (!policy.enabled || policy.trigger != "scheduled") return std::nullopt;
  auto cron = job::Cron::parse(policy.cron);
  return cron.ok() ? cron->next(now) : std::nullopt;
}

// Names a conflict for what it is; other errors pass.
template <class T>
Result<T> when_taken(Result<T> result, Reason reason) {
  if (!result.ok() && result.error().reason == Reason::conflict) return fail(reason);
  return result;
}

Status require_key(meta::Tx& tx, const std::string& uuid) {
  TRY(auto key, records::find_key(tx, uuid));
  if (!key) return fail(Reason::signing_key_unknown, "there is no such signing key", uuid);
  return {};
}

template <class T>
Page<T> page_of(std::vector<T> items, std::int64_t total) {
  Page<T> page;
  page.items = std::move(items);
  page.total = total;
  return page;
}

}  // namespace

Signing::Signing(registry::Registry& registry, meta::Ids& ids, job::Queue& queue, const crypto::Vault& vault,
                 Options options)
    : x_registry(registry), x_ids(ids), x_queue(queue), x_vault(vault), x_options(std::move(options)) {}

Result<Key> Signing::create_key(std::string_view name) {
  TRY_STATUS(check_key_name(name));
  TRY(auto pair, crypto::EcdsaKey::generate());
  Key key{random_uuid(), std::string(name), pair.public_pem(), x_registry.clock().now()};
  std::string sealed = x_vault.seal(pair.private_pem(), "signing_key:" + key.uuid);
  Status stored = x_registry.db().write([&](meta::Tx& tx) { return records::insert_key(tx, key, sealed); });
  if (!stored.ok())
    return stored.error().reason == Reason::conflict ? fail(Reason::signing_key_exists) : stored.error();
  return key;
}

Result<Key> Signing::get_key(std::string_view uuid) {
  TRY(auto stored, x_registry.db().read([&](meta::Tx& tx) { return records::find_key(tx, uuid); }));
  if (!stored) return fail(Reason::signing_key_unknown);
  return stored->key;
}

Result<std::vector<Key>> Signing::list_keys() {
  return x_registry.db().read([](meta::Tx& tx) { return records::list_keys(tx); });
}

Status Signing::delete_key(std::string_view uuid) {
  auto deleted = x_registry.db().write([&](meta::Tx& tx) { return records::delete_key(tx, uuid); });
  if (!deleted.ok() && deleted.error().reason == Reason::conflict) {
    return fail(Reason::conflict, "a signature policy still uses this key");
  }
  if (!deleted.ok()) return deleted.error();
  if (*deleted == 0) return fail(Reason::signing_key_unknown);
  return {};
}

Result<Policy> Signing::create_policy(Policy policy) {
  TRY_STATUS(check_policy(policy));
  TRY(policy.id, x_ids.next("sign_policy"));
  policy.created_at = policy.updated_at = x_registry.clock().now();
  auto stored = x_registry.db().write([&](meta::Tx& tx) -> Result<Policy> {
    TRY_STATUS(require_key(tx, policy.key_uuid));
    TRY_STATUS(records::insert_policy(tx, policy, next_run(policy, policy.created_at)));
    return policy;
  });
  return when_taken(std::move(stored), Reason::sign_policy_exists);
}

Result<Policy> Signing::get_policy(std::int64_t namespace_id, std::int64_t id) {
  TRY(auto policy,
      x_registry.db().read([&](meta::Tx& tx) { return records::find_policy(tx, namespace_id, id); }));
  if (!policy) return fail(Reason::sign_policy_unknown);
  return *policy;
}

Result<Page<Policy>> Signing::list_policies(const std::optional<std::vector<std::int64_t>>& readable,
                                            Slice slice) {
  return x_registry.db().read([&](meta::Tx& tx) -> Result<Page<Policy>> {
    if (!readable) {
      TRY(auto total, records::count_policies(tx));
      TRY(auto policies, records::all_policies(tx, slice));
      return page_of(std::move(policies), total);
    }
    std::vector<Policy> policies;
    for (std::int64_t namespace_id : *readable) {
      TRY(auto some, records::policies_of(tx, namespace_id));
      policies.insert(policies.end(), some.begin(), some.end());
    }
    std::sort(policies.begin(), policies.end(), [](const Policy& a, const Policy& b) { return a.id > b.id; });
    auto total = static_cast<std::int64_t>(policies.size());
    auto first = std::min(slice.offset, total), last = std::min(first + slice.limit, total);
    return page_of(std::vector<Policy>(policies.begin() + first, policies.begin() + last), total);
  });
}

Status Signing::update_policy(Policy policy) {
  TRY_STATUS(check_policy(policy));
  policy.updated_at = x_registry.clock().now();
  Status updated = x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY_STATUS(require_key(tx, policy.key_uuid));
    TRY(auto changed, records::update_policy(tx, policy, next_run(policy, policy.updated_at)));
    if (changed == 0) return fail(Reason::sign_policy_unknown);
    return {};
  });
  if (!updated.ok() && updated.error().reason == Reason::conflict) return fail(Reason::sign_policy_exists);
  return updated;
}

Status Signing::delete_policy(std::int64_t namespace_id, std::int64_t id) {
  TRY(auto deleted,
      x_registry.db().write([&](meta::Tx& tx) { return records::delete_policy(tx, namespace_id, id); }));
  if (deleted == 0) return fail(Reason::sign_policy_unknown);
  return {};
}

Result<std::int64_t> Signing::execute(const Policy& policy, std::string_view cause) {
  if (!policy.enabled) return fail(Reason::sign_policy_disabled);
  TRY(auto id, x_ids.next("sign_execution"));
  return x_registry.db().write([&](meta::Tx& tx) -> Result<std::int64_t> {
    TRY_STATUS(start_execution(tx, id, policy, random_uuid(), cause));
    return id;
  });
}

Result<Page<Execution>> Signing::list_executions(std::int64_t policy_id, Slice slice) {
  return x_registry.db().read([&](meta::Tx& tx) -> Result<Page<Execution>> {
    TRY(auto total, records::count_executions(tx, policy_id));
    TRY(auto executions, records::list_executions(tx, policy_id, slice));
    return page_of(std::move(executions), total);
  });
}

Result<Execution> Signing::get_execution(std::int64_t policy_id, std::int64_t id) {
  TRY(auto execution,
      x_registry.db().read([&](meta::Tx& tx) { return records::find_execution(tx, policy_id, id); }));
  if (!execution) return fail(Reason::execution_unknown);
  return *execution;
}

Result<Page<Task>> Signing::list_tasks(std::int64_t execution_id, Slice slice) {
  return x_registry.db().read([&](meta::Tx& tx) -> Result<Page<Task>> {
    TRY(auto total, records::count_tasks(tx, execution_id));
    TRY(auto tasks, records::list_tasks(tx, execution_id, slice));
    return page_of(std::move(tasks), total);
  });
}

Result<Page<SubTask>> Signing::list_sub_tasks(std::int64_t execution_id, std::int64_t task_id,
                                              std::string_view status, Slice slice) {
  return x_registry.db().read([&](meta::Tx& tx) -> Result<Page<SubTask>> {
    TRY(auto task, records::find_task(tx, task_id));
    if (!task || task->task.execution_id != execution_id) return fail(Reason::task_unknown);
    TRY(auto total, records::count_sub_tasks(tx, task_id, status));
    TRY(auto sub_tasks, records::list_sub_tasks(tx, task_id, status, slice));
    return page_of(std::move(sub_tasks), total);
  });
}

Result<std::vector<Signature>> Signing::signatures_of(std::int64_t repository_id, const std::string& digest) {
  return x_registry.db().read(
      [&](meta::Tx& tx) { return records::signatures_of(tx, repository_id, digest); });
}

Status Signing::tick() {
  TimeMs now = x_registry.clock().now();
  TRY(auto due, x_registry.db().read([&](meta::Tx& tx) { return records::policies_due(tx, now); }));
  for (const Policy& policy : due) {
    TRY(auto id, x_ids.next("sign_execution"));
    TRY_STATUS(x_registry.db().write([&](meta::Tx& tx) -> Status {
      TRY_STATUS(records::set_next_run(tx, policy.id, next_run(policy, now)));
      return start_execution(tx, id, policy, random_uuid(), "scheduled");
    }));
  }
  return {};
}

}  // namespace wharfage::sign
