// Streamed bodies and file answers, over real sockets.
#include <fcntl.h>

#include <atomic>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/failpoint.h"
#include "base/limits.h"
#include "base/random.h"
#include "http/test_peer.h"

using namespace wharfage;
using namespace wharfage::http;

namespace {

// What happened to sinks, as the test sees it.
struct Story {
  std::mutex mutex;
  std::string written;
  std::size_t writes = 0, largest = 0;
  std::atomic<int> overlaps{0}, finished{0}, destroyed{0}, opened{0};
  std::atomic<std::size_t> refuse_after{SIZE_MAX};
  std::atomic<bool> throws{false};
  std::function<void()> before_write;  // set before the server starts

  std::string text() {
    std::lock_guard lock(mutex);
    return written;
  }
};

class StorySink final : public BodySink {
 public:
  explicit StorySink(Story& story) : x_story(story) { ++x_story.opened; }
  ~StorySink() override { ++x_story.destroyed; }

  Status write(std::string_view chunk) override {
    if (x_inside.exchange(true)) ++x_story.overlaps;
    if (x_story.before_write) x_story.before_write();
    if (x_story.throws) throw std::runtime_error("broken");
    std::lock_guard lock(x_story.mutex);
    x_story.written += chunk;
    ++x_story.writes;
    x_story.largest = std::max(x_story.largest, chunk.size());
    x_inside = false;
    if (x_story.written.size() > x_story.refuse_after) return fail(Reason::quota_exceeded);
    return {};
  }
  Response finish() override {
    ++x_story.finished;
    return Response::text(201, std::to_string(x_story.text().size()));
  }
  Response refuse(const Error& error) override {
    return Response::text(429, std::string(reason_name(error.reason)));
  }

 private:
  Story& x_story;
  std::atomic<bool> x_inside = false;
};

Router into(Story& story) {
  return [&story](const Request&) {
    return Streamed{[&story](Request& request) -> std::variant<Response, std::unique_ptr<BodySink>> {
      if (request.path == "/denied") return Response::text(401, "no");
      return std::make_unique<StorySink>(story);
    }};
  };
}

std::string head(std::string_view path, std::size_t length, std::string_view fields = "") {
  return "PATCH " + std::string(path) + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(length) +
         "\r\n" + std::string(fields) + "\r\n";
}

void await(const std::atomic<int>& value, int wanted) {
  while (value < wanted) std::this_thread::yield();
}

std::string noise(std::size_t size) {
  std::string seed = random_bytes(65536), out;
  while (out.size() < size) out += seed;
  out.resize(size);
  return out;
}

}  // namespace

TEST_CASE("a large body reaches its sink whole, in order, in bounded chunks, one at a time") {
  Story story;
  Site site(into(story));
  Peer peer(site.port());
  std::string body = noise(9'000'001);
  REQUIRE(peer.say(head("/u", body.size()) + body));
  Reply reply = peer.reply();
  CHECK(reply.status == 201);
  CHECK(reply.body == "9000001");
  CHECK(story.text() == body);
  CHECK(story.overlaps == 0);
  CHECK(story.largest <= limits::stream_buffer_bytes);
  CHECK(story.destroyed == 1);
  CHECK(peer.ask(head("/u", 0)).status == 201);
  CHECK(peer.ask(head("/u", 3) + "abc").body == "9000004");
}

TEST_CASE("without memory for a task a request is refused or its connection goes, and nobody waits") {
  Story story;
  Site site(into(story));
  {
    failpoint::Armed none("http.no_memory");
    Peer peer(site.port());
    CHECK(peer.ask(head("/u", 3) + "abc").status == 503);
  }
  CHECK(story.opened == 0);
  {
    failpoint::Armed none("http.no_memory_surely", 1, 2);  // for the second turn, and to drop the sink
    std::string body = noise(4 * limits::stream_turn_bytes);
    Peer peer(site.port());
    (void)peer.say(head("/u", body.size()) + body);
    await(story.destroyed, 1);
    CHECK(peer.is_closed());
    CHECK(story.finished == 0);
  }
  std::size_t before = story.text().size();
  CHECK(Peer(site.port()).ask(head("/u", 2) + "zz").body == std::to_string(before + 2));
  // And the server stops: it waits for every task and every connection.
}

TEST_CASE("a chunked body streams too, and the next request is found behind it") {
  Story story;
  Site site(into(story));
  Peer peer(site.port());
  std::string body = noise(3'000'000),
              wire = "POST /u HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < body.size(); at += 70'001) {
    std::string part = body.substr(at, 70'001);
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", part.size());
    wire += size + part + "\r\n";
  }
  REQUIRE(peer.say(wire + "0\r\n\r\n" + head("/u", 2) + "zz"));
  CHECK(peer.reply().body == "3000000");
  CHECK(peer.reply().body == "3000002");
  CHECK(story.text() == body + "zz");
}

TEST_CASE("a request that comes while a worker has the one before is answered without more news") {
  std::promise<void> open;
  auto gate = open.get_future().share();
  std::atomic<int> entered = 0;
  Site site([&](const Request&) -> Plan {
    return Buffered{100, [&](Request& request) {
                      if (++entered == 1) gate.wait();
                      return Response::text(200, request.path);
                    }};
  });
  Peer peer(site.port());
  peer.say("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n");
  peer.say("ab");
  await(entered, 1);
  peer.say("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // so that the loop has heard of it
  open.set_value();
  CHECK(peer.reply().body == "/1");
  CHECK(peer.reply().body == "/2");
}

TEST_CASE("a client that ends its side with its request is answered and let go") {
  ServerOptions options;
  Site site(echo, options);
  for (int i = 0; i < 20; ++i) {
    Peer peer(site.port());
    peer.say("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    ::shutdown(peer.descriptor(), SHUT_WR);
    CHECK(peer.reply().status == 200);
    CHECK(peer.is_closed());
  }
}

TEST_CASE("an answer larger than a turn may send arrives whole, to several clients at a time") {
  std::string large = noise(24'000'000);
  Site site([&](const Request&) { return Answered{Response::text(200, large)}; });
  std::vector<std::thread> clients;
  std::atomic<int> right = 0;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      Peer peer(site.port());
      peer.say("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
      right += peer.reply().body == large;
    });
  }
  for (auto& client : clients) client.join();
  CHECK(right == 4);
}

TEST_CASE("100 Continue is sent only after the request was accepted") {
  Story story;
  Site site(into(story));
  Peer peer(site.port());
  peer.say(head("/u", 4, "Expect: 100-continue\r\n"));
  CHECK(peer.hear_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(story.opened == 1);
  CHECK(peer.ask("body").status == 201);
  Reply refused = peer.ask(head("/denied", 4, "Expect: 100-continue\r\n"));
  CHECK(refused.status == 401);
  CHECK(refused.headers.get("Connection") == "close");
  CHECK(peer.is_closed());
}

TEST_CASE("an early answer keeps the connection when there is no body") {
  Story story;
  Site site(into(story));
  Peer peer(site.port());
  CHECK(peer.ask(head("/denied", 0)).status == 401);
  CHECK(peer.ask(head("/u", 1) + "a").status == 201);
}

TEST_CASE("a sink that refuses has its answer read although the client is still sending") {
  Story story;
  story.refuse_after = 1'000'000;
  Site site(into(story));
  Peer peer(site.port());
  std::string body = noise(8'000'000);
  std::thread sender([&] { peer.say(head("/u", 100'000'000) + body); });
  Reply reply = peer.reply();
  CHECK(reply.status == 429);
  CHECK(reply.body == "quota_exceeded");
  CHECK(reply.headers.get("Connection") == "close");
  sender.join();
  await(story.destroyed, 1);
  CHECK(story.finished == 0);
}

TEST_CASE("a sink that throws ends in 500") {
  Story story;
  story.throws = true;
  Site site(into(story));
  Peer peer(site.port());
  CHECK(peer.ask(head("/u", 3) + "abc").status == 500);
  await(story.destroyed, 1);
}

TEST_CASE("a client that leaves while streaming keeps what was written, and the sink goes without finish") {
  Story story;
  ServerOptions options;
  std::promise<int> status;
  options.on_done = [&](const Request&, int code, std::int64_t, std::int64_t) { status.set_value(code); };
  Site site(into(story), options);
  Peer peer(site.port());
  peer.say(head("/u", 1000) + std::string(600, 'x'));
  while (story.text().size() < 600) std::this_thread::yield();
  peer.leave();
  await(story.destroyed, 1);
  CHECK(story.finished == 0);
  CHECK(story.text().size() == 600);
  CHECK(status.get_future().get() == 499);
}

TEST_CASE("broken framing in the middle of a stream ends it without finish") {
  Story story;
  Site site(into(story));
  Peer peer(site.port());
  std::string start = "POST /u HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(peer.ask(start + "3\r\nabc\r\nX\r\n").status == 400);
  await(story.destroyed, 1);
  CHECK(story.finished == 0);
}

TEST_CASE("a stream waits for workers instead of failing, and survives the end of the server") {
  Story story;
  Site site(into(story), {}, 1, 1);
  std::string body = noise(2'000'000);
  std::vector<std::unique_ptr<Peer>> peers;
  std::vector<std::thread> senders;
  std::atomic<int> good = 0, busy = 0;
  for (int i = 0; i < 8; ++i) {
    peers.push_back(std::make_unique<Peer>(site.port()));
    senders.emplace_back([&, peer = peers.back().get()] {
      peer->say(head("/u", body.size()) + body);
      int status = peer->reply().status;
      ++(status == 201 ? good : busy);
    });
  }
  for (auto& sender : senders) sender.join();
  CHECK(good + busy == 8);
  CHECK(good >= 1);
  CHECK(story.finished == good.load());
  Peer last(site.port());
  last.say(head("/u", 10) + "abc");
  while (story.opened < good + 1) std::this_thread::yield();
  site.workers.stop();
  site.server->stop(0);
  CHECK(story.destroyed == story.opened.load());
}

TEST_CASE("a server that ends closes no socket that a worker reads from") {
  Story story;
  std::promise<void> begun, go;
  auto gate = go.get_future().share();
  std::atomic<int> writes = 0;
  story.before_write = [&] {
    if (++writes == 1) begun.set_value();
    gate.wait();
  };
  std::promise<int> status;
  ServerOptions options;
  options.on_done = [&](const Request&, int code, std::int64_t, std::int64_t) { status.set_value(code); };
  Site site(into(story), options);
  Peer peer(site.port());
  peer.say(head("/u", 100) + "abc");
  begun.get_future().wait();
  std::thread stopping([&] { site.server->stop(0); });
  CHECK(peer.is_closed());  // the worker is still inside
  CHECK(site.server->connections() == 1);
  go.set_value();
  stopping.join();
  CHECK(status.get_future().get() == 499);
  CHECK(story.text() == "abc");
  CHECK(story.finished == 0);
  CHECK(story.destroyed == 1);
  CHECK(site.server->connections() == 0);
}

TEST_CASE("clients that vanish at any moment leave nothing behind") {
  Story story;
  Site site(into(story));
  std::string chunked = "POST /u HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string whole = head("/u", 400'000) + noise(400'000) + chunked + "5\r\nhello\r\n0\r\n\r\n" +
                      head("/denied", 0) + head("/u", 4, "Expect: 100-continue\r\n") + "body" + chunked +
                      "broken";
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::size_t i = 0; i < 60; ++i) {
        Peer peer(site.port());
        peer.say(std::string_view(whole).substr(0, (i * 4 + thread) * 7919 % (whole.size() + 1)));
        if (i % 3 == 0) continue;
        ::shutdown(peer.descriptor(), SHUT_WR);
        if (i % 3 == 1) peer.reply();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  while (site.server->connections() > 0) std::this_thread::yield();
  site.server->stop(0);
  CHECK(story.destroyed == story.opened.load());
  CHECK(story.overlaps == 0);
}

TEST_CASE("file ranges arrive exactly, large and small, and stop at a file that was cut") {
  char name[] = "/tmp/wharfage-http-XXXXXX";
  int descriptor = ::mkstemp(name);
  REQUIRE(descriptor >= 0);
  std::string content = noise(5'000'003);
  REQUIRE(::write(descriptor, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  auto file = shared_file(descriptor);
  Site site([&](const Request&) {
    return Buffered{0, [&](Request& request) {
                      Params params = parse_query(request.query);
                      Response response;
                      response.status = 206;
                      response.body = FileRange{file, *parse_integer(*find_param(params, "o")),
                                                *parse_integer(*find_param(params, "l"))};
                      return response;
                    }};
  });
  Peer peer(site.port());
  auto fetch = [&](std::size_t offset, std::size_t length) {
    return peer.ask("GET /?o=" + std::to_string(offset) + "&l=" + std::to_string(length) +
                    " HTTP/1.1\r\nHost: h\r\n\r\n");
  };
  CHECK(fetch(0, content.size()).body == content);
  CHECK(fetch(1'234'567, 2'345'678).body == content.substr(1'234'567, 2'345'678));
  CHECK(fetch(content.size() - 1, 1).body == content.substr(content.size() - 1));
  CHECK(fetch(7, 0).body.empty());
  CHECK(peer.ask("HEAD /?o=1&l=99 HTTP/1.1\r\nHost: h\r\n\r\n").headers.get("Content-Length") == "99");
  CHECK(fetch(content.size() - 5, 50).body == content.substr(content.size() - 5));
  CHECK(peer.is_closed());
  ::unlink(name);
}
