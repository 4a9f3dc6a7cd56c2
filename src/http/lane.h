// One event loop with the connections it serves, and what all loops of a server share. A lane's methods
// belong to its loop's thread unless they say otherwise.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>

#include "base/random.h"
#include "http/budget.h"
#include "http/buffers.h"
#include "http/crowd.h"
#include "http/head.h"
#include "http/loop.h"
#include "http/server.h"
#include "http/tls_files.h"
#include "http/transport.h"

namespace wharfage::http {

class Link;

// What the loops share. Constant after the start but for the atomics.
struct Core {
  Core(ServerOptions given, Router route, Workers& pool, Log sink)
      : options(std::move(given)), router(std::move(route)), workers(pool), log(std::move(sink)) {}

  ServerOptions options;
  Router router;
  Workers& workers;
  Log log;
  std::unique_ptr<TlsFiles> tls;  // null without TLS
  Crowd crowd;
  Budget received{options.received_bytes_max};
  Budget unsent{options.unsent_bytes_max};
  Buffers buffers;
  std::atomic<std::size_t> tasks{0};  // on workers, or waiting to be
  std::atomic<bool> stopping{false};  // no new request on any connection
  std::atomic<bool> aborting{false};  // no waiting for anyone any more

  Response fault_response(const Request& request, const Fault& fault) const;
};

class Lane {
 public:
  explicit Lane(Core& core);
  ~Lane();  // stops and joins its thread

  Core& core() { return x_core; }
  Loop& loop() { return x_loop; }

  void adopt(int socket, std::string peer);  // thread-safe; takes the socket over
  void drain();                              // thread-safe: ends idle connections
  void abort();                              // thread-safe: ends every connection
  void forget(const std::shared_ptr<Link>& link);
  // `heir` goes on with the socket of `link`.
  void replace(const std::shared_ptr<Link>& link, const std::shared_ptr<Link>& heir);

  // Runs `work` on a worker and then `done` on this loop. False when the workers are too busy, or there is no
  // memory for it.
  [[nodiscard]] bool submit(std::function<void()> work, std::function<void()> done);
  // Likewise, but waits for a place. A connection has at most two such tasks, or with
  // HTTP/2 two for each of its open sinks. Throws std::bad_alloc: then neither of the two will run.
  void submit_surely(std::function<void()> work, std::function<void()> done);

  std::string_view date();                     // of now, for the Date field
  std::string next_request_id();               // 32 hex digits: unique, not secret
  char* scratch() { return x_scratch.get(); }  // shared by all connections, valid until the next read
  static constexpr std::size_t scratch_bytes = 64 * 1024;

 private:
  std::unique_ptr<Transport> make_transport(int socket);
  void tick();
  struct Job;  // a task on its way through a worker and back
  bool post(std::unique_ptr<Job>& job);
  void retry();

  Core& x_core;
  Loop x_loop;
  std::unordered_set<std::shared_ptr<Link>> x_links;
  std::deque<std::unique_ptr<Job>> x_backlog;
  bool x_retrying = false;  // a timer will
  std::string x_date;
  std::int64_t x_date_until_ms = 0;               // on the loop's clock
  const std::string x_id_prefix = random_hex(8);  // of this lane's request ids; a counter follows
  std::uint64_t x_request_count = 0;
  std::unique_ptr<char[]> x_scratch, x_tls_scratch;
  std::int64_t x_tick_ms;
  std::thread x_thread;  // last: uses everything above
};

}  // namespace wharfage::http
