// One SQLite connection: prepares statements once, binds $1…$n by their numbers and turns SQLite's codes into
// our reasons. Knows nothing of batches or pools (db_sqlite.cc). Owned and used by one thread at a time.
// Dialect and codes: sqlite.org/c3ref, version 3.40.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "meta/db.h"

struct sqlite3;
struct sqlite3_stmt;

namespace wharfage::meta {

class Connection {
 public:
  enum class Mode { writer, reader };
  // Creates the file (readable by its owner only) when a writer does not find it. Error: database_failed.
  static Result<std::unique_ptr<Connection>> open(const std::string& file, Mode mode);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Result<Rows> query(std::string_view sql, const Arguments& arguments = {});
  Result<std::int64_t> execute(std::string_view sql, const Arguments& arguments = {});
  Status script(std::string_view sql);

  Status begin_writing();  // a transaction
  // False once SQLite has rolled back on its own, as it may when the disk is full.
  bool in_transaction() const;
  // A deferred foreign key is still unsatisfied; it would fail the COMMIT and with it the whole batch.
  bool has_dangling_keys() const;
  // What the journal held after the last commit of this connection.
  std::int64_t journal_bytes() const { return x_journal_bytes; }
  // Carries the journal's pages into the database, as far as nobody reads older ones; waits for nobody. Once
  // all are there the journal begins anew.
  Status checkpoint();
  // Copies the last committed state into the new file `file` and syncs it.
  Status copy_to(const std::string& file);

 private:
  struct Statement {
    std::string sql;
    sqlite3_stmt* handle = nullptr;
    std::vector<std::size_t> arguments;  // which argument belongs to bind position i + 1
    std::size_t arguments_needed = 0;
  };
  Connection(sqlite3* handle, std::size_t statements_max)
      : x_handle(handle), x_statements_max(statements_max) {}

  static int committed(void* self, sqlite3*, const char* database, int pages);
  Status configure(Mode mode);
  Status pragma(const std::string& sql);
  Status run_script(std::string_view sql);
  Result<Statement*> prepare(std::string_view sql);
  Status bind(Statement& statement, const Arguments& arguments);
  Status step_all(Statement& statement, Rows* rows);
  Error last_error() const;

  sqlite3* x_handle;
  std::size_t x_statements_max;
  std::int64_t x_journal_bytes = 0;
  std::list<Statement> x_statements;  // most recently used first
  std::unordered_map<std::string_view, std::list<Statement>::iterator> x_by_sql;
};

}  // namespace wharfage::meta
