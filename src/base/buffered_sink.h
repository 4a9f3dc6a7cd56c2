// A log sink for lines that come by the thousand, such as one per request: they are collected and written
// together by a thread of its own, at most `delay` later. What is collected is bounded: when standard error
// is not read, lines are dropped and counted, and nobody waits. The last lines are written when it goes; a
// killed process loses what it had not written yet. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/log.h"

namespace wharfage {

class BufferedSink final : public LogSink {
 public:
  explicit BufferedSink(int descriptor);
  ~BufferedSink() override;

  void write(std::string_view line) override;
  std::int64_t dropped() const;  // lines, since the start

 private:
  void run();

  const int x_descriptor;
  mutable std::mutex x_mutex;
  std::condition_variable x_filled;
  std::string x_lines;
  std::int64_t x_dropped = 0;
  bool x_stopping = false;
  std::thread x_thread;  // last: it uses everything above
};

}  // namespace wharfage
