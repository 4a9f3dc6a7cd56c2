// Wakes a waiting loop at once and is remembered while nobody waits. Shared by pointer, because a
// transaction's on_commit() may outlive the queue that asked for it. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace wharfage::job {

class Signal {
 public:
  void notify() {
    std::lock_guard lock(x_mutex);
    x_set = true;
    x_wake.notify_all();
  }

  // Returns at once when notified since the last wait.
  void wait(std::int64_t at_most_ms) {
    std::unique_lock lock(x_mutex);
    x_wake.wait_for(lock, std::chrono::milliseconds(at_most_ms), [&] { return x_set; });
    x_set = false;
  }

  void wait_until_notified() {
    std::unique_lock lock(x_mutex);
    x_wake.wait(lock, [&] { return x_set; });
    x_set = false;
  }

 private:
  std::mutex x_mutex;
  std::condition_variable x_wake;
  bool x_set = false;
};

}  // namespace wharfage::job
