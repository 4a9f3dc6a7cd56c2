// Listens on one address and hands accepted sockets to the lanes in turn. One listening socket instead of
// SO_REUSEPORT keeps "address in use" an error and the lanes evenly loaded.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/loop.h"

namespace wharfage::http {

// A bound, listening, non-blocking socket. Errors: invalid_parameter, conflict, denied.
Result<int> listen_on(const std::string& host, std::uint16_t port);
std::uint16_t bound_port(int socket);

class Listener final : public Waiter, public std::enable_shared_from_this<Listener> {
 public:
  using Accept = std::function<void(int socket, std::string peer)>;
  Listener(Loop& loop, int socket, Accept accept);
  void start();
  void ready(bool writable) override;
  void close();

 private:
  Loop& x_loop;
  Watch x_watch;
  Accept x_accept;
  bool x_closed = false;
};

}  // namespace wharfage::http
