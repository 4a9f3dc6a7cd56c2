// The database port: SQL in the subset that SQLite 3.40 and PostgreSQL 15 both take ($1 parameters,
// ON CONFLICT, RETURNING; no booleans: 0/1 integers; no AUTOINCREMENT; bytes as Bytes). The SQL itself lives
// in each room's records.cc, every statement as one R"sql(…)sql" literal: a test prepares all of them on a
// real PostgreSQL, so the text cannot drift. SQLite: one writer thread runs closures in savepoints and
// commits them in batches with synchronous=FULL; write() returns after its batch is on disk. Readers have a
// connection of their own for each read and see the last commit. All calls are thread-safe and blocking.
// LIKE heeds case, as on PostgreSQL. Keys are `INTEGER PRIMARY KEY`: SQLite then needs no second index.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/result.h"

namespace wharfage::meta {

struct Bytes {
  std::string data;
};

// One parameter or column.
class Value {
 public:
  Value() = default;  // NULL
  Value(std::nullopt_t) {}
  template <class T, std::enable_if_t<std::is_integral_v<T>, int> = 0>
  Value(T number) : x_(static_cast<std::int64_t>(number)) {}
  Value(double number) : x_(number) {}
  Value(std::string text) : x_(std::move(text)) {}
  Value(std::string_view text) : x_(std::string(text)) {}
  Value(const char* text) : x_(std::string(text)) {}
  Value(Bytes bytes) : x_(std::move(bytes)) {}
  template <class T>
  Value(std::optional<T> value) {
    if (value) *this = Value(*std::move(value));
  }

  const std::variant<std::monostate, std::int64_t, double, std::string, Bytes>& get() const { return x_; }

 private:
  std::variant<std::monostate, std::int64_t, double, std::string, Bytes> x_;
};

using Arguments = std::vector<Value>;

// A result row. Reading a column with the wrong type is a programming error (CHECK), NULL reads as 0 or "".
class Row {
 public:
  explicit Row(std::vector<Value> columns) : x_columns(std::move(columns)) {}
  std::size_t size() const { return x_columns.size(); }
  bool null(std::size_t column) const;
  std::int64_t integer(std::size_t column) const;
  double real(std::size_t column) const;
  std::string text(std::size_t column) const;
  std::string bytes(std::size_t column) const;
  std::optional<std::int64_t> optional_integer(std::size_t column) const;
  std::optional<std::string> optional_text(std::size_t column) const;

 private:
  std::vector<Value> x_columns;
};
using Rows = std::vector<Row>;

// One transaction (a savepoint inside the writer's batch). Lives only during the closure it is given to.
// Statements are prepared once per connection and found again by their text.
class Tx {
 public:
  virtual ~Tx() = default;
  // Errors: conflict when a constraint refuses (detail: "UNIQUE table.column, …", "PRIMARY KEY table.column",
  // "FOREIGN KEY", "NOT NULL table.column", "CHECK name"), disk_full, database_failed. As on PostgreSQL, a
  // failed statement fails the whole transaction: use ON CONFLICT where a conflict is an expected outcome.
  virtual Result<Rows> query(std::string_view sql, const Arguments& arguments = {}) = 0;
  virtual Result<std::int64_t> execute(std::string_view sql,
                                       const Arguments& arguments = {}) = 0;  // rows changed
  // Statements separated by ';', without arguments: for migrations, in whose words see Migration.
  virtual Status script(std::string_view ddl) = 0;
  // The first row, if any.
  Result<std::optional<Row>> first(std::string_view sql, const Arguments& arguments = {});
  // Runs `committed` after the transaction is on disk, on the thread that called write(). For caches and
  // wake-ups.
  virtual void on_commit(std::function<void()> committed) = 0;
};

class Db {
 public:
  virtual ~Db() = default;

  // Runs `work` in a transaction; an error rolls it back and is returned. `work` may run again after a lost
  // race (PostgreSQL serialisation), so it must have no other effects, and must never call write() itself.
  template <class F>
  auto write(F&& work) -> std::invoke_result_t<F, Tx&> {
    return run<std::invoke_result_t<F, Tx&>>(std::forward<F>(work), &Db::write_any);
  }
  // The same on a read-only snapshot. Not from inside a write(): ask its Tx. Both miss under a MemoryOnly.
  template <class F>
  auto read(F&& work) -> std::invoke_result_t<F, Tx&> {
    return run<std::invoke_result_t<F, Tx&>>(std::forward<F>(work), &Db::read_any);
  }

  // A consistent copy of a running database into `file`. Error: storage_failed.
  virtual Status backup(const std::string& file) = 0;
  virtual Status ping() = 0;

 protected:
  using Work = std::function<Status(Tx&)>;

 private:
  virtual Status write_any(const Work& work) = 0;
  virtual Status read_any(const Work& work) = 0;

  template <class R, class F>
  R run(F&& work, Status (Db::*how)(const Work&)) {
    std::optional<R> result;
    Status status = (this->*how)([&](Tx& tx) -> Status {
      result.emplace(work(tx));
      if (!result->ok()) return result->error();
      return {};
    });
    if (!status.ok()) return status.error();
    return *std::move(result);
  }
};

// A room's schema (1…99 are meta's own, migrate() adds them): numbered steps, applied in order, once. $BYTES
// stands for BLOB or BYTEA, $CLUSTERED after a table has its rows lie in the order of its primary key.
struct Migration {
  int number;             // unique over all rooms: auth 100…, job 200…, registry 300…, build 400…, scan 500…,
                          // sign 600…, sync 700…, inventory 800…, notify 900…
  std::string_view name;  // "auth: accounts"
  std::string_view sql;   // R"ddl(…)ddl", statements separated by ';'
};

// Opens (creating it if needed) the SQLite database in `file`; ":memory:" is not supported, tests use a
// folder.
Result<std::unique_ptr<Db>> open_sqlite(const std::string& file);

// Applies what is missing, in one transaction each. Error: schema_newer when the database knows a migration
// that this program does not.
Status migrate(Db& db, std::vector<Migration> migrations);

// Integer keys below 2^31, one sequence per kind, handed out in blocks: gaps after a restart are normal.
// Inside `tx`, so a rolled-back insert may leave a gap but never a duplicate.
class Ids {
 public:
  explicit Ids(Db& db);
  // Must not be called inside a write(): it takes its own transaction when a block is used up. Thread-safe.
  // Errors: quota_exceeded when a kind has used up its numbers, and those of write().
  Result<std::int64_t> next(std::string_view kind);

 private:
  struct Block;
  Db& x_db;
  std::shared_ptr<Block> x_blocks;
};

}  // namespace wharfage::meta
