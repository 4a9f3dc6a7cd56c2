#include "base/memory_only.h"

#include "base/check.h"

namespace wharfage {
namespace {

thread_local bool* t_missed = nullptr;  // of the scope on this thread

}  // namespace

MemoryOnly::MemoryOnly() {
  CHECK(t_missed == nullptr, "a thread has one such scope at a time");
  t_missed = &x_missed;
}

MemoryOnly::~MemoryOnly() {
  t_missed = nullptr;
}

std::optional<Error> MemoryOnly::misses() {
  if (t_missed == nullptr) return std::nullopt;
  *t_missed = true;
  return fail(Reason::internal, "this needs more than memory");
}

}  // namespace wharfage
