// Running a policy: "sign.plan" finds the repositories and makes a task for each, "sign.repository" signs
// what the rules select in one of them, "sign.event" answers a push. Every step can be repeated without
// effect: an execution knows its origin, and an image that this key has signed already is a success without a
// new signature.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <map>

#include "base/log.h"
#include "base/text.h"
#include "registry/forgetting.h"
#include "sign/records.h"
#include "sign/signer.h"
#include "sign/signing.h"
#include "wire/schema.h"

namespace wharfage::sign {
namespace {

constexpr std::int64_t page_size = 200;

struct PlanPayload {
  std::int64_t execution = 0;
  static constexpr auto fields() {
    return std::array{wire::field<&PlanPayload::execution>("execution", wire::required)};
  }
};
struct TaskPayload {
  std::int64_t task = 0;
  static constexpr auto fields() {
    return std::array{wire::field<&TaskPayload::task>("task", wire::required)};
  }
};
struct EventPayload {
  std::int64_t policy = 0, repository = 0;
  std::string tag;
  static constexpr auto fields() {
    return std::array{wire::field<&EventPayload::policy>("policy", wire::required),
                      wire::field<&EventPayload::repository>("repository", wire::required),
                      wire::field<&EventPayload::tag>("tag")};
  }
};
// What the registry says of a push (registry.h, Events).
struct Push {
  std::int64_t repository_id = 0;
  std::string repository, tag;
  std::optional<bool> accessory;
  static constexpr auto fields() {
    return std::array{wire::field<&Push::repository_id>("repository_id", wire::required),
                      wire::field<&Push::repository>("repository", wire::required),
                      wire::field<&Push::tag>("tag"), wire::field<&Push::accessory>("accessory")};
  }
};

// What is to be signed in a repository: digests with the tags that select them.
using Selected = std::map<std::string, std::vector<std::string>>;

Status select_tags(registry::Registry& registry, const Policy& policy, const registry::Repository& repository,
                   const std::string& only_tag, Selected& selected) {
  for (registry::Slice slice{0, page_size};; slice.offset += page_size) {
    TRY(auto page,
        registry.list_tags(repository, {.with_accessories = false, .name_contains = only_tag}, slice));
    for (const auto& tag : page.items) {
      bool wanted =
          (only_tag.empty() || tag.name == only_tag) && selects_tag(policy, repository.name, tag.name);
      if (wanted) selected[tag.manifest.digest->text()].push_back(tag.name);
    }
    if (static_cast<std::int64_t>(page.items.size()) < page_size) return {};
  }
}

Status select_untagged(registry::Registry& registry, const Policy& policy,
                       const registry::Repository& repository, Selected& selected) {
  if (!selects_tag(policy, repository.name, "")) return {};
  for (registry::Slice slice{0, page_size};; slice.offset += page_size) {
    TRY(auto page, registry.list_manifests(repository, slice, false));
    for (const auto& manifest : page.items) {
      TRY(auto tags, registry.tags_of(manifest.id));
      if (tags.empty()) selected[manifest.digest->text()];
    }
    if (static_cast<std::int64_t>(page.items.size()) < page_size) return {};
  }
}

std::string event_data(const Execution& execution, const Policy& policy) {
  return fmt::format(
      R"({{"policy_id":{},"policy":{},"namespace":{},"execution_id":{},"status":{},"total":{},)"
      R"("succeed":{},"failed":{},"stopped":{}}})",
      policy.id, json_string(policy.name), json_string(policy.namespace_name), execution.id,
      json_string(execution.status), execution.total, execution.succeed, execution.failed, execution.stopped);
}

}  // namespace

Result<crypto::EcdsaKey> Signing::load_key(const std::string& uuid) {
  TRY(auto stored, x_registry.db().read([&](meta::Tx& tx) { return records::find_key(tx, uuid); }));
  if (!stored) return fail(Reason::signing_key_unknown);
  TRY(auto pem, x_vault.unseal(stored->private_sealed, "signing_key:" + uuid));
  return crypto::EcdsaKey::from_pem(pem);
}

void Signing::start() {
  auto add = [this](std::string name, int concurrency, job::Handler run, job::Settle settle) {
    x_queue.add_kind({std::move(name), concurrency, std::move(run), std::move(settle)});
  };
  add("sign.event", 1, [this](job::Run& run) { return run_event(run); }, {});
  add(
      "sign.plan", 1, [this](job::Run& run) { return run_plan(run); },
      [this](meta::Tx& tx, const job::Job& job, const Error& error) { return settle_plan(tx, job, error); });
  add(
      "sign.repository", x_options.concurrency, [this](job::Run& run) { return run_repository(run); },
      [this](meta::Tx& tx, const job::Job& job, const Error& error) { return settle_task(tx, job, error); });
  x_registry.events().subscribe("sign", "image.pushed",
                                [this](meta::Tx& tx, const job::Event& event) { return on_push(tx, event); });
  x_registry.events().subscribe("sign.delete", "image.purged", [this](meta::Tx& tx, const job::Event& event) {
    return on_delete(tx, event);
  });
  registry::forget_repositories(x_registry, x_queue, "sign", records::drop_some_signatures);
}

// Executions with their tasks tell what was done, and stay; that an image is signed ends with the image.
Status Signing::on_delete(meta::Tx& tx, const job::Event& event) {
  auto gone = registry::purged_image(event);
  return gone ? records::drop_signatures(tx, gone->repository_id, gone->digest, event.at) : Status();
}

Status Signing::start_execution(meta::Tx& tx, std::int64_t id, const Policy& policy, std::string_view origin,
                                std::string_view cause) {
  TRY(bool fresh, records::insert_execution(tx, id, policy.id, origin, cause, x_registry.clock().now()));
  if (!fresh) return {};
  auto queued = x_queue.enqueue(tx, {.kind = "sign.plan",
                                     .payload = fmt::format(R"({{"execution":{}}})", id),
                                     .subject = policy.namespace_name + " by " + policy.name});
  if (!queued.ok()) return queued.error();
  return {};
}

Status Signing::add_task(meta::Tx& tx, std::int64_t id, std::int64_t execution_id,
                         const registry::Repository& repository, std::string_view only_tag) {
  TRY(auto job_id, x_queue.enqueue(tx, {.kind = "sign.repository",
                                        .payload = fmt::format(R"({{"task":{}}})", id),
                                        .subject = repository.full_name()}));
  records::StoredTask task;
  task.task.id = id;
  task.task.execution_id = execution_id;
  task.task.job_id = job_id;
  task.task.namespace_name = repository.namespace_name;
  task.task.repository = repository.name;
  task.task.created_at = x_registry.clock().now();
  task.repository_id = repository.id;
  task.only_tag = only_tag;
  return records::insert_task(tx, task);
}

// Ids are taken outside the event's transaction, so a job makes the execution.
Status Signing::on_push(meta::Tx& tx, const job::Event& event) {
  auto push = wire::decode_json<Push>(event.data);
  if (!push.ok() || push->accessory.value_or(false)) return {};
  TRY(auto policies, records::policies_on_push(tx, event.namespace_id));
  for (const Policy& policy : policies) {
    if (!selects_tag(policy, push->repository, push->tag)) continue;
    EventPayload payload{policy.id, push->repository_id, push->tag};
    auto queued = x_queue.enqueue(tx, {.kind = "sign.event",
                                       .payload = wire::encode_json(payload),
                                       .subject = event.subject + " by " + policy.name});
    if (!queued.ok()) return queued.error();
  }
  return {};
}

Status Signing::run_event(job::Run& run) {
  TRY(auto payload, wire::decode_json<EventPayload>(run.job().payload));
  TRY(Policy policy, get_policy(0, payload.policy));
  TRY(auto repository, x_registry.get_repository(payload.repository));
  TRY(auto execution_id, x_ids.next("sign_execution"));
  TRY(auto task_id, x_ids.next("sign_task"));
  return run.commit([&](meta::Tx& tx) -> Status {
    TRY(bool fresh, records::insert_execution(tx, execution_id, policy.id, run.job().id, "event_based",
                                              x_registry.clock().now()));
    if (!fresh) return {};
    TRY_STATUS(add_task(tx, task_id, execution_id, repository, payload.tag));
    return records::set_planned(tx, execution_id);
  });
}

Status Signing::run_plan(job::Run& run) {
  TRY(auto payload, wire::decode_json<PlanPayload>(run.job().payload));
  TRY(Execution execution, get_execution(0, payload.execution));
  TRY(Policy policy, get_policy(0, execution.policy_id));
  std::vector<std::pair<std::int64_t, registry::Repository>> chosen;
  for (registry::Slice slice{0, page_size};; slice.offset += page_size) {
    TRY(auto page, x_registry.list_repositories({.namespace_id = policy.namespace_id}, slice));
    for (auto& repository : page.items) {
      if (!selects_repository(policy, repository.name)) continue;
      TRY(auto id, x_ids.next("sign_task"));
      chosen.emplace_back(id, std::move(repository));
    }
    if (static_cast<std::int64_t>(page.items.size()) < page_size) break;
    if (run.canceled()) return fail(run.why());
  }
  run.log("plan", fmt::format("{} repositories are selected", chosen.size()));
  return run.commit([&](meta::Tx& tx) -> Status {
    TRY(bool planned, records::is_planned(tx, execution.id));
    if (planned) return {};
    for (const auto& [id, repository] : chosen) TRY_STATUS(add_task(tx, id, execution.id, repository, ""));
    TRY_STATUS(records::set_planned(tx, execution.id));
    return finish_if_done(tx, execution.id);
  });
}

Status Signing::run_repository(job::Run& run) {
  TRY(auto payload, wire::decode_json<TaskPayload>(run.job().payload));
  TRY(auto stored, x_registry.db().read([&](meta::Tx& tx) { return records::find_task(tx, payload.task); }));
  if (!stored) return fail(Reason::task_unknown);
  const Task& task = stored->task;
  TRY(Execution execution, get_execution(0, task.execution_id));
  TRY(Policy policy, get_policy(0, execution.policy_id));
  TRY(auto repository, x_registry.get_repository(stored->repository_id));
  TRY(auto key, load_key(policy.key_uuid));

  Selected selected;
  TRY_STATUS(select_tags(x_registry, policy, repository, stored->only_tag, selected));
  if (stored->only_tag.empty()) TRY_STATUS(select_untagged(x_registry, policy, repository, selected));
  std::vector<SubTask> wanted;
  for (const auto& [digest, tags] : selected) {
    TRY(auto id, x_ids.next("sign_sub_task"));
    wanted.push_back({.id = id,
                      .job_id = task.job_id,
                      .tags = join(tags, ","),
                      .digest = digest,
                      .created_at = x_registry.clock().now()});
  }
  TRY_STATUS(run.commit([&](meta::Tx& tx) -> Status {
    for (const auto& sub_task : wanted) TRY_STATUS(records::put_sub_task(tx, task.id, sub_task));
    return records::set_task(tx, task.id, "InProgress", "", x_registry.clock().now());
  }));

  std::int64_t failures = 0, done = 0;
  TRY(auto page, list_sub_tasks(execution.id, task.id, "", {0, INT32_MAX}));
  for (const auto& sub_task : page.items) {
    if (run.canceled()) return fail(run.why());
    auto signature = sign_image(x_registry, repository, sub_task.digest, key, x_options.registry_host);
    if (!signature.ok() && signature.error().kind() == ErrorKind::internal) return signature.error();
    failures += signature.ok() ? 0 : 1;
    run.log("sign",
            fmt::format("{} {}", sub_task.digest,
                        signature.ok() ? "signed by " + *signature : "failed: " + signature.error().message));
    TRY_STATUS(run.commit([&](meta::Tx& tx) -> Status {
      TimeMs now = x_registry.clock().now();
      if (!signature.ok())
        return records::set_sub_task(tx, sub_task.id, "Failed", signature.error().message, now);
      TRY_STATUS(records::put_signature(tx, repository.id,
                                        {.digest = sub_task.digest,
                                         .key_uuid = policy.key_uuid,
                                         .key_name = {},
                                         .signature_digest = *signature,
                                         .execution_id = execution.id,
                                         .signed_at = now}));
      return records::set_sub_task(tx, sub_task.id, "Succeed", "", now);
    }));
    run.progress(static_cast<int>(++done * 100 / page.total));
  }
  return run.commit([&](meta::Tx& tx) -> Status {
    std::string text =
        failures ? fmt::format("{} of {} images could not be signed", failures, page.total) : "";
    TRY_STATUS(
        records::set_task(tx, task.id, failures ? "Failed" : "Success", text, x_registry.clock().now()));
    return finish_if_done(tx, execution.id);
  });
}

// The last task to end closes the execution, in its own transaction.
Status Signing::finish_if_done(meta::Tx& tx, std::int64_t execution_id) {
  TRY(bool planned, records::is_planned(tx, execution_id));
  TRY(auto execution, records::find_execution(tx, 0, execution_id));
  bool open = !planned || !execution || execution->in_progress > 0 || execution->status != "InProgress";
  if (open) return {};
  execution->status = execution->failed > 0 ? "Failed" : execution->stopped > 0 ? "Stopped" : "Succeed";
  TRY_STATUS(records::set_execution(tx, execution_id, execution->status, "", x_registry.clock().now()));
  TRY(auto policy, records::find_policy(tx, 0, execution->policy_id));
  if (!policy) return {};
  return x_registry.events().emit(tx,
                                  {.type = execution->status == "Succeed" ? "sign.completed" : "sign.failed",
                                   .subject = policy->namespace_name + " by " + policy->name,
                                   .namespace_id = policy->namespace_id,
                                   .data = event_data(*execution, *policy)});
}

Status Signing::settle_plan(meta::Tx& tx, const job::Job& job, const Error& error) {
  auto payload = wire::decode_json<PlanPayload>(job.payload);
  if (!payload.ok()) return {};
  return records::set_execution(tx, payload->execution,
                                error.reason == Reason::canceled ? "Stopped" : "Failed", error.message,
                                x_registry.clock().now());
}

Status Signing::settle_task(meta::Tx& tx, const job::Job& job, const Error& error) {
  auto payload = wire::decode_json<TaskPayload>(job.payload);
  if (!payload.ok()) return {};
  TRY(auto stored, records::find_task(tx, payload->task));
  if (!stored) return {};
  bool stopped = error.reason == Reason::canceled;
  TimeMs now = x_registry.clock().now();
  std::string_view status = stopped ? "Stopped" : "Failed";
  TRY_STATUS(records::set_task(tx, stored->task.id, status, error.message, now));
  TRY_STATUS(records::stop_sub_tasks(tx, stored->task.id, status, error.message, now));
  return finish_if_done(tx, stored->task.execution_id);
}

}  // namespace wharfage::sign
