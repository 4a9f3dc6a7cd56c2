// One connection as a state machine on its loop: read a head, decide, read or stream the body, let a worker
// answer, send, start again. Requests on one connection are served one after the other, so a pipelining
// client waits in the socket buffer and memory stays bounded: one head, one buffered body or two chunks of
// a streamed one, one response.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "http/link.h"
#include "http/parser.h"

namespace wharfage::http {

class Connection final : public Link {
 public:
  Connection(Lane& lane, Socket socket) : Link(lane, std::move(socket)) {}

  bool is_late(std::int64_t now_ms, bool crowded) override;
  void time_out() override;
  void drain() override;

 private:
  enum class State { handshake, head, body, stream, working, reply, linger, closed };
  // Body bytes on their way to a sink.
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    std::size_t capacity = 0;
    std::size_t size = 0;
  };

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
  void open_done(const std::shared_ptr<Exchange>& exchange);

  // Bodies
  void expect_body();
  Io receive_body(char* buffer, std::size_t size, std::size_t& produced);
  bool send_interim();
  bool stream_on();
  bool post_chunk();
  void chunk_done(const std::shared_ptr<Exchange>& exchange, Chunk& chunk);

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
  void leave(int status);
  std::shared_ptr<Connection> self() { return std::static_pointer_cast<Connection>(shared_from_this()); }

  State x_state = State::handshake;

  std::string x_in;  // received and not yet understood
  Share x_in_share;
  RequestParser x_parser;
  std::shared_ptr<Exchange> x_exchange;  // null between requests

  std::string x_interim;  // what is left of "100 Continue"
  std::int64_t x_body_left = 0;
  bool x_body_complete = false;
  bool x_working = false;  // a worker has the exchange
  Chunk x_chunk;
  Chunk x_spare;

  Response x_response;
  std::string x_reply_head;  // with a small body behind it
  std::size_t x_head_sent = 0;
  std::int64_t x_part_sent = 0;  // of the body behind the head
  std::int64_t x_part_length = 0;
  bool x_close = false;
};

}  // namespace wharfage::http
