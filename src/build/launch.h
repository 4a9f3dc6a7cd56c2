// Starts a process: everything between fork and exec, which may use system calls only, because the parent
// has threads. What can be prepared (strings, descriptors) is prepared in the parent. The child reports the
// step that failed through a pipe that exec closes.
#pragma once

#include <sys/types.h>

#include "base/result.h"
#include "build/process.h"

namespace wharfage::build {

// A file descriptor that closes itself.
class Handle {
 public:
  Handle() = default;
  explicit Handle(int descriptor) : x_descriptor(descriptor) {}
  Handle(Handle&& other) noexcept : x_descriptor(other.release()) {}
  Handle& operator=(Handle&& other) noexcept;
  ~Handle() { close(); }
  int get() const { return x_descriptor; }
  explicit operator bool() const { return x_descriptor >= 0; }
  void close();
  int release();

 private:
  int x_descriptor = -1;
};

struct Child {
  pid_t pid = -1;
  Handle process;  // a pidfd: readable when it has ended
  Handle output, errors;
};

// Error: unsupported.
Result<Child> launch(const Command& command);

}  // namespace wharfage::build
