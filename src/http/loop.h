// One event loop: readiness of sockets, tasks from other threads and timers, run by one thread. Written on
// epoll: descriptors stay registered, edge-triggered, so that a request costs no system call to be waited
// for (docs/adr/0009-own-event-loop.md). The price is a rule for whoever waits, see Watch.
// Everything but post() and stop() belongs to the loop's own thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace wharfage::http {

class Loop {
 public:
  Loop();  // throws std::system_error when the kernel has no descriptors left
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();   // until stop(); SIGPIPE is blocked in the calling thread, sendfile knows no other way
  void stop();  // thread-safe
  void post(std::function<void()> task);  // thread-safe; runs later, in order
  void after(std::int64_t delay_ms, std::function<void()> task);
  // Monotonic, read once per turn: precise enough for timeouts, and free.
  std::int64_t now_us() const;
  std::int64_t now_ms() const { return now_us() / 1000; }

  struct State;
  State& state() { return *x_state; }

 private:
  std::unique_ptr<State> x_state;
};

// Called on the loop when what was waited for has happened.
class Waiter {
 public:
  virtual ~Waiter() = default;
  virtual void ready(bool writable) = 0;
};

// A descriptor that the loop watches; closing it is the Watch's duty. One waiter for reading and one for
// writing at a time. Who waits must have met the end of what there is, by a read that brought less than it
// could or by EAGAIN: only news wakes. News that came while nobody waited is kept for the next who waits to
// read, so nobody should wait who would not read then. Who waits to write does so in the turn of its EAGAIN.
// A waiter may be woken in vain. It is kept alive until it is called or forgotten; closing forgets, too.
class Watch {
 public:
  Watch(Loop& loop, int descriptor);
  ~Watch();
  Watch(Watch&&) noexcept;
  void wait_readable(std::shared_ptr<Waiter> waiter);
  void wait_writable(std::shared_ptr<Waiter> waiter);
  void forget_waiters();
  void close();
  int descriptor() const;  // -1 once closed

 private:
  friend struct Loop::State;
  struct State;
  std::unique_ptr<State> x_state;
};

}  // namespace wharfage::http
