#include "node/housekeeping.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/time.h"
#include "base/workers.h"

namespace wharfage::node {

struct Housekeeping::State {
  std::vector<Chore> chores;
  std::vector<std::int64_t> due;  // monotonic
  Log log;
  std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;
  Workers thread{"housekeeping", 1, 1};

  void run() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      auto next = std::min_element(due.begin(), due.end()) - due.begin();
      std::int64_t wait = due[next] - monotonic_ms();
      if (wait > 0) {
        wake.wait_for(lock, std::chrono::milliseconds(wait), [&] { return stopping; });
        continue;
      }
      lock.unlock();
      Status done = chores[next].run();
      if (!done.ok()) {
        log.warning("a recurring chore failed",
                    {{"chore", chores[next].name}, {"reason", done.error().message}});
      }
      lock.lock();
      due[next] = monotonic_ms() + chores[next].every_ms;
    }
  }
};

Housekeeping::Housekeeping(std::vector<Chore> chores, Log log) : x_state(std::make_unique<State>()) {
  x_state->chores = std::move(chores);
  x_state->log = std::move(log);
  for (const Chore& chore : x_state->chores) x_state->due.push_back(monotonic_ms() + chore.every_ms);
  if (!x_state->chores.empty()) (void)x_state->thread.post([state = x_state.get()] { state->run(); });
}

Housekeeping::~Housekeeping() {
  stop();
}

void Housekeeping::stop() {
  {
    std::lock_guard lock(x_state->mutex);
    x_state->stopping = true;
  }
  x_state->wake.notify_all();
  x_state->thread.stop();
}

}  // namespace wharfage::node
