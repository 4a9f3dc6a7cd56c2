#include "base/workers.h"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace wharfage {

struct Workers::State {
  std::mutex mutex;
  std::condition_variable work;
  std::deque<std::function<void()>> queue;
  std::size_t queue_max = 0;
  bool stopping = false;
  std::vector<std::thread> threads;

  void run() {
    for (;;) {
      std::unique_lock lock(mutex);
      work.wait(lock, [&] { return stopping || !queue.empty(); });
      if (queue.empty()) return;
      auto task = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      task();
    }
  }
};

Workers::Workers(std::string name, std::size_t threads, std::size_t queue_max)
    : x_state(std::make_unique<State>()) {
  x_state->queue_max = queue_max;
  for (std::size_t i = 0; i < threads; ++i) {
    auto& thread = x_state->threads.emplace_back([state = x_state.get()] { state->run(); });
    pthread_setname_np(thread.native_handle(), name.substr(0, 15).c_str());
  }
}

Workers::~Workers() {
  stop();
}

bool Workers::post(std::function<void()> task) {
  {
    std::lock_guard lock(x_state->mutex);
    if (x_state->stopping || x_state->queue.size() >= x_state->queue_max) return false;
    x_state->queue.push_back(std::move(task));
  }
  x_state->work.notify_one();  // without the lock, which the woken thread would only wait for
  return true;
}

void Workers::stop() {
  {
    std::lock_guard lock(x_state->mutex);
    x_state->stopping = true;
    x_state->work.notify_all();
  }
  for (auto& thread : x_state->threads) {
    if (thread.joinable()) thread.join();
  }
}

std::size_t Workers::waiting() const {
  std::lock_guard lock(x_state->mutex);
  return x_state->queue.size();
}

}  // namespace wharfage
