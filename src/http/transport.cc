#include "http/transport.h"

#include <sys/sendfile.h>
#include <sys/socket.h>

#include <cerrno>

namespace wharfage::http {
namespace {

Moved outcome(ssize_t count, Io blocked) {
  if (count > 0) return {Io::done, static_cast<std::size_t>(count)};
  bool would_block = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  return {would_block ? blocked : Io::closed, 0};
}

template <class Call>
ssize_t again(Call call) {
  ssize_t count = call();
  while (count < 0 && errno == EINTR) count = call();
  return count;
}

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(int socket) : x_socket(socket) {}

  Io handshake() override { return Io::done; }

  Moved read(char* buffer, std::size_t size) override {
    ssize_t count = again([&] { return ::recv(x_socket, buffer, size, 0); });
    x_unread = count == static_cast<ssize_t>(size);
    return outcome(count, Io::want_read);
  }

  Moved write(std::string_view bytes, bool more) override {
    int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
    return outcome(again([&] { return ::send(x_socket, bytes.data(), bytes.size(), flags); }),
                   Io::want_write);
  }

  Moved send_file(int file, std::int64_t offset, std::size_t size) override {
    off_t at = offset;
    return outcome(again([&] { return ::sendfile(x_socket, file, &at, size); }), Io::want_write);
  }

  Io flush() override { return Io::done; }
  void end_writing() override { ::shutdown(x_socket, SHUT_WR); }

 private:
  int x_socket;
};

}  // namespace

std::unique_ptr<Transport> plain_transport(int socket) {
  return std::make_unique<PlainTransport>(socket);
}

}  // namespace wharfage::http
