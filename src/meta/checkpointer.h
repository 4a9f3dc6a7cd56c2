// Carries what is committed from SQLite's journal into the database file, beside the writer: a commit that
// had to do it would wait for all those pages. Owns a thread and a connection of its own. What fails here is
// left to the writer, which does it when the journal is full.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "meta/connection_sqlite.h"

namespace wharfage::meta {

class Checkpointer {
 public:
  explicit Checkpointer(std::unique_ptr<Connection> reader);
  ~Checkpointer();  // ends what is under way
  void wake();      // any thread; does not wait

 private:
  void run();

  const std::unique_ptr<Connection> x_connection;  // used by x_thread only
  std::mutex x_mutex;
  std::condition_variable x_woken;
  bool x_wanted = false;
  bool x_stopping = false;
  std::thread x_thread;  // last: it uses everything above
};

}  // namespace wharfage::meta
