// One connection as a state machine on its loop: read a head, decide, read or stream the body, let a worker
// answer, send, start again. Requests on one connection are served one after the other, so a pipelining
// client waits in the socket buffer and memory stays bounded: one head, one buffered body, one
// response. A streamed body takes none: workers receive it in turns, into buffers of their own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "http/intake.h"
#include "http/link.h"

namespace wharfage::http {

class Connection final : public Link {
 public:
  Connection(Lane& lane, Socket socket) : Link(lane, std::move(socket)), x_intake(*x_socket.transport) {}

  bool is_late(std::int64_t now_ms, bool crowded) override;
  void time_out() override;
  void drain() override;

 private:
  enum class State { handshake, head, body, stream, working, reply, linger, closed };
  // Each returns true when the machine can go on at once.
  bool step() override;
  bool shake_hands();
  bool hand_over();
  bool read_head();
  bool read_body();
  bool stream_body();
  bool send_reply();

  // Requests
  bool begin_request();
  bool follow(Plan plan);
  bool collect(Buffered plan);
  bool open_stream(Streamed plan);
  bool run_handler();
  void handler_done(const std::shared_ptr<Exchange>& exchange);

  // Bodies
  void expect_body();
  bool send_interim();
  bool begin_turn();
  void turn_done(const std::shared_ptr<Exchange>& exchange);
  bool end_turn(const std::shared_ptr<Exchange>& exchange);

  // Responses
  bool refuse(Fault fault, bool close);
  void conclude(const std::shared_ptr<Exchange>& exchange, bool body_left);
  bool respond(Response response, bool close);
  Moved send_part();
  bool request_done();
  void end_request(int status);
  bool end_after_reply();

  // Life
  bool close() override;
  std::string_view protocol(const Head& head) const override {
    return head.http_1_0 ? "HTTP/1.0" : "HTTP/1.1";
  }
  void leave(int status);
  std::shared_ptr<Connection> self() { return std::static_pointer_cast<Connection>(shared_from_this()); }

  State x_state = State::handshake;

  Intake x_intake;
  Share x_in_share;
  std::shared_ptr<Exchange> x_exchange;  // null between requests

  std::string x_interim;   // what is left of "100 Continue"
  bool x_working = false;  // a worker has the exchange
  bool x_turn = false;     // and intake and transport, too

  Response x_response;
  std::string x_reply_head;  // with a small body behind it
  std::size_t x_head_sent = 0;
  std::int64_t x_part_sent = 0;  // of the body behind the head
  std::int64_t x_part_length = 0;
  bool x_close = false;
};

}  // namespace wharfage::http
