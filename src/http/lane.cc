#include "http/lane.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

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

std::function<void()> Lane::counted(std::function<void()> work, std::function<void()> done) {
  ++x_core.tasks;
  return [this, work = std::move(work), done = std::move(done)]() mutable {
    work();
    work = nullptr;
    x_loop.post([this, done = std::move(done)]() mutable {
      done();
      done = nullptr;
      --x_core.tasks;
    });
  };
}

bool Lane::submit(std::function<void()> work, std::function<void()> done) {
  if (x_core.workers.post(counted(std::move(work), std::move(done)))) return true;
  --x_core.tasks;
  return false;
}

void Lane::submit_surely(std::function<void()> work, std::function<void()> done) {
  x_backlog.push_back(counted(std::move(work), std::move(done)));
  if (x_backlog.size() == 1) retry();
}

// Keeps the order of the backlog. When the server ends without workers, its own thread does the work.
void Lane::retry() {
  while (!x_backlog.empty()) {
    if (!x_core.workers.post(x_backlog.front())) {
      if (!x_core.aborting) return x_loop.after(retry_ms, [this] { retry(); });
      x_backlog.front()();
    }
    x_backlog.pop_front();
  }
}

void Lane::tick() {
  std::int64_t now = x_loop.now_ms();
  bool crowded = x_core.crowd.count() * 8 > x_core.options.connections_max * 7;
  std::vector<std::shared_ptr<Link>> late;
  for (const auto& link : x_links) {
    if (link->is_late(now, crowded)) late.push_back(link);
  }
  for (const auto& link : late) link->time_out();
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
