// Memory that many clients share: each request takes its share of a bounded amount and gives it back when it
// ends, so that thousands of slow clients cannot hold more than the amount. Thread-safe, a share belongs to
// one owner at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace wharfage::http {

class Budget {
 public:
  explicit Budget(std::size_t amount) : x_left(amount) {}

  [[nodiscard]] bool take(std::size_t amount) {
    std::size_t left = x_left.load(std::memory_order_relaxed);
    while (left >= amount) {
      if (x_left.compare_exchange_weak(left, left - amount, std::memory_order_relaxed)) return true;
    }
    return false;
  }
  void give_back(std::size_t amount) { x_left.fetch_add(amount, std::memory_order_relaxed); }
  std::size_t left() const { return x_left.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::size_t> x_left;
};

class Share {
 public:
  Share() = default;
  ~Share() { release(); }
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  // False when there is not enough left; then nothing is taken.
  [[nodiscard]] bool grow(Budget& budget, std::size_t amount) {
    if (!budget.take(amount)) return false;
    x_budget = &budget;
    x_amount += amount;
    return true;
  }
  bool empty() const { return x_amount == 0; }
  std::size_t amount() const { return x_amount; }
  void release() {
    if (x_amount > 0) x_budget->give_back(std::exchange(x_amount, 0));
  }

 private:
  Budget* x_budget = nullptr;
  std::size_t x_amount = 0;
};

}  // namespace wharfage::http
