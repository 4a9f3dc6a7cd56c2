// A connection as its lane sees it, whatever it speaks: a socket with its transport, what it waits for, how
// long that may take, and what every request needs from its surroundings. HTTP/1.1 (connection.h) and HTTP/2
// (h2_connection.h) are its two kinds; every connection starts as the first and hands its socket over when
// the TLS handshake agreed on the second. Belongs to its lane's thread.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "http/exchange.h"
#include "http/lane.h"
#include "http/loop.h"
#include "http/pace.h"
#include "http/transport.h"

namespace wharfage::http {

class Link : public Waiter, public std::enable_shared_from_this<Link> {
 public:
  struct Socket {
    Watch watch;
    std::unique_ptr<Transport> transport;
    std::string peer;
    std::shared_ptr<const ClientCertificate> certificate;
  };
  Link(Lane& lane, Socket socket);

  virtual void start();
  void ready(bool writable) override;
  virtual bool is_late(std::int64_t now_ms, bool crowded) = 0;  // asked at every tick of the lane
  virtual void time_out() = 0;
  virtual void drain() = 0;  // ends when nothing is under way, else after what is
  void abort() { close(); }
  const std::string& peer() const { return x_socket.peer; }

  static constexpr int client_left_status = 499;

 protected:
  static constexpr std::int64_t never = INT64_MAX;

  // Each returns true when the machine can go on at once.
  virtual bool step() = 0;
  virtual bool close() = 0;
  virtual std::string_view protocol(const Head& head) const = 0;
  void advance();
  // Of whatever runs on the loop: without memory this connection goes, and the others stay.
  template <class Call>
  void attempt(Call call) {
    try {
      call();
    } catch (const std::exception& caught) {
      fail_with(caught);
    }
  }
  bool blocked(Io state);
  void yield();    // lets others have their turn, and goes on then
  bool discard();  // reads to the end: unread bytes would make the kernel reset what we sent last

  void wait_readable();
  void wait_writable();
  void expect_within(std::int64_t timeout_ms);
  void expect_nothing() { x_deadline = never; }
  void close_socket();  // forgotten by the lane, too
  void fail_with(const std::exception& caught);

  // Requests
  std::shared_ptr<Exchange> new_exchange(Head head);
  // False when the head takes more than what is left of the shared memory.
  bool hold_head(Exchange& exchange);
  std::optional<Plan> route(const Request& request);  // nothing when the router threw
  // What a worker has decided, or the fault that it is.
  Response decision(Exchange& exchange);
  Response fault_response(const Exchange& exchange, const Fault& fault);
  void report(const Exchange& exchange, int status);
  void drop_sink(const std::shared_ptr<Exchange>& exchange);

  Core& core() { return x_lane.core(); }
  const Core& core() const { return x_lane.core(); }
  const Timeouts& timeouts() const { return core().options.timeouts; }

  Lane& x_lane;
  Socket x_socket;
  std::int64_t x_deadline = never;
  Pace x_pace;
  bool x_closed = false;
  bool x_waiting_readable = false;
  bool x_waiting_writable = false;
  bool x_yielding = false;
  std::size_t x_budget = 0;    // bytes this connection may still send before others get their turn
  std::size_t x_requests = 0;  // begun in this turn
};

Fault busy();
Fault body_too_large();

}  // namespace wharfage::http
