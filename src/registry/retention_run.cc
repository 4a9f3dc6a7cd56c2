#include <algorithm>
#include <tuple>

#include "registry/policy_limits.h"
#include "registry/records.h"
#include "registry/retention.h"
#include "registry/retention_plan.h"
#include "registry/retention_records.h"
#include "wire/schema.h"

// A run: one repository after another, each planned anew, so a run that was interrupted goes on where it was.
namespace wharfage::registry {

// The job's payload. Not file-local: the compiler needs the members' names (wire/schema.h).
struct RetentionPayload {
  std::int64_t run = 0;
  static constexpr auto fields() {
    return std::array{wire::field<&RetentionPayload::run>("run", wire::required)};
  }
};

namespace {

Result<records::StoredRun> load(meta::Tx& tx, const std::string& payload) {
  TRY(auto wanted, wire::decode_json<RetentionPayload>(payload));
  TRY(auto found, records::find_run(tx, wanted.run));
  if (!found) return fail(Reason::not_found, "the retention run does not exist");
  return *std::move(found);
}

Status write_item(meta::Tx& tx, records::StoredRun& stored, const RetentionTask& task,
                  const PlannedItem& item, std::string_view outcome, std::string_view reason) {
  return records::insert_item(
      tx, stored.run.id,
      {++stored.items, task.repository, item.tag, item.digest, std::string(outcome), std::string(reason)});
}

// Of an error that concerns this item alone: somebody moved, tagged or deleted it since it was planned.
bool is_outrun(const Error& error) {
  return error.kind() == ErrorKind::not_found || error.kind() == ErrorKind::conflict;
}

}  // namespace

void Retention::start() {
  x_queue.add_kind({.name = "retention.run",
                    .concurrency = 1,
                    .run = [this](job::Run& run) { return work(run); },
                    .settle = [this](meta::Tx& tx, const job::Job& job, const Error& error) -> Status {
                      auto stored = load(tx, job.payload);
                      if (!stored.ok()) return {};  // its namespace has gone
                      stored->run.status = error.reason == Reason::canceled ? "canceled" : "failed";
                      stored->run.error = error.message;
                      stored->run.ended_at = x_registry.clock().now();
                      return records::update_run(tx, *stored);
                    }});
}

Status Retention::work(job::Run& run) {
  meta::Db& db = x_registry.db();
  TRY_STATUS(x_registry.fold_pulls());  // rules that ask for pulls shall see the latest
  for (;;) {
    if (run.canceled()) return fail(run.why());
    struct Next {
      records::StoredRun stored;
      std::optional<Repository> repository;
    };
    TRY(auto next, db.read([&](meta::Tx& tx) -> Result<Next> {
      Next next;
      TRY(next.stored, load(tx, run.job().payload));
      TRY(next.repository,
          records::next_repository(tx, next.stored.run.namespace_id, next.stored.last_repository_id));
      return next;
    }));
    if (!next.repository) {
      return run.complete([&](meta::Tx& tx) -> Status {
        next.stored.run.status = "succeeded";
        next.stored.run.ended_at = x_registry.clock().now();
        return records::update_run(tx, next.stored);
      });
    }
    TRY_STATUS(work_on(run, next.stored, *next.repository));
  }
}

Status Retention::work_on(job::Run& run, records::StoredRun& stored, const Repository& repository) {
  const TimeMs now = x_registry.clock().now();
  TRY(auto plan, plan_retention(x_registry.db(), repository, stored.policy.rules, now));
  TRY(auto begun, x_registry.db().read(
                      [&](meta::Tx& tx) { return records::find_task(tx, stored.run.id, repository.id); }));
  RetentionTask task = begun.value_or(RetentionTask{.repository_id = repository.id,
                                                    .repository = repository.name,
                                                    .first_item = stored.items + 1,
                                                    .started_at = now});
  std::int64_t removed_before = stored.run.removed_tags + stored.run.removed_images;
  for (std::size_t from = 0; from < plan.removals.size(); from += limits::retention_batch) {
    if (run.canceled()) return fail(run.why());
    std::size_t to = std::min(plan.removals.size(), from + limits::retention_batch);
    const auto before = std::pair(stored, task);
    TRY_STATUS(run.commit([&](meta::Tx& tx) -> Status {
      std::tie(stored, task) = before;  // it may run again
      for (std::size_t i = from; i < to; ++i) {
        TRY_STATUS(remove(tx, stored, repository, task, plan.removals[i]));
      }
      return write_task(tx, stored, task);
    }));
  }
  const auto before = std::pair(stored, task);
  return run.commit([&](meta::Tx& tx) -> Status {
    std::tie(stored, task) = before;
    for (const auto& item : plan.kept) TRY_STATUS(write_item(tx, stored, task, item, "kept", item.reason));
    stored.run.kept += plan.kept_count;
    task.kept = plan.kept_count;
    // What did not fit into one plan is planned next, unless nothing of it could be removed.
    bool progress = stored.run.removed_tags + stored.run.removed_images > removed_before;
    if (!plan.more || stored.run.dry || !progress) stored.last_repository_id = repository.id;
    bool touched = plan.kept_count > 0 || !plan.removals.empty();
    return touched ? write_task(tx, stored, task) : records::update_run(tx, stored);
  });
}

// With the run that it is a part of.
Status Retention::write_task(meta::Tx& tx, records::StoredRun& stored, RetentionTask& task) {
  TRY(auto known, records::find_task(tx, stored.run.id, task.repository_id));
  if (!known) ++stored.run.repositories;
  task.last_item = stored.items;
  task.ended_at = x_registry.clock().now();
  TRY_STATUS(records::put_task(tx, stored.run.id, task));
  return records::update_run(tx, stored);
}

// In a dry run nothing but the note.
Status Retention::remove(meta::Tx& tx, records::StoredRun& stored, const Repository& repository,
                         RetentionTask& task, const PlannedItem& item) {
  Cause cause{stored.run.actor, "retention"};
  Status done;
  if (!stored.run.dry) {
    TRY(Digest digest, Digest::parse(item.digest));
    done = item.tag.empty() ? x_registry.delete_untagged(tx, repository, digest, cause)
                            : x_registry.delete_tag_at(tx, repository, item.tag, digest, cause);
  }
  if (!done.ok() && !is_outrun(done.error())) return done;
  if (item.judged) ++(done.ok() ? task.removed : task.failed);
  if (!done.ok()) {
    ++stored.run.failed;
    return write_item(tx, stored, task, item, "failed", done.error().message);
  }
  ++(item.tag.empty() ? stored.run.removed_images : stored.run.removed_tags);
  return write_item(tx, stored, task, item, "removed", item.reason);
}

}  // namespace wharfage::registry
