#include "op/audit.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>

#include "base/limits.h"
#include "base/workers.h"
#include "op/records.h"

namespace wharfage::op {
namespace {

constexpr auto batch_delay = std::chrono::milliseconds(200);

}  // namespace

struct Audit::State {
  struct Counter {
    std::int64_t count = 0, micros = 0;
  };

  meta::Db& db;
  const Clock& clock;
  mutable std::mutex mutex;
  std::condition_variable changed;  // rows were queued, written, or the log stops
  std::deque<AuditEntry> queue;
  bool writing = false, stopping = false;
  std::int64_t last_id = 0;
  std::map<std::pair<std::string, std::string>, Counter, std::less<>> counters;
  Workers writer{"audit", 1, 1};

  State(meta::Db& db, const Clock& clock) : db(db), clock(clock) {
    auto last = db.read([](meta::Tx& tx) { return records::last_id(tx); });
    last_id = last.value_or(0);
    if (!writer.post([this] { run(); })) stopping = true;
  }

  void run() {
    std::unique_lock lock(mutex);
    while (!stopping || !queue.empty()) {
      changed.wait(lock, [&] { return stopping || !queue.empty(); });
      if (!stopping) changed.wait_for(lock, batch_delay, [&] { return stopping; });
      write_batch(lock);
    }
  }

  // A batch that cannot be written (a full disk) is dropped after its metrics were counted: requests go on.
  void write_batch(std::unique_lock<std::mutex>& lock) {
    std::deque<AuditEntry> batch;
    batch.swap(queue);
    for (auto& entry : batch) entry.id = ++last_id;
    writing = true;
    lock.unlock();
    Status written = db.write([&](meta::Tx& tx) -> Status {
      for (const auto& entry : batch) TRY_STATUS(records::insert(tx, entry));
      return {};
    });
    lock.lock();
    if (!written.ok()) counters[{"audit:Write", "failed"}].count += static_cast<std::int64_t>(batch.size());
    writing = false;
    changed.notify_all();
  }
};

Audit::Audit(meta::Db& db, const Clock& clock) : x_state(std::make_unique<State>(db, clock)) {}

Audit::~Audit() {
  {
    std::lock_guard lock(x_state->mutex);
    x_state->stopping = true;
  }
  x_state->changed.notify_all();
  x_state->writer.stop();
}

void Audit::record(AuditEntry entry) {
  std::unique_lock lock(x_state->mutex);
  x_state->changed.wait(lock,
                        [&] { return x_state->queue.size() < limits::audit_queue_max || x_state->stopping; });
  x_state->queue.push_back(std::move(entry));
  x_state->changed.notify_all();
}

void Audit::count(std::string_view action, std::string_view outcome, std::int64_t micros) {
  std::lock_guard lock(x_state->mutex);
  auto& counter = x_state->counters[{std::string(action), std::string(outcome)}];
  ++counter.count;
  counter.micros += micros;
}

void Audit::flush() {
  std::unique_lock lock(x_state->mutex);
  x_state->changed.wait(lock,
                        [&] { return (x_state->queue.empty() && !x_state->writing) || x_state->stopping; });
}

Result<std::vector<AuditEntry>> Audit::list(const Filter& filter) {
  Filter bounded = filter;
  bounded.limit = std::clamp<std::int64_t>(filter.limit, 1, limits::list_page_max);
  return x_state->db.read([&](meta::Tx& tx) { return records::list(tx, bounded); });
}

std::string Audit::metrics() const {
  std::lock_guard lock(x_state->mutex);
  std::string text = "# TYPE wharfage_operations_total counter\n";
  for (const auto& [key, counter] : x_state->counters) {
    text += fmt::format("wharfage_operations_total{{action=\"{}\",outcome=\"{}\"}} {}\n", key.first,
                        key.second, counter.count);
  }
  text += "# TYPE wharfage_operation_seconds_total counter\n";
  for (const auto& [key, counter] : x_state->counters) {
    text += fmt::format("wharfage_operation_seconds_total{{action=\"{}\",outcome=\"{}\"}} {:.6f}\n",
                        key.first, key.second, static_cast<double>(counter.micros) / 1e6);
  }
  return text;
}

}  // namespace wharfage::op
