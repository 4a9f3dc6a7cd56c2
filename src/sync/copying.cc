// A copy's life: "sync.copy" carries one task out, keeps its books, and closes its group and execution.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/failpoint.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "sync/copier.h"
#include "sync/records.h"
#include "sync/sync.h"
#include "wire/schema.h"

namespace wharfage::sync {
namespace {

struct CopyPayload {
  std::int64_t task = 0;
  static constexpr auto fields() {
    return std::array{wire::field<&CopyPayload::task>("task", wire::required)};
  }
};

// Writes down how far a task has come, so that callers see it move and a restart finds it.
class Books final : public Watcher {
 public:
  Books(job::Run& run, const Clock& clock, Task& task, std::int64_t remembered_for)
      : x_run(run), x_clock(clock), x_task(task), x_remembered_for(remembered_for) {}

  Status planned(const std::string& digest, const std::vector<Piece>& pieces, std::int64_t bytes) override {
    x_task.digest = digest;
    x_task.bytes_total = bytes;
    x_task.bytes_done = 0;
    return x_run.commit([&](meta::Tx& tx) -> Status {
      std::int64_t position = 0;
      for (const Piece& piece : pieces) {
        if (position >= static_cast<std::int64_t>(limits::list_page_max)) break;
        TRY_STATUS(records::put_layer(tx, x_task.id, ++position,
                                      {.public_id = random_id("rslt-"),
                                       .artifact_digest = piece.artifact_digest,
                                       .digest = piece.digest,
                                       .size = piece.size}));
      }
      return note(tx);
    });
  }

  Status moving(const std::string& digest, std::int64_t so_far) override {
    if (so_far - x_noted < limits::sync_progress_bytes) return {};
    x_noted = so_far;
    return x_run.commit([&](meta::Tx& tx) -> Status {
      TRY_STATUS(records::set_layer(tx, x_task.id, digest, so_far, State::running));
      return note(tx);
    });
  }

  Status arrived(const std::string& digest, std::int64_t size, std::int64_t sent, bool planned) override {
    if (FAIL_POINT("sync.arrived")) return fail(Reason::remote_unreachable, "the connection was lost");
    x_noted = 0;
    if (planned) x_task.bytes_done += size;
    x_task.bytes_sent += sent;
    x_run.progress(percent());
    return x_run.commit([&](meta::Tx& tx) -> Status {
      TRY_STATUS(records::set_layer(tx, x_task.id, digest, size, State::succeeded));
      if (x_remembered_for) {
        TRY_STATUS(
            records::remember_blob(tx, x_remembered_for, digest, x_task.to.full_name(), x_clock.now()));
      }
      return note(tx);
    });
  }

  void say(const std::string& line) override { x_run.log("copy", line); }
  Status alive() override { return x_run.canceled() ? Status(fail(x_run.why())) : Status(); }

 private:
  int percent() const {
    if (x_task.bytes_total <= 0) return 0;
    return static_cast<int>(std::min<std::int64_t>(99, x_task.bytes_done * 100 / x_task.bytes_total));
  }
  Status note(meta::Tx& tx) {
    x_task.progress = percent();
    x_task.updated_at = x_clock.now();
    return records::set_progress(tx, x_task);
  }

  job::Run& x_run;
  const Clock& x_clock;
  Task& x_task;
  std::int64_t x_remembered_for;  // the connection copied to; 0: ours
  std::int64_t x_noted = 0;       // bytes of the blob at hand when it was last written down
};

std::string event_data(const Task& task, const connect::Connection& other) {
  return fmt::format(
      R"({{"task":{},"batch":{},"rule":{},"source":{},"connection_id":{},"connection":{},"target":{},)"
      R"("digest":{},"bytes":{},"direction":{},"reason":{}}})",
      json_string(task.public_id), json_string(task.batch_id), json_string(task.rule_public_id),
      json_string(task.from.full_name() + ":" + task.from.tag), other.id, json_string(other.name),
      json_string(task.to.full_name() + ":" + task.to.tag), json_string(task.digest), task.bytes_sent,
      json_string(name_of(task.direction)), json_string(task.text));
}

}  // namespace

Status Sync::run_copy(job::Run& run) {
  TRY(auto payload, wire::decode_json<CopyPayload>(run.job().payload));
  TRY(auto stored, x_registry.db().read([&](meta::Tx& tx) { return records::find_task(tx, payload.task); }));
  if (!stored) return fail(Reason::task_unknown);
  Task task = *stored;
  if (ended(task.state)) return {};
  TRY_STATUS(run.commit([&](meta::Tx& tx) -> Status {
    if (task.group_id) TRY_STATUS(records::set_group_running(tx, task.group_id));
    return records::begin_task(tx, task.id, x_registry.clock().now());
  }));
  auto outcome = copy_task(run, task);
  if (run.canceled()) return fail(run.why());
  if (outcome.ok()) {
    run.log("copy", fmt::format("{} bytes sent", task.bytes_sent));
    return run.commit([&](meta::Tx& tx) { return end_task(tx, task, State::succeeded, nullptr, *outcome); });
  }
  Error error = outcome.error();
  run.log("copy", error.message);
  TRY_STATUS(run.commit([&](meta::Tx& tx) {
    return records::set_trouble(tx, task.id, issue_of(error.reason),
                                cut(error.message, limits::connection_reason_max), x_registry.clock().now());
  }));
  // Refused credentials do not get better by trying again.
  return error.reason == Reason::remote_denied ? fail(Reason::denied, error.message) : error;
}

// Whether the target names the same digest afterwards.
Result<bool> Sync::copy_task(job::Run& run, Task& task) {
  auto stop = [&run] { return run.canceled(); };
  TRY(auto from, x_connections.get(task.from.connection_id));
  TRY(auto to, x_connections.get(task.to.connection_id));
  auto open = [&](const connect::Connection& connection, const Side& side,
                  bool target) -> Result<std::unique_ptr<Place>> {
    if (!connection.own()) {
      TRY(auto client, x_connections.open(connection, stop));
      auto where = [this, id = connection.id](const Digest& digest) {
        return x_registry.db().read(
            [&](meta::Tx& tx) { return records::where_is_blob(tx, id, digest.text()); });
      };
      return place_elsewhere(std::move(client), side.full_name(), where);
    }
    registry::Name name{side.namespace_name, side.repository};
    TRY(auto repository, target ? x_registry.ensure_repository(name) : x_registry.find_repository(name));
    if (task.direction == Direction::pull) {
      task.repository_id = repository.id;
      task.namespace_id = repository.namespace_id;
    }
    return place_here(x_registry, std::move(repository));
  };
  TRY(auto source, open(from, task.from, false));
  TRY(auto target, open(to, task.to, true));
  if (task.direction == Direction::pull) {
    TRY_STATUS(run.commit([&](meta::Tx& tx) {
      return records::set_place(tx, task.id, task.repository_id, task.namespace_id);
    }));
  }
  Books books(run, x_registry.clock(), task, to.own() ? 0 : to.id);
  Copier copier(*source, *target, books);
  // Without a tag it is an accessory that has only its digest.
  std::string reference = task.from.tag.empty() ? task.digest : task.from.tag;
  TRY(auto outcome, copier.copy(reference, task.to.tag.empty() ? reference : task.to.tag, task.overwrite));
  task.digest = outcome.digest;
  return outcome.verified;
}

Status Sync::end_task(meta::Tx& tx, Task task, State state, const Error* error, bool verified) {
  TimeMs now = x_registry.clock().now();
  task.state = state;
  task.ended_at = now;
  task.progress = state == State::succeeded ? 100 : task.progress;
  if (state == State::succeeded) task.bytes_done = task.bytes_total;
  task.issue = error && state == State::failed ? issue_of(error->reason) : Issue::none;
  task.text = error ? cut(error->message, limits::connection_reason_max) : "";
  TRY(bool mine, records::end_task(tx, task));
  if (!mine) return {};
  TRY_STATUS(records::end_layers(tx, task.id, state));
  std::int64_t other_id = task.direction == Direction::push ? task.to.connection_id : task.from.connection_id;
  auto other = x_connections.find(tx, other_id);
  if (!other.ok()) return other.error();
  bool noteworthy = *other && task.repository_id && !task.digest.empty() && state != State::canceled;
  if (noteworthy) {
    const Side& there = task.direction == Direction::push ? task.to : task.from;
    TRY_STATUS(records::put_copy(tx, task.repository_id, task.rule_id,
                                 {.connection_id = other_id,
                                  .direction = task.direction,
                                  .repository = there.full_name(),
                                  .tag = there.tag,
                                  .digest = task.digest,
                                  .state = state,
                                  .text = task.text,
                                  .bytes_sent = task.bytes_sent,
                                  .verified = verified,
                                  .at = now}));
  }
  if (*other && state != State::canceled) {
    TRY_STATUS(
        x_registry.events().emit(tx, {.type = state == State::succeeded ? "sync.completed" : "sync.failed",
                                      .subject = task.from.full_name() + ":" + task.from.tag,
                                      .namespace_id = task.namespace_id,
                                      .data = event_data(task, **other)}));
  }
  return finish_group(tx, task.group_id);
}

Status Sync::settle_copy(meta::Tx& tx, const job::Job& job, const Error& error) {
  auto payload = wire::decode_json<CopyPayload>(job.payload);
  if (!payload.ok()) return {};
  TRY(auto task, records::find_task(tx, payload->task));
  if (!task) return {};
  State state = error.reason == Reason::canceled ? State::canceled : State::failed;
  return end_task(tx, *task, state, &error, false);
}

// The last task to end closes its group, the last group its execution, in that task's transaction.
Status Sync::finish_group(meta::Tx& tx, std::int64_t group_id) {
  if (!group_id) return {};
  TRY(auto group, records::find_group(tx, group_id));
  TRY(auto states, records::task_states(tx, group_id));
  if (!group || states.open > 0) return {};
  State state = states.failed > 0 ? State::failed : states.canceled > 0 ? State::canceled : State::succeeded;
  TRY_STATUS(records::set_group(tx, group_id, state, x_registry.clock().now()));
  return finish_execution(tx, group->execution_id);
}

Status Sync::finish_execution(meta::Tx& tx, std::int64_t execution_id) {
  TRY(auto execution, records::find_execution(tx, execution_id));
  TRY(bool planned, records::is_planned(tx, execution_id));
  if (!execution || !planned || execution->running > 0) return {};
  State state = execution->failed > 0     ? State::failed
                : execution->canceled > 0 ? State::canceled
                                          : State::succeeded;
  std::string text = execution->failed > 0
                         ? fmt::format("{} of {} repositories failed", execution->failed, execution->total)
                         : std::string();
  TRY([[maybe_unused]] bool ended,
      records::end_execution(tx, execution_id, state, text, x_registry.clock().now()));
  return {};
}

}  // namespace wharfage::sync
