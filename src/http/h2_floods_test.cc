// HTTP/2 clients that mean no good: each of these once took servers down.
#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

#include "base/limits.h"
#include "http/h2_head.h"
#include "http/limits.h"
#include "http/patience.h"
#include "http/test_h2.h"

using namespace wharfage;
using namespace wharfage::http;

namespace {

std::string frame(char type, char flags, std::int32_t stream, std::string_view payload) {
  std::string out{static_cast<char>(payload.size() >> 16), static_cast<char>(payload.size() >> 8),
                  static_cast<char>(payload.size()), type, flags};
  for (int shift : {24, 16, 8, 0}) out += static_cast<char>(stream >> shift);
  return out + std::string(payload);
}

constexpr char DATA = 0, PRIORITY = 2, RST_STREAM = 3, SETTINGS = 4, PING = 6, WINDOW_UPDATE = 8,
               CONTINUATION = 9;

// Says `flood`, more than anybody has patience for; with what the server leaves.
std::uint32_t answer_to(const Site& site, const std::string& flood, std::int32_t* stream = nullptr) {
  H2Peer peer(site.port());
  if (stream != nullptr) *stream = peer.submit("POST", "/", {}, "", true);
  peer.flush();
  peer.hear();
  for (int i = 0; i < 10; ++i) peer.say(flood);
  return peer.raw_farewell().value_or(1000);
}

std::string times(std::size_t count, std::string_view what) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += what;
  return all;
}

}  // namespace

TEST_CASE("patience is used up by frames, and comes back with time, answers and bytes") {
  Patience patience(10, 100);
  for (int i = 0; i < 10; ++i) CHECK(patience.spend(1, 1000));
  CHECK_FALSE(patience.spend(1, 1000));
  CHECK(patience.spend(1, 1020));
  CHECK_FALSE(patience.spend(1, 1020));
  patience.earn(5);
  CHECK(patience.spend(4, 1020));
  patience.moved(1023);
  CHECK_FALSE(patience.spend(1, 1020));
  patience.moved(3 * 1024 + 1);
  CHECK(patience.spend(3, 1020));
  CHECK(patience.spend(10, 9000));
  CHECK_FALSE(patience.spend(1, 9000));
}

TEST_CASE("the fields of HTTP/2 become the head that HTTP/1.1 would have given") {
  H2Head fields;
  for (auto [name, value] : {std::pair{":method", "PUT"},
                             {":scheme", "https"},
                             {":path", "/v2/a?b=c"},
                             {":authority", "reg:5000"},
                             {"cookie", "a=1"},
                             {"cookie", "b=2"},
                             {"content-length", "7"},
                             {"accept", "x"}}) {
    fields.add(name, value);
  }
  auto [head, fault] = fields.finish(false);
  CHECK_FALSE(fault);
  CHECK(head.request.method == "PUT");
  CHECK(head.request.path == "/v2/a");
  CHECK(head.request.query == "b=c");
  CHECK(head.request.headers.get("Host") == "reg:5000");
  CHECK(head.request.headers.get("Cookie") == "a=1; b=2");
  CHECK(head.framing == Framing::length);
  CHECK(head.length == 7);
  for (const char* path : {"", "x", "http://other/x", "/a b", "/#"}) {
    CAPTURE(path);
    H2Head odd;
    odd.add(":method", "GET");
    odd.add(":authority", "h");
    odd.add(":path", path);
    CHECK(odd.finish(true).second->status == 400);
  }
}

TEST_CASE("streams that are opened and reset at once end the connection (CVE-2023-44487)") {
  Credentials credentials;
  std::promise<void> open;
  auto gate = open.get_future().share();
  std::atomic<int> entered = 0;
  Site site(
      [&](const Request&) {
        return Buffered{10, [&](Request&) {
                          ++entered;
                          gate.wait();
                          return Response::text(200, "late");
                        }};
      },
      credentials.options(), 4, 1000);
  H2Peer peer(site.port());
  peer.hear();
  for (int opened = 0; opened < 1000; ++opened) {
    auto id = peer.submit("GET", "/");
    peer.flush();
    nghttp2_submit_rst_stream(peer.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    peer.flush();
  }
  CHECK(peer.farewell() == NGHTTP2_ENHANCE_YOUR_CALM);
  CHECK(entered <= 4);
  CHECK(site.workers.waiting() <= limits::h2_running_max);
  open.set_value();
}

TEST_CASE("floods of small frames end the connection") {
  Credentials credentials;
  Site site(echo, credentials.options());
  std::string eight(8, 'p');
  CHECK(answer_to(site, times(500, frame(PING, 0, 0, eight))) == NGHTTP2_ENHANCE_YOUR_CALM);
  CHECK(answer_to(site, times(500, frame(SETTINGS, 0, 0, ""))) == NGHTTP2_ENHANCE_YOUR_CALM);
  CHECK(answer_to(site, times(500, frame(PRIORITY, 0, 1, std::string("\0\0\0\0\7", 5)))) ==
        NGHTTP2_ENHANCE_YOUR_CALM);
  CHECK(answer_to(site, times(500, frame(WINDOW_UPDATE, 0, 0, std::string("\0\0\0\1", 4)))) ==
        NGHTTP2_ENHANCE_YOUR_CALM);
  std::int32_t stream = 0;
  CHECK(answer_to(site, times(500, frame(DATA, 0, 1, "")), &stream) == NGHTTP2_ENHANCE_YOUR_CALM);
  CHECK(stream == 1);
}

TEST_CASE("a head without an end is cut off by count and by time") {
  Credentials credentials;
  ServerOptions options = credentials.options();
  options.timeouts.head = 100;
  Site site(echo, options);
  std::string begin = frame(1, 0, 1, "\x82");  // HEADERS without END_HEADERS: ":method GET"
  {
    H2Peer peer(site.port());
    bool open = peer.say(begin);
    for (int i = 0; i < 1000 && open; ++i) open = peer.say(frame(CONTINUATION, 0, 1, ""));
    CHECK(peer.farewell());
  }
  H2Peer slow(site.port());
  CHECK(slow.ask("GET", "/").status == 200);
  begin = frame(1, 0, 3, "\x82");
  CHECK(slow.say(begin));
  CHECK(slow.farewell());
  CHECK_FALSE(slow.answers.contains(3));
}

TEST_CASE("a client that opens no window is let go and holds bounded memory") {
  Credentials credentials;
  ServerOptions options = credentials.options();
  options.timeouts.response_idle = 100;
  options.transfer_rate_min = 0;
  std::atomic<int> started = 0, reported = 0;
  options.on_done = [&](const Request&, int, std::int64_t, std::int64_t) { ++reported; };
  constexpr std::size_t size = 1024 * 1024;
  Site site(
      [&](const Request&) {
        return Buffered{0, [&](Request&) {
                          ++started;
                          return Response::text(200, std::string(size, 'x'));
                        }};
      },
      options, 4, 1000);
  H2Peer peer(site.port(), false, 0);
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 60; ++i) ids.push_back(peer.submit("GET", "/"));
  for (auto id : ids) {
    peer.hear_until([&] { return peer.answers[id].closed; });
    CHECK(peer.answers[id].closed);
    CHECK(peer.answers[id].body.empty());
  }
  // No more was begun than fits beside what nobody takes, until that was given up.
  CHECK(reported == 60);
  CHECK(started <= 60);
}

TEST_CASE("heads and bodies of streams that wait hold no more than all requests may") {
  Credentials credentials;
  ServerOptions options = credentials.options();
  options.received_bytes_max = 256 * 1024;
  Site site(echo, options);
  H2Peer peer(site.port());
  std::vector<std::int32_t> ids;
  // The field is sent once and then named by its place in the table: a few bytes for each of these.
  const std::pair<std::string, std::string> large{"x-large", std::string(3000, 'x')};
  for (int i = 0; i < 90; ++i) ids.push_back(peer.submit("PUT", "/", {large, large, large, large}, "", true));
  const std::int32_t last = ids.back();
  peer.hear_until([&] { return peer.answers[last].closed; });
  CHECK(peer.answers[last].closed);
  CHECK(peer.answers[last].error != 0);
  auto kept = std::count_if(ids.begin(), ids.end(), [&](auto id) { return !peer.answers[id].closed; });
  CHECK(kept > 5);
  CHECK(kept < 30);

  // One connection gets no more than its part, however much there is.
  Site wide(echo, credentials.options());
  H2Peer greedy(wide.port());
  for (auto& id : ids)
    id = greedy.submit("PUT", "/", {large, large, large, large, large, large, large, large}, "", true);
  greedy.hear_until([&] { return greedy.answers[ids.back()].closed; });
  CHECK(greedy.answers[ids.back()].error == NGHTTP2_REFUSED_STREAM);
  CHECK_FALSE(greedy.answers[ids.front()].closed);

  Site other(echo, options);
  H2Peer bodies(other.port());
  for (auto& id : ids) id = bodies.submit("PUT", "/", {}, std::string(12'000, 'b'), true);
  auto waiting = [&] {
    return std::count_if(ids.begin(), ids.end(), [&](auto id) {
      return bodies.answers[id].status == 0 && !bodies.answers[id].closed;
    });
  };
  bodies.hear_until([&] { return waiting() < 22; });
  CHECK(waiting() < 22);
}

TEST_CASE("a body that trickles or stops is refused") {
  Credentials credentials;
  ServerOptions options = credentials.options();
  options.timeouts.body_idle = 60;
  Site site(echo, options);
  H2Peer peer(site.port());
  auto id = peer.submit("POST", "/", {}, "begun", true);
  CHECK(peer.answer(id).status == 408);
  CHECK(peer.ask("GET", "/").status == 200);

  options.timeouts.body_idle = 20'000;
  options.timeouts.body_pace = 30;
  options.transfer_rate_min = 1'000'000;
  Site strict(echo, options);
  H2Peer trickle(strict.port());
  auto slow = trickle.submit("POST", "/", {}, "", true);
  trickle.flush();
  std::thread server_gives_up([&] {
    while (strict.server->connections() > 0) std::this_thread::yield();
  });
  while (trickle.say(frame(DATA, 0, slow, "x"))) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  server_gives_up.join();
}

TEST_CASE("idle connections end, and so do those that never begin") {
  Credentials credentials;
  ServerOptions options = credentials.options();
  options.timeouts.keep_alive = 60;
  Site site(echo, options);
  H2Peer used(site.port());
  CHECK(used.ask("GET", "/").status == 200);
  CHECK(used.farewell() == NGHTTP2_NO_ERROR);
  options.timeouts.head = 60;
  Site hasty(echo, options);
  H2Peer silent(hasty.port());
  CHECK(silent.farewell() == NGHTTP2_NO_ERROR);
}

TEST_CASE("what is not HTTP/2 after agreeing on it ends the connection") {
  Credentials credentials;
  Site site(echo, credentials.options());
  TlsPeer peer(site.port(), {.protocols = "\x02h2"});
  REQUIRE(peer.protocol() == "h2");
  peer.say("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  std::string heard, more;
  while (!(more = peer.hear_some()).empty()) heard += more;
  peer.leave();
  CHECK(heard.find("HTTP/1.1") == std::string::npos);
  while (site.server->connections() > 0) std::this_thread::yield();
}
