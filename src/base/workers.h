// A bounded pool of threads for straight-line synchronous work: operations, disk barriers, jobs.
// The only place besides node/ and the event loop that starts threads.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace wharfage {

class Workers {
 public:
  // `name` is shown by ps and top (at most 15 bytes). At most `queue_max` tasks wait.
  Workers(std::string name, std::size_t threads, std::size_t queue_max);
  ~Workers();  // runs what is queued, then joins
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // False when the queue is full or the pool is stopping; the task was not taken. Thread-safe.
  [[nodiscard]] bool post(std::function<void()> task);
  void stop();  // runs what is queued, then joins; idempotent
  std::size_t waiting() const;

 private:
  struct State;
  std::unique_ptr<State> x_state;
};

}  // namespace wharfage
