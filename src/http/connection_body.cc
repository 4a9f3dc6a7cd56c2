#include "base/limits.h"
#include "http/connection.h"

namespace wharfage::http {
namespace {

Fault bad_framing() {
  return {400, fail(Reason::malformed_body, "the chunked body is not valid")};
}

}  // namespace

bool Connection::follow(Plan plan) {
  if (auto buffered = std::get_if<Buffered>(&plan)) return collect(std::move(*buffered));
  if (auto streamed = std::get_if<Streamed>(&plan)) return open_stream(std::move(*streamed));
  return respond(std::move(std::get<Answered>(plan).response), x_exchange->head.framing != Framing::none);
}

// Sets the body up before its first byte is read.
void Connection::expect_body() {
  const Head& head = x_exchange->head;
  x_intake.begin_body(head);
  x_interim.clear();
  if (head.expects_continue && x_intake.in.empty()) x_interim = "HTTP/1.1 100 Continue\r\n\r\n";
  expect_within(timeouts().body_idle);
}

bool Connection::send_interim() {
  Moved moved;
  while (!x_interim.empty()) {
    moved = x_socket.transport->write(x_interim, false);
    if (moved.state != Io::done) return blocked(moved.state);
    x_interim.erase(0, moved.bytes);
  }
  Io state = x_socket.transport->flush();
  return state == Io::done || blocked(state);
}

bool Connection::collect(Buffered plan) {
  x_exchange->buffered = std::move(plan);
  const Head& head = x_exchange->head;
  if (head.length > 0 && static_cast<std::size_t>(head.length) > x_exchange->buffered.body_max) {
    return refuse(body_too_large(), true);
  }
  expect_body();
  x_state = State::body;
  return true;
}

bool Connection::read_body() {
  if (!x_interim.empty() && !send_interim()) return false;
  if (x_intake.complete()) return run_handler();
  std::size_t produced = 0;
  Io state = x_intake.receive(x_lane.scratch(), Lane::scratch_bytes, produced);
  if (state != Io::done) return blocked(state);
  expect_within(timeouts().body_idle);
  x_pace.moved(x_intake.take_moved());
  if (x_intake.malformed()) return refuse(bad_framing(), true);
  std::string& body = x_exchange->head.request.body;
  if (body.size() + produced > x_exchange->buffered.body_max) return refuse(body_too_large(), true);
  bool counted = body.size() + produced > limits::uncounted_bytes;
  if (counted && !x_exchange->received.grow(core().received, produced)) return refuse(busy(), true);
  body.append(x_lane.scratch(), produced);
  return true;
}

bool Connection::run_handler() {
  x_state = State::working;
  expect_nothing();
  auto self = this->self();
  auto exchange = x_exchange;
  x_working = x_lane.submit([exchange, &unsent = core().unsent] { exchange->run_handler(unsent); },
                            [self, exchange] { self->handler_done(exchange); });
  return x_working ? false : refuse(busy(), false);
}

void Connection::handler_done(const std::shared_ptr<Exchange>& exchange) {
  x_working = false;
  if (x_state == State::closed) return leave(client_left_status);
  attempt([&] { conclude(exchange, false); });
  advance();
}

// The sink is opened and fed in one go where the client does not wait to be asked for its body.
bool Connection::open_stream(Streamed plan) {
  x_exchange->streamed = std::move(plan);
  expect_body();
  if (x_interim.empty()) return begin_turn();
  auto exchange = x_exchange;
  x_state = State::working;
  expect_nothing();
  x_working = x_lane.submit([exchange] { exchange->run_open(); },
                            [self = self(), exchange] { self->turn_done(exchange); });
  return x_working ? false : refuse(busy(), true);
}

bool Connection::stream_body() {
  if (x_interim.empty()) return begin_turn();
  if (!send_interim()) return false;
  if (x_socket.transport->holds_input()) return true;
  wait_readable();
  return false;
}

// Lends everything that receives to a worker until turn_done(). A sink that is open waits for one surely.
bool Connection::begin_turn() {
  auto exchange = x_exchange;
  auto work = [exchange, &intake = x_intake, &buffers = core().buffers] {
    exchange->run_turn(intake, buffers);
  };
  auto done = [self = self(), exchange] { self->turn_done(exchange); };
  x_state = State::working;
  expect_nothing();
  bool taken = true;
  if (exchange->sink) {
    x_lane.submit_surely(std::move(work), std::move(done));
  } else {
    taken = x_lane.submit(std::move(work), std::move(done));
  }
  x_working = x_turn = taken;
  return taken ? false : refuse(busy(), !x_intake.complete());
}

void Connection::turn_done(const std::shared_ptr<Exchange>& exchange) {
  x_working = x_turn = false;
  if (x_state == State::closed) {
    if (!x_closed) close_socket();
    return leave(client_left_status);
  }
  x_pace.moved(x_intake.take_moved());
  x_state = State::stream;
  bool waits = false;
  attempt([&] { waits = end_turn(exchange); });
  if (!waits) advance();
}

// True when there is news of the socket to wait for.
bool Connection::end_turn(const std::shared_ptr<Exchange>& exchange) {
  if (!exchange->sink) {
    conclude(exchange, !x_intake.complete());
    return false;
  }
  if (x_intake.malformed()) {
    refuse(bad_framing(), true);
    return false;
  }
  expect_within(timeouts().body_idle);
  if (exchange->blocked == Io::done) return false;
  blocked(exchange->blocked);
  return true;
}

}  // namespace wharfage::http
