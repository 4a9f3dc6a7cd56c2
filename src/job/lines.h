// The text of job logs: what handlers write is cleaned, cut and numbered here, and packed into rows of many
// lines ("stage TAB text NEWLINE"). Numbers run 1, 2, 3 … without gaps over all attempts of a job.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "job/queue.h"

namespace wharfage::job {

// Valid UTF-8 without control characters but tab, newline and escape (colours): what every database takes.
std::string printable(std::string_view text);

// Consecutive lines as they are stored.
struct Chunk {
  std::int64_t first = 0, last = 0;
  std::string text;
};
std::vector<Chunk> pack(const std::vector<LogLine>& lines);
// Appends the lines numbered above `offset`, until `lines` holds `limit`.
void unpack(const Chunk& chunk, std::int64_t offset, std::size_t limit, std::vector<LogLine>& lines);

// What one running job has logged and not yet stored. Thread-safe.
class LogBuffer {
 public:
  // `written`: lines already stored by earlier attempts.
  explicit LogBuffer(std::int64_t written) : x_last(written) {}

  // False when it did not fit within `wait_ms` and was lost; the log says so where it happened.
  bool add(std::string_view stage, std::string_view text, std::int64_t wait_ms);
  bool empty() const;
  bool filling() const;  // more than half full: flush now
  std::vector<LogLine> take();
  void put_back(std::vector<LogLine> lines);  // after take(), when they could not be stored
  void close();                               // drops what comes from now on

 private:
  void append(std::string_view stage, std::string_view text);  // locked
  void number(std::string_view stage, std::string text);       // locked

  mutable std::mutex x_mutex;
  std::condition_variable x_room;
  std::deque<LogLine> x_lines;
  std::size_t x_bytes = 0;
  std::int64_t x_last;
  std::int64_t x_lost = 0;
  bool x_closed = false;
};

}  // namespace wharfage::job
