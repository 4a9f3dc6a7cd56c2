#include <algorithm>

#include "base/limits.h"
#include "http/connection.h"
#include "http/response_head.h"

namespace wharfage::http {
namespace {

constexpr std::size_t joined_body_max = 32 * 1024;  // copied behind the head to leave in one packet

}  // namespace

bool Connection::refuse(Fault fault, bool close) {
  if (!x_exchange) x_exchange = new_exchange({});
  if (!x_working) drop_sink(x_exchange);
  return respond(fault_response(*x_exchange, fault), close);
}

// Answers what a worker has decided. `body_left`: the rest of the body will not be read.
void Connection::conclude(const std::shared_ptr<Exchange>& exchange, bool body_left) {
  respond(decision(*exchange), body_left);
}

bool Connection::respond(Response response, bool close) {
  const Head& head = x_exchange->head;
  auto text = std::get_if<std::string>(&response.body);
  bool uncounted = text != nullptr && text->size() > limits::uncounted_bytes && x_exchange->unsent.empty();
  if (uncounted && !x_exchange->unsent.grow(core().unsent, text->size())) {
    response = fault_response(*x_exchange, busy());
  }
  if (response.status < 200 || response.status > 999) response.status = 500;  // else nobody finds its end
  bool head_method = head.request.method == "HEAD";
  x_close = close || response.close || !head.keep_alive || core().stopping;
  x_response = std::move(response);
  x_reply_head = response_head(x_response, {.date = x_lane.date(),
                                            .request_id = head.request.id,
                                            .head_method = head_method,
                                            .http_1_0 = head.http_1_0,
                                            .close = x_close});
  x_head_sent = 0;
  x_part_sent = 0;
  x_part_length = sends_body(x_response, head_method) ? body_length(x_response) : 0;
  text = std::get_if<std::string>(&x_response.body);
  if (text != nullptr && x_part_length > 0 && text->size() <= joined_body_max) {
    x_reply_head += *text;
    x_part_length = 0;
  }
  x_state = State::reply;
  x_pace.restart();
  expect_within(timeouts().response_idle);
  return true;
}

Moved Connection::send_part() {
  if (x_head_sent < x_reply_head.size()) {
    Moved moved =
        x_socket.transport->write(std::string_view(x_reply_head).substr(x_head_sent), x_part_length > 0);
    x_head_sent += moved.bytes;
    return moved;
  }
  std::size_t size = std::min(static_cast<std::size_t>(x_part_length - x_part_sent), x_budget);
  Moved moved;
  if (auto range = std::get_if<FileRange>(&x_response.body)) {
    moved = x_socket.transport->send_file(*range->descriptor, range->offset + x_part_sent, size);
  } else {
    std::string_view text = std::get<std::string>(x_response.body);
    moved = x_socket.transport->write(text.substr(static_cast<std::size_t>(x_part_sent), size), false);
  }
  x_part_sent += static_cast<std::int64_t>(moved.bytes);
  return moved;
}

bool Connection::send_reply() {
  if (x_head_sent == x_reply_head.size() && x_part_sent == x_part_length) {
    Io state = x_socket.transport->flush();
    return state == Io::done ? request_done() : blocked(state);
  }
  if (x_budget == 0) {
    yield();
    return false;
  }
  Moved moved = send_part();
  if (moved.state != Io::done) return blocked(moved.state);
  x_exchange->bytes_sent += static_cast<std::int64_t>(moved.bytes);
  x_pace.moved(moved.bytes);
  x_budget -= std::min(x_budget, moved.bytes);
  expect_within(timeouts().response_idle);
  return true;
}

}  // namespace wharfage::http
