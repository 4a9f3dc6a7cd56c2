#include "http/lane.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <tuple>
#include <vector>

#include "base/failpoint.h"
#include "base/time.h"
#include "http/connection.h"

namespace wharfage::http {
namespace {

constexpr std::int64_t retry_ms = 5;

std::int64_t tick_period(const Timeouts& timeouts) {
  std::int64_t shortest = std::min({timeouts.head, timeouts.body_idle, timeouts.response_idle,
                                    timeouts.keep_alive, timeouts.linger, timeouts.body_pace});
  return std::clamp<std::int64_t>(shortest / 4, 5, 500);
}

}  // namespace

Response Core::fault_response(const Request& request, const Fault& fault) const {
  Response response;
  try {
    response = options.on_fault ? options.on_fault(request, fault.error)
                                : Response::text(fault.status, fault.error.message + "\n");
  } catch (...) {
    log.error("the fault hook threw an exception");
  }
  // A protocol may have a way of its own to say that there are too many requests.
  bool too_many = fault.status == 503 && response.status == 429;
  if (!too_many) response.status = fault.status;
  if (fault.status == 503 && !response.headers.has("Retry-After")) response.headers.add("Retry-After", "1");
  return response;
}

Lane::Lane(Core& core)
    : x_core(core),
      x_scratch(std::make_unique_for_overwrite<char[]>(scratch_bytes)),
      x_tls_scratch(core.tls ? std::make_unique_for_overwrite<char[]>(tls_scratch_bytes) : nullptr),
      x_tick_ms(tick_period(core.options.timeouts)) {
  x_loop.after(x_tick_ms, [this] { tick(); });
  x_thread = std::thread([this] { x_loop.run(); });
  pthread_setname_np(x_thread.native_handle(), "http");
}

Lane::~Lane() {
  x_loop.stop();
  x_thread.join();
}

void Lane::adopt(int socket, std::string peer) {
  x_loop.post([this, socket, peer = std::move(peer)] {
    if (x_core.stopping) {
      ::close(socket);
      x_core.crowd.leave(peer);
      return;
    }
    auto link = std::make_shared<Connection>(
        *this, Link::Socket{Watch(x_loop, socket), make_transport(socket), peer, nullptr});
    x_links.insert(link);
    link->start();
  });
}

std::unique_ptr<Transport> Lane::make_transport(int socket) {
  if (x_core.tls) return tls_transport(socket, x_core.tls->context(), x_tls_scratch.get());
  return plain_transport(socket);
}

void Lane::forget(const std::shared_ptr<Link>& link) {
  if (x_links.erase(link) > 0) x_core.crowd.leave(link->peer());
}

void Lane::replace(const std::shared_ptr<Link>& link, const std::shared_ptr<Link>& heir) {
  if (x_links.erase(link) > 0) x_links.insert(heir);
}

void Lane::drain() {
  x_loop.post([this] {
    std::vector<std::shared_ptr<Link>> all(x_links.begin(), x_links.end());
    for (const auto& link : all) link->drain();
  });
}

void Lane::abort() {
  x_loop.post([this] {
    std::vector<std::shared_ptr<Link>> all(x_links.begin(), x_links.end());
    for (const auto& link : all) link->abort();
  });
}

// Counts while it exists. All memory for its way is taken when it is made, or the way could end half-way:
// functions that hold one pointer need none.
struct Lane::Job {
  Job(Lane& owner, std::function<void()> first, std::function<void()> then)
      : lane(owner), work(std::move(first)), done(std::move(then)) {
    ++lane.x_core.tasks;
  }
  ~Job() {
    work = done = nullptr;
    --lane.x_core.tasks;
  }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  // On a worker. The loop must learn that the work is done, or somebody would wait for it for ever.
  void run() {
    work();
    work = nullptr;
    for (;;) {
      try {
        return lane.x_loop.post([this] { finish(); });
      } catch (const std::bad_alloc&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(retry_ms));
      }
    }
  }
  // On the loop.
  void finish() {
    std::unique_ptr<Job> ended(this);
    done();
  }

  Lane& lane;
  std::function<void()> work, done;
};

// The worker owns what it takes.
bool Lane::post(std::unique_ptr<Job>& job) {
  if (!x_core.workers.post([job = job.get()] { job->run(); })) return false;
  std::ignore = job.release();
  return true;
}

bool Lane::submit(std::function<void()> work, std::function<void()> done) try {
  if (FAIL_POINT("http.no_memory")) throw std::bad_alloc();
  auto job = std::make_unique<Job>(*this, std::move(work), std::move(done));
  return post(job);
} catch (const std::bad_alloc&) {
  return false;
}

void Lane::submit_surely(std::function<void()> work, std::function<void()> done) {
  if (FAIL_POINT("http.no_memory_surely")) throw std::bad_alloc();
  x_backlog.push_back(std::make_unique<Job>(*this, std::move(work), std::move(done)));
  retry();
}

// Keeps the order of the backlog. When the server ends without workers, its own thread does the work. Without
// memory for a timer the next tick tries again.
void Lane::retry() try {
  while (!x_backlog.empty() && !x_retrying) {
    if (!post(x_backlog.front())) {
      if (!x_core.aborting) {
        x_loop.after(retry_ms, [this] {
          x_retrying = false;
          retry();
        });
        x_retrying = true;
        return;
      }
      x_backlog.front().release()->run();
    }
    x_backlog.pop_front();
  }
} catch (const std::bad_alloc&) {
}

void Lane::tick() {
  std::int64_t now = x_loop.now_ms();
  bool crowded = x_core.crowd.count() * 8 > x_core.options.connections_max * 7;
  std::vector<std::shared_ptr<Link>> late;
  for (const auto& link : x_links) {
    if (link->is_late(now, crowded)) late.push_back(link);
  }
  for (const auto& link : late) link->time_out();
  retry();
  x_loop.after(x_tick_ms, [this] { tick(); });
}

std::string Lane::next_request_id() {
  return fmt::format("{}{:016x}", x_id_prefix, ++x_request_count);
}

std::string_view Lane::date() {
  if (x_loop.now_ms() >= x_date_until_ms) {
    TimeMs now = SystemClock().now();
    x_date_until_ms = x_loop.now_ms() + second_ms - now % second_ms;
    x_date = http_date(now);
  }
  return x_date;
}

}  // namespace wharfage::http
