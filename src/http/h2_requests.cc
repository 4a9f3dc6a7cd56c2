#include <algorithm>

#include "base/limits.h"
#include "http/h2_connection.h"

namespace wharfage::http {

void H2Connection::expect(Stream& stream, std::int64_t timeout_ms) {
  stream.deadline = x_lane.loop().now_ms() + timeout_ms;
}

// Of the streams that are open and this one; a small head is not worth counting for.
std::size_t H2Connection::heads_with(const Exchange& exchange) const {
  std::size_t bytes = exchange.held.amount();
  if (bytes < limits::h2_large_head) return bytes;
  for (const auto& [id, stream] : x_streams) bytes += stream->exchange->held.amount();
  return bytes;
}

void H2Connection::on_request(StreamId id, Head head, std::optional<Fault> fault) {
  auto exchange = new_exchange(std::move(head));
  // A few bytes can name large fields of the table again and again (RFC 7541 2.3), and every stream may wait
  // with its own. An answer would have to wait as well.
  if (!hold_head(*exchange) || heads_with(*exchange) > limits::h2_heads_max) return x_session.refuse(id);
  auto stream = std::make_shared<Stream>();
  stream->id = id;
  stream->exchange = std::move(exchange);
  stream->body_complete = stream->exchange->head.framing == Framing::none;
  if (x_streams.empty()) x_pace.restart();
  x_streams[id] = stream;
  expect_nothing();
  if (fault) return refuse(stream, *fault);
  auto plan = route(stream->exchange->head.request);
  plan ? follow(stream, std::move(*plan)) : refuse(stream, {500, fail(Reason::internal)});
}

void H2Connection::follow(const StreamPtr& stream, Plan plan) {
  Exchange& exchange = *stream->exchange;
  if (auto answered = std::get_if<Answered>(&plan)) return answer(stream, std::move(answered->response));
  if (auto streamed = std::get_if<Streamed>(&plan)) {
    exchange.streamed = std::move(*streamed);
    return enqueue(stream);
  }
  exchange.buffered = std::move(std::get<Buffered>(plan));
  if (exchange.head.length > 0 &&
      static_cast<std::size_t>(exchange.head.length) > exchange.buffered.body_max) {
    return refuse(stream, body_too_large());
  }
  if (stream->body_complete) return enqueue(stream);
  if (exchange.head.expects_continue) x_session.go_on(stream->id);
  expect(*stream, timeouts().body_idle);
}

void H2Connection::collect(const StreamPtr& stream, std::string_view bytes) {
  x_session.consume(stream->id, bytes.size());
  Exchange& exchange = *stream->exchange;
  std::string& body = exchange.head.request.body;
  if (body.size() + bytes.size() > exchange.buffered.body_max) return refuse(stream, body_too_large());
  if (!exchange.received.grow(core().received, bytes.size())) return refuse(stream, busy());
  body.append(bytes);
  expect(*stream, timeouts().body_idle);
}

void H2Connection::on_body(StreamId id, std::string_view bytes) {
  x_pace.moved(bytes.size());
  auto found = x_streams.find(id);
  bool wanted = found != x_streams.end() && found->second->state != Stream::State::reply;
  if (!wanted) return x_session.consume(id, bytes.size());
  const StreamPtr& stream = found->second;
  if (stream->state == Stream::State::body) return collect(stream, bytes);
  stream->chunk.append(bytes);
  if (stream->state == Stream::State::sink && !stream->working) expect(*stream, timeouts().body_idle);
  if (x_fed.empty() || x_fed.back() != stream) x_fed.push_back(stream);
}

void H2Connection::on_body_end(StreamId id) {
  auto found = x_streams.find(id);
  if (found == x_streams.end() || found->second->body_complete) return;
  const StreamPtr& stream = found->second;
  stream->body_complete = true;
  if (stream->state == Stream::State::body) return enqueue(stream);
  x_fed.push_back(stream);
}

void H2Connection::enqueue(const StreamPtr& stream) {
  stream->state = Stream::State::waiting;
  stream->deadline = never;
  x_waiting.push_back(stream);
  begin_waiting();
}

void H2Connection::begin_waiting() {
  while (!x_waiting.empty() && x_running < limits::h2_running_max && x_unsent < limits::h2_unsent_max) {
    StreamPtr next = std::move(x_waiting.front());
    x_waiting.pop_front();
    run(next);
  }
}

void H2Connection::run(const StreamPtr& stream) {
  auto exchange = stream->exchange;
  bool streams = exchange->streamed.open != nullptr;
  bool taken = x_lane.submit(
      [exchange, streams, &unsent = core().unsent] {
        streams ? exchange->run_open() : exchange->run_handler(unsent);
      },
      [self = self(), stream, streams] { streams ? self->open_done(stream) : self->handler_done(stream); });
  stream->state = Stream::State::working;
  stream->working = taken;
  stream->running = true;
  ++x_running;
  if (!taken) refuse(stream, busy());
}

bool H2Connection::take_back(const StreamPtr& stream) {
  stream->working = false;
  if (!stream->gone) return true;
  leave(stream);
  begin_waiting();
  return false;
}

void H2Connection::handler_done(const StreamPtr& stream) {
  if (!take_back(stream)) return;
  attempt([&] { answer(stream, decision(*stream->exchange)); });
  advance();
}

void H2Connection::open_done(const StreamPtr& stream) {
  if (!take_back(stream)) return;
  attempt([&] { begin_feeding(stream); });
  advance();
}

void H2Connection::begin_feeding(const StreamPtr& stream) {
  Exchange& exchange = *stream->exchange;
  if (!exchange.sink) return answer(stream, decision(exchange));
  stream->state = Stream::State::sink;
  if (!stream->body_complete) {
    x_session.widen(stream->id, limits::h2_upload_window);
    if (exchange.head.expects_continue && stream->chunk.empty()) x_session.go_on(stream->id);
    expect(*stream, timeouts().body_idle);
  }
  feed(stream);
}

// Once per turn, so that a sink gets what has arrived in as few pieces as possible.
void H2Connection::feed_sinks() {
  auto fed = std::move(x_fed);
  x_fed.clear();
  for (const auto& stream : fed) feed(stream);
}

void H2Connection::feed(const StreamPtr& stream) {
  bool free = stream->state == Stream::State::sink && !stream->working && !stream->gone;
  if (!free || (stream->chunk.empty() && !stream->body_complete)) return;
  auto exchange = stream->exchange;
  auto chunk = std::make_shared<std::string>(std::exchange(stream->chunk, {}));
  bool last = stream->body_complete;
  stream->deadline = never;
  x_lane.submit_surely([exchange, chunk, last] { exchange->run_write(*chunk, last); },
                       [self = self(), stream, chunk] { self->chunk_done(stream, chunk->size()); });
  stream->working = true;
}

void H2Connection::chunk_done(const StreamPtr& stream, std::size_t bytes) {
  if (!x_closed) x_session.consume(stream->id, bytes);
  if (!take_back(stream)) {
    if (!x_closed) advance();
    return;
  }
  attempt([&] { feed_on(stream); });
  advance();
}

void H2Connection::feed_on(const StreamPtr& stream) {
  Exchange& exchange = *stream->exchange;
  bool answered = exchange.response || !exchange.failure.empty();
  if (stream->state != Stream::State::sink) {  // refused meanwhile
    drop_sink(stream->exchange);
    end_run(*stream);
    begin_waiting();
  } else if (answered) {
    answer(stream, decision(exchange));
  } else {
    if (!stream->body_complete) expect(*stream, timeouts().body_idle);
    feed(stream);
  }
}

}  // namespace wharfage::http
