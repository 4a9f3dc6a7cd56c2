#include <algorithm>
#include <cstring>

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
  x_body_left = head.length;
  x_body_complete = head.framing == Framing::none;
  x_interim.clear();
  if (head.expects_continue && x_in.empty()) x_interim = "HTTP/1.1 100 Continue\r\n\r\n";
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

// Reads body bytes into `buffer` and takes their framing away.
Io Connection::receive_body(char* buffer, std::size_t size, std::size_t& produced) {
  bool chunked = x_exchange->head.framing == Framing::chunked;
  if (!chunked) size = std::min(size, static_cast<std::size_t>(x_body_left));
  std::size_t count = std::min(size, x_in.size());
  if (count > 0) {
    std::memcpy(buffer, x_in.data(), count);
    x_in.erase(0, count);
  } else {
    Moved moved = x_socket.transport->read(buffer, size);
    if (moved.state != Io::done) return moved.state;
    count = moved.bytes;
  }
  expect_within(timeouts().body_idle);
  x_pace.moved(count);
  RequestParser::Step step = x_parser.read_body(buffer, count);
  produced = step.produced;
  if (!chunked) x_body_left -= static_cast<std::int64_t>(produced);
  x_body_complete = x_parser.done();
  if (x_body_complete) x_in.insert(0, buffer + step.consumed, count - step.consumed);
  return Io::done;
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
  if (x_body_complete) return run_handler();
  std::size_t produced = 0;
  Io state = receive_body(x_lane.scratch(), Lane::scratch_bytes, produced);
  if (state != Io::done) return blocked(state);
  if (x_parser.malformed()) return refuse(bad_framing(), true);
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
  x_working = x_lane.submit([exchange] { exchange->run_handler(); },
                            [self, exchange] { self->handler_done(exchange); });
  return x_working ? false : refuse(busy(), false);
}

void Connection::handler_done(const std::shared_ptr<Exchange>& exchange) {
  x_working = false;
  if (x_state == State::closed) return leave(client_left_status);
  conclude(exchange, false);
  advance();
}

bool Connection::open_stream(Streamed plan) {
  x_exchange->streamed = std::move(plan);
  x_state = State::working;
  expect_nothing();
  auto self = this->self();
  auto exchange = x_exchange;
  x_working = true;
  bool taken =
      x_lane.submit([exchange] { exchange->run_open(); }, [self, exchange] { self->open_done(exchange); });
  if (taken) return false;
  x_working = false;
  return refuse(busy(), exchange->head.framing != Framing::none);
}

void Connection::open_done(const std::shared_ptr<Exchange>& exchange) {
  x_working = false;
  if (x_state == State::closed) return leave(client_left_status);
  if (exchange->sink) {
    expect_body();
    x_state = State::stream;
  } else {
    conclude(exchange, exchange->head.framing != Framing::none);
  }
  advance();
}

bool Connection::stream_body() {
  if (!x_interim.empty() && !send_interim()) return false;
  if (x_body_complete) return stream_on();
  if (!x_chunk.bytes) {
    std::swap(x_chunk, x_spare);
    std::size_t capacity = limits::stream_chunk_bytes;
    if (!x_chunk.bytes) x_chunk = {std::make_unique_for_overwrite<char[]>(capacity), capacity, 0};
  }
  if (x_chunk.size == x_chunk.capacity) return stream_on();
  std::size_t produced = 0;
  char* end = x_chunk.bytes.get() + x_chunk.size;
  Io state = receive_body(end, x_chunk.capacity - x_chunk.size, produced);
  if (state == Io::closed) return close();
  if (state != Io::done) {
    stream_on();
    return blocked(state);
  }
  if (x_parser.malformed()) return refuse(bad_framing(), true);
  x_chunk.size += produced;
  return true;
}

// Gives what has been read to the sink when it is free; true when there is room to read on.
bool Connection::stream_on() {
  if (x_working) {
    expect_nothing();
    return false;
  }
  return x_chunk.size > 0 || x_body_complete ? post_chunk() : false;
}

bool Connection::post_chunk() {
  auto self = this->self();
  auto exchange = x_exchange;
  auto chunk = std::make_shared<Chunk>(std::move(x_chunk));
  x_chunk = {};
  bool last = x_body_complete;
  x_working = true;
  expect_nothing();
  if (last) x_state = State::working;
  x_lane.submit_surely(
      [exchange, chunk, last] { exchange->run_write({chunk->bytes.get(), chunk->size}, last); },
      [self, exchange, chunk] { self->chunk_done(exchange, *chunk); });
  return !last;
}

void Connection::chunk_done(const std::shared_ptr<Exchange>& exchange, Chunk& chunk) {
  x_working = false;
  bool answered = exchange->response || !exchange->failure.empty();
  if (x_state == State::closed && x_exchange) return leave(client_left_status);
  bool streaming = x_exchange == exchange && (x_state == State::stream || x_state == State::working);
  if (!streaming) return drop_sink(exchange);
  if (answered) {
    conclude(exchange, !x_body_complete);
  } else {
    chunk.size = 0;
    x_spare = std::move(chunk);
    expect_within(timeouts().body_idle);
  }
  advance();
}

}  // namespace wharfage::http
