#include "meta/journal_file.h"

#include <doctest/doctest.h>

#include <string>

#include "base/failpoint.h"
#include "base/limits.h"
#include "base/test_folder.h"
#include "meta/db.h"

namespace wharfage::meta {
namespace {

constexpr std::int64_t row_bytes = 64 * 1024;
// So many that pages leave the cache for the journal before the commit.
constexpr std::int64_t rows_many = 2 * std::int64_t{limits::writer_page_cache_kib} * 1024 / row_bytes;

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
    TRY_STATUS(fill(tx, 0, rows_many));
    // Pages that are in the journal already are read, changed and written once more.
    TRY_STATUS(tx.execute("UPDATE heavy SET part = part + 1"));
    TRY(auto seen, tx.first("SELECT COUNT(*), SUM(part), SUM(LENGTH(bytes)) FROM heavy"));
    CHECK(seen->integer(0) == rows_many);
    CHECK(seen->integer(2) == rows_many * row_bytes);
    return {};
  });
  REQUIRE(done.ok());
  CHECK(number("SELECT COUNT(*) FROM heavy WHERE part = id % 7 + 1") == rows_many);
  db.reset();
  open();
  CHECK(number("SELECT SUM(LENGTH(bytes)) FROM heavy") == rows_many * row_bytes);
  check_sound();
}

TEST_CASE_FIXTURE(Fixture, "what a rolled back transaction has left in the journal disturbs nobody") {
  REQUIRE(db->write([](Tx& tx) { return fill(tx, 0, 10); }).ok());
  auto undone = db->write([](Tx& tx) -> Status {
    TRY_STATUS(fill(tx, 10, rows_many));
    return fail(Reason::conflict);
  });
  CHECK_FALSE(undone.ok());
  REQUIRE(db->write([](Tx& tx) { return fill(tx, 10, 20); }).ok());
  CHECK(number("SELECT COUNT(*) FROM heavy") == 20);
  check_sound();
}

TEST_CASE_FIXTURE(Fixture, "pages that cannot be written fail their commit, and nothing after it") {
  REQUIRE(db->write([](Tx& tx) { return fill(tx, 0, 3); }).ok());
  for (int at : {1, 2, 9}) {
    CAPTURE(at);
    {
      failpoint::Armed full("meta.journal", at);
      auto refused = db->write([](Tx& tx) { return fill(tx, 3, rows_many); });
      REQUIRE_FALSE(refused.ok());
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
