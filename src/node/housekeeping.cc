#include "node/housekeeping.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/time.h"
#include "base/workers.h"

namespace wharfage::node {

class Housekeeping::Thread {
 public:
  Thread(std::vector<Chore> chores, Log log) : x_chores(std::move(chores)), x_log(std::move(log)) {
    for (const Chore& chore : x_chores) x_due.push_back(monotonic_ms() + chore.every_ms);
    if (!x_chores.empty()) (void)x_worker.post([this] { run(); });
  }
  // The chore under way is the last one.
  void end() {
    std::lock_guard lock(x_mutex);
    x_ending = true;
    x_wake.notify_all();
  }
  void join() { x_worker.stop(); }

 private:
  void run();

  std::vector<Chore> x_chores;
  std::vector<std::int64_t> x_due;  // monotonic
  Log x_log;
  std::mutex x_mutex;
  std::condition_variable x_wake;
  bool x_ending = false;
  Workers x_worker{"housekeeping", 1, 1};
};

void Housekeeping::Thread::run() {
  std::unique_lock lock(x_mutex);
  while (!x_ending) {
    auto next = std::min_element(x_due.begin(), x_due.end()) - x_due.begin();
    std::int64_t wait = x_due[next] - monotonic_ms();
    if (wait > 0) {
      x_wake.wait_for(lock, std::chrono::milliseconds(wait), [&] { return x_ending; });
      continue;
    }
    lock.unlock();
    Status done = x_chores[next].run();
    if (!done.ok()) {
      x_log.warning("a recurring chore failed",
                    {{"chore", x_chores[next].name}, {"reason", done.error().message}});
    }
    lock.lock();
    x_due[next] = monotonic_ms() + x_chores[next].every_ms;
  }
}

Housekeeping::Housekeeping(std::vector<Chore> chores, Log log) {
  auto first_long = std::stable_partition(chores.begin(), chores.end(),
                                          [](const Chore& chore) { return !chore.takes_long; });
  x_threads.push_back(std::make_unique<Thread>(std::vector<Chore>(chores.begin(), first_long), log));
  for (auto chore = first_long; chore != chores.end(); ++chore)
    x_threads.push_back(std::make_unique<Thread>(std::vector<Chore>{*chore}, log));
}

Housekeeping::~Housekeeping() {
  stop();
}

void Housekeeping::stop() {
  for (auto& thread : x_threads) thread->end();
  for (auto& thread : x_threads) thread->join();
}

}  // namespace wharfage::node
