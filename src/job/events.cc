#include "job/events.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

#include "base/check.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/text.h"
#include "base/workers.h"
#include "job/backoff.h"
#include "job/records.h"
#include "job/signal.h"

namespace wharfage::job {
namespace {

constexpr std::int64_t prune_interval_ms = 60'000;
constexpr std::int64_t look_again_ms = 10;

struct Subscriber {
  std::string name, type;
  std::function<Status(meta::Tx&, const Event&)> take;
};

}  // namespace

struct Events::State {
  State(meta::Db& given_db, const Clock& given_clock, Log given_log, EventsOptions given_options)
      : db(given_db), clock(given_clock), log(std::move(given_log)), options(given_options) {}

  meta::Db& db;
  const Clock& clock;
  const Log log;
  const EventsOptions options;
  std::shared_ptr<Signal> wake = std::make_shared<Signal>();  // the dispatching loop
  std::atomic<bool> stopping{false};

  mutable std::mutex mutex;  // the members below; subscribers do not change after start()
  std::vector<std::shared_ptr<const Subscriber>> subscribers;
  bool started = false, stopped = false;

  std::unique_ptr<Workers> dispatcher, takers;

  std::vector<std::shared_ptr<const Subscriber>> all() const {
    std::lock_guard lock(mutex);
    return subscribers;
  }

  void loop();
  Result<std::int64_t> dispatch();
  void deliver(const std::vector<std::pair<std::shared_ptr<const Subscriber>, records::Delivery>>& batch);
  bool deliver_one(const Subscriber& subscriber, const records::Delivery& delivery);
  Status take(meta::Tx& tx, const Subscriber& subscriber, const Event& event);
  bool put_off(const Subscriber& subscriber, const records::Delivery& delivery, const Error& error);
  bool prune();
};

Events::Events(meta::Db& db, const Clock& clock, Log log, EventsOptions options)
    : x_state(std::make_unique<State>(db, clock, std::move(log), options)) {}

Events::~Events() {
  stop();
}

void Events::subscribe(std::string name, std::string type,
                       std::function<Status(meta::Tx&, const Event&)> take) {
  std::lock_guard lock(x_state->mutex);
  CHECK(!x_state->started, "subscribers come before start()");
  for (const auto& other : x_state->subscribers) CHECK(other->name != name, "a subscriber's name is its own");
  x_state->subscribers.push_back(
      std::make_shared<const Subscriber>(Subscriber{std::move(name), std::move(type), std::move(take)}));
}

void Events::start() {
  {
    std::lock_guard lock(x_state->mutex);
    CHECK(!x_state->started, "events start once");
    x_state->started = true;
  }
  x_state->takers = std::make_unique<Workers>("event", limits::event_threads, limits::event_threads * 4);
  x_state->dispatcher = std::make_unique<Workers>("event-loop", 1, 1);
  bool posted = x_state->dispatcher->post([state = x_state.get()] { state->loop(); });
  CHECK(posted, "an empty pool takes its loop");
}

void Events::stop() {
  {
    std::lock_guard lock(x_state->mutex);
    if (x_state->stopped) return;
    x_state->stopped = true;
  }
  x_state->stopping = true;
  x_state->wake->notify();
  if (!x_state->dispatcher) return;
  x_state->dispatcher->stop();
  x_state->takers->stop();
}

Status Events::emit(meta::Tx& tx, Event event) {
  if (event.data.empty()) event.data = "{}";
  if (event.data.size() > limits::event_data_max) {
    return fail(Reason::too_large, "the event is too large", event.type);
  }
  event.id = random_uuid();
  event.at = x_state->clock.now();
  TRY_STATUS(records::insert_event(tx, event));
  for (const auto& subscriber : x_state->all()) {
    if (!subscriber->type.empty() && subscriber->type != event.type) continue;
    TRY_STATUS(records::insert_delivery(tx, event, subscriber->name));
  }
  tx.on_commit([wake = x_state->wake] { wake->notify(); });
  return {};
}

bool Events::wait_idle(std::int64_t timeout_ms) {
  std::int64_t deadline = monotonic_ms() + timeout_ms;
  Signal pause;
  for (;;) {
    TimeMs now = x_state->clock.now();
    auto idle = x_state->db.read([&](meta::Tx& tx) -> Result<bool> {
      for (const auto& subscriber : x_state->all()) {
        TRY(auto next, records::next_delivery(tx, subscriber->name));
        if (next && *next <= now) return false;
      }
      return true;
    });
    if (idle.ok() && *idle) return true;
    if (monotonic_ms() >= deadline) return false;
    pause.wait(look_again_ms);
  }
}

void Events::State::loop() {
  std::int64_t prune_at = monotonic_ms();
  while (!stopping) {
    auto wait_ms = dispatch();
    if (!wait_ms.ok()) {
      log.error("cannot dispatch events",
                {{"error", wait_ms.error().message}, {"detail", wait_ms.error().detail}});
    }
    if (monotonic_ms() >= prune_at) {
      bool more = prune();
      prune_at = monotonic_ms() + (more ? options.poll_ms : prune_interval_ms);
    }
    std::int64_t pause_ms = wait_ms.value_or(options.poll_ms);
    if (pause_ms > 0) wake->wait(pause_ms);
  }
}

// Delivers a batch for every subscriber; returns how long to wait, 0 when there may be more.
Result<std::int64_t> Events::State::dispatch() {
  TimeMs now = clock.now();
  TimeMs next = now + options.poll_ms;
  std::vector<std::pair<std::shared_ptr<const Subscriber>, records::Delivery>> batch;
  TRY_STATUS(db.read([&](meta::Tx& tx) -> Status {
    for (const auto& subscriber : all()) {
      TRY(auto due, records::due_deliveries(tx, subscriber->name, now));
      for (auto& delivery : due) batch.emplace_back(subscriber, std::move(delivery));
      TRY(auto later, records::next_delivery(tx, subscriber->name));
      if (later && *later > now) next = std::min(next, *later);
    }
    return {};
  }));
  if (batch.empty()) return std::max<std::int64_t>(1, next - now);
  deliver(batch);
  return 0;
}

// Some at a time, so that they share commits.
void Events::State::deliver(
    const std::vector<std::pair<std::shared_ptr<const Subscriber>, records::Delivery>>& batch) {
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> working{limits::event_threads};
  std::atomic<bool> troubled{false};
  auto done = std::make_shared<Signal>();
  auto work = [&, done] {
    for (std::size_t i = next++; i < batch.size() && !stopping; i = next++) {
      if (!deliver_one(*batch[i].first, batch[i].second)) troubled = true;
    }
    // Nothing on the other thread's stack is touched after this count.
    if (--working == 0) done->notify();
  };
  for (std::size_t i = 0; i < limits::event_threads; ++i) {
    bool posted = takers->post(work);
    CHECK(posted, "there is room for one task of each thread");
  }
  done->wait_until_notified();
  // Not even the failure could be written: do not spin.
  if (troubled && !stopping) wake->wait(options.poll_ms);
}

// False when nothing could be written about it.
bool Events::State::deliver_one(const Subscriber& subscriber, const records::Delivery& delivery) {
  Status status = db.write([&](meta::Tx& tx) -> Status {
    TRY(bool waiting, records::finish_delivery(tx, delivery.event.id, subscriber.name));
    if (!waiting) return {};  // another node was quicker
    return take(tx, subscriber, delivery.event);
  });
  return status.ok() || put_off(subscriber, delivery, status.error());
}

Status Events::State::take(meta::Tx& tx, const Subscriber& subscriber, const Event& event) {
  try {
    return subscriber.take(tx, event);
  } catch (const std::exception& thrown) {
    log.error("a subscriber threw", {{"subscriber", subscriber.name}, {"error", thrown.what()}});
  } catch (...) {
    log.error("a subscriber threw", {{"subscriber", subscriber.name}});
  }
  return fail(Reason::internal);
}

bool Events::State::put_off(const Subscriber& subscriber, const records::Delivery& delivery,
                            const Error& error) {
  int attempt = delivery.attempt + 1;
  bool for_good = attempt >= limits::event_attempts_max;
  auto delay = backoff_ms(delivery.event.id, attempt, options.retry_base_ms, options.retry_max_ms);
  records::Retry retry{clock.now() + delay, cut(printable(error.message), limits::job_error_max)};
  std::vector<LogField> fields = {{"subscriber", subscriber.name}, {"event", delivery.event.id},
                                  {"type", delivery.event.type},   {"error", error.message},
                                  {"detail", error.detail},        {"attempt", std::int64_t{attempt}}};
  if (for_good) {
    log.error("event given up", fields);
  } else {
    log.warning("event not taken", fields);
  }
  return db
      .write([&](meta::Tx& tx) {
        return records::fail_delivery(tx, delivery.event.id, subscriber.name, retry, for_good);
      })
      .ok();
}

// True when there may be more to drop.
bool Events::State::prune() {
  TimeMs now = clock.now();
  auto dropped = db.write([&](meta::Tx& tx) {
    return records::prune_events(tx, now - limits::event_kept_ms, now - limits::event_waiting_kept_ms);
  });
  if (!dropped.ok()) log.error("cannot drop old events", {{"error", dropped.error().message}});
  return dropped.ok() && *dropped == limits::job_prune_batch;
}

}  // namespace wharfage::job
