#include "http/loop.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace wharfage::http;

namespace {

struct Counting final : Waiter {
  explicit Counting(std::function<void()> call) : then(std::move(call)) {}
  void ready(bool) override {
    ++calls;
    then();
  }
  std::function<void()> then;
  int calls = 0;
};

// A loop and a pair of sockets, of which it watches one.
struct Fixture {
  Fixture() {
    int both[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both) == 0);
    other = both[1];
    watch.emplace(loop, both[0]);
  }
  ~Fixture() { ::close(other); }

  void say(std::string_view text) {
    REQUIRE(::write(other, text.data(), text.size()) == ssize_t(text.size()));
  }
  std::string hear() {
    char buffer[100];
    ssize_t count = ::read(watch->descriptor(), buffer, sizeof buffer);
    return count < 0 ? "nothing" : std::string(buffer, static_cast<std::size_t>(count));
  }
  // Several turns later, when what has happened was told.
  void later(std::function<void()> task, int turns = 3) {
    loop.post([this, task = std::move(task), turns] { turns == 0 ? task() : later(task, turns - 1); });
  }
  std::shared_ptr<Counting> waiter(std::function<void()> then) {
    return std::make_shared<Counting>(std::move(then));
  }

  Loop loop;
  int other = -1;
  std::optional<Watch> watch;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "news that comes while nobody waits is told to the next who does") {
  auto reader = waiter([&] { loop.stop(); });
  later([&] { say("one"); });
  later([&] { watch->wait_readable(reader); }, 9);
  loop.run();
  CHECK(reader->calls == 1);
  CHECK(hear() == "one");
}

TEST_CASE_FIXTURE(Fixture, "what was read and told is not told again") {
  std::vector<std::string> heard;
  std::shared_ptr<Counting> reader = waiter([&] {
    heard.push_back(hear());
    watch->wait_readable(reader);
  });
  watch->wait_readable(reader);
  later([&] { say("one"); });
  later([&] { say("two"); }, 9);
  later([&] { loop.stop(); }, 20);
  loop.run();
  CHECK(heard == std::vector<std::string>{"one", "two"});
  watch->close();
}

TEST_CASE_FIXTURE(Fixture, "an end is told to everybody who waits after it") {
  std::vector<std::string> heard;
  std::shared_ptr<Counting> reader = waiter([&] {
    heard.push_back(hear());
    heard.size() == 3 ? loop.stop() : watch->wait_readable(reader);
  });
  say("last words");
  ::shutdown(other, SHUT_WR);
  watch->wait_readable(reader);
  loop.run();
  CHECK(heard == std::vector<std::string>{"last words", "", ""});
}

TEST_CASE_FIXTURE(Fixture, "room to write is told after it was missing") {
  std::string block(4096, 'x');
  auto writer = waiter([&] { loop.stop(); });
  loop.post([&] {
    while (::write(watch->descriptor(), block.data(), block.size()) > 0) {
    }
    watch->wait_writable(writer);
  });
  later([&] {
    CHECK(writer->calls == 0);
    std::string taken(1 << 20, 0);
    while (::read(other, taken.data(), taken.size()) > 0) {
    }
  });
  loop.run();
  CHECK(writer->calls == 1);
}

TEST_CASE_FIXTURE(Fixture, "closing forgets waiters, also those who are about to be woken") {
  auto reader = waiter([] {}), writer = waiter([] {});
  later([&] {
    say("one");
    later([&] {
      watch->wait_readable(reader);  // the news is there
      watch->wait_writable(writer);
      watch->close();
      CHECK(watch->descriptor() == -1);
    });
  });
  later([&] { loop.stop(); }, 20);
  loop.run();
  CHECK(reader->calls == 0);
  CHECK(reader.use_count() == 1);
  CHECK(writer.use_count() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a waiter that is forgotten takes no news away") {
  auto first = waiter([] {}), second = waiter([&] { loop.stop(); });
  later([&] {
    say("one");
    later([&] {
      watch->wait_readable(first);  // the news is there, and will be told in this turn or the next
      watch->forget_waiters();
      later([&] { watch->wait_readable(second); });
    });
  });
  loop.run();
  CHECK(first->calls == 0);
  CHECK(second->calls == 1);
}

TEST_CASE("a waiter may close another watch whose event is in hand") {
  Loop loop;
  int pairs[2][2];
  for (auto& pair : pairs) REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
  Watch first(loop, pairs[0][0]), second(loop, pairs[1][0]);
  int calls = 0;
  auto reader = std::make_shared<Counting>([&] {
    ++calls;
    first.close();
    second.close();
    loop.post([&] { loop.stop(); });
  });
  first.wait_readable(reader);
  second.wait_readable(reader);
  for (auto& pair : pairs) REQUIRE(::write(pair[1], "x", 1) == 1);
  loop.run();
  CHECK(calls == 1);
  for (auto& pair : pairs) ::close(pair[1]);
}

TEST_CASE("tasks of other threads run in order, and wake a sleeping loop") {
  Loop loop;
  std::vector<int> seen;
  std::thread runner([&] { loop.run(); });
  for (int i = 0; i < 1000; ++i) loop.post([&seen, i] { seen.push_back(i); });
  loop.post([&] { loop.stop(); });
  runner.join();
  REQUIRE(seen.size() == 1000);
  for (int i = 0; i < 1000; ++i) CHECK(seen[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("timers run in the order in which they are due, and not before") {
  Loop loop;
  std::string order;
  std::int64_t begun = loop.now_us();
  loop.after(30, [&] {
    order += 'c';
    CHECK(loop.now_us() - begun >= 30'000);
    loop.stop();
  });
  loop.after(0, [&] { order += 'a'; });
  loop.after(10, [&] { order += 'b'; });
  loop.run();
  CHECK(order == "abc");
}
