// For tests only: the same work many times, by a few threads.
#pragma once

#include <thread>
#include <vector>

namespace wharfage::registry {

// Commits that wait for the disk together.
template <class F>
void in_threads(int count, F&& work) {
  constexpr int threads = 16;
  std::vector<std::thread> running;
  for (int number = 0; number < threads; ++number) {
    running.emplace_back([&work, count, number] {
      for (int i = number; i < count; i += threads) work(i);
    });
  }
  for (auto& thread : running) thread.join();
}

}  // namespace wharfage::registry
