#include "http/loop.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <span>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

namespace wharfage::http {
namespace {

using Task = std::function<void()>;
using Events = std::array<epoll_event, 128>;  // as many as one turn serves

std::int64_t clock_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

int checked(int descriptor) {
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "event loop");
  return descriptor;
}

}  // namespace

struct Watch::State {
  Loop::State& loop;
  int descriptor;
  std::shared_ptr<Waiter> reader = nullptr, writer = nullptr;
  bool news = false;   // something came while nobody waited
  bool ended = false;  // the other side has said its last; the kernel tells that only once
  bool eager = false;  // in the loop's list of those

  void wake(std::uint32_t events);
  void wake_reader();
  void close();
};

struct Loop::State {
  int epoll = checked(::epoll_create1(EPOLL_CLOEXEC));
  int bell = checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));  // ends a sleep
  std::int64_t now_us = clock_us();
  std::deque<Watch::State*> eager;                    // their readers came after the news
  std::vector<std::unique_ptr<Watch::State>> closed;  // until the turn ends: its events may name them
  std::multimap<std::int64_t, Task> timers;           // by when they are due, in microseconds
  std::vector<Task> due;                              // tasks of this turn

  std::mutex mutex;  // for all below
  std::vector<Task> tasks;
  bool asleep = false;
  bool stopping = false;

  State();
  ~State();
  void ring();
  int sleep_ms() const;
  int sleep(Events& events);
  bool turn(const Events& events, int count);
  void wake_eager();
  void run_timers();
};

// The bell is edge-triggered, so nobody needs to read it.
Loop::State::State() {
  epoll_event event{EPOLLIN | EPOLLET, {.ptr = nullptr}};
  checked(::epoll_ctl(epoll, EPOLL_CTL_ADD, bell, &event));
}

Loop::State::~State() {
  ::close(bell);
  ::close(epoll);
}

// With the lock held.
void Loop::State::ring() {
  std::uint64_t one = 1;
  if (std::exchange(asleep, false)) std::ignore = ::write(bell, &one, sizeof one);
}

int Loop::State::sleep_ms() const {
  if (!eager.empty()) return 0;
  if (timers.empty()) return -1;
  std::int64_t left = timers.begin()->first - clock_us();
  return static_cast<int>(std::clamp<std::int64_t>((left + 999) / 1000, 0, 60'000));
}

int Loop::State::sleep(Events& events) {
  int timeout = sleep_ms();
  {
    std::lock_guard lock(mutex);
    if (!tasks.empty() || stopping) timeout = 0;
    asleep = timeout != 0;
  }
  int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), timeout);
  now_us = clock_us();
  return std::max(count, 0);  // a signal is no event
}

// Serves what has happened; false when the loop is to stop.
bool Loop::State::turn(const Events& events, int count) {
  {
    std::lock_guard lock(mutex);
    asleep = false;
    if (stopping) return false;
    due.swap(tasks);
  }
  for (const epoll_event& event : std::span(events).first(static_cast<std::size_t>(count))) {
    if (event.data.ptr != nullptr) static_cast<Watch::State*>(event.data.ptr)->wake(event.events);
  }
  wake_eager();
  for (Task& task : due) std::exchange(task, nullptr)();
  due.clear();
  run_timers();
  closed.clear();
  return true;
}

void Loop::State::wake_eager() {
  for (std::size_t left = eager.size(); left > 0 && !eager.empty(); --left) {
    Watch::State* watch = eager.front();
    eager.pop_front();
    watch->eager = false;
    watch->wake_reader();
  }
}

void Loop::State::run_timers() {
  while (!timers.empty() && timers.begin()->first <= now_us) {
    Task task = std::move(timers.begin()->second);
    timers.erase(timers.begin());
    task();
  }
}

Loop::Loop() : x_state(std::make_unique<State>()) {}
Loop::~Loop() = default;

void Loop::run() {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  Events events;
  int count = 0;
  do count = x_state->sleep(events);
  while (x_state->turn(events, count));
}

void Loop::stop() {
  std::lock_guard lock(x_state->mutex);
  x_state->stopping = true;
  x_state->ring();
}

// Nothing is touched after the lock: the task may be the last that keeps the loop.
void Loop::post(Task task) {
  std::lock_guard lock(x_state->mutex);
  x_state->tasks.push_back(std::move(task));
  x_state->ring();
}

void Loop::after(std::int64_t delay_ms, Task task) {
  x_state->timers.emplace(clock_us() + delay_ms * 1000, std::move(task));
}

std::int64_t Loop::now_us() const {
  return x_state->now_us;
}

void Watch::State::wake(std::uint32_t events) {
  constexpr std::uint32_t broken = EPOLLHUP | EPOLLERR;
  if ((events & (EPOLLRDHUP | broken)) != 0) ended = true;
  if ((events & (EPOLLIN | EPOLLRDHUP | broken)) != 0) {
    news = reader == nullptr;
    wake_reader();
  }
  if ((events & (EPOLLOUT | broken)) != 0) {
    if (auto waiter = std::exchange(writer, nullptr)) waiter->ready(true);
  }
}

void Watch::State::wake_reader() {
  if (auto waiter = std::exchange(reader, nullptr)) waiter->ready(false);
}

void Watch::State::close() {
  // Closing alone would end the registration only with the last copy of the descriptor, and a child between
  // fork and exec has one: its events would then find nobody.
  ::epoll_ctl(loop.epoll, EPOLL_CTL_DEL, descriptor, nullptr);
  ::close(std::exchange(descriptor, -1));
  reader = writer = nullptr;
  std::erase(loop.eager, this);
}

// Without memory in the kernel for one more, the connection is over at once.
Watch::Watch(Loop& loop, int descriptor) : x_state(new State{loop.state(), descriptor}) {
  epoll_event event{EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = x_state.get()}};
  if (::epoll_ctl(x_state->loop.epoll, EPOLL_CTL_ADD, descriptor, &event) == 0) return;
  ::shutdown(descriptor, SHUT_RDWR);
  x_state->ended = true;
}

Watch::~Watch() {
  close();
}
Watch::Watch(Watch&&) noexcept = default;

void Watch::wait_readable(std::shared_ptr<Waiter> waiter) {
  if (!x_state) return;
  x_state->reader = std::move(waiter);
  bool missed = std::exchange(x_state->news, false) || x_state->ended;
  if (missed && !std::exchange(x_state->eager, true)) x_state->loop.eager.push_back(x_state.get());
}

void Watch::wait_writable(std::shared_ptr<Waiter> waiter) {
  if (x_state) x_state->writer = std::move(waiter);
}

void Watch::forget_waiters() {
  if (!x_state) return;
  x_state->news |= x_state->eager && x_state->reader != nullptr;
  x_state->reader = x_state->writer = nullptr;
}

void Watch::close() {
  if (!x_state) return;
  x_state->close();
  auto& closed = x_state->loop.closed;
  closed.push_back(std::move(x_state));
}

int Watch::descriptor() const {
  return x_state ? x_state->descriptor : -1;
}

}  // namespace wharfage::http
