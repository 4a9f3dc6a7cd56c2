// Bytes over one non-blocking socket, plain or through TLS. Nothing here waits: an operation that would
// block says for what, and its caller asks the event loop. Belongs to one loop's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"

namespace wharfage::http {

enum class Io { done, want_read, want_write, closed };  // closed: ended by the other side or broken

struct Moved {
  Io state = Io::done;
  std::size_t bytes = 0;  // more than 0 when done
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual Io handshake() = 0;
  virtual std::string_view protocol() const { return {}; }  // what the handshake agreed on, e.g. "h2"
  virtual std::shared_ptr<const ClientCertificate> client_certificate() const { return nullptr; }
  virtual Moved read(char* buffer, std::size_t size) = 0;
  // `more` hints that other bytes follow at once. Accepted bytes may wait inside until flush().
  virtual Moved write(std::string_view bytes, bool more) = 0;
  // At most `size` bytes of the file; closed when the file is shorter than promised.
  virtual Moved send_file(int file, std::int64_t offset, std::size_t size) = 0;
  virtual Io flush() = 0;
  // Whether a read may bring something that the event loop will not tell of (again).
  virtual bool holds_input() const { return x_unread; }
  virtual void rest() {}           // between requests: gives memory back
  virtual void end_writing() = 0;  // best effort: tells the other side that nothing follows

 protected:
  bool x_unread = false;  // the last read took all that it could
};

std::unique_ptr<Transport> plain_transport(int socket);

class TlsContext;
constexpr std::size_t tls_scratch_bytes = 272 * 1024;
// `scratch` is used within calls only, so all transports of a loop share it.
std::unique_ptr<Transport> tls_transport(int socket, std::shared_ptr<TlsContext> context, char* scratch);

}  // namespace wharfage::http
