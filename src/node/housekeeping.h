// The clockwork: one thread that runs recurring chores one after another. A chore that fails is logged and
// tried again at its next time.
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
  std::int64_t every_ms = 10'000;
  std::function<Status()> run;
};

class Housekeeping {
 public:
  Housekeeping(std::vector<Chore> chores, Log log);
  ~Housekeeping();  // waits for the running chore
  void stop();

 private:
  struct State;
  std::unique_ptr<State> x_state;
};

}  // namespace wharfage::node
