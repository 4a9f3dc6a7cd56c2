#include <doctest/doctest.h>

#include "base/test_folder.h"
#include "meta/db.h"

namespace wharfage::meta {
namespace {

const Migration first{
    110, "test: one",
    "CREATE TABLE one (id INTEGER PRIMARY KEY, bytes $BYTES); CREATE INDEX o ON one (bytes)"};
const Migration second{210, "test: two", "CREATE TABLE two (one_id INTEGER NOT NULL REFERENCES one (id));"};
const Migration broken{310, "test: broken",
                       "CREATE TABLE three (id INTEGER); CREATE TABLE three (id INTEGER)"};

struct Fixture {
  TestFolder folder;
  std::unique_ptr<Db> db = open();

  std::unique_ptr<Db> open() {
    auto opened = open_sqlite(folder.path("meta.db"));
    REQUIRE(opened.ok());
    return std::move(opened).value();
  }
  bool has_table(std::string name) {
    auto row =
        db->read([&](Tx& tx) { return tx.first("SELECT 1 FROM sqlite_master WHERE name = $1", {name}); });
    REQUIRE(row.ok());
    return row->has_value();
  }
};

TEST_CASE_FIXTURE(Fixture, "migrations are applied by number, once, whatever their order here") {
  REQUIRE(migrate(*db, {second, first}).ok());
  REQUIRE(migrate(*db, {first, second}).ok());
  db.reset();
  db = open();
  REQUIRE(migrate(*db, {first, second}).ok());
  auto rows = db->read([](Tx& tx) {
    return tx.query(
        "SELECT number, name, applied_at FROM schema_migrations WHERE number > 99 ORDER BY number");
  });
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 2);
  CHECK((*rows)[0].integer(0) == 110);
  CHECK((*rows)[1].text(1) == "test: two");
  CHECK((*rows)[1].text(2).starts_with("20"));
}

TEST_CASE_FIXTURE(Fixture, "a room may add a migration below those of others") {
  REQUIRE(migrate(*db, {second}).ok());
  CHECK_FALSE(has_table("one"));
  REQUIRE(migrate(*db, {first, second}).ok());
  CHECK(has_table("one"));
}

TEST_CASE_FIXTURE(Fixture, "a newer schema is refused and left alone") {
  REQUIRE(migrate(*db, {first, second}).ok());
  auto status = migrate(*db, {first, broken});
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().reason == Reason::schema_newer);
  CHECK(status.error().detail == "migration 210");
  CHECK_FALSE(has_table("three"));
}

TEST_CASE_FIXTURE(Fixture, "a migration that fails leaves nothing of itself") {
  auto status = migrate(*db, {first, broken});
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().reason == Reason::database_failed);
  CHECK(has_table("one"));
  CHECK_FALSE(has_table("three"));
  CHECK(migrate(*db, {first}).ok());
}

}  // namespace
}  // namespace wharfage::meta
