// "Answer from memory or not at all": how an event loop may call straight-line code that usually waits. While
// a MemoryOnly lives on a thread, whatever would wait there (the database, a file to open, a password to
// hash) calls MemoryOnly::misses() first and gives up with the error it returns. The loop then throws the
// whole attempt away and a worker does the work anew, so what runs under it must have no effect before it
// misses. Scopes do not nest; each belongs to the thread that made it.
#pragma once

#include <optional>

#include "base/result.h"

namespace wharfage {

class MemoryOnly {
 public:
  MemoryOnly();
  ~MemoryOnly();
  MemoryOnly(const MemoryOnly&) = delete;
  MemoryOnly& operator=(const MemoryOnly&) = delete;

  bool missed() const { return x_missed; }  // what came out is worth nothing

  // For whatever is about to wait: nothing when it may, else the error to give up with.
  static std::optional<Error> misses();

 private:
  bool x_missed = false;
};

}  // namespace wharfage
