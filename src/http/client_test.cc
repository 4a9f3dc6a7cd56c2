#include "http/client.h"

#include <atomic>
#include <future>
#include <mutex>

#include "base/limits.h"
#include "http/test_peer.h"

using namespace wharfage;
using namespace wharfage::http;

namespace {

const AddressPolicy here{.allowed = {"127.0.0.1/32"}};

ClientRequest get(std::string url) {
  ClientRequest request;
  request.url = std::move(url);
  return request;
}

// Answers with everything it was told, or with a redirect to ?to=.
Plan tell(const Request&) {
  return Buffered{64 * 1024 * 1024, [](Request& request) {
                    Params params = parse_query(request.query);
                    if (auto to = find_param(params, "to")) {
                      Response response = Response::text(302, "moved");
                      auto code = find_param(params, "code");
                      if (code) response.status = static_cast<int>(*parse_integer(*code));
                      response.headers.add("Location", *to);
                      return response;
                    }
                    std::string text = request.method + " " + request.target + "\n";
                    for (const auto& [name, value] : request.headers.fields())
                      text += name + ": " + value + "\n";
                    return Response::text(200, text + "\n" + request.body);
                  }};
}

Reason reason_of(const Result<ClientResponse>& result) {
  REQUIRE_FALSE(result.ok());
  return result.error().reason;
}

// A server that says one thing to whoever comes, then closes.
class Oracle {
 public:
  explicit Oracle(std::string answer) : x_listening(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(x_listening, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(x_listening, 5) == 0);
    ::getsockname(x_listening, reinterpret_cast<sockaddr*>(&address), &size);
    x_port = ntohs(address.sin_port);
    x_thread = std::thread([this, answer = std::move(answer)] {
      int socket = ::accept(x_listening, nullptr, nullptr);
      x_accepted = socket;
      char buffer[4096];
      if (socket < 0 || ::recv(socket, buffer, sizeof buffer, 0) <= 0) return;
      ::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL);
      ::shutdown(socket, SHUT_WR);
      while (::recv(socket, buffer, sizeof buffer, 0) > 0) {
      }
    });
  }
  ~Oracle() {
    ::shutdown(x_listening, SHUT_RDWR);
    ::shutdown(x_accepted, SHUT_RDWR);
    x_thread.join();
    ::close(x_accepted);
    ::close(x_listening);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(x_port) + "/"; }

 private:
  int x_listening;
  std::atomic<int> x_accepted = -1;
  std::uint16_t x_port = 0;
  std::thread x_thread;
};

}  // namespace

TEST_CASE("a request says what it was told to say and nothing else") {
  Site site(tell);
  Client client(here, "wharfage-test");
  ClientRequest request = get(site.url("/a/../b?x=%2F"));
  request.headers.add("X-One", "1");
  request.headers.add("X-Empty", "");
  auto response = client.send(request);
  REQUIRE(response.ok());
  CHECK(response->status == 200);
  CHECK(response->url == request.url);
  CHECK(response->headers.get("content-type") == "text/plain; charset=utf-8");
  CHECK(response->body == "GET /a/../b?x=%2F\nHost: 127.0.0.1:" + std::to_string(site.port()) +
                              "\nUser-Agent: wharfage-test\nX-One: 1\nX-Empty: \nAccept: */*\n\n");
  request.method = "POST";
  request.body = "hello";
  CHECK(client.send(request)->body.find("Content-Length: 5\n\nhello") != std::string::npos);
  request.body = "";
  CHECK(client.send(request)->body.find("Content-Length: 0\n") != std::string::npos);
  request.method = "DELETE";
  CHECK(client.send(request)->body.substr(0, 7) == "DELETE ");
  request.method = "HEAD";
  auto head = client.send(request);
  REQUIRE(head.ok());
  CHECK(head->body.empty());
  CHECK(parse_integer(head->headers.get("Content-Length")).value_or(0) > 0);
}

TEST_CASE("connections are kept for the next request") {
  Site site(tell);
  Client client(here, "t");
  for (int i = 0; i < 5; ++i) CHECK(client.send(get(site.url("/"))).ok());
  CHECK(site.server->connections() == 1);
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 20; ++j) good += client.send(get(site.url("/"))).ok() ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(good == 160);
  CHECK(site.server->connections() <= 9);
}

TEST_CASE("header fields and methods cannot be injected") {
  Site site(tell);
  Client client(here, "t");
  ClientRequest request = get(site.url("/"));
  request.headers.add("X", "a\r\nY: b");
  CHECK(reason_of(client.send(request)) == Reason::invalid_parameter);
  request.headers = {};
  request.headers.add("X\nY", "a");
  CHECK(reason_of(client.send(request)) == Reason::invalid_parameter);
  request.headers = {};
  request.method = "GET / HTTP/1.1\r\nX: y\r\n\r\nGET";
  CHECK(reason_of(client.send(request)) == Reason::invalid_parameter);
  CHECK(reason_of(client.send(get("file:///etc/passwd"))) == Reason::invalid_parameter);
}

TEST_CASE("addresses are checked after resolution, also behind names, numbers and redirects") {
  Site site(tell);
  std::string port = std::to_string(site.port());
  Client closed(AddressPolicy{}, "t");
  for (const char* host : {"127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0"}) {
    CAPTURE(host);
    CHECK(reason_of(closed.send(get("http://" + std::string(host) + ":" + port + "/"))) ==
          Reason::address_forbidden);
  }
  Client narrow(AddressPolicy{.allowed = {"127.0.0.1/32:" + port}}, "t");
  CHECK(narrow.send(get(site.url("/"))).ok());
  Site other(tell);
  CHECK(reason_of(narrow.send(get(other.url("/")))) == Reason::address_forbidden);
  CHECK(reason_of(narrow.send(get(site.url("/?to=" + percent_encode(other.url("/")))))) ==
        Reason::address_forbidden);
  Client open(AddressPolicy{.allow_private = true}, "t");
  CHECK(open.send(get(other.url("/"))).ok());
}

TEST_CASE("redirects keep credentials within an origin and drop them elsewhere") {
  Site first(tell), second(tell);
  Client client(here, "t");
  ClientRequest request = get(first.url("/?to=" + percent_encode("/next?x=1")));
  request.headers.add("Authorization", "Bearer secret");
  request.headers.add("Cookie", "secret");
  request.headers.add("X-Auth-Token", "secret");
  request.headers.add("Range", "bytes=0-1");
  auto same = client.send(request);
  REQUIRE(same.ok());
  CHECK(same->url == first.url("/next?x=1"));
  CHECK(same->body.find("Authorization: Bearer secret") != std::string::npos);

  request.url = first.url("/?to=" + percent_encode(second.url("/?to=" + percent_encode(first.url("/end")))));
  auto elsewhere = client.send(request);
  REQUIRE(elsewhere.ok());
  CHECK(elsewhere->url == first.url("/end"));
  CHECK(elsewhere->body.find("secret") == std::string::npos);
  CHECK(elsewhere->body.find("Range: bytes=0-1") != std::string::npos);
}

TEST_CASE("only GET and HEAD follow redirects, within bounds, to real URLs") {
  Site site(tell);
  Client client(here, "t");
  for (const char* code : {"301", "302", "303", "307", "308"}) {
    auto followed = client.send(get(site.url("/?to=/x&code=" + std::string(code))));
    REQUIRE(followed.ok());
    CHECK(followed->status == 200);
  }
  ClientRequest request = get(site.url("/?to=/x"));
  request.method = "POST";
  CHECK(client.send(request)->status == 302);
  request.method = "GET";
  request.follow_redirects = false;
  auto response = client.send(request);
  CHECK(response->status == 302);
  CHECK(response->body == "moved");
  std::string loop = "/?to=";
  Site looping([](const Request&) {
    return Buffered{0, [](Request&) {
                      Response moved = Response::text(307, "");
                      moved.headers.add("Location", "/again");
                      return moved;
                    }};
  });
  CHECK(reason_of(client.send(get(looping.url("/")))) == Reason::remote_failed);
  for (const char* to : {"file:///etc/passwd", "http://u:p@127.0.0.1/", "gopher://x/"}) {
    CHECK(reason_of(client.send(get(site.url("/?to=" + percent_encode(to))))) == Reason::remote_failed);
  }
}

TEST_CASE("bodies stream in both directions") {
  Site site([](const Request&) {
    return Buffered{64 * 1024 * 1024, [](Request& request) {
                      return Response::text(request.path == "/bad" ? 404 : 200, std::move(request.body));
                    }};
  });
  Client client(here, "t");
  std::string sent;
  for (int i = 0; i < 700'000; ++i) sent += std::to_string(i % 977);
  std::size_t at = 0;
  std::string received;
  ClientRequest request = get(site.url("/"));
  request.method = "PUT";
  request.body_length = static_cast<std::int64_t>(sent.size());
  request.body_source = [&](char* buffer, std::size_t size) -> Result<std::size_t> {
    std::size_t count = std::min(size, sent.size() - at);
    sent.copy(buffer, count, at);
    at += count;
    return count;
  };
  request.body_sink = [&](std::string_view chunk) -> Status {
    received += chunk;
    return {};
  };
  auto response = client.send(request);
  REQUIRE(response.ok());
  CHECK(response->body.empty());
  CHECK(received == sent);

  at = 0;
  received.clear();
  request.url = site.url("/bad");
  response = client.send(request);
  REQUIRE(response.ok());
  CHECK(response->status == 404);
  CHECK(response->body == sent);
  CHECK(received.empty());
}

TEST_CASE("errors of sources and sinks stop the transfer and come back") {
  Site site(tell);
  Client client(here, "t");
  ClientRequest request = get(site.url("/"));
  request.body_sink = [](std::string_view) -> Status { return fail(Reason::disk_full); };
  CHECK(reason_of(client.send(request)) == Reason::disk_full);
  request = get(site.url("/"));
  request.method = "PUT";
  request.body_source = [](char*, std::size_t) -> Result<std::size_t> {
    return fail(Reason::storage_failed);
  };
  CHECK(reason_of(client.send(request)) == Reason::invalid_parameter);
  request.body_length = 10;
  CHECK(reason_of(client.send(request)) == Reason::storage_failed);
  request.body_source = [](char*, std::size_t) -> Result<std::size_t> { return std::size_t{0}; };
  CHECK(reason_of(client.send(request)) == Reason::size_invalid);
  CHECK(client.send(get(site.url("/"))).ok());
}

TEST_CASE("a response larger than allowed is refused") {
  Site site([](const Request&) {
    return Buffered{0, [](Request&) { return Response::text(200, std::string(100'000, 'x')); }};
  });
  Client client(here, "t");
  ClientRequest request = get(site.url("/"));
  request.response_max = 99'999;
  CHECK(reason_of(client.send(request)) == Reason::too_large);
  request.response_max = 100'000;
  CHECK(client.send(request)->body.size() == 100'000);
}

TEST_CASE("a transfer can be cancelled while it waits, and has a time limit") {
  std::promise<void> open;
  auto gate = open.get_future().share();
  std::atomic<int> entered = 0;
  Site site([&](const Request&) {
    return Buffered{0, [&](Request&) {
                      ++entered;
                      gate.wait();
                      return Response::text(200, "late");
                    }};
  });
  Client client(here, "t");
  ClientRequest request = get(site.url("/"));
  request.canceled = [&] { return entered > 0; };
  CHECK(reason_of(client.send(request)) == Reason::canceled);
  request.canceled = nullptr;
  request.total_timeout_ms = 50;
  CHECK(reason_of(client.send(request)) == Reason::timeout);
  open.set_value();
}

TEST_CASE("servers that are gone, broken or flooding are told apart") {
  Client client(here, "t");
  std::uint16_t free_port;
  {
    Site site(tell);
    free_port = site.port();
  }
  CHECK(reason_of(client.send(get("http://127.0.0.1:" + std::to_string(free_port)))) ==
        Reason::remote_unreachable);
  CHECK(reason_of(client.send(get("http://does-not-exist.invalid/"))) == Reason::remote_unreachable);
  {
    Oracle short_body("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    CHECK(reason_of(client.send(get(short_body.url()))) == Reason::remote_unreachable);
  }
  {
    Oracle flood("HTTP/1.1 200 OK\r\n" + std::string(60'000, 'X') + ": " + std::string(40'000, 'y') +
                 "\r\nA: " + std::string(90'000, 'y') + "\r\nB: " + std::string(90'000, 'y') + "\r\n\r\n");
    CHECK(reason_of(client.send(get(flood.url()))) == Reason::too_large);
  }
  {
    Oracle interim(
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 No\r\nX-Y: z\r\nContent-Length: 1\r\n\r\n!");
    auto response = client.send(get(interim.url()));
    REQUIRE(response.ok());
    CHECK(response->status == 404);
    CHECK(response->headers.fields().size() == 2);
    CHECK(response->body == "!");
  }
}
