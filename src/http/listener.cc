#include "http/listener.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace wharfage::http {
namespace {

constexpr int accepts_per_turn = 64;
constexpr std::int64_t pause_ms = 100;  // when there are no descriptors left, or no memory

struct AddressListDeleter {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

std::string peer_name(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  } else if (address.ss_family == AF_INET6) {
    const in6_addr& six = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    bool mapped = IN6_IS_ADDR_V4MAPPED(&six);
    inet_ntop(mapped ? AF_INET : AF_INET6, mapped ? &six.s6_addr[12] : &six.s6_addr[0], text, sizeof text);
  }
  return text;
}

Error bind_fault(int code) {
  if (code == EADDRINUSE) return fail(Reason::conflict, "the address to listen on is already in use");
  if (code == EACCES) return fail(Reason::denied, "the port to listen on needs more rights");
  return fail(Reason::invalid_parameter, "the address to listen on cannot be used", "listen");
}

Result<int> bind_to(const addrinfo& address) {
  int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  int socket = ::socket(address.ai_family, type, 0);
  if (socket < 0) return bind_fault(errno);
  int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket, address.ai_addr, address.ai_addrlen) == 0 && ::listen(socket, SOMAXCONN) == 0)
    return socket;
  int code = errno;
  ::close(socket);
  return bind_fault(code);
}

}  // namespace

Result<int> listen_on(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  std::string bare = host.size() > 2 && host.front() == '[' ? host.substr(1, host.size() - 2) : host;
  int code = getaddrinfo(bare.empty() ? nullptr : bare.c_str(), std::to_string(port).c_str(), &hints, &found);
  std::unique_ptr<addrinfo, AddressListDeleter> list(found);
  if (code != 0) return fail(Reason::invalid_parameter, "the address to listen on is unknown", "listen");
  return bind_to(*list);
}

std::uint16_t bound_port(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6&>(address).sin6_port);
  return ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);
}

Listener::Listener(Loop& loop, int socket, Accept accept)
    : x_loop(loop), x_watch(loop, socket), x_accept(std::move(accept)) {}

void Listener::start() {
  x_watch.wait_readable(shared_from_this());
}

void Listener::close() {
  x_closed = true;
  x_watch.close();
}

void Listener::ready(bool) {
  for (int i = 0; i < accepts_per_turn && !x_closed; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    int socket = ::accept4(x_watch.descriptor(), reinterpret_cast<sockaddr*>(&address), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      return x_watch.wait_readable(shared_from_this());
    if (socket < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (socket < 0) return x_loop.after(pause_ms, [self = shared_from_this()] { self->ready(false); });
    int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    x_accept(socket, peer_name(address));
  }
  if (!x_closed) x_loop.post([self = shared_from_this()] { self->ready(false); });
}

}  // namespace wharfage::http
