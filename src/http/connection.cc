#include "http/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <limits>

#include "base/limits.h"
#include "base/time.h"
#include "http/response_head.h"

namespace wharfage::http {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t crowded_idle_ms = 1000;
constexpr std::size_t kept_input_bytes_max = 16 * 1024;  // of an idle connection
constexpr int discarded_reads_max = 16;                  // before other connections get their turn

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::unique_ptr<Transport> make_transport(int socket, Core& core) {
  if (core.tls) return tls_transport(socket, core.tls->context());
  return plain_transport(socket);
}

}  // namespace

Connection::Connection(Lane& lane, int socket, std::string peer)
    : x_lane(lane),
      x_watch(lane.loop(), socket),
      x_transport(make_transport(socket, lane.core())),
      x_peer(std::move(peer)),
      x_deadline(never) {}

void Connection::start() {
  expect_within(timeouts().head);
  advance();
}

void Connection::ready(bool writable) {
  (writable ? x_waiting_writable : x_waiting_readable) = false;
  advance();
}

void Connection::advance() {
  auto self = shared_from_this();
  x_budget = limits::response_slice_bytes;
  x_requests = 0;
  try {
    while (step()) {
    }
  } catch (const std::exception& caught) {  // no memory: this connection goes, the others stay
    x_lane.core().log.error("a connection failed", {{"what", caught.what()}});
    close();
  }
}

// When places get scarce, connections that only wait for a next request give theirs back early.
bool Connection::is_late(std::int64_t now_ms, bool crowded) const {
  bool idle = x_state == State::head && x_in.empty();
  std::int64_t early =
      idle && crowded ? std::max<std::int64_t>(0, timeouts().keep_alive - crowded_idle_ms) : 0;
  return now_ms >= x_deadline - early;
}

bool Connection::step() {
  switch (x_state) {
    case State::handshake:
      return shake_hands();
    case State::head:
      return read_head();
    case State::body:
      return read_body();
    case State::stream:
      return stream_body();
    case State::reply:
      return send_reply();
    case State::linger:
      return discard();
    case State::working:
    case State::closed:
      return false;
  }
  return false;
}

bool Connection::shake_hands() {
  Io state = x_transport->handshake();
  if (state != Io::done) return blocked(state);
  x_certificate = x_transport->client_certificate();
  x_state = State::head;
  return true;
}

bool Connection::read_head() {
  if (!x_in.empty()) {
    if (x_requests == limits::pipelined_requests_max) {
      x_lane.loop().post([self = shared_from_this()] { self->advance(); });
      return false;
    }
    RequestParser::Found found = x_parser.read_head(x_in);
    if (found == RequestParser::Found::head) return begin_request();
    if (found == RequestParser::Found::refused) {
      x_exchange = new_exchange(x_parser.take_head());
      return refuse(x_parser.take_fault(), true);
    }
  }
  Moved moved = x_transport->read(x_lane.scratch(), Lane::scratch_bytes);
  if (moved.state != Io::done) return blocked(moved.state);
  if (x_in.empty()) expect_within(timeouts().head);
  x_in.append(x_lane.scratch(), moved.bytes);
  return true;
}

// A request with what it has from its connection.
std::shared_ptr<Exchange> Connection::new_exchange(Head head) {
  auto exchange = std::make_shared<Exchange>();
  exchange->started_us = now_us();
  exchange->head = std::move(head);
  Request& request = exchange->head.request;
  request.peer = x_peer;
  request.tls = x_lane.core().options.tls.has_value();
  request.certificate = x_certificate;
  std::string_view id = request.headers.get("X-Request-Id");
  request.id = is_sane_request_id(id) ? std::string(id) : x_lane.next_request_id();
  return exchange;
}

bool Connection::begin_request() {
  ++x_requests;
  x_in.erase(0, x_parser.head_size());
  x_exchange = new_exchange(x_parser.take_head());
  Request& request = x_exchange->head.request;
  try {
    return follow(x_lane.core().router(request));
  } catch (...) {
    x_lane.core().log.error("the router threw an exception", {{"request", request.id}});
    return refuse({500, fail(Reason::internal)}, true);
  }
}

// Closes or finishes what `status` stands for exactly once per request.
void Connection::report(int status) {
  auto exchange = std::move(x_exchange);
  x_exchange.reset();
  const auto& on_done = x_lane.core().options.on_done;
  if (!exchange || !on_done) return;
  try {
    on_done(exchange->head.request, status, exchange->bytes_sent, now_us() - exchange->started_us);
  } catch (...) {
    x_lane.core().log.error("the request hook threw an exception");
  }
}

bool Connection::request_done() {
  report(x_response.status);
  x_response = {};
  if (x_close || x_lane.core().stopping) return end_after_reply();
  x_state = State::head;
  x_parser.restart();
  if (x_in.empty() && !x_transport->holds_input()) {
    if (x_in.capacity() > kept_input_bytes_max) x_in.shrink_to_fit();
    x_chunk = {};
    x_spare = {};
    x_transport->rest();
    expect_within(timeouts().keep_alive);
    wait_readable();
    return false;
  }
  expect_within(timeouts().head);
  return true;
}

// Closing with unread bytes makes the kernel send a reset, which can overtake the response.
bool Connection::end_after_reply() {
  x_transport->end_writing();
  x_state = State::linger;
  expect_within(timeouts().linger);
  return true;
}

bool Connection::discard() {
  for (int i = 0; i < discarded_reads_max; ++i) {
    ssize_t count = ::recv(x_watch.descriptor(), x_lane.scratch(), Lane::scratch_bytes, MSG_DONTWAIT);
    if (count == 0) return close();
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return close();
    if (count < 0) break;
  }
  wait_readable();
  return false;
}

void Connection::time_out() {
  auto self = shared_from_this();
  bool has_begun =
      x_state == State::body || x_state == State::stream || (x_state == State::head && !x_in.empty());
  if (!has_begun) {
    close();
    return;
  }
  refuse({408, fail(Reason::timeout, "the request did not arrive in time")}, true);
  advance();
}

void Connection::drain() {
  bool idle = x_state == State::handshake || (x_state == State::head && x_in.empty());
  if (idle) close();
}

void Connection::abort() {
  close();
}

bool Connection::blocked(Io state) {
  if (state == Io::closed) return close();
  state == Io::want_read ? wait_readable() : wait_writable();
  return false;
}

void Connection::wait_readable() {
  if (x_waiting_readable || x_state == State::closed) return;
  x_waiting_readable = true;
  x_watch.wait_readable(shared_from_this());
}

void Connection::wait_writable() {
  if (x_waiting_writable || x_state == State::closed) return;
  x_waiting_writable = true;
  x_watch.wait_writable(shared_from_this());
}

// The last act of a request whose connection is gone, once no worker has it any more.
void Connection::leave(int status) {
  if (x_exchange) drop_sink(x_exchange);
  report(status);
}

void Connection::expect_within(std::int64_t timeout_ms) {
  x_deadline = monotonic_ms() + timeout_ms;
}
void Connection::expect_nothing() {
  x_deadline = never;
}

bool Connection::close() {
  if (x_state == State::closed) return false;
  auto self = shared_from_this();
  bool replying = x_state == State::reply;
  x_state = State::closed;
  expect_nothing();
  x_watch.close();
  if (!x_working) leave(replying ? x_response.status : client_left_status);
  x_response = {};
  x_lane.forget(self);
  return false;
}

}  // namespace wharfage::http
