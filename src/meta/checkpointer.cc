#include "meta/checkpointer.h"

#include <pthread.h>

#include <utility>

namespace wharfage::meta {

Checkpointer::Checkpointer(std::unique_ptr<Connection> reader)
    : x_connection(std::move(reader)), x_thread([this] { run(); }) {
  pthread_setname_np(x_thread.native_handle(), "db-checkpoint");
}

Checkpointer::~Checkpointer() {
  {
    std::lock_guard lock(x_mutex);
    x_stopping = true;
    x_woken.notify_one();
  }
  x_thread.join();
}

void Checkpointer::wake() {
  std::lock_guard lock(x_mutex);
  x_wanted = true;
  x_woken.notify_one();
}

void Checkpointer::run() {
  std::unique_lock lock(x_mutex);
  for (;;) {
    x_woken.wait(lock, [this] { return x_wanted || x_stopping; });
    if (x_stopping) return;
    x_wanted = false;
    lock.unlock();
    (void)x_connection->checkpoint();
    lock.lock();
  }
}

}  // namespace wharfage::meta
