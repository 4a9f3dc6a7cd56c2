#include "http/loop.h"

#include <pthread.h>
#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

namespace wharfage::http {

namespace asio = boost::asio;

struct Loop::State {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
};

Loop::Loop() : x_state(std::make_unique<State>()) {}
Loop::~Loop() = default;

void Loop::run() {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  x_state->context.run();
}

void Loop::stop() {
  x_state->context.stop();
}

void Loop::post(std::function<void()> task) {
  asio::post(x_state->context, std::move(task));
}

void Loop::after(std::int64_t delay_ms, std::function<void()> task) {
  auto timer = std::make_shared<asio::steady_timer>(x_state->context, std::chrono::milliseconds(delay_ms));
  timer->async_wait([timer, task = std::move(task)](const boost::system::error_code& error) {
    if (!error) task();
  });
}

struct Watch::State {
  asio::posix::stream_descriptor descriptor;
};

Watch::Watch(Loop& loop, int descriptor)
    : x_state(new State{asio::posix::stream_descriptor(loop.state().context, descriptor)}),
      x_descriptor(descriptor) {}

Watch::~Watch() = default;
Watch::Watch(Watch&&) noexcept = default;

void Watch::wait_readable(std::shared_ptr<Waiter> waiter) {
  auto notify = [waiter = std::move(waiter)](const boost::system::error_code& error) {
    if (error != asio::error::operation_aborted) waiter->ready(false);
  };
  x_state->descriptor.async_wait(asio::posix::descriptor_base::wait_read, std::move(notify));
}

void Watch::wait_writable(std::shared_ptr<Waiter> waiter) {
  auto notify = [waiter = std::move(waiter)](const boost::system::error_code& error) {
    if (error != asio::error::operation_aborted) waiter->ready(true);
  };
  x_state->descriptor.async_wait(asio::posix::descriptor_base::wait_write, std::move(notify));
}

void Watch::close() {
  boost::system::error_code ignored;
  x_state->descriptor.close(ignored);
  x_descriptor = -1;
}

}  // namespace wharfage::http
