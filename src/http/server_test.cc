#include "http/server.h"

#include <atomic>
#include <future>
#include <stdexcept>

#include "base/limits.h"
#include "http/test_peer.h"

using namespace wharfage;
using namespace wharfage::http;

namespace {

const std::string get = "GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n";

std::string post(std::string_view body, std::string_view fields = "") {
  return "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(fields) + "\r\n" + std::string(body);
}

Router always(std::function<Response(Request&)> handle) {
  return [handle](const Request&) { return Buffered{limits::request_body_max, handle}; };
}

}  // namespace

TEST_CASE("one connection serves one request after the other") {
  Site site(echo);
  Peer peer(site.port());
  for (int i = 0; i < 3; ++i) {
    Reply reply = peer.ask(get);
    CHECK(reply.status == 200);
    CHECK(reply.body == "GET /a?b ");
    CHECK(reply.headers.get("Date").size() == 29);
    CHECK(reply.headers.get("X-Request-Id").size() == 32);
    CHECK_FALSE(reply.headers.has("Connection"));
  }
  CHECK(peer.ask(post("hello")).body == "POST /p hello");
  CHECK(site.server->connections() == 1);
}

TEST_CASE("behind a trusted proxy the peer is who the proxy has seen") {
  Router tell = always([](Request& request) { return Response::text(200, request.peer); });
  auto peer_of = [&](bool trusted, const std::string& field) {
    ServerOptions options;
    options.trust_forwarded = trusted;
    Site site(tell, options);
    Peer peer(site.port());
    return peer.ask("GET / HTTP/1.1\r\nHost: h\r\n" + field + "\r\n").body;
  };
  CHECK(peer_of(true, "X-Forwarded-For: 192.0.2.1, 198.51.100.7\r\n") == "198.51.100.7");
  CHECK(peer_of(true, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 2001:db8::1\r\n") == "2001:db8::1");
  CHECK(peer_of(true, "X-Forwarded-For: 192.0.2.1, unknown\r\n") == "127.0.0.1");
  CHECK(peer_of(true, "") == "127.0.0.1");
  CHECK(peer_of(false, "X-Forwarded-For: 192.0.2.1\r\n") == "127.0.0.1");
}

TEST_CASE("pipelined requests are answered in order, split anywhere") {
  Site site(echo);
  std::string requests, expected;
  for (int i = 0; i < 100; ++i) {
    std::string body = std::string(static_cast<std::size_t>(i), 'x');
    requests += post(body) + (i % 2 == 0 ? "\r\n" : "");
    expected += "POST /p " + body + "\n";
  }
  for (std::size_t piece : {std::size_t{17}, std::size_t{1000}, requests.size()}) {
    Peer peer(site.port());
    for (std::size_t at = 0; at < requests.size(); at += piece) {
      REQUIRE(peer.say(std::string_view(requests).substr(at, piece)));
    }
    std::string bodies;
    for (int i = 0; i < 100; ++i) bodies += peer.reply().body + "\n";
    CHECK(bodies == expected);
  }
}

TEST_CASE("a chunked body is put together, byte by byte too") {
  Site site(echo);
  std::string request =
      "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
      "chunked\r\n\r\n4\r\nwhar\r\n4;x=y\r\nfage\r\n0\r\nT: "
      "1\r\n\r\n";
  Peer peer(site.port());
  CHECK(peer.ask(request + request).body == "POST /c wharfage");
  CHECK(peer.reply().body == "POST /c wharfage");
  for (char byte : request) REQUIRE(peer.say(std::string_view(&byte, 1)));
  CHECK(peer.reply().body == "POST /c wharfage");
}

TEST_CASE("HEAD announces the length and sends no body") {
  Site site(always([](Request& request) {
    Response response = Response::text(200, request.path == "/left" ? "" : "four");
    if (request.path == "/left") response.announced_length = 1234;
    return response;
  }));
  Peer peer(site.port());
  CHECK(peer.ask("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n").headers.get("Content-Length") == "4");
  CHECK(peer.ask("HEAD /left HTTP/1.1\r\nHost: h\r\n\r\n").headers.get("Content-Length") == "1234");
  CHECK(peer.ask(get).body == "four");
}

TEST_CASE("204 and 304 carry no body even when a handler gives one") {
  Site site(always([](Request& request) {
    return Response::text(request.path == "/304" ? 304 : 204, "should not be seen");
  }));
  Peer peer(site.port());
  CHECK(peer.ask("GET /304 HTTP/1.1\r\nHost: h\r\n\r\n").status == 304);
  Reply reply = peer.ask("GET /204 HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(reply.status == 204);
  CHECK_FALSE(reply.headers.has("Content-Length"));
  CHECK(peer.ask(get).status == 204);
}

TEST_CASE("connections end when either side asks") {
  Site site(always([](Request& request) {
    Response response = Response::text(200, "x");
    response.close = request.path == "/close";
    return response;
  }));
  Peer client_closes(site.port());
  CHECK(
      client_closes.ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").headers.get("Connection") ==
      "close");
  CHECK(client_closes.is_closed());
  Peer handler_closes(site.port());
  CHECK(handler_closes.ask("GET /close HTTP/1.1\r\nHost: h\r\n\r\n").headers.get("Connection") == "close");
  CHECK(handler_closes.is_closed());
  Peer old(site.port());
  CHECK(old.ask("GET / HTTP/1.0\r\n\r\n").status == 200);
  CHECK(old.is_closed());
  Peer old_kept(site.port());
  std::string kept = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  CHECK(old_kept.ask(kept).headers.get("Connection") == "keep-alive");
  CHECK(old_kept.ask(kept).status == 200);
}

TEST_CASE("request ids of clients are passed on when they are sane") {
  Site site(always([](Request& request) { return Response::text(200, request.id); }));
  Peer peer(site.port());
  Reply reply = peer.ask("GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: a-B_c.9\r\n\r\n");
  CHECK(reply.body == "a-B_c.9");
  CHECK(reply.headers.get("X-Request-Id") == "a-B_c.9");
  reply = peer.ask("GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: a b\r\n\r\n");
  CHECK(reply.body != "a b");
  CHECK(reply.body == reply.headers.get("X-Request-Id"));
}

TEST_CASE("what is too long is refused with its own status and the connection ends") {
  std::atomic<int> asked = 0;
  ServerOptions options;
  std::string path;
  options.on_fault = [&](const Request& request, const Error& error) {
    ++asked;
    path = request.path;
    return Response::json(599, "{\"reason\":\"" + std::string(reason_name(error.reason)) + "\"}");
  };
  Site site([](const Request&) { return Buffered{10, [](Request&) { return Response::text(200, "ok"); }}; },
            options);
  auto status_of = [&](std::string_view request) {
    Peer peer(site.port());
    Reply reply = peer.ask(request);
    CHECK(reply.body.find("reason") != std::string::npos);
    CHECK(reply.headers.get("Connection") == "close");
    CHECK(peer.is_closed());
    return reply.status;
  };
  CHECK(status_of("GET /v2/" + std::string(limits::request_line_max, 'a')) == 414);
  CHECK(path.starts_with("/v2/aaaa"));  // so that its protocol can be known
  CHECK(status_of("GET /p HTTP/1.1\r\nX: " + std::string(limits::request_headers_max, 'a')) == 431);
  CHECK(path == "/p");
  CHECK(status_of(post("12345678901")) == 413);
  CHECK(
      status_of(
          "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n6\r\n123456\r\n") ==
      413);
  CHECK(status_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n") == 413);
  CHECK(status_of("nonsense\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/2.0\r\n\r\n") == 505);
  CHECK(asked == 7);
  Peer peer(site.port());
  CHECK(peer.ask(post("1234567890")).status == 200);
}

TEST_CASE("smuggled requests are never answered") {
  std::atomic<int> routed = 0;
  Site site([&](const Request& request) {
    ++routed;
    return echo(request);
  });
  const std::string smuggled = "GET /secret HTTP/1.1\r\nHost: h\r\n\r\n";
  for (const char* fields :
       {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: xchunked\r\n",
        "Content-Length: 0\r\nContent-Length: 35\r\n", "Transfer-Encoding : chunked\r\n", "X: y\n\r\n",
        "Transfer-Encoding:\r\n chunked\r\n"}) {
    CAPTURE(fields);
    Peer peer(site.port());
    peer.say("POST / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n0\r\n\r\n" + smuggled);
    std::string heard = peer.hear_all();
    CHECK(heard.find("secret") == std::string::npos);
    CHECK(heard.find("HTTP/1.1 ", 1) == std::string::npos);
  }
  CHECK(routed == 0);
  Peer peer(site.port());
  peer.say("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n" + smuggled);
  std::string heard = peer.hear_all();
  CHECK(heard.substr(0, 12) == "HTTP/1.1 400");
  CHECK(heard.find("secret") == std::string::npos);
}

TEST_CASE("exceptions of handlers and routers become 500 and nothing else breaks") {
  Site site([](const Request& request) -> Plan {
    if (request.path == "/router") throw std::runtime_error("secret");
    return Buffered{10, [](Request& asked) -> Response {
                      if (asked.path == "/handler") throw std::bad_alloc();
                      return Response::text(200, "fine");
                    }};
  });
  Peer peer(site.port());
  Reply reply = peer.ask("GET /handler HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(reply.status == 500);
  CHECK(peer.ask(get).body == "fine");
  reply = peer.ask("GET /router HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(reply.status == 500);
  CHECK(reply.body.find("secret") == std::string::npos);
}

TEST_CASE("a full queue answers 503 with Retry-After, or the protocol's own too many requests") {
  bool own = false;
  SUBCASE("plain") {}
  SUBCASE("own") {
    own = true;
  }
  std::promise<void> open;
  auto gate = open.get_future().share();
  std::atomic<int> entered = 0;
  ServerOptions options;
  options.on_fault = [own](const Request&, const Error&) { return Response::text(own ? 429 : 599, "full"); };
  Site site(always([&](Request&) {
              ++entered;
              gate.wait();
              return Response::text(200, "late");
            }),
            options, 1, 1);
  Peer first(site.port()), second(site.port()), third(site.port());
  first.say(get);
  while (entered == 0) std::this_thread::yield();
  second.say(get);
  while (site.workers.waiting() == 0) std::this_thread::yield();
  Reply refused = third.ask(get);
  CHECK(refused.status == (own ? 429 : 503));
  CHECK(refused.headers.get("Retry-After") == "1");
  open.set_value();
  CHECK(first.reply().body == "late");
  CHECK(second.reply().body == "late");
  CHECK(third.ask(get).body == "late");
}

TEST_CASE("answers known at once need no worker") {
  Site site([](const Request&) { return Answered{Response::text(200, "cached")}; }, {}, 1, 0);
  Peer peer(site.port());
  std::string many;
  for (int i = 0; i < 200; ++i) many += get;
  peer.say(many);
  for (int i = 0; i < 200; ++i) CHECK(peer.reply().body == "cached");
  CHECK(peer.ask(post("body")).headers.get("Connection") == "close");
  CHECK(peer.is_closed());
}

TEST_CASE("more connections than allowed are turned away") {
  ServerOptions options;
  options.connections_max = 2;
  Site site(echo, options);
  Peer first(site.port()), second(site.port());
  CHECK(first.ask(get).status == 200);
  CHECK(second.ask(get).status == 200);
  {
    Peer third(site.port());
    Reply refused = third.reply();
    CHECK(refused.status == 503);
    CHECK(refused.headers.get("Retry-After") == "1");  // idle connections end then
    CHECK(third.is_closed());
  }
  first.leave();
  while (site.server->connections() > 1) std::this_thread::yield();
  Peer fourth(site.port());
  CHECK(fourth.ask(get).status == 200);
}

TEST_CASE("idle connections give way when places get scarce") {
  ServerOptions options;
  options.connections_max = 8;
  Site site(echo, options);
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 8; ++i) peers.push_back(std::make_unique<Peer>(site.port()));
  for (auto& peer : peers) CHECK(peer->ask(get).status == 200);
  while (site.server->connections() == 8) std::this_thread::yield();
  Peer late(site.port());
  CHECK(late.ask(get).status == 200);
}

TEST_CASE("slow and idle clients are let go") {
  ServerOptions options;
  options.timeouts = {.head = 40, .body_idle = 40, .response_idle = 40, .keep_alive = 40, .linger = 40};
  Site site(echo, options);
  Peer silent(site.port());
  CHECK(silent.is_closed());
  Peer slow_head(site.port());
  CHECK(slow_head.ask("GET / HT").status == 408);
  CHECK(slow_head.is_closed());
  Peer slow_body(site.port());
  CHECK(slow_body.ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab").status == 408);
  Peer idle(site.port());
  CHECK(idle.ask(get).status == 200);
  CHECK(idle.is_closed());
}

TEST_CASE("a client that does not read its answer is let go and holds no unbounded memory") {
  ServerOptions options;
  options.timeouts.response_idle = 50;
  std::promise<std::int64_t> sent;
  options.on_done = [&](const Request&, int, std::int64_t bytes, std::int64_t) { sent.set_value(bytes); };
  constexpr std::size_t size = 64 * 1024 * 1024;
  Site site(always([](Request&) { return Response::text(200, std::string(size, 'x')); }), options);
  Peer peer(site.port(), 4096);
  peer.say(get);
  CHECK(sent.get_future().get() < static_cast<std::int64_t>(size));
  while (site.server->connections() > 0) std::this_thread::yield();
}

TEST_CASE("every request is reported once, with its status and bytes") {
  std::mutex mutex;
  std::vector<std::string> done;
  ServerOptions options;
  options.on_done = [&](const Request& request, int status, std::int64_t bytes, std::int64_t micros) {
    std::lock_guard lock(mutex);
    done.push_back(request.path + " " + std::to_string(status));
    CHECK(bytes > 0);
    CHECK(micros >= 0);
  };
  Site site(echo, options);
  Peer peer(site.port());
  peer.ask(get);
  peer.ask(post("x"));
  peer.ask("BROKEN\r\n\r\n");
  CHECK(peer.is_closed());
  peer.leave();
  site.server->stop(1000);
  CHECK(join(done, ",") == "/a 200,/p 200, 400");
}

TEST_CASE("stopping lets the running request end and closes idle connections") {
  std::promise<void> entered, open;
  Site site(always([&](Request& request) {
    if (request.path == "/slow") {
      entered.set_value();
      open.get_future().wait();
    }
    return Response::text(200, "done");
  }));
  Peer idle(site.port()), working(site.port());
  CHECK(idle.ask(get).status == 200);
  working.say("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n" + get);
  entered.get_future().wait();
  std::thread stopper([&] { site.server->stop(20'000); });
  CHECK(idle.is_closed());
  open.set_value();
  Reply last = working.reply();
  CHECK(last.body == "done");
  CHECK(last.headers.get("Connection") == "close");
  CHECK(working.is_closed());
  working.leave();
  stopper.join();
  CHECK(site.server->connections() == 0);
  site.server->stop(0);
}

TEST_CASE("stopping does not wait for clients that do not read") {
  Site site(always([](Request&) { return Response::text(200, std::string(64 * 1024 * 1024, 'x')); }));
  Peer peer(site.port(), 4096);
  peer.say(get);
  CHECK(peer.hear_bytes(10).size() == 10);
  site.server->stop(10);
  CHECK(site.server->connections() == 0);
}

TEST_CASE("a taken port is a conflict and a bad address is refused") {
  Site site(echo);
  ServerOptions options;
  options.port = site.port();
  auto second = Server::start(options, echo, site.workers, Log());
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().reason == Reason::conflict);
  options.host = "999.1.1.1";
  auto third = Server::start(options, echo, site.workers, Log());
  REQUIRE_FALSE(third.ok());
  CHECK(third.error().reason == Reason::invalid_parameter);
}
