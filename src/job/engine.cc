#include "job/engine.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/random.h"

namespace wharfage::job {
namespace {

constexpr std::int64_t unhealthy_after_ms = 15'000;
constexpr std::int64_t look_again_ms = 10;  // while somebody waits for the queue to become idle

}  // namespace

Engine::Engine(meta::Db& db, const Clock& clock, Log log, QueueOptions options)
    : x_db(db),
      x_clock(clock),
      x_log(std::move(log)),
      x_options(options),
      x_node(random_hex(8)),
      x_around{x_db, x_clock, x_log, x_options, x_keep, x_stopping} {}

Engine::~Engine() {
  stop();
}

void Engine::add_kind(Kind kind) {
  std::lock_guard lock(x_mutex);
  CHECK(!x_started, "kinds are added before the queue starts");
  CHECK(kind.concurrency > 0 && kind.run, "a kind can be run");
  std::string name = kind.name;
  bool added = x_kinds.try_emplace(name, Registered{std::move(kind), 0, {}}).second;
  CHECK(added, "a kind is added once");
}

void Engine::start() {
  {
    std::lock_guard lock(x_mutex);
    CHECK(!x_started, "a queue starts once");
    x_started = true;
    for (const auto& [name, one] : x_kinds) x_threads += static_cast<std::size_t>(one.kind.concurrency);
    x_threads = std::min(x_threads, limits::job_threads_max);
  }
  if (x_threads == 0) return;
  if (x_options.sole_owner) {
    Status released = x_db.write([](meta::Tx& tx) { return records::expire_all(tx); });
    // Not fatal: the leases then run out by themselves.
    if (!released.ok()) x_log.warning("leases of the last run stay", {{"error", released.error().message}});
  }
  x_looked_at = monotonic_ms();
  x_handlers = std::make_unique<Workers>("job", x_threads, x_threads);
  x_claimer = std::make_unique<Workers>("job-claim", 1, 1);
  x_keeper = std::make_unique<Workers>("job-keep", 1, 1);
  bool posted = x_claimer->post([this] { claim_loop(); }) && x_keeper->post([this] { keep_loop(); });
  CHECK(posted, "an empty pool takes its loop");
}

void Engine::stop() {
  {
    std::lock_guard lock(x_mutex);
    if (x_stopped) return;
    x_stopped = true;
  }
  x_stopping = true;
  x_wake->notify();
  if (!x_claimer) return;
  x_claimer->stop();
  std::int64_t deadline = monotonic_ms() + x_options.stop_ms;
  while (!runs().empty() && monotonic_ms() < deadline) x_ended->wait(look_again_ms);
  give_back();
  x_kept = true;
  x_keep->notify();
  x_keeper->stop();
  // A handler that does not heed canceled() is waited for here; it can write nothing any more.
  x_handlers->stop();
}

Result<JobId> Engine::enqueue(meta::Tx& tx, const NewJob& job) {
  if (job.payload.size() > limits::job_payload_max) {
    return fail(Reason::too_large, "the job's payload is too large", job.kind);
  }
  TRY(auto id, records::insert(tx, job, x_clock.now()));
  tx.on_commit([wake = x_wake] { wake->notify(); });
  return id;
}

Status Engine::cancel(meta::Tx& tx, const JobId& id) {
  const Error canceled = fail(Reason::canceled);
  TRY(auto ended, records::cancel_queued(tx, id, canceled.message, x_clock.now()));
  if (ended) return settle(tx, *ended, canceled);
  TRY(bool asked, records::ask_cancel(tx, id));
  if (asked) {
    // Another node reads the flag within a second; here it is known as soon as it is on disk.
    tx.on_commit([keep = x_keep] { keep->notify(); });
    return {};
  }
  TRY(auto job, records::find(tx, id));
  return fail(job ? Reason::task_finished : Reason::job_unknown, {}, id);
}

void Engine::claim_loop() {
  while (!x_stopping) {
    std::int64_t wait_ms = look_for_work();
    x_looked_at = monotonic_ms();
    if (wait_ms > 0) x_wake->wait(wait_ms);
  }
}

std::int64_t Engine::look_for_work() {
  auto slots = free_slots();
  auto next = ask_for_work(slots);
  if (!next.ok()) {
    x_log.error("cannot look for jobs", {{"error", next.error().message}, {"detail", next.error().detail}});
    return x_options.poll_ms;
  }
  bool some = std::any_of(slots.begin(), slots.end(), [](auto& one) { return one.due + one.expired > 0; });
  if (!some) return std::clamp<std::int64_t>(*next - x_clock.now(), 1, x_options.poll_ms);
  auto claimed = claim(slots);
  if (!claimed.ok()) {
    x_log.error("cannot claim jobs",
                {{"error", claimed.error().message}, {"detail", claimed.error().detail}});
    return x_options.poll_ms;
  }
  // Nothing: other nodes were quicker, or no thread is free; a run that ends wakes this loop.
  return *claimed ? 0 : x_options.poll_ms;
}

// Kinds take turns in being first, so that one with endless work cannot keep the others off the last threads.
std::vector<Engine::Slots> Engine::free_slots() {
  std::lock_guard lock(x_mutex);
  std::vector<Slots> slots;
  if (x_runs.size() >= x_threads) return slots;
  auto first = x_kinds.upper_bound(x_last_kind);
  for (std::size_t i = 0; i < x_kinds.size(); ++i, ++first) {
    if (first == x_kinds.end()) first = x_kinds.begin();
    std::int64_t free = first->second.kind.concurrency - first->second.running;
    if (free > 0) slots.push_back({first->first, free, free, first->second.running == 0});
  }
  if (!slots.empty()) x_last_kind = slots.front().kind;
  return slots;
}

// Leaves in `slots` what there is to claim; returns when to look again.
Result<std::int64_t> Engine::ask_for_work(std::vector<Slots>& slots) {
  TimeMs now = x_clock.now();
  return x_db.read([&](meta::Tx& tx) -> Result<std::int64_t> {
    std::int64_t next = now + x_options.poll_ms;
    for (auto& one : slots) {
      TRY(auto due, records::next_due(tx, one.kind));
      TRY(auto expiry, records::next_expiry(tx, one.kind));
      if (!due || *due > now) one.due = 0;
      if (!expiry || *expiry > now) one.expired = 0;
      if (due) next = std::min(next, *due);
    }
    return next;
  });
}

Result<bool> Engine::claim(const std::vector<Slots>& slots) {
  auto own = runs();
  Taken taken;
  TRY_STATUS(x_db.write([&](meta::Tx& tx) -> Status {
    taken = {};
    TimeMs now = x_clock.now();
    bool expired = std::any_of(slots.begin(), slots.end(), [](auto& one) { return one.expired > 0; });
    if (expired) {
      // When this node was held up, what it runs may seem expired: it is not.
      for (const auto& run : own) TRY_STATUS(records::extend(tx, run->holder(), now + x_options.lease_ms));
    }
    auto idle = std::count_if(slots.begin(), slots.end(), [](auto& one) { return one.idle; });
    for (const auto& one : slots) {
      auto threads = static_cast<std::int64_t>(x_threads - own.size() - taken.to_run.size());
      if (threads <= 0) break;
      // One kind's endless work leaves a thread to each of the others, as far as half of them go.
      std::int64_t kept = std::min<std::int64_t>(idle - one.idle, static_cast<std::int64_t>(x_threads) / 2);
      threads = std::max<std::int64_t>(threads - kept, one.idle);
      std::size_t before = taken.to_run.size();
      if (threads > 0) TRY_STATUS(claim_kind(tx, one, now, threads, taken));
      if (taken.to_run.size() > before) idle -= one.idle;
    }
    return {};
  }));
  for (auto& one : taken.to_run) launch(std::move(one));
  for (const auto& one : taken.to_bury) bury(one);
  return !taken.to_run.empty() || !taken.to_bury.empty();
}

Status Engine::claim_kind(meta::Tx& tx, const Slots& slots, TimeMs now, std::int64_t threads, Taken& taken) {
  records::Claim wanted{slots.kind, x_node, now, x_options.lease_ms, std::min(slots.expired, threads)};
  std::int64_t used = 0;
  if (wanted.limit > 0) {
    TRY(auto again, records::claim_expired(tx, wanted));
    TRY(auto exhausted, records::take_exhausted(tx, wanted));
    used = static_cast<std::int64_t>(again.size());
    taken.to_run.insert(taken.to_run.end(), again.begin(), again.end());
    taken.to_bury.insert(taken.to_bury.end(), exhausted.begin(), exhausted.end());
  }
  wanted.limit = std::min(slots.due, threads) - used;
  if (wanted.limit > 0) {
    TRY(auto due, records::claim_due(tx, wanted));
    taken.to_run.insert(taken.to_run.end(), due.begin(), due.end());
  }
  return {};
}

void Engine::launch(records::Claimed claimed) {
  auto run = std::make_shared<ActiveRun>(std::move(claimed), x_around);
  {
    std::lock_guard lock(x_mutex);
    x_runs.push_back(run);
    ++x_kinds.find(run->job().kind)->second.running;
  }
  bool posted = x_handlers->post([this, run] { execute(run); });
  CHECK(posted, "as many threads as runs");
}

// Ends a job whose last attempt died with its node. When that fails, its lease runs out once more.
void Engine::bury(const records::Claimed& claimed) {
  Error error = fail(Reason::lease_lost, "the server stopped while this was running");
  State state = State::failed;
  if (claimed.job.cancel_asked) {
    error = fail(Reason::canceled);
    state = State::canceled;
  }
  Status ended = x_db.write(
      [&](meta::Tx& tx) { return end(tx, {claimed.job.id, claimed.fence}, claimed.job, state, &error); });
  if (ended.ok()) {
    x_log.warning("job ended without a result", {{"job", claimed.job.id}, {"kind", claimed.job.kind}});
  } else {
    x_log.error("cannot end a job", {{"job", claimed.job.id}, {"error", ended.error().message}});
  }
}

std::vector<Engine::RunPtr> Engine::runs() const {
  std::lock_guard lock(x_mutex);
  return x_runs;
}

const Kind* Engine::find_kind(std::string_view name) const {
  std::lock_guard lock(x_mutex);
  auto found = x_kinds.find(name);
  return found == x_kinds.end() ? nullptr : &found->second.kind;
}

bool Engine::idle() {
  std::vector<std::string> kinds;
  {
    std::lock_guard lock(x_mutex);
    if (!x_runs.empty()) return false;
    for (const auto& [name, one] : x_kinds) kinds.push_back(name);
  }
  TimeMs now = x_clock.now();
  auto idle = x_db.read([&](meta::Tx& tx) -> Result<bool> {
    for (const auto& kind : kinds) {
      TRY(auto due, records::next_due(tx, kind));
      TRY(auto running, records::next_expiry(tx, kind));
      if (running || (due && *due <= now)) return false;
    }
    return true;
  });
  return idle.ok() && *idle;
}

bool Engine::wait_idle(std::int64_t timeout_ms) {
  std::int64_t deadline = monotonic_ms() + timeout_ms;
  while (!idle()) {
    if (monotonic_ms() >= deadline) return false;
    x_ended->wait(look_again_ms);
  }
  return true;
}

bool Engine::healthy() const {
  std::lock_guard lock(x_mutex);
  return x_started && !x_stopped &&
         (x_threads == 0 || monotonic_ms() - x_looked_at < unhealthy_after_ms + x_options.poll_ms);
}

std::string Engine::metrics() {
  std::map<std::string, std::map<State, std::int64_t>> ended;
  {
    std::lock_guard lock(x_mutex);
    for (const auto& [name, one] : x_kinds) ended[name] = one.ended;
  }
  std::string now =
      "# HELP wharfage_jobs Jobs waiting and running.\n"
      "# TYPE wharfage_jobs gauge\n";
  std::string done =
      "# HELP wharfage_jobs_ended_total Jobs this process ended.\n"
      "# TYPE wharfage_jobs_ended_total counter\n";
  Status counted = x_db.read([&](meta::Tx& tx) -> Status {
    for (const auto& [kind, states] : ended) {
      TRY(auto queued, records::count_queued(tx, kind));
      TRY(auto running, records::count_running(tx, kind));
      now += fmt::format("wharfage_jobs{{kind=\"{}\",state=\"queued\"}} {}\n", kind, queued);
      now += fmt::format("wharfage_jobs{{kind=\"{}\",state=\"running\"}} {}\n", kind, running);
    }
    return {};
  });
  if (!counted.ok()) now.clear();
  for (const auto& [kind, states] : ended) {
    for (const auto& [state, count] : states) {
      done += fmt::format("wharfage_jobs_ended_total{{kind=\"{}\",state=\"{}\"}} {}\n", kind,
                          state_name(state), count);
    }
  }
  return now + done;
}

}  // namespace wharfage::job
