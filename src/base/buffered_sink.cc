#include "base/buffered_sink.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

namespace wharfage {
namespace {

constexpr std::size_t collected_bytes_max = 1024 * 1024;
constexpr std::chrono::milliseconds delay{50};

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return;  // nobody to tell
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

// Nobody listens any more: an error to go on after, not a signal to die of.
void ignore_broken_pipes() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

BufferedSink::BufferedSink(int descriptor) : x_descriptor(descriptor), x_thread([this] { run(); }) {
  pthread_setname_np(x_thread.native_handle(), "log");
}

BufferedSink::~BufferedSink() {
  {
    std::lock_guard lock(x_mutex);
    x_stopping = true;
    x_filled.notify_one();
  }
  x_thread.join();
}

void BufferedSink::write(std::string_view line) {
  std::lock_guard lock(x_mutex);
  if (x_lines.size() + line.size() > collected_bytes_max) {
    ++x_dropped;
    return;
  }
  if (x_lines.empty()) x_filled.notify_one();
  x_lines += line;
}

std::int64_t BufferedSink::dropped() const {
  std::lock_guard lock(x_mutex);
  return x_dropped;
}

void BufferedSink::run() {
  ignore_broken_pipes();
  std::string writing;
  std::unique_lock lock(x_mutex);
  while (!x_stopping || !x_lines.empty()) {
    x_filled.wait(lock, [&] { return x_stopping || !x_lines.empty(); });
    x_filled.wait_for(lock, delay, [&] { return x_stopping; });
    writing.clear();
    writing.swap(x_lines);
    lock.unlock();
    write_all(x_descriptor, writing);
    lock.lock();
  }
}

}  // namespace wharfage
