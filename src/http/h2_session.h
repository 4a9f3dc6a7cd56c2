// HTTP/2 (RFC 9113) as bytes in, bytes out and events: libnghttp2's server session behind plain values, with
// the bounds on what a client may make us hold or do. No socket, no worker and no clock in here, so that a
// fuzzer can drive it. Belongs to one connection's thread; events come from within receive() and output()
// only, and may call everything but those two.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/head.h"

namespace wharfage::http {

class H2Session {
 public:
  using StreamId = std::int32_t;
  struct Piece {
    std::size_t bytes = 0;  // more than 0 unless it is the last one
    bool last = false;
  };
  class Events {
   public:
    virtual ~Events() = default;
    // A whole head; a fault says that it cannot be served and how to answer. Framing::none: no body follows.
    virtual void on_request(StreamId stream, Head head, std::optional<Fault> fault) = 0;
    // The client may not send more than its window until these bytes are consume()d.
    virtual void on_body(StreamId stream, std::string_view bytes) = 0;
    virtual void on_body_end(StreamId stream) = 0;
    // Nothing more will be said or heard on the stream, for whatever reason.
    virtual void on_close(StreamId stream) = 0;
    // The next bytes of the response's body; nothing when they cannot be had, which ends the stream.
    virtual std::optional<Piece> read_reply(StreamId stream, char* buffer, std::size_t size) = 0;
  };

  explicit H2Session(Events& events);
  ~H2Session();

  // False when the session has failed: what output() still gives says so to the client.
  bool receive(std::string_view bytes, std::int64_t now_ms);
  std::string_view output();  // the next bytes to send, valid until the next call; empty when there are none
  bool over() const;          // nothing will be received or sent any more

  using Fields = std::vector<std::pair<std::string, std::string>>;
  void respond(StreamId stream, const Fields& fields, bool with_body);
  void go_on(StreamId stream);                        // 100 Continue
  void consume(StreamId stream, std::size_t bytes);   // also for streams that are gone
  void widen(StreamId stream, std::size_t window);    // what the client may send ahead
  void reset(StreamId stream);                        // the stream is given up
  void refuse(StreamId stream);                       // nothing was done for it: it may be tried again
  void go_away();                                     // no new streams; those that are open go on
  std::optional<std::int64_t> head_begun_ms() const;  // when the head that is not complete yet began

  struct State;

 private:
  std::unique_ptr<State> x_state;
};

}  // namespace wharfage::http
