// For tests only, of this room and those above: Debian's docker-registry (distribution 2.8) on 127.0.0.1,
// with or without a password, and a listener that never answers. Tests are skipped with a message where the
// program is not installed, and fail where CI is set.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "base/test_folder.h"
#include "base/text.h"

namespace wharfage::remote {

constexpr const char* docker_registry_program = "/usr/bin/docker-registry";

inline bool have_docker_registry() {
  if (std::filesystem::exists(docker_registry_program)) return true;
  if (std::getenv("CI")) FAIL("docker-registry is not installed");
  MESSAGE("skipped: docker-registry is not installed");
  return false;
}

// A socket on 127.0.0.1 that takes connections and says nothing, or (closed) nobody at all.
class SilentPeer {
 public:
  SilentPeer() : x_socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{
        .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    REQUIRE(::bind(x_socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(x_socket, 16) == 0);
    socklen_t size = sizeof address;
    ::getsockname(x_socket, reinterpret_cast<sockaddr*>(&address), &size);
    x_port = ntohs(address.sin_port);
  }
  ~SilentPeer() { close(); }
  SilentPeer(const SilentPeer&) = delete;
  SilentPeer& operator=(const SilentPeer&) = delete;

  int port() const { return x_port; }
  std::string url() const { return fmt::format("http://127.0.0.1:{}", x_port); }
  // Whether somebody came within the patience that only a broken program uses up.
  bool visited() const {
    pollfd waiting{x_socket, POLLIN, 0};
    return ::poll(&waiting, 1, 60'000) == 1;
  }
  void close() {
    if (x_socket >= 0) ::close(x_socket);
    x_socket = -1;
  }

 private:
  int x_socket;
  int x_port = 0;
};

class DockerRegistry {
 public:
  // user "robot", password "secret" when `password`. Port 0: a free one.
  explicit DockerRegistry(bool password = false, int port = 0) : x_port(port ? port : SilentPeer().port()) {
    std::string auth;
    if (password) {
      x_folder.write("htpasswd", "robot:$2y$05$QPwZM8bAWaJsXsHFYMBA3.hM.XQ9NC9fjO3LPFFnnRQuzXFdD.x5u\n");
      auth = fmt::format("auth: {{htpasswd: {{realm: x, path: {}}}}}\n", x_folder.path("htpasswd"));
    }
    x_folder.write("registry.yml",
                   fmt::format("version: 0.1\nlog: {{level: info}}\n"
                               "storage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\n"
                               "http: {{addr: '127.0.0.1:{}'}}\n{}",
                               x_folder.path("data"), x_port, auth));
    start();
  }
  ~DockerRegistry() { stop(); }
  DockerRegistry(const DockerRegistry&) = delete;
  DockerRegistry& operator=(const DockerRegistry&) = delete;

  void start() {
    std::string config = x_folder.path("registry.yml"), log = x_folder.path("log");
    x_pid = ::fork();
    REQUIRE(x_pid >= 0);
    if (x_pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      ::dup2(output, 1);
      ::dup2(output, 2);
      ::execl(docker_registry_program, docker_registry_program, "serve", config.c_str(), nullptr);
      ::_exit(127);
    }
    for (int attempt = 0; attempt < 600; ++attempt) {
      if (answers()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    FAIL("docker-registry did not start");
  }
  void stop() {
    if (x_pid <= 0) return;
    ::kill(x_pid, SIGKILL);
    ::waitpid(x_pid, nullptr, 0);
    x_pid = -1;
  }

  std::string url() const { return fmt::format("http://127.0.0.1:{}", x_port); }
  // How often this stands in its log of requests.
  int logged(const std::string& text) const {
    std::ifstream file(x_folder.path("log"));
    std::string all(std::istreambuf_iterator<char>(file), {});
    int count = 0;
    for (auto at = all.find(text); at != all.npos; at = all.find(text, at + 1)) ++count;
    return count;
  }
  // Requests that carry bytes of blobs or manifests.
  int writes() const { return logged("\"PUT /v2/") + logged("\"PATCH /v2/") + logged("\"POST /v2/"); }

 private:
  bool answers() const {
    int peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{.sin_family = AF_INET,
                        .sin_port = htons(static_cast<std::uint16_t>(x_port)),
                        .sin_addr = {htonl(INADDR_LOOPBACK)},
                        .sin_zero = {}};
    bool connected = ::connect(peer, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(peer);
    return connected;
  }

  TestFolder x_folder;
  int x_port;
  pid_t x_pid = -1;
};

}  // namespace wharfage::remote
