// The clockwork: a thread that runs recurring chores one after another, and one for each chore that may take
// long. A chore that fails is logged and tried again at its next time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"

namespace wharfage::node {

struct Chore {
  std::string name;
  std::int64_t every_ms = 10'000;  // after its end
  std::function<Status()> run;
  bool takes_long = false;
};

class Housekeeping {
 public:
  Housekeeping(std::vector<Chore> chores, Log log);
  ~Housekeeping();  // waits for the running chores
  void stop();

 private:
  class Thread;
  std::vector<std::unique_ptr<Thread>> x_threads;
};

}  // namespace wharfage::node
