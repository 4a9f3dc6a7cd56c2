#include "meta/db.h"

#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <set>
#include <thread>

#include "base/failpoint.h"
#include "base/limits.h"
#include "base/test_folder.h"

namespace wharfage::meta {
namespace {

const std::vector<Migration> people = {{150, "test: people", R"ddl(
  CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  -- a comment; with a semicolon
  CREATE TABLE people (
    id INTEGER PRIMARY KEY,
    team_id INTEGER REFERENCES teams (id),
    name TEXT NOT NULL,
    mail TEXT NOT NULL,
    height DOUBLE PRECISION,
    photo $BYTES,
    CONSTRAINT tall CHECK (height < 3),
    UNIQUE (name, mail)
  );
)ddl"}};

struct Fixture {
  TestFolder folder;
  std::unique_ptr<Db> db = open();

  std::unique_ptr<Db> open() {
    auto opened = open_sqlite(folder.path("meta.db"));
    REQUIRE(opened.ok());
    REQUIRE(migrate(**opened, people).ok());
    return std::move(opened).value();
  }
  std::int64_t count(std::string_view table = "people") {
    auto found = db->read([&](Tx& tx) -> Result<std::int64_t> {
      TRY(auto row, tx.first("SELECT count(*) FROM " + std::string(table)));
      return row->integer(0);
    });
    REQUIRE(found.ok());
    return *found;
  }
  Status add(std::int64_t id, std::string name, Value team = {}) {
    return db->write([&](Tx& tx) { return add(tx, id, name, team); });
  }
  static Status add(Tx& tx, std::int64_t id, std::string name, Value team = {}) {
    TRY_STATUS(
        tx.execute("INSERT INTO people (id, name, mail, team_id) VALUES ($1, $2, $2, $3)", {id, name, team}));
    return {};
  }
};

TEST_CASE_FIXTURE(Fixture, "parameters are bound by number, whatever their order and however often") {
  auto row = db->read([](Tx& tx) { return tx.first("SELECT $2, $1, $2, $3", {1, "two", 3.5}); });
  REQUIRE(row.ok());
  CHECK((*row)->text(0) == "two");
  CHECK((*row)->integer(1) == 1);
  CHECK((*row)->text(2) == "two");
  CHECK((*row)->real(3) == 3.5);
  auto eleven = db->read([](Tx& tx) {
    return tx.first("SELECT $11, $1, $10, $2,$3,$4,$5,$6,$7,$8,$9", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  });
  REQUIRE(eleven.ok());
  CHECK((*eleven)->integer(0) == 11);
  CHECK((*eleven)->integer(1) == 1);
  CHECK((*eleven)->integer(2) == 10);
}

TEST_CASE_FIXTURE(Fixture, "every type comes back as it went in") {
  const std::string zeros("a\0b\0", 4);
  const std::string sql = "INSERT INTO people (id, name, mail, height, photo) VALUES ($1, $2, $3, $4, $5)";
  auto written = db->write([&](Tx& tx) -> Status {
    TRY_STATUS(tx.execute(sql, {1, "Zoë", "", 1.75, Bytes{zeros}}));
    TRY_STATUS(tx.execute(sql, {(std::int64_t{1} << 40), std::string("b"), "c", std::nullopt, Bytes{}}));
    return {};
  });
  REQUIRE(written.ok());
  auto rows = db->read([](Tx& tx) {
    return tx.query("SELECT id, name, mail, height, photo, team_id FROM people ORDER BY id");
  });
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 2);
  const Row& first = (*rows)[0];
  CHECK(first.size() == 6);
  CHECK(first.text(1) == "Zoë");
  CHECK(first.text(2) == "");
  CHECK_FALSE(first.null(2));
  CHECK(first.optional_text(2) == "");
  CHECK(first.real(3) == 1.75);
  CHECK(first.bytes(4) == zeros);
  CHECK(first.null(5));
  CHECK(first.integer(5) == 0);
  CHECK_FALSE(first.optional_integer(5));
  const Row& second = (*rows)[1];
  CHECK(second.integer(0) == std::int64_t{1} << 40);
  CHECK(second.null(3));
  CHECK_FALSE(second.null(4));
  CHECK(second.bytes(4).empty());
}

TEST_CASE_FIXTURE(Fixture, "execute counts the rows it changed") {
  auto counts = db->write([](Tx& tx) -> Result<std::vector<std::int64_t>> {
    TRY(auto added, tx.execute("INSERT INTO teams (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c')"));
    TRY(auto none, tx.execute("UPDATE teams SET name = 'z' WHERE id = 9"));
    TRY(auto two, tx.execute("DELETE FROM teams WHERE id > 1"));
    TRY(auto ddl, tx.execute("CREATE TABLE more (a INTEGER)"));
    TRY(auto again, tx.execute("INSERT INTO teams (id, name) VALUES (1, 'a') ON CONFLICT DO NOTHING"));
    return std::vector{added, none, two, ddl, again};
  });
  REQUIRE(counts.ok());
  CHECK(*counts == std::vector<std::int64_t>{3, 0, 2, 0, 0});
}

TEST_CASE_FIXTURE(Fixture, "a constraint is a conflict that says which one") {
  REQUIRE(add(1, "ada").ok());
  auto detail = [](const Status& status) {
    CHECK_FALSE(status.ok());
    if (status.ok()) return std::string();
    CHECK(status.error().reason == Reason::conflict);
    CHECK_FALSE(status.error().message.empty());
    return status.error().detail;
  };
  auto run = [&](std::string sql) {
    return detail(db->write([&](Tx& tx) -> Status {
      TRY_STATUS(tx.execute(sql));
      return {};
    }));
  };
  CHECK(detail(add(2, "ada")) == "UNIQUE people.name, people.mail");
  CHECK(detail(add(1, "bob")) == "PRIMARY KEY people.id");
  CHECK(detail(add(3, "cy", 77)) == "FOREIGN KEY");
  CHECK(run("INSERT INTO people (id, mail) VALUES (4, 'm')") == "NOT NULL people.name");
  CHECK(run("INSERT INTO people (id, name, mail, height) VALUES (4, 'm', 'm', 4)") == "CHECK tall");
  CHECK(count() == 1);
}

TEST_CASE_FIXTURE(Fixture, "an SQL error is contained") {
  auto status = db->read([](Tx& tx) { return tx.query("SELECT * FROM nowhere"); });
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().reason == Reason::database_failed);
  CHECK(status.error().message == "the database reported an error");
  CHECK(status.error().detail.find("nowhere") != std::string::npos);
  auto quoted = db->read([](Tx& tx) { return tx.query(R"(SELECT "text" FROM people)"); });
  CHECK_FALSE(quoted.ok());
  CHECK(db->ping().ok());
}

TEST_CASE_FIXTURE(Fixture, "a read cannot write") {
  auto status = db->read([](Tx& tx) { return add(tx, 1, "ada"); });
  CHECK_FALSE(status.ok());
  CHECK(count() == 0);
}

TEST_CASE_FIXTURE(Fixture, "LIKE heeds case") {
  auto row =
      db->read([](Tx& tx) { return tx.first("SELECT 'abc' LIKE 'ABC', 'a_c' LIKE 'a\\_c' ESCAPE '\\'"); });
  REQUIRE(row.ok());
  CHECK((*row)->integer(0) == 0);
  CHECK((*row)->integer(1) == 1);
}

TEST_CASE_FIXTURE(Fixture, "an error rolls back everything its closure did") {
  auto status = db->write([](Tx& tx) -> Status {
    TRY_STATUS(add(tx, 1, "ada"));
    return fail(Reason::denied);
  });
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().reason == Reason::denied);
  CHECK(count() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a transaction cannot go on after a failed statement") {
  REQUIRE(add(1, "ada").ok());
  auto status = db->write([](Tx& tx) -> Status {
    (void)add(tx, 2, "ada");
    CHECK_FALSE(tx.query("SELECT 1").ok());
    (void)add(tx, 3, "cy");
    return {};
  });
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().reason == Reason::conflict);
  CHECK(count() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a deferred key that dangles fails its own transaction only") {
  REQUIRE(db->write([](Tx& tx) {
              return tx.script(
                  "CREATE TABLE late (team INTEGER REFERENCES teams (id) DEFERRABLE INITIALLY DEFERRED)");
            }).ok());
  auto dangling = [](Tx& tx) { return tx.execute("INSERT INTO late (team) VALUES (5)"); };
  auto status = db->write(dangling);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().detail == "FOREIGN KEY");
  auto satisfied = db->write([&](Tx& tx) -> Status {
    TRY_STATUS(dangling(tx));
    TRY_STATUS(tx.execute("INSERT INTO teams (id, name) VALUES (5, 'five')"));
    return {};
  });
  CHECK(satisfied.ok());
}

TEST_CASE_FIXTURE(Fixture, "an exception reaches the caller and leaves nothing behind") {
  auto throwing = [](Tx& tx) -> Status {
    TRY_STATUS(add(tx, 1, "ada"));
    throw std::runtime_error("no");
  };
  CHECK_THROWS_AS((void)db->write(throwing), std::runtime_error);
  CHECK(count() == 0);
  CHECK_THROWS_AS((void)db->read([](Tx&) -> Status { throw std::runtime_error("no"); }), std::runtime_error);
  CHECK(add(1, "ada").ok());
}

TEST_CASE_FIXTURE(Fixture, "on_commit runs on the caller's thread, after a commit only") {
  std::vector<std::thread::id> ran;
  auto note = [&] { ran.push_back(std::this_thread::get_id()); };
  auto done = db->write([&](Tx& tx) -> Status {
    tx.on_commit(note);
    return add(tx, 1, "ada");
  });
  CHECK(done.ok());
  CHECK(ran == std::vector{std::this_thread::get_id()});
  auto failed = db->write([&](Tx& tx) -> Status {
    tx.on_commit(note);
    return add(tx, 1, "ada");
  });
  CHECK_FALSE(failed.ok());
  {
    failpoint::Armed armed("meta.commit");
    CHECK_FALSE(db->write([&](Tx& tx) -> Status {
                    tx.on_commit(note);
                    return add(tx, 2, "bob");
                  }).ok());
  }
  CHECK(ran.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a commit that fails acknowledges nobody and the next one works") {
  {
    failpoint::Armed armed("meta.commit");
    auto status = add(1, "ada");
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().reason == Reason::disk_full);
  }
  CHECK(count() == 0);
  CHECK(add(1, "ada").ok());
  CHECK(count() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a read sees one snapshot, and the next read the last commit") {
  auto seen = db->read([&](Tx& tx) -> Result<std::vector<std::int64_t>> {
    TRY(auto before, tx.first("SELECT count(*) FROM people"));
    std::thread other([&] { CHECK(add(1, "ada").ok()); });
    other.join();
    TRY(auto after, tx.first("SELECT count(*) FROM people"));
    return std::vector{before->integer(0), after->integer(0)};
  });
  REQUIRE(seen.ok());
  CHECK(*seen == std::vector<std::int64_t>{0, 0});
  CHECK(count() == 1);
}

TEST_CASE_FIXTURE(Fixture, "failures in a batch do not touch their neighbours") {
  constexpr int threads = 16, each = 40;
  std::atomic<int> wrong{0};
  std::vector<std::thread> writers;
  for (int t = 0; t < threads; ++t) {
    writers.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        std::int64_t id = t * each + i;
        bool fails = i % 3 == 0;
        auto status = db->write([&](Tx& tx) -> Status {
          TRY_STATUS(add(tx, id, "n" + std::to_string(id)));
          if (fails && i % 2 == 0) return fail(Reason::denied);
          if (fails) return add(tx, id, "again");
          return {};
        });
        if (status.ok() == fails) wrong++;
        auto seen = db->read([&](Tx& tx) { return tx.first("SELECT name FROM people WHERE id = $1", {id}); });
        if (!seen.ok() || seen->has_value() == fails) wrong++;
      }
    });
  }
  for (auto& writer : writers) writer.join();
  CHECK(wrong == 0);
  CHECK(count() == threads * (each - (each + 2) / 3));
}

TEST_CASE_FIXTURE(Fixture, "more statements than are kept prepared") {
  auto status = db->write([](Tx& tx) -> Status {
    for (int round = 0; round < 2; ++round) {
      for (int i = 0; i < 700; ++i) {
        TRY(auto row, tx.first("SELECT $1 + " + std::to_string(i), {round}));
        if (row->integer(0) != i + round) return fail(Reason::internal);
      }
    }
    return {};
  });
  CHECK(status.ok());
}

TEST_CASE_FIXTURE(Fixture, "a backup of a running database is whole") {
  for (int i = 0; i < 50; ++i) REQUIRE(add(i, "n" + std::to_string(i)).ok());
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 1000; !stop; ++i) CHECK(add(i, "n" + std::to_string(i)).ok());
  });
  auto copied = db->backup(folder.path("copy.db"));
  auto again = db->backup(folder.path("copy.db"));
  stop = true;
  writer.join();
  CHECK(copied.ok());
  CHECK(again.ok());
  auto copy = open_sqlite(folder.path("copy.db"));
  REQUIRE(copy.ok());
  auto row = (*copy)->read([](Tx& tx) { return tx.first("SELECT count(*) FROM people WHERE id < 1000"); });
  REQUIRE(row.ok());
  CHECK((*row)->integer(0) == 50);
  auto intact = (*copy)->read([](Tx& tx) { return tx.first("PRAGMA integrity_check"); });
  REQUIRE(intact.ok());
  CHECK((*intact)->text(0) == "ok");
  auto refused = db->backup(folder.path("no/such/folder/copy.db"));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().reason == Reason::storage_failed);
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    CHECK(entry.path().extension() != ".partial");
  }
}

TEST_CASE_FIXTURE(Fixture, "the journal is carried into the database while writing goes on") {
  const std::int64_t most = limits::database_wal_bytes_kept, row = 1024 * 1024;
  REQUIRE(db->write([](Tx& tx) { return tx.script("CREATE TABLE heavy (bytes BLOB)"); }).ok());
  for (std::int64_t written = 0; written < 3 * most; written += row) {
    auto added = db->write(
        [&](Tx& tx) { return tx.execute("INSERT INTO heavy (bytes) VALUES (zeroblob($1))", {row}); });
    REQUIRE(added.ok());
  }
  auto size = [&](const char* name) {
    return static_cast<std::int64_t>(std::filesystem::file_size(folder.path(name)));
  };
  CHECK(size("meta.db-wal") < 2 * most);
  CHECK(size("meta.db") > most);
}

TEST_CASE_FIXTURE(Fixture, "the database is readable by its owner only") {
  using std::filesystem::perms;
  REQUIRE(add(1, "ada").ok());
  for (auto name : {"meta.db", "meta.db-wal"}) {
    auto mode = std::filesystem::status(folder.path(name)).permissions();
    CHECK((mode & (perms::group_all | perms::others_all)) == perms::none);
  }
}

TEST_CASE("a database that cannot be opened is an error") {
  TestFolder folder;
  CHECK_FALSE(open_sqlite(folder.path("no/such/folder.db")).ok());
  folder.write("text.db", std::string(5000, 'x'));
  auto opened = open_sqlite(folder.path("text.db"));
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().reason == Reason::database_failed);
}

}  // namespace
}  // namespace wharfage::meta
