#include "job/run.h"

#include <algorithm>

namespace wharfage::job {

ActiveRun::ActiveRun(records::Claimed claimed, const Surroundings& around)
    : x_around(around),
      x_job(std::move(claimed.job)),
      x_fence(claimed.fence),
      x_log(around.log.with("job", x_job.id).with("kind", x_job.kind)),
      x_buffer(claimed.log_lines),
      x_cancel_asked(x_job.cancel_asked) {}

bool ActiveRun::canceled() const {
  return x_cancel_asked || x_lost || x_around.stopping;
}

Reason ActiveRun::why() const {
  if (x_lost) return Reason::lease_lost;
  return x_cancel_asked ? Reason::canceled : Reason::shutting_down;
}

void ActiveRun::log(std::string_view stage, std::string_view line) {
  // The loop that stores lines must know before this waits for room.
  if (x_buffer.filling()) x_around.flush->notify();
  x_buffer.add(stage, line, limits::job_log_wait_ms);
}

void ActiveRun::progress(int percent) {
  x_progress = std::clamp(percent, 0, 100);
}

Status ActiveRun::commit(const std::function<Status(meta::Tx&)>& work) {
  if (x_lost || x_completed) return fail(Reason::lease_lost);
  return write(work);
}

Status ActiveRun::complete(const std::function<Status(meta::Tx&)>& work) {
  if (x_lost || x_completed) return fail(Reason::lease_lost);
  auto unsaved = take_unsaved();
  Status status = write([&](meta::Tx& tx) -> Status {
    TRY_STATUS(work(tx));
    TRY_STATUS(records::append_log(tx, holder(), 100, unsaved.lines));
    TRY_STATUS(records::end(tx, holder(), {State::succeeded, "", 100, x_around.clock.now()}));
    return {};
  });
  if (!status.ok()) {
    restore(std::move(unsaved));
    return status;
  }
  x_completed = true;
  x_buffer.close();
  return {};
}

Status ActiveRun::write(const std::function<Status(meta::Tx&)>& work) {
  bool held = true;
  Status status = x_around.db.write([&](meta::Tx& tx) -> Status {
    TimeMs until = x_around.clock.now() + x_around.options.lease_ms;
    // Also keeps the row locked until this commits, so that nobody can take the job over meanwhile.
    TRY(auto found, records::extend(tx, holder(), until));
    held = found.held;
    if (!held) return fail(Reason::lease_lost);
    return work(tx);
  });
  if (!held) lose();
  return status;
}

void ActiveRun::lose() {
  x_lost = true;
  x_buffer.close();
}

bool ActiveRun::dirty() const {
  return !x_lost && !x_completed && (!x_buffer.empty() || x_progress != x_stored_progress);
}

ActiveRun::Unsaved ActiveRun::take_unsaved() {
  Unsaved unsaved{.lock = std::unique_lock(x_storing), .progress = 0, .lines = {}};
  unsaved.progress = x_progress;
  unsaved.lines = x_buffer.take();
  return unsaved;
}

void ActiveRun::keep(Unsaved unsaved) {
  x_stored_progress = unsaved.progress;
}

void ActiveRun::restore(Unsaved unsaved) {
  x_buffer.put_back(std::move(unsaved.lines));
}

}  // namespace wharfage::job
