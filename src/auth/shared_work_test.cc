#include "auth/shared_work.h"

#include <doctest/doctest.h>

#include <atomic>
#include <new>
#include <thread>
#include <vector>

using namespace wharfage::auth;

TEST_CASE("who asks the same at the same time gets one answer for all") {
  SharedWork<int> work;
  constexpr std::size_t others = 5;
  std::atomic<int> done = 0, sum = 0;
  auto wait_for_others = [&] {
    while (work.waiting() < others) std::this_thread::yield();
    return ++done * 7;
  };
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < others + 1; ++i)
    clients.emplace_back([&] { sum += work.run("alice", wait_for_others); });
  for (std::thread& client : clients) client.join();
  CHECK(done == 1);
  CHECK(sum == 7 * static_cast<int>(others + 1));
  CHECK(work.waiting() == 0);
}

TEST_CASE("when the work fails, whoever waits does it himself") {
  SharedWork<int> work;
  constexpr std::size_t others = 3;
  std::atomic<int> tries = 0, failed = 0, answered = 0;
  auto fail_at_first = [&]() -> int {
    if (tries++ > 0) return 7;
    while (work.waiting() < others) std::this_thread::yield();
    throw std::bad_alloc();
  };
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < others + 1; ++i) {
    clients.emplace_back([&] {
      try {
        answered += work.run("alice", fail_at_first) == 7;
      } catch (const std::bad_alloc&) {
        ++failed;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  CHECK(failed == 1);
  CHECK(answered == static_cast<int>(others));
  CHECK(work.waiting() == 0);
  CHECK(work.run("alice", [] { return 4; }) == 4);
}

TEST_CASE("other questions do not wait, and nothing is remembered") {
  SharedWork<int> work;
  int inner = 0;
  CHECK(work.run("alice", [&] { return inner = work.run("bob", [] { return 2; }) + 1; }) == 3);
  CHECK(inner == 3);
  CHECK(work.run("alice", [] { return 4; }) == 4);
}
