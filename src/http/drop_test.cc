// How sinks end whose clients are refused and gone at once, over real sockets.
#include <atomic>
#include <future>
#include <thread>

#include "http/test_peer.h"

using namespace wharfage;
using namespace wharfage::http;

namespace {

class SlowToGo final : public BodySink {
 public:
  SlowToGo(std::shared_future<void> may_go, std::atomic<int>& gone)
      : x_may_go(std::move(may_go)), x_gone(gone) {}
  ~SlowToGo() override {
    x_may_go.wait();
    ++x_gone;
  }
  Status write(std::string_view) override { return {}; }
  Response finish() override { return Response::text(201, ""); }
  Response refuse(const Error&) override { return Response::text(400, ""); }

 private:
  std::shared_future<void> x_may_go;
  std::atomic<int>& x_gone;
};

}  // namespace

// A second task that drops it would run while the first one still waits: the thread sanitizer sees it touch
// what the first has changed.
TEST_CASE("a sink is dropped by one worker when its client breaks the framing and resets the connection") {
  std::promise<void> leaving, last_task;
  std::shared_future<void> left = leaving.get_future().share(), may_go = last_task.get_future().share();
  std::atomic<int> opened = 0, gone = 0;
  Site site(
      [&](const Request&) -> Plan {
        return Streamed{[&](Request&) -> std::variant<Response, std::unique_ptr<BodySink>> {
          ++opened;
          left.wait();
          return std::make_unique<SlowToGo>(may_go, gone);
        }};
      },
      {}, 2);
  Peer peer(site.port());
  peer.say("POST /u HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nX\r\n");
  while (opened == 0) std::this_thread::yield();
  linger reset{1, 0};
  REQUIRE(::setsockopt(peer.descriptor(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
  peer.leave();
  leaving.set_value();
  while (site.server->connections() > 0) std::this_thread::yield();
  CHECK(site.workers.post([&] { last_task.set_value(); }));
  while (gone == 0) std::this_thread::yield();
  site.server->stop(0);
  CHECK(gone == 1);
}
