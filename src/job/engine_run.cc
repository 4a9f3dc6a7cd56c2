#include <algorithm>
#include <exception>

#include "base/text.h"
#include "job/backoff.h"
#include "job/engine.h"

namespace wharfage::job {
namespace {

constexpr int finish_tries_max = 3;
constexpr std::int64_t finish_pause_ms = 200;

bool retryable(const Error& error) {
  return error.kind() == ErrorKind::unavailable || error.kind() == ErrorKind::internal ||
         error.reason == Reason::throttled || error.reason == Reason::lease_lost;
}

// What people see of an error. The detail of an internal one is for the log.
std::string shown(const Error& error) {
  bool more = !error.detail.empty() && error.kind() != ErrorKind::internal;
  std::string text = more ? error.message + " (" + error.detail + ")" : error.message;
  return cut(printable(text), limits::job_error_max);
}

}  // namespace

void Engine::execute(const RunPtr& run) {
  Status status = call_handler(*run);
  finish(*run, status);
  forget(run);
}

Status Engine::call_handler(ActiveRun& run) {
  if (x_stopping) return fail(Reason::shutting_down);
  if (run.canceled()) return fail(run.why());
  const Kind* kind = find_kind(run.job().kind);
  try {
    return kind->run(run);
  } catch (const std::exception& thrown) {
    run.logger().error("a job handler threw", {{"error", thrown.what()}});
  } catch (...) {
    run.logger().error("a job handler threw");
  }
  return fail(Reason::internal);
}

void Engine::finish(ActiveRun& run, const Status& status) {
  if (run.completed()) return count_ended(run.job().kind, State::succeeded);
  if (!status.ok()) {
    run.logger().info("job attempt failed", {{"error", status.error().message},
                                             {"detail", status.error().detail},
                                             {"attempt", std::int64_t{run.job().attempt}}});
  }
  auto unsaved = run.take_unsaved();
  Signal pause;
  for (int tries = 1; !run.lost(); ++tries) {
    Status finished = finish_once(run, status, unsaved.lines);
    if (finished.ok()) return;
    if (finished.error().reason == Reason::lease_lost) break;
    run.logger().error("cannot end a job",
                       {{"error", finished.error().message}, {"detail", finished.error().detail}});
    // Given up: the lease runs out and the job is claimed again, or ended when it has no attempt left.
    if (tries == finish_tries_max) return;
    pause.wait(finish_pause_ms * tries);
  }
  run.logger().warning("job was taken over by another worker");
}

Status Engine::finish_once(ActiveRun& run, const Status& outcome, const std::vector<LogLine>& lines) {
  Job job = run.job();
  job.progress = run.shown_progress();
  std::optional<State> ended;
  TRY_STATUS(x_db.write([&](meta::Tx& tx) -> Status {
    TimeMs now = x_clock.now();
    TRY(auto held, records::extend(tx, run.holder(), now + x_options.lease_ms));
    if (!held.held) return fail(Reason::lease_lost);
    TRY_STATUS(records::append_log(tx, run.holder(), job.progress, lines));
    if (outcome.ok()) {
      ended = State::succeeded;
      return end(tx, run.holder(), job, State::succeeded, nullptr);
    }
    const Error& error = outcome.error();
    // What fails while the server stops may have failed for that: it does not count.
    bool gave_way = x_stopping && (retryable(error) || error.reason == Reason::canceled);
    bool again = gave_way || retryable(error);
    if (held.cancel_asked && (again || error.reason == Reason::canceled)) {
      ended = State::canceled;
      Error canceled = fail(Reason::canceled);
      return end(tx, run.holder(), job, State::canceled, &canceled);
    }
    if (gave_way) {
      TRY_STATUS(records::requeue(tx, run.holder(), {now, job.error, false}));
    } else if (again && !run.last_attempt()) {
      const Kind* kind = find_kind(job.kind);
      auto base = kind->retry_base_ms > 0 ? kind->retry_base_ms : x_options.retry_base_ms;
      auto delay = backoff_ms(job.id, job.attempt, base, std::max(base, x_options.retry_max_ms));
      TRY_STATUS(records::requeue(tx, run.holder(), {now + delay, shown(error), true}));
    } else {
      ended = error.reason == Reason::canceled ? State::canceled : State::failed;
      return end(tx, run.holder(), job, *ended, &error);
    }
    ended.reset();
    return {};
  }));
  if (ended) count_ended(job.kind, *ended);
  return {};
}

void Engine::count_ended(const std::string& kind, State state) {
  std::lock_guard lock(x_mutex);
  ++x_kinds.find(kind)->second.ended[state];
}

Status Engine::end(meta::Tx& tx, const records::Holder& holder, Job job, State state, const Error* error) {
  job.state = state;
  job.error = error ? shown(*error) : "";
  job.ended_at = x_clock.now();
  if (state == State::succeeded) job.progress = 100;
  TRY(bool held, records::end(tx, holder, {state, job.error, job.progress, job.ended_at}));
  if (!held) return fail(Reason::lease_lost);
  return error ? settle(tx, job, *error) : Status();
}

Status Engine::settle(meta::Tx& tx, const Job& job, const Error& error) {
  const Kind* kind = find_kind(job.kind);
  if (!kind || !kind->settle) return {};
  try {
    return kind->settle(tx, job, error);
  } catch (const std::exception& thrown) {
    x_log.error("settling a job threw", {{"job", job.id}, {"kind", job.kind}, {"error", thrown.what()}});
  }
  return fail(Reason::internal);
}

void Engine::forget(const RunPtr& run) {
  {
    std::lock_guard lock(x_mutex);
    x_runs.erase(std::find(x_runs.begin(), x_runs.end(), run));
    --x_kinds.find(run->job().kind)->second.running;
  }
  x_ended->notify();
  x_wake->notify();
}

}  // namespace wharfage::job
