#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/limits.h"
#include "base/release.h"
#include "http/h2_connection.h"
#include "http/response_head.h"

namespace wharfage::http {

void H2Connection::refuse(const StreamPtr& stream, const Fault& fault) {
  if (!stream->working) {
    drop_sink(stream->exchange);
    release(stream->exchange->head.request.body);
    stream->exchange->received.release();
  }
  answer(stream, fault_response(*stream->exchange, fault));
}

void H2Connection::answer(const StreamPtr& stream, Response response) {
  Exchange& exchange = *stream->exchange;
  auto text = std::get_if<std::string>(&response.body);
  bool uncounted = text != nullptr && text->size() > limits::uncounted_bytes && exchange.unsent.empty();
  if (uncounted && !exchange.unsent.grow(core().unsent, text->size())) {
    response = fault_response(exchange, busy());
  }
  if (response.status < 200 || response.status > 999) response.status = 500;
  bool head_method = exchange.head.request.method == "HEAD";
  stream->response = std::move(response);
  stream->length = sends_body(stream->response, head_method) ? body_length(stream->response) : 0;
  text = std::get_if<std::string>(&stream->response.body);
  stream->unsent = text != nullptr && stream->length > 0 ? text->size() : 0;
  x_unsent += stream->unsent;
  stream->state = Stream::State::reply;
  expect(*stream, timeouts().response_idle);
  x_session.consume(stream->id, std::exchange(stream->chunk, {}).size());
  x_session.respond(stream->id,
                    response_fields(stream->response, {.date = x_lane.date(),
                                                       .request_id = exchange.head.request.id,
                                                       .head_method = head_method}),
                    stream->length > 0);
  end_run(*stream);
  begin_waiting();
}

std::optional<H2Session::Piece> H2Connection::read_reply(StreamId id, char* buffer, std::size_t size) {
  auto found = x_streams.find(id);
  if (found == x_streams.end()) return std::nullopt;
  Stream& stream = *found->second;
  auto count = std::min(static_cast<std::size_t>(stream.length - stream.sent), size);
  if (auto range = std::get_if<FileRange>(&stream.response.body)) {
    ssize_t read = -1;
    do read = ::pread(*range->descriptor, buffer, count, range->offset + stream.sent);
    while (read < 0 && errno == EINTR);
    if (read <= 0) return std::nullopt;  // shorter than promised
    count = static_cast<std::size_t>(read);
  } else {
    std::memcpy(buffer, std::get<std::string>(stream.response.body).data() + stream.sent, count);
  }
  stream.sent += static_cast<std::int64_t>(count);
  stream.exchange->bytes_sent += static_cast<std::int64_t>(count);
  x_pace.moved(count);
  expect(stream, timeouts().response_idle);
  return H2Session::Piece{count, stream.sent == stream.length};
}

void H2Connection::on_close(StreamId id) {
  auto found = x_streams.find(id);
  if (found == x_streams.end()) return;
  StreamPtr stream = found->second;
  x_streams.erase(found);
  if (stream->state == Stream::State::waiting) std::erase(x_waiting, stream);
  x_session.consume(id, std::exchange(stream->chunk, {}).size());
  leave(stream);
  begin_waiting();
  if (x_streams.empty()) expect_within(timeouts().keep_alive);
}

// The last act of a stream whose client is gone or served, once no worker has it any more.
void H2Connection::leave(const StreamPtr& stream) {
  stream->gone = true;
  stream->deadline = never;
  if (stream->working) return;
  x_unsent -= std::exchange(stream->unsent, 0);
  drop_sink(stream->exchange);
  bool answered = stream->state == Stream::State::reply;
  report(*stream->exchange, answered ? stream->response.status : client_left_status);
  release(stream->response);
  end_run(*stream);
}

void H2Connection::end_run(Stream& stream) {
  if (stream.working || !std::exchange(stream.running, false)) return;
  --x_running;
}

}  // namespace wharfage::http
