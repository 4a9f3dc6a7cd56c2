#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "base/test_folder.h"
#include "meta/db.h"

namespace wharfage::meta {
namespace {

constexpr int threads = 4;

// The child: writes rows from several threads and names each acknowledged one on `report`, until it is
// killed.
[[noreturn]] void write_until_killed(const std::string& file, int report) {
  auto db = open_sqlite(file);
  if (!db.ok()) _exit(1);
  std::vector<std::thread> writers;
  for (std::int64_t t = 0; t < threads; ++t) {
    writers.emplace_back([&, t] {
      for (std::int64_t i = 0;; ++i) {
        std::int64_t id = i * threads + t;
        auto written =
            (*db)->write([&](Tx& tx) { return tx.execute("INSERT INTO facts (id) VALUES ($1)", {id}); });
        if (!written.ok() || ::write(report, &id, sizeof id) != sizeof id) _exit(1);
      }
    });
  }
  for (auto& writer : writers) writer.join();
  _exit(1);
}

std::set<std::int64_t> acknowledged_by_a_killed_child(const std::string& file, int wanted) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  pid_t child = ::fork();
  if (child == 0) write_until_killed(file, ends[1]);
  REQUIRE(child > 0);
  ::close(ends[1]);
  std::set<std::int64_t> acknowledged;
  std::int64_t id = 0;
  while (::read(ends[0], &id, sizeof id) == sizeof id) {
    acknowledged.insert(id);
    if (acknowledged.size() == static_cast<std::size_t>(wanted)) ::kill(child, SIGKILL);
  }
  ::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  return acknowledged;
}

TEST_CASE("what was acknowledged is there after kill -9") {
  TestFolder folder;
  const std::string file = folder.path("meta.db");
  for (int round = 0; round < 5; ++round) {
    auto made = open_sqlite(file);
    REQUIRE(made.ok());
    REQUIRE((*made)
                ->write([](Tx& tx) {
                  return tx.script("DROP TABLE IF EXISTS facts; CREATE TABLE facts (id INTEGER PRIMARY KEY)");
                })
                .ok());
    made->reset();
    auto acknowledged = acknowledged_by_a_killed_child(file, 60 * (round + 1));
    CHECK(acknowledged.size() >= 60u * (round + 1));
    auto db = open_sqlite(file);
    REQUIRE(db.ok());
    auto rows = (*db)->read([](Tx& tx) { return tx.query("SELECT id FROM facts"); });
    REQUIRE(rows.ok());
    std::set<std::int64_t> stored;
    for (const Row& row : *rows) stored.insert(row.integer(0));
    for (auto id : acknowledged) CHECK(stored.count(id) == 1);
    // At most the batch that was being reported is there without having been named.
    CHECK(stored.size() <= acknowledged.size() + threads);
  }
}

}  // namespace
}  // namespace wharfage::meta
