// One keep-alive HTTP/1.1 connection of the load client: blocking, on one thread. Bodies that come back are
// thrown away inside the kernel (recv with MSG_TRUNC), so that the client is never what is being measured.
// Replies must carry Content-Length, as those of all servers under test do where this client asks.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "load/content.h"

namespace bench {

struct Target {
  std::string host = "127.0.0.1";
  int port = 0;
  std::string headers;  // sent with every request, each line ended by CRLF
};

struct Reply {
  int status = 0;
  std::int64_t length = 0;
  std::string location;  // path and query
};

class Connection {
 public:
  // Whoever sets `stop` ends every transfer within 100 ms.
  Connection(const Target& target, const std::atomic<bool>& stop);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // None when the connection broke or was stopped; it is opened anew with the next call.
  std::optional<Reply> ask(std::string_view method, std::string_view path, const Content* body = nullptr,
                           std::string_view more_headers = {});

 private:
  bool open();
  void close();
  bool send(const std::string& head, const Content* body);
  std::optional<Reply> receive(bool has_body);
  bool discard(std::int64_t bytes);

  const Target& x_target;
  const std::atomic<bool>& x_stop;
  int x_socket = -1;
  std::string x_in;
};

}  // namespace bench
