#include "build/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "build/launch.h"

namespace wharfage::build {
namespace {

constexpr int poll_ms = 100;
// What somebody else still holds open is not waited for once the program has ended.
constexpr std::int64_t drain_ms = 1'000;

// Cuts a stream into lines. A carriage return starts the line again, as on a terminal.
class Lines {
 public:
  Lines(Stream stream, const Watch& watch) : x_stream(stream), x_watch(watch) {}
  void feed(std::string_view bytes) {
    for (char c : bytes) {
      if (c == '\n' || x_line.size() >= limits::job_log_line_max) flush();
      if (c != '\n') x_line += c;
    }
  }
  void finish() {
    if (!x_line.empty()) flush();
  }

 private:
  void flush() {
    std::string_view line = x_line;
    while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (auto again = line.rfind('\r'); again != line.npos) line.remove_prefix(again + 1);
    if (x_watch.line) x_watch.line(x_stream, line);
    x_line.clear();
  }
  Stream x_stream;
  const Watch& x_watch;
  std::string x_line;
};

// One program while it runs.
class Running {
 public:
  Running(Child child, bool jailed, const Watch& watch)
      : x_child(std::move(child)),
        x_target(jailed ? x_child.pid : -x_child.pid),
        x_watch(watch),
        x_output(Stream::output, watch),
        x_errors(Stream::errors, watch) {
    for (const Handle* end : {&x_child.output, &x_child.errors}) {
      fcntl(end->get(), F_SETFL, fcntl(end->get(), F_GETFL) | O_NONBLOCK);
    }
  }

  Result<Exit> wait() {
    while (!(x_ended && streams_done())) {
      turn();
      if (x_ended && x_ended_at + drain_ms < monotonic_ms()) break;
      if (!x_ended) look_for_reasons_to_stop();
    }
    x_output.finish();
    x_errors.finish();
    if (!x_stopping.ok()) return x_stopping.error();
    return x_exit;
  }

 private:
  bool streams_done() const { return !x_child.output && !x_child.errors; }

  void turn() {
    std::array<pollfd, 3> ends{pollfd{x_ended ? -1 : x_child.process.get(), POLLIN, 0},
                               pollfd{x_child.output.get(), POLLIN, 0},
                               pollfd{x_child.errors.get(), POLLIN, 0}};
    if (poll(ends.data(), ends.size(), poll_ms) < 0) return;
    if (ends[1].revents != 0) drain(x_child.output, x_output);
    if (ends[2].revents != 0) drain(x_child.errors, x_errors);
    if (ends[0].revents != 0) reap();
  }

  static void drain(Handle& from, Lines& to) {
    std::array<char, 64 * 1024> buffer;
    ssize_t got = read(from.get(), buffer.data(), buffer.size());
    if (got > 0) to.feed({buffer.data(), static_cast<std::size_t>(got)});
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) from.close();
  }

  void reap() {
    int status = 0;
    if (waitpid(x_child.pid, &status, WNOHANG) != x_child.pid) return;
    x_ended = true;
    x_ended_at = monotonic_ms();
    if (WIFSIGNALED(status)) x_exit = {128 + WTERMSIG(status), WTERMSIG(status)};
    if (WIFEXITED(status)) x_exit = {WEXITSTATUS(status), 0};
  }

  void look_for_reasons_to_stop() {
    std::int64_t now = monotonic_ms();
    if (!x_stopping.ok()) {
      if (now >= x_kill_at) kill(x_target, SIGKILL);
      return;
    }
    if (x_watch.deadline_ms != 0 && now >= x_watch.deadline_ms) x_stopping = fail(Reason::timeout);
    if (x_stopping.ok() && x_watch.stop) x_stopping = x_watch.stop();
    if (x_stopping.ok()) return;
    kill(x_target, SIGTERM);
    x_kill_at = now + x_watch.grace_ms;
  }

  Child x_child;
  pid_t x_target;  // the first process of a jail takes everything with it; else the whole session's group
  const Watch& x_watch;
  Lines x_output, x_errors;
  bool x_ended = false;
  std::int64_t x_ended_at = 0, x_kill_at = 0;
  Status x_stopping;
  Exit x_exit;
};

}  // namespace

Result<Exit> run_process(const Command& command, const Watch& watch) {
  TRY(Child child, launch(command));
  return Running(std::move(child), command.jail != nullptr, watch).wait();
}

Result<std::string> capture(const Command& command, std::int64_t timeout_ms) {
  std::string output, errors;
  Watch watch{.deadline_ms = monotonic_ms() + timeout_ms, .grace_ms = 1'000};
  watch.line = [&](Stream stream, std::string_view line) {
    std::string& to = stream == Stream::output ? output : errors;
    if (to.size() < limits::build_capture_max) to.append(line).append("\n");
  };
  TRY(Exit exit, run_process(command, watch));
  if (exit.ok()) return output;
  return fail(Reason::internal, fmt::format("{} failed ({}): {}", command.arguments.front(), exit.code,
                                            trim(cut(errors.empty() ? output : errors, 500))));
}

std::string find_program(std::string_view name) {
  if (name.find('/') != name.npos)
    return access(std::string(name).c_str(), X_OK) == 0 ? std::string(name) : "";
  for (std::string_view folder : split(search_path, ':')) {
    std::string path = fmt::format("{}/{}", folder, name);
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return "";
}

}  // namespace wharfage::build
