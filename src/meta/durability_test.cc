#include <doctest/doctest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <thread>

#include "base/test_folder.h"
#include "meta/db.h"

namespace wharfage::meta {
namespace {

constexpr int threads = 4;

// The child: writes rows from several threads and names each acknowledged one on `report`, until it is
// killed. `weight`: bytes that go with each.
[[noreturn]] void write_until_killed(const std::string& file, int report, std::int64_t weight) {
  auto db = open_sqlite(file);
  if (!db.ok()) _exit(1);
  std::vector<std::thread> writers;
  for (std::int64_t t = 0; t < threads; ++t) {
    writers.emplace_back([&, t] {
      for (std::int64_t i = 0;; ++i) {
        std::int64_t id = i * threads + t;
        auto written = (*db)->write([&](Tx& tx) {
          return tx.execute("INSERT INTO facts (id, weight) VALUES ($1, zeroblob($2))", {id, weight});
        });
        if (!written.ok() || ::write(report, &id, sizeof id) != sizeof id) _exit(1);
      }
    });
  }
  for (auto& writer : writers) writer.join();
  _exit(1);
}

std::set<std::int64_t> acknowledged_by_a_killed_child(const std::string& file, int wanted,
                                                      std::int64_t weight) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  pid_t child = ::fork();
  if (child == 0) write_until_killed(file, ends[1], weight);
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
  struct Round {
    int wanted;
    std::int64_t weight;
  };
  // The last one fills the journal more than twice, so that it is carried into the database meanwhile.
  for (auto [wanted, weight] : {Round{60, 0}, {120, 0}, {180, 0}, {240, 0}, {600, 256 * 1024}}) {
    auto made = open_sqlite(file);
    REQUIRE(made.ok());
    REQUIRE((*made)
                ->write([](Tx& tx) {
                  return tx.script(
                      "DROP TABLE IF EXISTS facts; CREATE TABLE facts (id INTEGER PRIMARY KEY, weight BLOB)");
                })
                .ok());
    made->reset();
    auto acknowledged = acknowledged_by_a_killed_child(file, wanted, weight);
    CHECK(acknowledged.size() >= static_cast<std::size_t>(wanted));
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

TEST_CASE("a commit waits for the disk, and keys are enforced, on every connection") {
  TestFolder folder;
  auto db = open_sqlite(folder.path("meta.db"));
  REQUIRE(db.ok());
  auto settings = [](Tx& tx) -> Result<std::vector<std::string>> {
    TRY(auto journal, tx.first("PRAGMA journal_mode"));
    TRY(auto synchronous, tx.first("PRAGMA synchronous"));
    TRY(auto keys, tx.first("PRAGMA foreign_keys"));
    return std::vector{journal->text(0), std::to_string(synchronous->integer(0)),
                       std::to_string(keys->integer(0))};
  };
  const std::vector<std::string> wanted{"wal", "2", "1"};
  auto writing = (*db)->write(settings);
  auto reading = (*db)->read(settings);
  REQUIRE(writing.ok());
  REQUIRE(reading.ok());
  CHECK(*writing == wanted);
  CHECK(*reading == wanted);
}

TEST_CASE("a write inside a write stops the program instead of waiting for itself") {
  TestFolder folder;
  pid_t child = ::fork();
  if (child == 0) {
    ::close(STDERR_FILENO);
    ::signal(SIGABRT, SIG_DFL);
    auto db = open_sqlite(folder.path("meta.db"));
    if (db.ok()) (void)(*db)->write([&](Tx&) { return (*db)->write([](Tx&) -> Status { return {}; }); });
    _exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
}

std::int64_t count_facts(Db& db) {
  auto row = db.read([](Tx& tx) { return tx.first("SELECT count(*) FROM facts"); });
  REQUIRE(row.ok());
  return (*row)->integer(0);
}

// Several threads write 40 KB at a time until nobody can; how many writes were acknowledged.
int write_until_full(Db& db, int first_id) {
  std::atomic<int> acknowledged{0}, wrong{0}, next{first_id};
  std::vector<std::thread> writers;
  for (int t = 0; t < threads; ++t) {
    writers.emplace_back([&] {
      for (int failures = 0; failures < 3;) {
        int id = next++;
        auto written = db.write([&](Tx& tx) {
          return tx.execute("INSERT INTO facts (id, bytes) VALUES ($1, $2)",
                            {id, Bytes{std::string(40'000, 'x')}});
        });
        if (written.ok()) acknowledged++;
        if (written.ok()) continue;
        failures++;
        if (written.error().reason != Reason::disk_full) wrong++;
      }
    });
  }
  for (auto& writer : writers) writer.join();
  CHECK(wrong == 0);
  return acknowledged;
}

TEST_CASE("a full disk loses nothing acknowledged, reads go on, and room brings writes back") {
  TestFolder folder;
  if (::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=2m") != 0) {
    MESSAGE("skipped: a small file system can be mounted by root only");
    return;
  }
  struct Unmount {
    std::string path;
    ~Unmount() { ::umount2(path.c_str(), MNT_DETACH); }
  } unmount{folder.path()};
  auto opened = open_sqlite(folder.path("meta.db"));
  REQUIRE(opened.ok());
  Db& db = **opened;
  auto made =
      db.write([](Tx& tx) { return tx.script("CREATE TABLE facts (id INTEGER PRIMARY KEY, bytes $BYTES)"); });
  REQUIRE(made.ok());
  int acknowledged = write_until_full(db, 0);
  CHECK(acknowledged > 0);
  CHECK(count_facts(db) == acknowledged);
  CHECK(db.ping().ok());
  REQUIRE(::mount("tmpfs", folder.path().c_str(), "tmpfs", MS_REMOUNT, "size=4m") == 0);
  int later = write_until_full(db, 1'000'000);
  CHECK(later > 0);
  CHECK(count_facts(db) == acknowledged + later);
  opened->reset();
}

}  // namespace
}  // namespace wharfage::meta
