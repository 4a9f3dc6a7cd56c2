#include "http/h2_connection.h"

#include <algorithm>

#include "base/limits.h"
#include "base/release.h"

namespace wharfage::http {
namespace {

constexpr std::size_t kept_output_bytes_max = 16 * 1024;  // of an idle connection

}  // namespace

bool H2Connection::step() {
  if (x_lingering) return discard();
  bool open = push();
  if (!open) return false;
  if (x_failed || (x_session.over() && x_out.empty())) return end();
  return pull();
}

// Frames leave in few large writes: each becomes records of its own.
void H2Connection::gather() {
  if (x_out_sent == x_out.size()) {
    x_out.clear();
    x_out_sent = 0;
  }
  while (x_out.size() - x_out_sent < limits::h2_gathered_bytes) {
    std::string_view frame = x_session.output();
    if (frame.empty()) break;
    x_out.append(frame);
  }
}

// Sends what there is. A full socket does not keep us from reading; false when the connection is closed.
bool H2Connection::push() {
  Io state = Io::done;
  while (x_budget > 0 && state == Io::done) {
    gather();
    if (x_out.empty()) break;
    Moved moved = x_socket.transport->write(std::string_view(x_out).substr(x_out_sent), true);
    x_out_sent += moved.bytes;
    x_budget -= std::min(x_budget, moved.bytes);
    state = moved.state;
  }
  if (state == Io::done) state = x_socket.transport->flush();
  if (state == Io::closed) return close();
  if (state == Io::want_write) {
    wait_writable();
  } else if (x_budget == 0) {
    yield();
  }
  return true;
}

bool H2Connection::pull() {
  if (++x_reads > limits::h2_reads_per_turn) {
    x_reads = 0;
    feed_sinks();
    yield();
    return false;
  }
  Moved moved = x_socket.transport->read(x_lane.scratch(), Lane::scratch_bytes);
  if (moved.state == Io::done) {
    x_failed = !x_session.receive({x_lane.scratch(), moved.bytes}, x_lane.loop().now_ms());
    return true;
  }
  x_reads = 0;
  feed_sinks();
  if (x_streams.empty()) rest();
  return blocked(moved.state);
}

void H2Connection::rest() {
  if (x_out.empty() && x_out.capacity() > kept_output_bytes_max) release(x_out);
  x_socket.transport->rest();
}

bool H2Connection::end() {
  x_socket.transport->end_writing();
  x_lingering = true;
  expect_within(timeouts().linger);
  return true;
}

bool H2Connection::close() {
  if (x_closed) return false;
  auto self = this->self();
  close_socket();
  auto streams = std::move(x_streams);
  x_streams.clear();
  x_waiting.clear();
  x_fed.clear();
  for (const auto& [id, stream] : streams) leave(stream);
  return false;
}

bool H2Connection::is_late(std::int64_t now_ms, bool crowded) {
  bool idle = x_streams.empty();
  std::int64_t early =
      idle && crowded ? std::max<std::int64_t>(0, timeouts().keep_alive - limits::crowded_idle_ms) : 0;
  if (now_ms >= x_deadline - early) return true;
  auto head_begun = x_session.head_begun_ms();
  if (head_begun && now_ms - *head_begun >= timeouts().head) return true;
  bool receiving = false, clients_turn = false, late = false;
  for (const auto& [id, stream] : x_streams) {
    receiving = receiving || stream->state == Stream::State::body || stream->state == Stream::State::sink;
    clients_turn = clients_turn || stream->deadline != never;
    late = late || now_ms >= stream->deadline;
  }
  bool slow = x_pace.too_slow(now_ms, clients_turn, core().options.transfer_rate_min,
                              receiving ? timeouts().body_pace : timeouts().response_idle);
  if (slow) x_deadline = now_ms;  // the whole connection is
  return late || slow;
}

void H2Connection::time_out() {
  auto self = this->self();
  std::int64_t now = x_lane.loop().now_ms();
  auto head_begun = x_session.head_begun_ms();
  bool whole = now >= x_deadline || x_lingering || (head_begun && now - *head_begun >= timeouts().head);
  std::vector<StreamPtr> late;
  for (const auto& [id, stream] : x_streams) {
    if (now >= stream->deadline) late.push_back(stream);
  }
  for (const auto& stream : late) {
    bool replying = stream->state == Stream::State::reply;
    replying ? x_session.reset(stream->id)
             : refuse(stream, {408, fail(Reason::timeout, "the request did not arrive in time")});
  }
  if (!whole && !late.empty()) return advance();
  if (!x_lingering) {
    x_session.go_away();
    x_budget = limits::h2_gathered_bytes;
    if (!push()) return;
  }
  close();
}

void H2Connection::drain() {
  if (x_closed || x_lingering) return;
  x_session.go_away();
  advance();
}

}  // namespace wharfage::http
