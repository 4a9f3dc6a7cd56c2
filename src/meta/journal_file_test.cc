#include "meta/journal_file.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <thread>

#include "base/failpoint.h"
#include "base/limits.h"
#include "base/test_folder.h"
#include "meta/db.h"

namespace wharfage::meta {
namespace {

constexpr std::int64_t row_bytes = 64 * 1024;
// So many that a script's pages leave the cache for the journal before the commit.
constexpr std::int64_t rows_many = 2 * std::int64_t{limits::writer_page_cache_kib} * 1024 / row_bytes;

// All pages of all rows.
constexpr const char* change_all = "UPDATE heavy SET part = part + 1, bytes = zeroblob(LENGTH(bytes) - 1)";

struct Fixture {
  TestFolder folder;
  std::unique_ptr<Db> db;
  Fixture() {
    open();
    REQUIRE(db->write([](Tx& tx) {
                return tx.script("CREATE TABLE heavy (id INTEGER PRIMARY KEY, part INTEGER, bytes BLOB)");
              }).ok());
  }
  void open() { db = *open_sqlite(folder.path("meta.db")); }
  static Status fill(Tx& tx, std::int64_t from, std::int64_t to) {
    for (std::int64_t id = from; id < to; ++id) {
      TRY_STATUS(tx.execute("INSERT INTO heavy (id, part, bytes) VALUES ($1, $1 % 7, zeroblob($2))",
                            {id, row_bytes}));
    }
    return {};
  }
  // Pages that are in the journal already are read, changed and written once more.
  static Status fill_by_script(Tx& tx, std::int64_t from, std::int64_t to) {
    return tx.script(
        fmt::format("WITH RECURSIVE n (id) AS (SELECT {} UNION ALL SELECT id + 1 FROM n WHERE id < {}) "
                    "INSERT INTO heavy (id, part, bytes) SELECT id, id % 7, zeroblob({}) FROM n;"
                    "{};",
                    from, to - 1, row_bytes, change_all));
  }
  std::int64_t number(const std::string& sql) {
    auto row = db->read([&](Tx& tx) { return tx.first(sql); });
    REQUIRE(row.ok());
    return (*row)->integer(0);
  }
  void check_sound() {
    auto told = db->read([](Tx& tx) { return tx.first("PRAGMA integrity_check"); });
    REQUIRE(told.ok());
    CHECK((*told)->text(0) == "ok");
  }
};

TEST_CASE_FIXTURE(Fixture,
                  "a transaction sees its own pages, however many, and so do others after its commit") {
  auto done = db->write([](Tx& tx) -> Status {
    TRY_STATUS(fill_by_script(tx, 0, rows_many));
    TRY(auto seen, tx.first("SELECT COUNT(*), SUM(LENGTH(bytes)) FROM heavy WHERE part = id % 7 + 1"));
    CHECK(seen->integer(0) == rows_many);
    CHECK(seen->integer(1) == rows_many * (row_bytes - 1));
    return {};
  });
  REQUIRE(done.ok());
  CHECK(number("SELECT COUNT(*) FROM heavy WHERE part = id % 7 + 1") == rows_many);
  db.reset();
  open();
  CHECK(number("SELECT SUM(LENGTH(bytes)) FROM heavy") == rows_many * (row_bytes - 1));
  check_sound();
}

// What a process leaves that dies now.
TEST_CASE_FIXTURE(Fixture, "what follows a large transaction that failed outlives a crash") {
  REQUIRE(db->write([](Tx& tx) { return fill(tx, 0, 10); }).ok());
  std::thread neighbour;  // waits meanwhile, and shares the commit
  auto undone = db->write([&](Tx& tx) -> Status {
    neighbour = std::thread([&] { CHECK(db->write([](Tx& other) { return fill(other, 10, 11); }).ok()); });
    TRY_STATUS(fill(tx, 10, rows_many));
    TRY_STATUS(tx.execute(change_all));
    return fail(Reason::conflict);
  });
  neighbour.join();
  CHECK_FALSE(undone.ok());
  for (int id = 11; id < 20; ++id) REQUIRE(db->write([&](Tx& tx) { return fill(tx, id, id + 1); }).ok());
  for (const char* name : {"meta.db", "meta.db-wal"}) {
    std::filesystem::copy_file(folder.path(name), folder.path(std::string("crashed-") + name));
  }
  db = *open_sqlite(folder.path("crashed-meta.db"));
  CHECK(number("SELECT COUNT(*) FROM heavy") == 20);
  check_sound();
}

TEST_CASE_FIXTURE(Fixture, "pages that cannot be written fail their commit, and nothing after it") {
  REQUIRE(db->write([](Tx& tx) { return fill(tx, 0, 3); }).ok());
  for (int at : {1, 2, 9}) {
    CAPTURE(at);
    {
      failpoint::Armed full("meta.journal", at);
      auto refused = db->write([](Tx& tx) { return fill_by_script(tx, 3, rows_many); });
      REQUIRE_FALSE(refused.ok());
      CHECK(refused.error().reason == Reason::disk_full);
    }
    CHECK(number("SELECT COUNT(*) FROM heavy") == 3);
    check_sound();
  }
  {
    failpoint::Armed full("meta.journal");
    auto refused = db->write([](Tx& tx) { return fill(tx, 3, 4); });
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().reason == Reason::disk_full);
  }
  REQUIRE(db->write([](Tx& tx) { return fill(tx, 3, 6); }).ok());
  CHECK(number("SELECT COUNT(*) FROM heavy") == 6);
  db.reset();
  open();
  CHECK(number("SELECT COUNT(*) FROM heavy") == 6);
  check_sound();
}

}  // namespace
}  // namespace wharfage::meta
