// An HTTP/1.1 and (over TLS) HTTP/2 server: one event loop per thread does the sockets, a bounded worker pool
// runs the handlers. Handlers are straight-line synchronous code and never see a socket. Bodies are either
// buffered up to a limit or streamed to a sink chunk by chunk (de-chunked, RFC 9112); files go out by
// sendfile. Slow, oversized and malformed requests are refused or closed by the limits of base/limits.h and
// limits.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/limits.h"
#include "base/log.h"
#include "base/result.h"
#include "base/time.h"
#include "base/workers.h"
#include "http/limits.h"
#include "http/message.h"

namespace wharfage::http {

// Takes a streamed request body. All calls come from worker threads, one at a time and in order.
// Destroyed without finish() when the connection breaks: then what was written stays for a resume.
class BodySink {
 public:
  virtual ~BodySink() = default;
  // An error ends the request: the sink's `refuse` makes the response and the connection is closed.
  virtual Status write(std::string_view chunk) = 0;
  virtual Response finish() = 0;
  virtual Response refuse(const Error& error) = 0;
};

// How a request is to be served, decided from its head alone on the event loop: must not block.
struct Buffered {
  std::size_t body_max;
  std::function<Response(Request&)> handle;  // runs on a worker
};
struct Streamed {
  // Runs on a worker before any body byte is read: an early response, or the sink for the body. The request
  // lives until the sink is gone.
  std::function<std::variant<Response, std::unique_ptr<BodySink>>(Request&)> open;
};
// Known at once from memory: sent without a hop to a worker. The connection ends when a body follows.
struct Answered {
  Response response;
};
using Plan = std::variant<Buffered, Streamed, Answered>;
using Router = std::function<Plan(const Request& head)>;

struct Tls {
  std::string certificate_file;  // PEM chain
  std::string key_file;          // PEM
  std::string client_ca_file;    // PEM; empty: clients are not asked for certificates
  bool http2 = true;             // offered besides HTTP/1.1
  bool client_required = true;   // else a client may come without one, but not with a bad one
};

struct Timeouts {  // milliseconds
  std::int64_t head = limits::request_header_timeout_ms;
  std::int64_t body_idle = limits::request_body_idle_timeout_ms;
  std::int64_t response_idle = limits::response_idle_timeout_ms;
  std::int64_t keep_alive = limits::keep_alive_timeout_ms;
  std::int64_t linger = limits::connection_linger_ms;
  std::int64_t body_pace = limits::body_pace_ms;  // over which transfer_rate_min is measured
  std::int64_t tls_poll = limits::tls_poll_ms;
};

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free port, see Server::port()
  std::optional<Tls> tls;
  std::size_t loops = 2;
  std::size_t connections_max = limits::connections_max;
  std::size_t connections_per_address_max = limits::connections_per_address_max;
  // Whether the last address of X-Forwarded-For, the one that the proxy in front has seen, is the peer of a
  // request. Limits on connections are still the connection's.
  bool trust_forwarded = false;
  std::int64_t transfer_rate_min =
      limits::transfer_rate_min;  // bytes a second; 0: as slow as the idle limits allow
  // Memory that all requests share: heads and buffered bodies, and answers that clients have not taken.
  std::size_t received_bytes_max = limits::received_bytes_max;
  std::size_t unsent_bytes_max = limits::unsent_bytes_max;
  Timeouts timeouts;
  // Called for every finished request on the event loop; must be quick. Status 499: the client left before
  // there was an answer.
  std::function<void(const Request&, int status, std::int64_t bytes_sent, std::int64_t micros)> on_done;
  // Turns faults found by the server itself (bad syntax, too long, too busy, a handler that threw) into a
  // response body. Runs on the event loop. The status is the server's: 400, 408, 413, 414, 417, 431, 500,
  // 501, 503 or 505.
  std::function<Response(const Request& head_so_far, const Error&)> on_fault;
};

struct TlsFacts {
  TimeMs expires_at = 0;  // of the certificate in use
  std::string failure;    // why the newest files are not in use; empty when they are
};

class Server {
 public:
  // Listens at once; `router` and `workers` must outlive the server. Errors: invalid_parameter for a bad
  // address or certificate, conflict when the port is taken.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Router router, Workers& workers,
                                               Log log);
  virtual ~Server() = default;  // drains like stop()

  virtual std::uint16_t port() const = 0;
  virtual std::size_t connections() const = 0;
  // Reads the certificate files again; open connections go on. What cannot be used changes nothing. Happens
  // by itself when the files change.
  virtual Status reload_tls() = 0;
  virtual std::optional<TlsFacts> tls_facts() const = 0;  // thread-safe; none without TLS
  // Stops accepting, lets running requests end (at most `drain_ms`), closes the rest, waits for the handlers
  // still running. Thread-safe, but not to be called from a handler or a hook.
  virtual void stop(std::int64_t drain_ms) = 0;
};

}  // namespace wharfage::http
