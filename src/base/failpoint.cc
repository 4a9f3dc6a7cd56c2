#include "base/failpoint.h"

#include <atomic>
#include <map>
#include <mutex>

namespace wharfage::failpoint {
namespace {

struct Plan {
  int skip;
  int times;
};

// Written only by tests; the product never arms a point.
struct Points {
  std::atomic<int> armed{0};
  std::mutex mutex;
  std::map<std::string, Plan, std::less<>> plans;
};

Points& points() {
  static Points points;
  return points;
}

}  // namespace

Armed::Armed(std::string name, int nth, int times) : x_name(std::move(name)) {
  std::lock_guard lock(points().mutex);
  points().plans[x_name] = {nth - 1, times};
  points().armed++;
}

Armed::~Armed() {
  std::lock_guard lock(points().mutex);
  points().plans.erase(x_name);
  points().armed--;
}

bool hit(std::string_view name) {
  if (points().armed.load(std::memory_order_relaxed) == 0) return false;
  std::lock_guard lock(points().mutex);
  auto plan = points().plans.find(name);
  if (plan == points().plans.end()) return false;
  if (plan->second.skip > 0) {
    plan->second.skip--;
    return false;
  }
  return plan->second.times-- > 0;
}

}  // namespace wharfage::failpoint
