#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/release.h"
#include "http/tls_state.h"
#include "http/transport.h"

namespace wharfage::http {
namespace {

// Sixteen TLS records per send: measured 1.4 times as fast as one record at a time.
constexpr std::size_t batch_bytes = 256 * 1024;
constexpr std::size_t unsent_bytes_max = 64 * 1024;  // above it nothing more is encrypted
constexpr std::size_t held_bytes_max = 16 * 1024;    // that wait for what shares their record
constexpr std::size_t record_bytes = 16 * 1024, record_overhead = 64;
constexpr std::size_t kept_bytes_max = 4 * 1024;  // of each buffer of an idle connection
static_assert(held_bytes_max + batch_bytes <= tls_scratch_bytes);

// What OpenSSL wrote and the socket did not take yet.
class Pending {
 public:
  void append(const char* bytes, std::size_t size) { x_bytes.insert(x_bytes.end(), bytes, bytes + size); }
  // What has been sent goes first: of a reader who never takes all of it, no more is kept than that.
  void expect(std::size_t size) {
    x_bytes.erase(x_bytes.begin(), x_bytes.begin() + static_cast<std::ptrdiff_t>(x_sent));
    x_sent = 0;
    x_bytes.reserve(x_bytes.size() + size);
  }
  std::size_t size() const { return x_bytes.size() - x_sent; }

  Io send(int socket) {
    while (size() > 0) {
      ssize_t count = ::send(socket, x_bytes.data() + x_sent, x_bytes.size() - x_sent, MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Io::want_write : Io::closed;
      x_sent += static_cast<std::size_t>(count);
    }
    x_bytes.clear();
    x_sent = 0;
    return Io::done;
  }

  void shrink() {
    if (size() == 0 && x_bytes.capacity() > kept_bytes_max) release(x_bytes);
  }

 private:
  std::vector<char> x_bytes;
  std::size_t x_sent = 0;
};

struct Wire {
  int socket;
  bool& unread;  // there may be more in the socket
  Pending pending = {};
};

Wire& wire_of(BIO* bio) {
  return *static_cast<Wire*>(BIO_get_data(bio));
}

int bio_write(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  wire_of(bio).pending.append(bytes, static_cast<std::size_t>(size));
  return size;
}

int bio_read(BIO* bio, char* buffer, int size) {
  BIO_clear_retry_flags(bio);
  Wire& wire = wire_of(bio);
  ssize_t count = -1;
  do count = ::recv(wire.socket, buffer, static_cast<std::size_t>(size), 0);
  while (count < 0 && errno == EINTR);
  wire.unread = count == size;
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_read(bio);
  return static_cast<int>(count);
}

long bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

class TlsTransport final : public Transport {
 public:
  TlsTransport(int socket, std::shared_ptr<TlsContext> context, char* scratch)
      : x_context(std::move(context)), x_wire{socket, x_unread}, x_scratch(scratch) {
    x_ssl.reset(SSL_new(x_context->state().context.get()));
    BIO* bio = x_ssl ? BIO_new(x_context->state().method.get()) : nullptr;
    if (bio == nullptr) {
      x_ssl.reset();  // handshake() then says closed
      return;
    }
    BIO_set_data(bio, &x_wire);
    BIO_set_init(bio, 1);
    SSL_set_bio(x_ssl.get(), bio, bio);
    SSL_set_accept_state(x_ssl.get());
  }

  Io handshake() override {
    if (!x_ssl) return Io::closed;
    ERR_clear_error();
    int outcome = SSL_do_handshake(x_ssl.get());
    Io state = outcome == 1 ? Io::done : blocked(outcome);
    Io flushed = flush();
    return flushed == Io::done || state == Io::closed ? state : flushed;
  }

  std::string_view protocol() const override {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(x_ssl.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }

  // Without one that was verified the handshake has failed, or none was asked for or shown.
  std::shared_ptr<const ClientCertificate> client_certificate() const override {
    X509* certificate = SSL_get0_peer_certificate(x_ssl.get());
    bool verified = certificate != nullptr && SSL_get_verify_result(x_ssl.get()) == X509_V_OK;
    return verified ? describe(*certificate) : nullptr;
  }

  Moved read(char* buffer, std::size_t size) override {
    ERR_clear_error();
    std::size_t count = 0;
    int outcome = SSL_read_ex(x_ssl.get(), buffer, size, &count);
    if (send() == Io::closed) return {Io::closed, 0};  // a key update or alert may have been written
    if (outcome == 1) return {Io::done, count};
    return {blocked(outcome), 0};
  }

  // What other bytes follow is held back, to share a record with them.
  Moved write(std::string_view bytes, bool more) override {
    if (Io state = make_room(); state != Io::done) return {state, 0};
    if (more && x_held.size() + bytes.size() <= held_bytes_max) {
      x_held.append(bytes);
      return {Io::done, bytes.size()};
    }
    bytes = bytes.substr(0, batch_bytes);
    if (!encrypt_held() || !encrypt(bytes)) return {Io::closed, 0};
    if (!more && send() == Io::closed) return {Io::closed, 0};
    return {Io::done, bytes.size()};
  }

  Moved send_file(int file, std::int64_t offset, std::size_t size) override {
    if (Io state = make_room(); state != Io::done) return {state, 0};
    char* end = std::copy(x_held.begin(), x_held.end(), x_scratch);
    ssize_t count = ::pread(file, end, std::min(size, batch_bytes), offset);
    if (count <= 0 || !encrypt({x_scratch, x_held.size() + static_cast<std::size_t>(count)})) {
      return {Io::closed, 0};
    }
    x_held.clear();
    if (send() == Io::closed) return {Io::closed, 0};
    return {Io::done, static_cast<std::size_t>(count)};
  }

  Io flush() override { return encrypt_held() ? send() : Io::closed; }

  bool holds_input() const override { return x_unread || SSL_has_pending(x_ssl.get()) == 1; }

  void rest() override {
    x_wire.pending.shrink();
    if (x_held.capacity() > kept_bytes_max) release(x_held);
  }

  void end_writing() override {
    ERR_clear_error();
    if (SSL_is_init_finished(x_ssl.get())) SSL_shutdown(x_ssl.get());
    flush();
    ::shutdown(x_wire.socket, SHUT_WR);
  }

 private:
  Io make_room() { return x_wire.pending.size() > unsent_bytes_max ? send() : Io::done; }
  Io send() { return x_wire.pending.send(x_wire.socket); }

  // Our BIO takes everything, so all of it is encrypted at once or the connection is broken.
  bool encrypt(std::string_view bytes) {
    if (bytes.empty()) return true;
    x_wire.pending.expect(bytes.size() + (bytes.size() / record_bytes + 1) * record_overhead);
    while (!bytes.empty()) {
      ERR_clear_error();
      std::size_t count = 0;
      if (SSL_write_ex(x_ssl.get(), bytes.data(), bytes.size(), &count) != 1) return false;
      bytes.remove_prefix(count);
    }
    return true;
  }

  bool encrypt_held() {
    bool encrypted = encrypt(x_held);
    x_held.clear();
    return encrypted;
  }

  Io blocked(int outcome) {
    switch (SSL_get_error(x_ssl.get(), outcome)) {
      case SSL_ERROR_WANT_READ:
        return Io::want_read;
      case SSL_ERROR_WANT_WRITE:
        return Io::want_write;
      default:
        ERR_clear_error();
        return Io::closed;
    }
  }

  std::shared_ptr<TlsContext> x_context;
  Wire x_wire;
  char* x_scratch;
  std::string x_held;                      // not yet encrypted
  std::unique_ptr<SSL, SslDeleter> x_ssl;  // after x_wire, which its BIO uses
};

}  // namespace

BIO_METHOD* make_socket_method() {
  BIO_METHOD* method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "wharfage socket");
  if (method == nullptr) return nullptr;
  BIO_meth_set_write(method, bio_write);
  BIO_meth_set_read(method, bio_read);
  BIO_meth_set_ctrl(method, bio_control);
  return method;
}

std::unique_ptr<Transport> tls_transport(int socket, std::shared_ptr<TlsContext> context, char* scratch) {
  return std::make_unique<TlsTransport>(socket, std::move(context), scratch);
}

}  // namespace wharfage::http
