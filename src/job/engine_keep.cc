#include <algorithm>

#include "job/engine.h"

namespace wharfage::job {
namespace {

constexpr std::int64_t prune_interval_ms = 60'000;

}  // namespace

void Engine::keep_loop() {
  std::int64_t beat_at = monotonic_ms() + x_options.lease_ms / 3;
  std::int64_t prune_at = monotonic_ms();
  while (!x_kept) {
    auto now_running = runs();
    flush(now_running);
    if (monotonic_ms() >= beat_at) {
      beat(now_running);
      beat_at = monotonic_ms() + x_options.lease_ms / 3;
    }
    read_cancel_flags(now_running);
    if (monotonic_ms() >= prune_at && !x_stopping) {
      bool more = prune();
      prune_at = monotonic_ms() + (more ? 0 : prune_interval_ms);
    }
    x_keep->wait(std::min(x_options.tick_ms, std::max<std::int64_t>(1, beat_at - monotonic_ms())));
  }
}

// Stores the new lines and progress of all runs in one transaction.
void Engine::flush(const std::vector<RunPtr>& runs) {
  std::vector<std::pair<RunPtr, ActiveRun::Unsaved>> batch;
  for (const auto& run : runs) {
    if (run->dirty()) batch.emplace_back(run, run->take_unsaved());
  }
  if (batch.empty()) return;
  std::vector<RunPtr> lost;
  Status stored = x_db.write([&](meta::Tx& tx) -> Status {
    lost.clear();
    for (auto& [run, unsaved] : batch) {
      TRY(bool held, records::append_log(tx, run->holder(), unsaved.progress, unsaved.lines));
      if (!held) lost.push_back(run);
    }
    return {};
  });
  for (auto& [run, unsaved] : batch) {
    if (stored.ok()) {
      run->keep(std::move(unsaved));
    } else {
      run->restore(std::move(unsaved));
    }
  }
  if (!stored.ok()) {
    x_log.error("cannot store job logs", {{"error", stored.error().message}});
    return;
  }
  for (const auto& run : lost) run->lose();
}

void Engine::beat(const std::vector<RunPtr>& runs) {
  if (runs.empty()) return;
  std::vector<RunPtr> lost;
  Status extended = x_db.write([&](meta::Tx& tx) -> Status {
    lost.clear();
    TimeMs until = x_clock.now() + x_options.lease_ms;
    for (const auto& run : runs) {
      TRY(auto found, records::extend(tx, run->holder(), until));
      if (!found.held) lost.push_back(run);
    }
    return {};
  });
  if (!extended.ok()) x_log.error("cannot extend leases", {{"error", extended.error().message}});
  for (const auto& run : lost) {
    if (extended.ok()) run->lose();
  }
}

void Engine::read_cancel_flags(const std::vector<RunPtr>& runs) {
  if (runs.empty()) return;
  auto asked = x_db.read([&](meta::Tx& tx) { return records::asked_to_cancel(tx, x_node); });
  if (!asked.ok()) return;  // asked again at the next tick
  for (const auto& run : runs) {
    if (std::find(asked->begin(), asked->end(), run->job().id) != asked->end()) run->ask_cancel();
  }
}

// True when there may be more to drop.
bool Engine::prune() {
  std::vector<std::pair<std::string, TimeMs>> kinds;
  {
    std::lock_guard lock(x_mutex);
    for (const auto& [name, one] : x_kinds) {
      if (one.kind.keep_ms > 0) kinds.emplace_back(name, x_clock.now() - one.kind.keep_ms);
    }
  }
  bool more = false;
  for (const auto& [kind, before] : kinds) {
    auto dropped = x_db.write([&](meta::Tx& tx) { return records::prune(tx, kind, before); });
    if (!dropped.ok()) {
      x_log.error("cannot drop old jobs", {{"error", dropped.error().message}});
      return false;
    }
    more = more || *dropped == limits::job_prune_batch;
  }
  return more;
}

// Handlers that overstayed the server's end lose their jobs here; the attempt does not count.
void Engine::give_back() {
  auto left = runs();
  if (left.empty()) return;
  Status given = x_db.write([&](meta::Tx& tx) -> Status {
    for (const auto& run : left) {
      TRY_STATUS(records::requeue(tx, run->holder(), {x_clock.now(), run->job().error, false}));
    }
    return {};
  });
  if (!given.ok()) x_log.error("cannot give leases back", {{"error", given.error().message}});
  for (const auto& run : left) {
    if (!run->completed()) run->lose();
  }
}

}  // namespace wharfage::job
