// One HTTP/2 connection on its lane: the session (h2_session.h) between the socket and the streams, each of
// which is a request that goes the way of those of HTTP/1.1: routed from its head, its body collected or
// streamed to a sink, its handler run on a worker. What one connection may have under way is bounded: streams
// by the session, requests on workers and open sinks by h2_running_max, bodies not yet taken by windows,
// answers in memory by h2_unsent_max; what does not fit waits as a head in a queue. A stream that the client
// resets goes at once, but its place on a worker is free only when the worker is.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "http/h2_session.h"
#include "http/link.h"

namespace wharfage::http {

class H2Connection final : public Link, private H2Session::Events {
 public:
  H2Connection(Lane& lane, Socket socket) : Link(lane, std::move(socket)), x_session(*this) {}

  bool is_late(std::int64_t now_ms, bool crowded) override;
  void time_out() override;
  void drain() override;

 private:
  using StreamId = H2Session::StreamId;
  struct Stream {
    enum class State { body, waiting, sink, working, reply };  // waiting: for its turn on a worker
    StreamId id = 0;
    State state = State::body;
    std::shared_ptr<Exchange> exchange;
    bool body_complete = false;
    bool working = false;  // a worker has the exchange
    bool running = false;  // counted in x_running
    bool gone = false;     // while a worker had it
    std::int64_t deadline = never;
    std::string chunk;  // received for the sink
    Response response;
    std::int64_t sent = 0, length = 0;  // of its body
    std::size_t unsent = 0;             // counted in x_unsent
  };
  using StreamPtr = std::shared_ptr<Stream>;

  // The connection
  bool step() override;
  bool close() override;
  std::string_view protocol(const Head&) const override { return "HTTP/2"; }
  bool push();
  void gather();
  bool pull();
  bool end();
  void rest();
  std::shared_ptr<H2Connection> self() { return std::static_pointer_cast<H2Connection>(shared_from_this()); }

  // Events of the session
  void on_request(StreamId id, Head head, std::optional<Fault> fault) override;
  void on_body(StreamId id, std::string_view bytes) override;
  void on_body_end(StreamId id) override;
  void on_close(StreamId id) override;
  std::optional<H2Session::Piece> read_reply(StreamId id, char* buffer, std::size_t size) override;

  // Requests
  std::size_t heads_with(const Exchange& exchange) const;
  void follow(const StreamPtr& stream, Plan plan);
  void collect(const StreamPtr& stream, std::string_view bytes);
  void enqueue(const StreamPtr& stream);
  void begin_waiting();
  void run(const StreamPtr& stream);
  void handler_done(const StreamPtr& stream);
  void open_done(const StreamPtr& stream);
  void begin_feeding(const StreamPtr& stream);
  void feed_sinks();
  void feed(const StreamPtr& stream);
  void chunk_done(const StreamPtr& stream, std::size_t bytes);
  void feed_on(const StreamPtr& stream);
  // Takes the stream back from a worker; false when nobody waits for it any more.
  bool take_back(const StreamPtr& stream);

  // Answers
  void refuse(const StreamPtr& stream, const Fault& fault);
  void answer(const StreamPtr& stream, Response response);
  void leave(const StreamPtr& stream);
  void end_run(Stream& stream);
  void expect(Stream& stream, std::int64_t timeout_ms);

  H2Session x_session;
  std::unordered_map<StreamId, StreamPtr> x_streams;
  std::deque<StreamPtr> x_waiting;
  std::vector<StreamPtr> x_fed;  // have something for their sinks since the last look
  std::size_t x_running = 0;
  std::size_t x_unsent = 0;  // bytes of answers in memory
  std::string x_out;         // frames on their way
  std::size_t x_out_sent = 0;
  int x_reads = 0;  // in this turn
  bool x_failed = false;
  bool x_lingering = false;
};

}  // namespace wharfage::http
