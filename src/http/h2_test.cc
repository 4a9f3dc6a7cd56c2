// HTTP/2 over real sockets: what a request may look like and what becomes of it.
#include <fcntl.h>

#include <atomic>
#include <fstream>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "base/failpoint.h"
#include "base/limits.h"
#include "http/client.h"
#include "http/limits.h"
#include "http/test_h2.h"

using namespace wharfage;
using namespace wharfage::http;

namespace {

std::string noise(std::size_t size) {
  std::string seed = random_bytes(65536), out;
  while (out.size() < size) out += seed;
  out.resize(size);
  return out;
}

// Collects what is streamed to it; each write waits for `gate` when there is one.
struct Basin {
  std::mutex mutex;
  std::string written;
  std::shared_future<void> gate;
  std::atomic<int> opened{0}, writes{0}, finished{0}, destroyed{0};

  std::size_t size() {
    std::lock_guard lock(mutex);
    return written.size();
  }
};

class BasinSink final : public BodySink {
 public:
  explicit BasinSink(Basin& basin) : x_basin(basin) { ++x_basin.opened; }
  ~BasinSink() override { ++x_basin.destroyed; }
  Status write(std::string_view chunk) override {
    ++x_basin.writes;
    if (x_basin.gate.valid()) x_basin.gate.wait();
    std::lock_guard lock(x_basin.mutex);
    x_basin.written += chunk;
    if (chunk.find("refuse me") != chunk.npos) return fail(Reason::quota_exceeded);
    return {};
  }
  Response finish() override {
    ++x_basin.finished;
    return Response::text(201, std::to_string(x_basin.size()));
  }
  Response refuse(const Error&) override { return Response::text(429, "no"); }

 private:
  Basin& x_basin;
};

Router into(Basin& basin) {
  return [&basin](const Request&) {
    return Streamed{[&basin](Request& request) -> std::variant<Response, std::unique_ptr<BodySink>> {
      if (request.path == "/denied") return Response::text(401, "no");
      return std::make_unique<BasinSink>(basin);
    }};
  };
}

}  // namespace

TEST_CASE("HTTP/2 is spoken when the client can, with the answers of HTTP/1.1") {
  Credentials credentials;
  Site site(echo, credentials.options());
  H2Peer peer(site.port());
  for (int i = 0; i < 3; ++i) {
    auto& answer = peer.ask("GET", "/a?b");
    CHECK(answer.status == 200);
    CHECK(answer.body == "GET /a?b ");
    CHECK(answer.headers.get("content-length") == "9");
    CHECK(answer.headers.get("date").size() == 29);
    CHECK(answer.headers.get("x-request-id").size() == 32);
    CHECK_FALSE(answer.headers.has("connection"));
  }
  CHECK(peer.ask("POST", "/p", {}, "hello").body == "POST /p hello");
  CHECK(peer.ask("POST", "/p", {{"content-length", "5"}}, "hello").body == "POST /p hello");
  auto& head = peer.ask("HEAD", "/x");
  CHECK(head.headers.get("content-length") == "8");
  CHECK(head.body.empty());
  CHECK(peer.ask("GET", "/id", {{"x-request-id", "mine.1"}}).headers.get("x-request-id") == "mine.1");
  CHECK(site.server->connections() == 1);

  ServerOptions old = credentials.options();
  old.tls->http2 = false;
  Site without(echo, old);
  CHECK(TlsPeer(without.port(), {.protocols = "\x02h2\x08http/1.1"}).protocol() == "http/1.1");
}

TEST_CASE("requests of one connection run side by side, and no more than allowed") {
  Credentials credentials;
  std::promise<void> open;
  auto gate = open.get_future().share();
  std::atomic<int> inside = 0;
  Site site(
      [&](const Request&) {
        return Buffered{1000, [&](Request& request) {
                          ++inside;
                          gate.wait();
                          return Response::text(200, request.path);
                        }};
      },
      credentials.options(), 4, 1000);
  H2Peer peer(site.port());
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < limits::h2_streams_max; ++i)
    ids.push_back(peer.submit("GET", "/" + std::to_string(i)));
  peer.flush();
  while (inside < 4) std::this_thread::yield();
  open.set_value();
  for (std::size_t i = 0; i < ids.size(); ++i) CHECK(peer.answer(ids[i]).body == "/" + std::to_string(i));
}

TEST_CASE("large answers and file ranges arrive exactly, interleaved") {
  Credentials credentials;
  std::string content = noise(3'000'017);
  std::string name = credentials.folder + "/file";
  std::ofstream(name, std::ios::binary) << content;
  auto file = shared_file(::open(name.c_str(), O_RDONLY));
  Site site(
      [&](const Request&) {
        return Buffered{0, [&](Request& request) {
                          Response response;
                          auto offset = *parse_integer(request.query);
                          response.body = FileRange{file, offset, 1'000'000};
                          if (request.path == "/text") response.body = content;
                          return response;
                        }};
      },
      credentials.options());
  H2Peer peer(site.port());
  auto text = peer.submit("GET", "/text?0");
  auto first = peer.submit("GET", "/file?7");
  auto second = peer.submit("GET", "/file?2000000");
  auto cut = peer.submit("GET", "/file?2500000");
  auto head = peer.submit("HEAD", "/file?1");
  CHECK(peer.answer(text).body == content);
  CHECK(peer.answer(first).body == content.substr(7, 1'000'000));
  CHECK(peer.answer(second).body == content.substr(2'000'000, 1'000'000));
  CHECK(peer.answer(head).headers.get("content-length") == "1000000");
  CHECK_FALSE(peer.answer(cut).ended);
  CHECK(peer.answer(cut).error == NGHTTP2_INTERNAL_ERROR);
  CHECK(peer.ask("GET", "/file?0").body.size() == 1'000'000);
}

TEST_CASE("a body reaches its sink whole, and a slow sink slows its client down") {
  Credentials credentials;
  Basin basin;
  std::promise<void> open;
  basin.gate = open.get_future().share();
  Site site(into(basin), credentials.options());
  H2Peer peer(site.port());
  std::string body = noise(4'000'000);
  auto id = peer.submit("PATCH", "/u", {}, body);
  peer.flush();
  while (basin.writes == 0) peer.hear();
  // What the sink has and the window: nothing more can have left the client, however long it waits.
  while (peer.answers[id].sent < limits::h2_upload_window) peer.hear();
  CHECK(peer.answers[id].sent <= limits::h2_stream_window + limits::h2_upload_window);
  open.set_value();
  CHECK(peer.answer(id).status == 201);
  CHECK(peer.answer(id).body == "4000000");
  CHECK(basin.written == body);
  CHECK(peer.ask("PATCH", "/u", {}, "abc").body == "4000003");
  CHECK(peer.ask("POST", "/u").body == "4000003");
  while (basin.destroyed < 3) std::this_thread::yield();
}

TEST_CASE("without memory for a task a stream is refused or its connection goes, and nobody waits") {
  Credentials credentials;
  Basin basin;
  Site site(into(basin), credentials.options());
  {
    failpoint::Armed none("http.no_memory");
    H2Peer peer(site.port());
    CHECK(peer.ask("PATCH", "/u", {}, "abc").status == 503);
  }
  {
    failpoint::Armed none("http.no_memory_surely", 1, 2);  // for a piece, and to drop the sink
    H2Peer peer(site.port());
    peer.submit("PATCH", "/u", {}, "abc");
    peer.flush();
    while (peer.hear()) {
    }
    while (basin.destroyed < 1) std::this_thread::yield();
  }
  H2Peer peer(site.port());
  CHECK(peer.ask("PATCH", "/u", {}, "zz").body == "2");
}

TEST_CASE("many uploads at once do not starve each other") {
  Credentials credentials;
  Basin basin;
  Site site(into(basin), credentials.options(), 2, 1000);
  H2Peer peer(site.port());
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 90; ++i) ids.push_back(peer.submit("PUT", "/u", {}, std::string(300'000, 'x')));
  for (auto id : ids) CHECK(peer.answer(id).status == 201);
  CHECK(basin.size() == 90 * 300'000);
}

TEST_CASE("what is refused says why, stops its client and leaves the connection usable") {
  Credentials credentials;
  Basin basin;
  ServerOptions options = credentials.options();
  Site site(
      [&](const Request& request) -> Plan {
        if (request.path == "/throw") throw std::runtime_error("router");
        if (request.path == "/known") return Answered{Response::text(200, "known")};
        if (request.path.starts_with("/s")) return into(basin)(request);
        if (request.path == "/denied") return into(basin)(request);
        return Buffered{10, [](Request&) -> Response { throw std::runtime_error("handler"); }};
      },
      options);
  H2Peer peer(site.port());
  CHECK(peer.ask("GET", "/throw").status == 500);
  CHECK(peer.ask("GET", "/x").status == 500);
  CHECK(peer.ask("POST", "/x", {}, "12345678901").status == 413);
  CHECK(peer.ask("POST", "/x", {{"content-length", "11"}}, "12345678901").status == 413);
  CHECK(peer.ask("POST", "/known", {}, noise(1'000'000)).status == 200);
  CHECK(peer.ask("PUT", "/denied", {}, noise(1'000'000)).status == 401);
  auto& refused = peer.ask("PUT", "/s", {}, "refuse me" + noise(1'000'000));
  CHECK(refused.status == 429);
  CHECK(peer.ask("GET", "/", {{"host", "other"}}).status == 400);
  CHECK(peer.ask("GET", "/", H2Peer::Fields(limits::request_fields_max + 1, {"x", "y"})).status == 431);
  // Small on the wire, huge once it is unpacked.
  CHECK(peer.ask("GET", "/", H2Peer::Fields(100, {"bomb", std::string(3000, 'b')})).status == 431);
  CHECK(peer.ask("GET", "/known").status == 200);
  CHECK_FALSE(peer.goaway);
}

TEST_CASE(
    "very long targets are served, refused in the protocol's words, or end the connection with a reason") {
  Credentials credentials;
  ServerOptions options = credentials.options();
  options.on_fault = [](const Request& request, const Error&) {
    return Response::text(599, cut(request.path, 8));
  };
  Site site([](const Request& request) { return Answered{Response::text(200, request.target)}; }, options);
  std::string compressible = "/v2/" + std::string(100'000, 'a');  // to 5 bits each
  H2Peer peer(site.port());
  CHECK(peer.ask("GET", compressible).body == compressible);
  auto& refused = peer.ask("GET", compressible, {{"x", std::string(limits::h2_headers_max - 100'000, 'y')}});
  CHECK(refused.status == 431);
  CHECK(refused.body == "/v2/aaaa");
  CHECK(peer.ask("GET", "/v2/").status == 200);
  // The codec reads no field of more than 64 KiB; what comes after it could not be understood.
  peer.submit("GET", "/v2/" + std::string(70'000, '~'));
  peer.flush();
  CHECK(peer.farewell() == NGHTTP2_COMPRESSION_ERROR);
  CHECK(H2Peer(site.port()).ask("GET", "/v2/").status == 200);
}

TEST_CASE("100 Continue comes after the request was accepted, and trailers change nothing") {
  Credentials credentials;
  Basin basin;
  Site site(into(basin), credentials.options());
  H2Peer peer(site.port());
  auto id = peer.submit("PUT", "/u", {{"expect", "100-continue"}, {"content-length", "4"}}, "", true);
  CHECK(peer.hear_until([&] { return peer.answers[id].interim == 1; }));
  CHECK(basin.opened == 1);
  peer.answers[id].to_send = "body";
  peer.answers[id].endless = false;
  nghttp2_session_resume_data(peer.session, id);
  CHECK(peer.answer(id).body == "4");
  CHECK(peer.ask("PUT", "/denied", {{"expect", "100-continue"}, {"content-length", "4"}}, "body").interim ==
        0);

  auto with_trailer = peer.submit("PUT", "/u", {}, "", true);
  peer.flush();
  std::string frames("\0\0\3\0\0\0\0\0\0xyz", 12);                    // DATA
  frames += std::string("\0\0\x09\1\5\0\0\0\0\0\x04host\x02no", 18);  // HEADERS that end the stream
  for (std::size_t at : {std::size_t{8}, std::size_t{12 + 8}}) frames[at] = static_cast<char>(with_trailer);
  frames[12 + 2] = 9;
  REQUIRE(peer.say(frames));
  CHECK(peer.answer(with_trailer).body == "7");
}

TEST_CASE("the running request ends when the server stops, and the client is told") {
  Credentials credentials;
  std::promise<void> entered, open;
  Site site(
      [&](const Request&) {
        return Buffered{10, [&](Request&) {
                          entered.set_value();
                          open.get_future().wait();
                          return Response::text(200, "done");
                        }};
      },
      credentials.options());
  H2Peer idle(site.port()), working(site.port());
  auto id = working.submit("GET", "/");
  working.flush();
  entered.get_future().wait();
  std::thread stopper([&] { site.server->stop(20'000); });
  CHECK(idle.farewell() == NGHTTP2_NO_ERROR);
  CHECK(working.hear_until([&] { return working.goaway.has_value(); }));
  open.set_value();
  CHECK(working.answer(id).body == "done");
  CHECK(working.farewell() == NGHTTP2_NO_ERROR);
  working.leave();
  idle.leave();
  stopper.join();
  CHECK(site.server->connections() == 0);
}

TEST_CASE("clients that vanish leave nothing behind, and every request is reported once") {
  Credentials credentials;
  Basin basin;
  std::atomic<int> left = 0, done = 0;
  ServerOptions options = credentials.options();
  options.on_done = [&](const Request&, int status, std::int64_t, std::int64_t) {
    ++(status == 499 ? left : done);
  };
  Site site(into(basin), options);
  for (int i = 0; i < 20; ++i) {
    H2Peer peer(site.port());
    for (int k = 0; k < 5; ++k)
      peer.submit("PUT", "/u", {}, noise(static_cast<std::size_t>(i) * 10'000), true);
    auto last = peer.submit("PUT", "/u", {}, "x");
    if (i % 2 == 0) peer.answer(last);
    peer.flush();
    peer.leave();
  }
  while (site.server->connections() > 0) std::this_thread::yield();
  site.server->stop(0);
  CHECK(basin.destroyed == basin.opened.load());
  CHECK(done >= 10);
  CHECK(left + done >= 60);  // of half of the clients we know that every head had arrived
  CHECK(left + done <= 120);
}

TEST_CASE("our own client and a server of ours agree on HTTP/2") {
  Credentials credentials;
  Site site(echo, credentials.options());
  Client client({.allowed = {"127.0.0.1/32"}}, "t");
  ClientRequest request;
  request.method = "POST";
  request.url = "https://127.0.0.1:" + std::to_string(site.port()) + "/x";
  request.ca_pem = credentials.pem;
  request.body = noise(500'000);
  auto answer = client.send(request);
  REQUIRE(answer.ok());
  CHECK(answer->body == "POST /x " + request.body);
}
