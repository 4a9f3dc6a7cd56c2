#include "load/connection.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace bench {
namespace {

constexpr int look_up_ms = 100;
constexpr std::size_t head_max = 64 * 1024;

// The value of a header field in a reply's head, or nothing. Names are given in lower case.
std::optional<std::string_view> field(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at + 2 < head.size(); at = head.find("\r\n", at + 2)) {
    std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    bool same = line.size() > name.size() && line[name.size()] == ':' &&
                std::equal(name.begin(), name.end(), line.begin(),
                           [](char want, char have) { return want == (have | 0x20) || want == have; });
    if (!same) continue;
    line.remove_prefix(name.size() + 1);
    while (line.starts_with(' ')) line.remove_prefix(1);
    return line;
  }
  return std::nullopt;
}

std::string path_of(std::string_view location) {
  auto scheme = location.find("://");
  if (scheme == location.npos) return std::string(location);
  auto slash = location.find('/', scheme + 3);
  return slash == location.npos ? "/" : std::string(location.substr(slash));
}

}  // namespace

Connection::Connection(const Target& target, const std::atomic<bool>& stop)
    : x_target(target), x_stop(stop) {}

Connection::~Connection() {
  close();
}

void Connection::close() {
  if (x_socket >= 0) ::close(x_socket);
  x_socket = -1;
  x_in.clear();
}

bool Connection::open() {
  if (x_socket >= 0) return true;
  x_socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(x_target.port));
  ::inet_pton(AF_INET, x_target.host.c_str(), &address.sin_addr);
  int on = 1;
  ::setsockopt(x_socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  timeval often{0, look_up_ms * 1000};
  ::setsockopt(x_socket, SOL_SOCKET, SO_RCVTIMEO, &often, sizeof often);
  ::setsockopt(x_socket, SOL_SOCKET, SO_SNDTIMEO, &often, sizeof often);
  if (::connect(x_socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return true;
  close();
  return false;
}

bool Connection::send(const std::string& head, const Content* body) {
  std::size_t head_sent = 0;
  std::int64_t body_sent = 0, size = body ? body->size() : 0;
  while (head_sent < head.size() || body_sent < size) {
    if (x_stop) return false;
    std::vector<iovec> pieces;
    if (head_sent < head.size())
      pieces.push_back({const_cast<char*>(head.data()) + head_sent, head.size() - head_sent});
    if (body) {
      for (const iovec& piece : body->pieces(body_sent)) pieces.push_back(piece);
    }
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    ssize_t count = ::sendmsg(x_socket, &message, MSG_NOSIGNAL);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count < 0) return false;
    std::size_t of_head = std::min(head.size() - head_sent, static_cast<std::size_t>(count));
    head_sent += of_head;
    body_sent += count - static_cast<std::int64_t>(of_head);
  }
  return true;
}

bool Connection::discard(std::int64_t bytes) {
  std::int64_t here = std::min<std::int64_t>(bytes, static_cast<std::int64_t>(x_in.size()));
  x_in.erase(0, static_cast<std::size_t>(here));
  for (bytes -= here; bytes > 0;) {
    if (x_stop) return false;
    auto size = static_cast<std::size_t>(std::min<std::int64_t>(bytes, 1 << 20));
    // On TCP, MSG_TRUNC takes the bytes and copies none; the buffer is not touched.
    ssize_t count = ::recv(x_socket, nullptr, size, MSG_TRUNC);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count <= 0) return false;
    bytes -= count;
  }
  return true;
}

std::optional<Reply> Connection::receive(bool has_body) {
  std::size_t end;
  while ((end = x_in.find("\r\n\r\n")) == x_in.npos) {
    if (x_stop || x_in.size() > head_max) return std::nullopt;
    char buffer[4096];
    ssize_t count = ::recv(x_socket, buffer, sizeof buffer, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count <= 0) return std::nullopt;
    x_in.append(buffer, static_cast<std::size_t>(count));
  }
  std::string head = x_in.substr(0, end + 2);
  x_in.erase(0, end + 4);
  Reply reply;
  reply.status = std::atoi(head.c_str() + std::min<std::size_t>(9, head.size()));
  if (auto length = field(head, "content-length"))
    reply.length = std::strtoll(std::string(*length).c_str(), nullptr, 10);
  if (auto location = field(head, "location")) reply.location = path_of(*location);
  if (has_body && !discard(reply.length)) return std::nullopt;
  auto after = field(head, "connection");
  if (after && *after == "close") close();
  return reply;
}

std::optional<Reply> Connection::ask(std::string_view method, std::string_view path, const Content* body,
                                     std::string_view more_headers) {
  if (!open()) return std::nullopt;
  std::string head = std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: " + x_target.host +
                     ":" + std::to_string(x_target.port) + "\r\n" + x_target.headers +
                     std::string(more_headers);
  bool takes_body = method == "POST" || method == "PUT" || method == "PATCH";
  if (takes_body) head += "Content-Length: " + std::to_string(body ? body->size() : 0) + "\r\n";
  head += "\r\n";
  auto reply = send(head, body) ? receive(method != "HEAD") : std::nullopt;
  if (!reply) close();
  return reply;
}

}  // namespace bench
