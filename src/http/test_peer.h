// A plain socket for the tests of this room: says exactly the bytes it is given and reads responses.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <string_view>

#include "base/text.h"
#include "base/workers.h"
#include "http/server.h"

namespace wharfage::http {

// Closes the file with the last copy.
inline std::shared_ptr<const int> shared_file(int descriptor) {
  return {new int(descriptor), [](const int* owned) {
            ::close(*owned);
            delete owned;
          }};
}

struct Reply {
  int status = 0;
  Headers headers;
  std::string body;
};

class Peer {
 public:
  explicit Peer(std::uint16_t port, int receive_buffer = 0) : x_socket(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) {
      ::setsockopt(x_socket, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    timeval patience{20, 0};
    ::setsockopt(x_socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(x_socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(x_socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  ~Peer() { leave(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  int descriptor() const { return x_socket; }

  void leave() {
    if (x_socket >= 0) ::close(x_socket);
    x_socket = -1;
  }

  // False when the other side has gone.
  bool say(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t count = ::send(x_socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  // Everything up to and including `end`; less when the other side ends first.
  std::string hear_until(std::string_view end) {
    std::size_t found;
    while ((found = x_heard.find(end)) == std::string::npos) {
      if (!hear()) return take(x_heard.size());
    }
    return take(found + end.size());
  }

  std::string hear_bytes(std::size_t count) {
    while (x_heard.size() < count && hear()) {
    }
    return take(std::min(count, x_heard.size()));
  }

  std::string hear_all() {
    while (hear()) {
    }
    return take(x_heard.size());
  }

  // One response; status 0 when there is none. HEAD answers have no body whatever they announce.
  Reply reply(bool head_method = false) {
    Reply reply;
    std::string head = hear_until("\r\n\r\n");
    if (head.size() < 4 || head.substr(0, 9) != "HTTP/1.1 ") return reply;
    reply.status = static_cast<int>(parse_integer(head.substr(9, 3)).value_or(0));
    for (std::string_view line : split(std::string_view(head).substr(head.find('\n') + 1), '\n')) {
      std::size_t colon = line.find(':');
      if (colon == std::string_view::npos) continue;
      reply.headers.add(std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1))));
    }
    auto length = parse_integer(reply.headers.get("Content-Length"));
    if (length && !head_method && reply.status != 304) {
      reply.body = hear_bytes(static_cast<std::size_t>(*length));
    }
    return reply;
  }

  Reply ask(std::string_view request) {
    say(request);
    return reply(request.substr(0, 5) == "HEAD ");
  }

  // True when the other side ends the connection without another byte.
  bool is_closed() { return x_heard.empty() && !hear(); }

 private:
  bool hear() {
    char buffer[65536];
    ssize_t count = ::recv(x_socket, buffer, sizeof buffer, 0);
    bool waited_in_vain = count < 0 && errno == EAGAIN;
    CHECK_FALSE(waited_in_vain);
    if (count <= 0) return false;
    x_heard.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  std::string take(std::size_t count) {
    std::string taken = x_heard.substr(0, count);
    x_heard.erase(0, count);
    return taken;
  }

  int x_socket;
  std::string x_heard;
};

// A server with its own workers, silent.
struct Site {
  class Silence final : public LogSink {
    void write(std::string_view) override {}
  };

  explicit Site(Router router, ServerOptions options = {}, std::size_t threads = 4,
                std::size_t queue_max = 64)
      : workers("test", threads, queue_max) {
    auto started = Server::start(std::move(options), std::move(router), workers,
                                 Log(std::make_shared<Silence>(), LogLevel::error));
    REQUIRE(started.ok());
    server = std::move(started).value();
  }
  std::uint16_t port() const { return server->port(); }
  std::string url(std::string_view path) const {
    return "http://127.0.0.1:" + std::to_string(port()) + std::string(path);
  }

  Workers workers;
  std::unique_ptr<Server> server;
};

// Answers with what it was told.
inline Plan echo(const Request&) {
  return Buffered{1024 * 1024, [](Request& request) {
                    return Response::text(200, request.method + " " + request.target + " " + request.body);
                  }};
}

}  // namespace wharfage::http
