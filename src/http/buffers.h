// Large buffers that workers take bodies in with, kept between turns so that their memory stays in the
// processor's cache: the one given back last is the next to go out. A worker holds one at most, so there are
// never more than workers. Thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "http/limits.h"

namespace wharfage::http {

class Buffers {
 public:
  // One buffer on loan. Throws std::bad_alloc when there is no memory.
  class Loan {
   public:
    explicit Loan(Buffers& from) : x_from(from), x_bytes(from.take()) {}
    ~Loan() { x_from.give_back(std::move(x_bytes)); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;

    char* bytes() const { return x_bytes.get(); }  // stream_buffer_bytes of them

   private:
    Buffers& x_from;
    std::unique_ptr<char[]> x_bytes;
  };

 private:
  std::unique_ptr<char[]> take() {
    {
      std::lock_guard lock(x_mutex);
      if (!x_kept.empty()) {
        auto bytes = std::move(x_kept.back());
        x_kept.pop_back();
        return bytes;
      }
    }
    return std::make_unique_for_overwrite<char[]>(limits::stream_buffer_bytes);
  }

  void give_back(std::unique_ptr<char[]> bytes) {
    std::lock_guard lock(x_mutex);
    if (x_kept.size() < limits::stream_buffers_kept) x_kept.push_back(std::move(bytes));
  }

  std::mutex x_mutex;
  std::vector<std::unique_ptr<char[]>> x_kept;
};

}  // namespace wharfage::http
