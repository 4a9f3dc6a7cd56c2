// One connection as a state machine on its loop: read a head, decide, read or stream the body, let a worker
// answer, send, start again. Requests on one connection are served one after the other, so a pipelining
// client waits in the socket buffer and memory stays bounded: one head, one buffered body or two chunks of
// a streamed one, one response.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "http/exchange.h"
#include "http/lane.h"
#include "http/loop.h"
#include "http/parser.h"
#include "http/transport.h"

namespace wharfage::http {

class Connection final : public Waiter, public std::enable_shared_from_this<Connection> {
 public:
  Connection(Lane& lane, int socket, std::string peer);

  void start();
  void ready(bool writable) override;
  bool is_late(std::int64_t now_ms, bool crowded) const;
  void time_out();
  void drain();  // ends when nothing is under way, else after the current response
  void abort();

  static constexpr int client_left_status = 499;

 private:
  enum class State { handshake, head, body, stream, working, reply, linger, closed };
  // Body bytes on their way to a sink.
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    std::size_t capacity = 0;
    std::size_t size = 0;
  };

  // Each returns true when the machine can go on at once.
  void advance();
  bool step();
  bool shake_hands();
  bool read_head();
  bool read_body();
  bool stream_body();
  bool send_reply();
  bool discard();

  // Requests
  std::shared_ptr<Exchange> new_exchange(Head head);
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
  void drop_sink(const std::shared_ptr<Exchange>& exchange);

  // Responses
  bool refuse(Fault fault, bool close);
  void conclude(const std::shared_ptr<Exchange>& exchange, bool body_left);
  bool respond(Response response, bool close);
  Moved send_part();
  bool request_done();
  void report(int status);
  bool end_after_reply();

  // Life
  bool blocked(Io state);
  void wait_readable();
  void wait_writable();
  void expect_within(std::int64_t timeout_ms);
  void expect_nothing();
  bool close();
  void leave(int status);
  const Timeouts& timeouts() const { return x_lane.core().options.timeouts; }

  Lane& x_lane;
  Watch x_watch;
  std::unique_ptr<Transport> x_transport;
  std::string x_peer;
  std::shared_ptr<const ClientCertificate> x_certificate;
  State x_state = State::handshake;
  std::int64_t x_deadline;
  bool x_waiting_readable = false;
  bool x_waiting_writable = false;
  std::size_t x_budget = 0;    // bytes this connection may still send before others get their turn
  std::size_t x_requests = 0;  // begun in this turn

  std::string x_in;  // received and not yet understood
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
