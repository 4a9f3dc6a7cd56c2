#include "http/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/release.h"
#include "http/h2_connection.h"

namespace wharfage::http {
namespace {

constexpr std::size_t kept_input_bytes_max = 16 * 1024;      // of an idle connection
constexpr std::size_t kept_reply_head_bytes_max = 4 * 1024;  // with small bodies in it

}  // namespace

// When places get scarce, connections that only wait for a next request give theirs back early.
bool Connection::is_late(std::int64_t now_ms, bool crowded) {
  bool idle = x_state == State::head && x_intake.in.empty();
  std::int64_t early =
      idle && crowded ? std::max<std::int64_t>(0, timeouts().keep_alive - limits::crowded_idle_ms) : 0;
  if (now_ms >= x_deadline - early) return true;
  bool receiving = x_state == State::body || x_state == State::stream;
  bool clients_turn = x_deadline != never && (receiving || x_state == State::reply);
  return x_pace.too_slow(now_ms, clients_turn, core().options.transfer_rate_min,
                         receiving ? timeouts().body_pace : timeouts().response_idle);
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
  Io state = x_socket.transport->handshake();
  if (state != Io::done) return blocked(state);
  x_socket.certificate = x_socket.transport->client_certificate();
  if (x_socket.transport->protocol() == "h2") return hand_over();
  x_state = State::head;
  return true;
}

// The client speaks HTTP/2.
bool Connection::hand_over() {
  auto self = this->self();
  auto heir = std::make_shared<H2Connection>(x_lane, std::move(x_socket));
  x_state = State::closed;
  x_closed = true;
  expect_nothing();
  x_lane.replace(self, heir);
  heir->start();
  return false;
}

bool Connection::read_head() {
  if (!x_intake.in.empty()) {
    if (x_requests == limits::pipelined_requests_max) {
      yield();
      return false;
    }
    RequestParser::Found found = x_intake.parser.read_head(x_intake.in);
    if (found == RequestParser::Found::head) return begin_request();
    if (found == RequestParser::Found::refused) {
      x_exchange = new_exchange(x_intake.parser.take_head());
      return refuse(x_intake.parser.take_fault(), true);
    }
  }
  Moved moved = x_socket.transport->read(x_lane.scratch(), Lane::scratch_bytes);
  if (moved.state != Io::done) return blocked(moved.state);
  if (x_intake.in.empty()) expect_within(timeouts().head);
  x_intake.in.append(x_lane.scratch(), moved.bytes);
  bool counted = x_intake.in.size() > limits::uncounted_bytes;
  if (!counted || x_in_share.grow(core().received, moved.bytes)) return true;
  x_intake.parser.read_head(x_intake.in);  // so that it is refused in the words of what it asks for
  x_exchange = new_exchange(x_intake.parser.take_head());
  return refuse(busy(), true);
}

bool Connection::begin_request() {
  ++x_requests;
  x_intake.in.erase(0, x_intake.parser.head_size());
  bool counted = !x_in_share.empty();
  x_in_share.release();
  x_pace.restart();
  x_exchange = new_exchange(x_intake.parser.take_head());
  if (counted && !hold_head(*x_exchange)) return refuse(busy(), true);
  auto plan = route(x_exchange->head.request);
  return plan ? follow(std::move(*plan)) : refuse({500, fail(Reason::internal)}, true);
}

// Finishes what `status` stands for exactly once per request.
void Connection::end_request(int status) {
  if (auto exchange = std::exchange(x_exchange, nullptr)) report(*exchange, status);
}

bool Connection::request_done() {
  end_request(x_response.status);
  release(x_response);
  if (x_reply_head.capacity() > kept_reply_head_bytes_max) release(x_reply_head);
  if (x_close || core().stopping) return end_after_reply();
  x_state = State::head;
  x_intake.parser.restart();
  expect_within(x_intake.in.empty() ? timeouts().keep_alive : timeouts().head);
  if (!x_intake.in.empty() || x_socket.transport->holds_input()) return true;
  if (x_intake.in.capacity() > kept_input_bytes_max) x_intake.in.shrink_to_fit();
  x_socket.transport->rest();
  wait_readable();
  return false;
}

bool Connection::end_after_reply() {
  x_socket.transport->end_writing();
  x_state = State::linger;
  expect_within(timeouts().linger);
  return true;
}

void Connection::time_out() {
  auto self = this->self();
  bool has_begun =
      x_state == State::body || x_state == State::stream || (x_state == State::head && !x_intake.in.empty());
  if (!has_begun) {
    close();
    return;
  }
  refuse({408, fail(Reason::timeout, "the request did not arrive in time")}, true);
  advance();
}

void Connection::drain() {
  bool idle = x_state == State::handshake || (x_state == State::head && x_intake.in.empty());
  if (idle) close();
}

// The last act of a request whose connection is gone, once no worker has it any more.
void Connection::leave(int status) {
  if (x_exchange) drop_sink(x_exchange);
  end_request(status);
}

bool Connection::close() {
  if (x_state == State::closed) return false;
  auto self = this->self();
  bool replying = x_state == State::reply;
  x_state = State::closed;
  if (x_turn) {  // turn_done() closes: a number that is free again could be another connection's
    ::shutdown(x_socket.watch.descriptor(), SHUT_RDWR);
    return false;
  }
  if (!x_working) leave(replying ? x_response.status : client_left_status);
  release(x_response);
  release(x_reply_head);
  close_socket();
  return false;
}

}  // namespace wharfage::http
