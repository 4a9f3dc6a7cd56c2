#include "http/server.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <thread>
#include <tuple>
#include <vector>

#include "base/time.h"
#include "http/lane.h"
#include "http/listener.h"

namespace wharfage::http {
namespace {

constexpr auto stop_poll = std::chrono::milliseconds(2);

// Idle connections give their places back soon when all are taken, but an address that has used up its own
// share has to end one, or to wait until one has idled for long.
std::string refusal(Crowd::Verdict verdict, const Timeouts& timeouts) {
  bool full = verdict == Crowd::Verdict::full;
  std::int64_t wait_ms = full ? std::min(limits::crowded_idle_ms, timeouts.keep_alive) : timeouts.keep_alive;
  return fmt::format("HTTP/1.1 {}\r\nContent-Length: 0\r\nRetry-After: {}\r\nConnection: close\r\n\r\n",
                     full ? "503 Service Unavailable" : "429 Too Many Requests", (wait_ms + 999) / 1000);
}

class RunningServer final : public Server {
 public:
  RunningServer(ServerOptions options, Router router, Workers& workers, Log log)
      : x_core(std::move(options), std::move(router), workers, std::move(log)) {}
  ~RunningServer() override { stop(limits::drain_timeout_ms); }

  Status listen() {
    if (x_core.options.tls) {
      x_core.tls = std::make_unique<TlsFiles>(*x_core.options.tls, x_core.log);
      TRY_STATUS(x_core.tls->reload());
    }
    TRY(int socket, listen_on(x_core.options.host, x_core.options.port));
    x_port = bound_port(socket);
    for (std::size_t i = 0; i < std::max<std::size_t>(1, x_core.options.loops); ++i) {
      x_lanes.push_back(std::make_unique<Lane>(x_core));
    }
    x_lanes[0]->loop().post([this, socket] {
      x_listener = std::make_shared<Listener>(
          x_lanes[0]->loop(), socket,
          [this](int accepted, std::string peer) { take(accepted, std::move(peer)); });
      x_listener->start();
      if (x_core.tls) watch_certificate();
    });
    return {};
  }

  std::uint16_t port() const override { return x_port; }
  std::size_t connections() const override { return x_core.crowd.count(); }

  Status reload_tls() override {
    if (!x_core.tls) return fail(Reason::unsupported, "the server does not use TLS");
    return x_core.tls->reload();
  }

  std::optional<TlsFacts> tls_facts() const override {
    if (!x_core.tls) return std::nullopt;
    return x_core.tls->facts();
  }

  void stop(std::int64_t drain_ms) override {
    std::lock_guard lock(x_stop_mutex);
    if (x_lanes.empty()) return;
    x_core.stopping = true;
    std::promise<void> deaf;
    x_lanes[0]->loop().post([this, &deaf] {
      x_listener->close();
      x_listener.reset();
      deaf.set_value();
    });
    deaf.get_future().wait();
    for (auto& lane : x_lanes) lane->drain();
    wait_until_quiet(monotonic_ms() + drain_ms);
    x_core.aborting = true;
    while (!quiet()) {
      for (auto& lane : x_lanes) lane->abort();
      std::this_thread::sleep_for(stop_poll);
    }
    x_lanes.clear();
  }

 private:
  // On the first lane's loop.
  void take(int socket, std::string peer) {
    const ServerOptions& options = x_core.options;
    auto verdict = x_core.crowd.admit(peer, options.connections_max, options.connections_per_address_max);
    if (verdict != Crowd::Verdict::admitted) {
      std::string text = refusal(verdict, options.timeouts);
      if (!options.tls) std::ignore = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      ::close(socket);
      return;
    }
    x_lanes[x_next++ % x_lanes.size()]->adopt(socket, std::move(peer));
  }

  // On the first lane's loop; files are read on a worker.
  void watch_certificate() {
    x_lanes[0]->loop().after(x_core.options.timeouts.tls_poll, [this] {
      if (x_core.stopping) return;
      bool taken = x_lanes[0]->submit([this] { x_core.tls->refresh(); }, [this] { watch_certificate(); });
      if (!taken) watch_certificate();
    });
  }

  bool quiet() const { return x_core.crowd.count() == 0 && x_core.tasks == 0; }

  void wait_until_quiet(std::int64_t deadline) {
    while (!quiet() && monotonic_ms() < deadline) std::this_thread::sleep_for(stop_poll);
  }

  Core x_core;
  std::vector<std::unique_ptr<Lane>> x_lanes;
  std::shared_ptr<Listener> x_listener;  // belongs to the first lane's loop
  std::size_t x_next = 0;                // likewise
  std::uint16_t x_port = 0;
  std::mutex x_stop_mutex;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Router router, Workers& workers,
                                              Log log) {
  auto server =
      std::make_unique<RunningServer>(std::move(options), std::move(router), workers, std::move(log));
  TRY_STATUS(server->listen());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace wharfage::http
