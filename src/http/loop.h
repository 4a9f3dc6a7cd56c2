// One event loop: readiness of sockets, tasks from other threads and timers, run by one thread.
// Boost.Asio's epoll reactor does the work behind this header, so that its weight is paid in one file.
// Everything but post() and stop() belongs to the loop's own thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace wharfage::http {

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();   // until stop(); SIGPIPE is blocked in the calling thread, sendfile knows no other way
  void stop();  // thread-safe
  void post(std::function<void()> task);  // thread-safe; runs later, in order
  void after(std::int64_t delay_ms, std::function<void()> task);

  struct State;
  State& state() { return *x_state; }

 private:
  std::unique_ptr<State> x_state;
};

// What waits for a socket; called on the loop's thread.
class Waiter {
 public:
  virtual ~Waiter() = default;
  virtual void ready(bool writable) = 0;
};

// Owns a non-blocking descriptor and waits for it. A waiter is kept alive until it is called or the
// watch is closed; closing forgets waiters without a call.
class Watch {
 public:
  Watch(Loop& loop, int descriptor);
  ~Watch();
  Watch(Watch&&) noexcept;
  void wait_readable(std::shared_ptr<Waiter> waiter);
  void wait_writable(std::shared_ptr<Waiter> waiter);
  void close();
  int descriptor() const { return x_descriptor; }

 private:
  struct State;
  std::unique_ptr<State> x_state;
  int x_descriptor;
};

}  // namespace wharfage::http
