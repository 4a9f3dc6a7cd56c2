#include "http/link.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <new>
#include <utility>

#include "base/limits.h"
#include "base/release.h"
#include "base/text.h"

namespace wharfage::http {
namespace {

constexpr std::size_t exchange_bytes = 2048, field_bytes = 64;  // what keeping a head and a field of it costs
constexpr int discarded_reads_max = 16;                         // before other connections get their turn

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// What the proxy itself has added; empty when that is no address.
std::string forwarded_for(const Headers& headers) {
  std::string all = headers.all("X-Forwarded-For");
  std::string last(trim(std::string_view(all).substr(all.rfind(',') + 1)));
  in6_addr any{};
  bool address =
      ::inet_pton(AF_INET, last.c_str(), &any) == 1 || ::inet_pton(AF_INET6, last.c_str(), &any) == 1;
  return address ? last : std::string();
}

}  // namespace

Fault busy() {
  return {503, fail(Reason::throttled, "the server is too busy")};
}
Fault body_too_large() {
  return {413, fail(Reason::too_large, "the request body is too large")};
}

Link::Link(Lane& lane, Socket socket) : x_lane(lane), x_socket(std::move(socket)) {}

void Link::start() {
  expect_within(timeouts().head);
  advance();
}

void Link::ready(bool writable) {
  (writable ? x_waiting_writable : x_waiting_readable) = false;
  advance();
}

void Link::advance() {
  if (x_closed) return;
  auto self = shared_from_this();
  // Whoever goes on waits anew where that is needed; what was waited for before would take its news in vain.
  if (x_waiting_readable || x_waiting_writable) {
    x_socket.watch.forget_waiters();
    x_waiting_readable = x_waiting_writable = false;
  }
  x_budget = limits::response_slice_bytes;
  x_requests = 0;
  attempt([&] {
    while (step()) {
    }
  });
}

void Link::fail_with(const std::exception& caught) {
  core().log.error("a connection failed", {{"what", caught.what()}});
  close();
}

bool Link::blocked(Io state) {
  if (state == Io::closed) return close();
  state == Io::want_read ? wait_readable() : wait_writable();
  return false;
}

void Link::yield() {
  if (std::exchange(x_yielding, true)) return;
  x_lane.loop().post([self = shared_from_this()] {
    self->x_yielding = false;
    self->advance();
  });
}

bool Link::discard() {
  for (int i = 0; i < discarded_reads_max; ++i) {
    ssize_t count = ::recv(x_socket.watch.descriptor(), x_lane.scratch(), Lane::scratch_bytes, MSG_DONTWAIT);
    if (count == 0) return close();
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return close();
    if (count < 0) {
      wait_readable();
      return false;
    }
  }
  yield();
  return false;
}

void Link::wait_readable() {
  if (x_waiting_readable || x_closed) return;
  x_waiting_readable = true;
  x_socket.watch.wait_readable(shared_from_this());
}

void Link::wait_writable() {
  if (x_waiting_writable || x_closed) return;
  x_waiting_writable = true;
  x_socket.watch.wait_writable(shared_from_this());
}

void Link::expect_within(std::int64_t timeout_ms) {
  x_deadline = x_lane.loop().now_ms() + timeout_ms;
}

void Link::close_socket() {
  x_closed = true;
  expect_nothing();
  x_socket.watch.close();
  x_lane.forget(shared_from_this());
}

// A request with what it has from its connection.
std::shared_ptr<Exchange> Link::new_exchange(Head head) {
  auto exchange = std::make_shared<Exchange>();
  exchange->started_us = x_lane.loop().now_us();
  exchange->head = std::move(head);
  Request& request = exchange->head.request;
  request.peer = x_socket.peer;
  if (core().options.trust_forwarded) {
    if (std::string client = forwarded_for(request.headers); !client.empty()) request.peer = client;
  }
  // A head that was refused before it was taken apart tells whose words its answer should be in.
  if (request.path.empty()) request.path = request.target.substr(0, request.target.find('?'));
  request.tls = core().tls != nullptr;
  request.protocol = protocol(exchange->head);
  request.certificate = x_socket.certificate;
  std::string_view id = request.headers.get("X-Request-Id");
  request.id = is_sane_request_id(id) ? std::string(id) : x_lane.next_request_id();
  return exchange;
}

bool Link::hold_head(Exchange& exchange) {
  const Request& request = exchange.head.request;
  std::size_t bytes = exchange_bytes + request.target.size() + request.path.size() + request.query.size();
  for (const auto& [name, value] : request.headers.fields())
    bytes += field_bytes + name.size() + value.size();
  return exchange.held.grow(core().received, bytes);
}

std::optional<Plan> Link::route(const Request& request) {
  try {
    return core().router(request);
  } catch (...) {
    core().log.error("the router threw an exception", {{"request", request.id}});
    return std::nullopt;
  }
}

Response Link::decision(Exchange& exchange) {
  if (exchange.unaffordable) return fault_response(exchange, busy());
  if (exchange.response) {
    release(exchange.head.request.body);
    exchange.received.release();
    return std::move(*exchange.response);
  }
  const Request& request = exchange.head.request;
  core().log.error("a handler threw an exception",
                   {{"request", request.id}, {"path", request.path}, {"what", exchange.failure}});
  return fault_response(exchange, {500, fail(Reason::internal)});
}

Response Link::fault_response(const Exchange& exchange, const Fault& fault) {
  return core().fault_response(exchange.head.request, fault);
}

// To be called exactly once per request, when no worker has it.
void Link::report(const Exchange& exchange, int status) {
  const auto& on_done = core().options.on_done;
  if (!on_done) return;
  try {
    on_done(exchange.head.request, status, exchange.bytes_sent, now_us() - exchange.started_us);
  } catch (...) {
    core().log.error("the request hook threw an exception");
  }
}

// A sink may have to touch a disk to go, which the loop must not wait for. Taken out at once, so that whoever
// ends a request twice (refused first, left by its client then) drops it once.
void Link::drop_sink(const std::shared_ptr<Exchange>& exchange) {
  if (!exchange->sink) return;
  try {
    std::shared_ptr<BodySink> sink = std::move(exchange->sink);
    x_lane.submit_surely([exchange, sink = std::move(sink)]() mutable { sink.reset(); }, [] {});
  } catch (const std::bad_alloc&) {
    exchange->sink.reset();  // unless it has gone already, with the task
  }
}

}  // namespace wharfage::http
