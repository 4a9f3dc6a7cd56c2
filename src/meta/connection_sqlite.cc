#include "meta/connection_sqlite.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>

#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"
#include "meta/journal_file.h"

namespace wharfage::meta {
namespace {

constexpr std::int64_t page_bytes = 4096;  // SQLite's own choice

// Without SQLite's memory statistics its allocations need no lock shared by all connections.
void configure_library() {
  static std::once_flag once;
  std::call_once(once, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
}

std::string constraint_text(int extended_code, std::string_view message) {
  // "UNIQUE constraint failed: table.a, table.b"
  auto colon = message.find(": ");
  std::string columns = colon == message.npos ? "" : " " + std::string(message.substr(colon + 2));
  switch (extended_code) {
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return "PRIMARY KEY" + columns;
    case SQLITE_CONSTRAINT_UNIQUE:
      return "UNIQUE" + columns;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return "FOREIGN KEY";
    case SQLITE_CONSTRAINT_NOTNULL:
      return "NOT NULL" + columns;
    case SQLITE_CONSTRAINT_CHECK:
      return "CHECK" + columns;
    default:
      return std::string(message);
  }
}

Error error_of(int extended_code, std::string_view message) {
  switch (extended_code & 0xff) {
    case SQLITE_CONSTRAINT:
      return fail(Reason::conflict, {}, constraint_text(extended_code, message));
    case SQLITE_FULL:
      return fail(Reason::disk_full);
    default:
      return fail(Reason::database_failed, {}, fmt::format("SQLite {}: {}", extended_code, message));
  }
}

Value column_value(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return Value(static_cast<std::int64_t>(sqlite3_column_int64(statement, column)));
    case SQLITE_FLOAT:
      return Value(sqlite3_column_double(statement, column));
    case SQLITE_TEXT: {
      auto text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      return Value(std::string(text, sqlite3_column_bytes(statement, column)));
    }
    case SQLITE_BLOB: {
      auto bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
      auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
      return Value(Bytes{size == 0 ? std::string() : std::string(bytes, size)});
    }
    default:
      return Value();
  }
}

// The bytes must stay where they are until the bindings are cleared.
struct Binder {
  sqlite3_stmt* statement;
  int position;
  int operator()(std::monostate) const { return sqlite3_bind_null(statement, position); }
  int operator()(std::int64_t number) const { return sqlite3_bind_int64(statement, position, number); }
  int operator()(double number) const { return sqlite3_bind_double(statement, position, number); }
  int operator()(const std::string& text) const {
    return sqlite3_bind_text64(statement, position, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  }
  int operator()(const Bytes& bytes) const {
    return sqlite3_bind_blob64(statement, position, bytes.data.data(), bytes.data.size(), SQLITE_STATIC);
  }
};

bool blank(std::string_view text) {
  return trim(text).empty();
}

// SQLite would make the file readable by everyone; the journal files take their mode from it.
Status create_private(const std::string& file) {
  int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return fail(Reason::database_failed, {}, "the database file cannot be created");
  ::close(descriptor);
  return {};
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const std::string& file, Mode mode) {
  configure_library();
  if (mode == Mode::writer) TRY_STATUS(create_private(file));
  sqlite3* handle = nullptr;
  int code = sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                             mode == Mode::writer ? journal_gathering_vfs() : nullptr);
  auto statements = mode == Mode::writer ? limits::writer_statements_max : limits::reader_statements_max;
  std::unique_ptr<Connection> connection(new Connection(handle, statements));
  if (code != SQLITE_OK) {
    return fail(Reason::database_failed, {}, fmt::format("SQLite {}: {}", code, sqlite3_errstr(code)));
  }
  TRY_STATUS(connection->configure(mode));
  return connection;
}

Connection::~Connection() {
  for (auto& statement : x_statements) sqlite3_finalize(statement.handle);
  if (x_handle) forget_gathered(x_handle);  // of a transaction that SQLite has undone
  sqlite3_close(x_handle);
}

Status Connection::configure(Mode mode) {
  sqlite3_extended_result_codes(x_handle, 1);
  sqlite3_busy_timeout(x_handle, limits::database_busy_timeout_ms);
  // A misspelt "column" must be an error, as it is on PostgreSQL, not a string.
  sqlite3_db_config(x_handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(x_handle, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(x_handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // First of all: with less, a commit would be seen before journal_file.h has written it.
  TRY_STATUS(pragma("PRAGMA synchronous = FULL"));
  if (mode == Mode::writer) {
    TRY(Rows mode_now, query("PRAGMA journal_mode = WAL"));
    if (mode_now.empty() || mode_now[0].text(0) != "wal") {
      return fail(Reason::database_failed, {}, "this file system cannot hold a database in WAL mode");
    }
    TRY_STATUS(pragma(fmt::format("PRAGMA journal_size_limit = {}", limits::database_wal_bytes_kept)));
    // Checkpoints are asked for by whoever commits.
    sqlite3_wal_hook(x_handle, &Connection::committed, this);
    // What savepoints would undo stays in memory: it was two thirds of all writes of a push.
    TRY_STATUS(pragma("PRAGMA temp_store = MEMORY"));
  }
  TRY_STATUS(pragma("PRAGMA foreign_keys = ON"));
  TRY_STATUS(pragma("PRAGMA case_sensitive_like = ON"));
  int cache = mode == Mode::writer ? limits::writer_page_cache_kib : limits::reader_page_cache_kib;
  TRY_STATUS(pragma(fmt::format("PRAGMA cache_size = -{}", cache)));
  // What a transaction changes stays in memory until it is committed: undoing one of its savepoints then
  // never takes back frames of the journal, whose checksums are chained.
  TRY_STATUS(pragma("PRAGMA cache_spill = OFF"));
  if (mode == Mode::reader) TRY_STATUS(pragma("PRAGMA query_only = ON"));
  return {};
}

int Connection::committed(void* self, sqlite3*, const char*, int pages) {
  static_cast<Connection*>(self)->x_journal_bytes = std::int64_t{pages} * page_bytes;
  return SQLITE_OK;
}

Status Connection::checkpoint() {
  forget_gathered(x_handle);
  int code = sqlite3_wal_checkpoint_v2(x_handle, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  // The kernel tells of pages it could not write only once: a second sync would succeed without them. The
  // journal has them all, and a process that starts carries them over anew.
  CHECK(code != SQLITE_IOERR_FSYNC, "the database's file can be synced");
  if (code == SQLITE_OK || code == SQLITE_BUSY) return {};  // busy: another connection is at it
  return last_error();
}

Status Connection::pragma(const std::string& sql) {
  if (sqlite3_exec(x_handle, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return last_error();
  return {};
}

Error Connection::last_error() const {
  return error_of(sqlite3_extended_errcode(x_handle), sqlite3_errmsg(x_handle));
}

Result<Connection::Statement*> Connection::prepare(std::string_view sql) {
  if (auto found = x_by_sql.find(sql); found != x_by_sql.end()) {
    x_statements.splice(x_statements.begin(), x_statements, found->second);
    return &x_statements.front();
  }
  Statement made;
  made.sql = sql;
  const char* rest = nullptr;
  if (sqlite3_prepare_v3(x_handle, made.sql.data(), static_cast<int>(made.sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &made.handle, &rest) != SQLITE_OK) {
    return last_error();
  }
  CHECK(made.handle != nullptr && blank(rest), "one call takes one SQL statement");
  for (int position = 1; position <= sqlite3_bind_parameter_count(made.handle); ++position) {
    const char* name = sqlite3_bind_parameter_name(made.handle, position);
    auto number = parse_integer(name == nullptr ? "" : std::string_view(name).substr(1));
    CHECK(name != nullptr && name[0] == '$' && number && *number >= 1, "SQL parameters are called $1, $2, …");
    made.arguments.push_back(static_cast<std::size_t>(*number) - 1);
    made.arguments_needed = std::max(made.arguments_needed, static_cast<std::size_t>(*number));
  }
  if (x_statements.size() >= x_statements_max) {
    x_by_sql.erase(x_statements.back().sql);
    sqlite3_finalize(x_statements.back().handle);
    x_statements.pop_back();
  }
  x_statements.push_front(std::move(made));
  x_by_sql.emplace(x_statements.front().sql, x_statements.begin());
  return &x_statements.front();
}

Status Connection::bind(Statement& statement, const Arguments& arguments) {
  CHECK(arguments.size() == statement.arguments_needed, "as many arguments as the SQL has parameters");
  for (std::size_t i = 0; i < statement.arguments.size(); ++i) {
    Binder binder{statement.handle, static_cast<int>(i) + 1};
    if (std::visit(binder, arguments[statement.arguments[i]].get()) != SQLITE_OK) return last_error();
  }
  return {};
}

Status Connection::step_all(Statement& statement, Rows* rows) {
  for (;;) {
    int code = sqlite3_step(statement.handle);
    if (code == SQLITE_DONE) return {};
    if (code != SQLITE_ROW) return last_error();
    if (rows == nullptr) continue;
    std::vector<Value> columns;
    int count = sqlite3_column_count(statement.handle);
    columns.reserve(static_cast<std::size_t>(count));
    for (int column = 0; column < count; ++column) columns.push_back(column_value(statement.handle, column));
    rows->emplace_back(std::move(columns));
  }
}

namespace {

// Whatever happened, the statement must not keep a lock or point at arguments that are gone.
struct Reset {
  sqlite3_stmt* statement;
  ~Reset() {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  }
};

}  // namespace

Result<Rows> Connection::query(std::string_view sql, const Arguments& arguments) {
  TRY(Statement * statement, prepare(sql));
  Reset reset{statement->handle};
  TRY_STATUS(bind(*statement, arguments));
  Rows rows;
  TRY_STATUS(step_all(*statement, &rows));
  return rows;
}

Result<std::int64_t> Connection::execute(std::string_view sql, const Arguments& arguments) {
  TRY(Statement * statement, prepare(sql));
  Reset reset{statement->handle};
  TRY_STATUS(bind(*statement, arguments));
  auto before = sqlite3_total_changes64(x_handle);
  TRY_STATUS(step_all(*statement, nullptr));
  // The count of an earlier statement stays when this one changes nothing by nature (DDL, BEGIN).
  if (sqlite3_total_changes64(x_handle) == before) return std::int64_t{0};
  return static_cast<std::int64_t>(sqlite3_changes64(x_handle));
}

namespace {

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at))
    text.replace(at, what.size(), with);
}

}  // namespace

// May change more than fits into memory. Nobody undoes a part of what a script did.
Status Connection::script(std::string_view sql) {
  TRY_STATUS(pragma("PRAGMA cache_spill = ON"));
  Status done = run_script(sql);
  TRY_STATUS(pragma("PRAGMA cache_spill = OFF"));
  return done;
}

Status Connection::run_script(std::string_view sql) {
  std::string text(sql);
  replace_all(text, "$BYTES", "BLOB");
  replace_all(text, "$CLUSTERED", "WITHOUT ROWID");
  const char* rest = text.c_str();
  while (*rest != '\0') {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(x_handle, rest, -1, &statement, &rest) != SQLITE_OK) return last_error();
    if (statement == nullptr) continue;  // a comment or an empty statement
    int code = SQLITE_ROW;
    while (code == SQLITE_ROW) code = sqlite3_step(statement);
    std::optional<Error> failed;
    if (code != SQLITE_DONE) failed = last_error();
    sqlite3_finalize(statement);
    if (failed) return *std::move(failed);
  }
  return {};
}

Status Connection::begin_writing() {
  forget_gathered(x_handle);
  TRY_STATUS(execute("BEGIN IMMEDIATE"));
  return {};
}

bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(x_handle) == 0;
}

bool Connection::has_dangling_keys() const {
  int dangling = 0, unused = 0;
  sqlite3_db_status(x_handle, SQLITE_DBSTATUS_DEFERRED_FKS, &dangling, &unused, 0);
  return dangling != 0;
}

Status Connection::copy_to(const std::string& file) {
  sqlite3* target = nullptr;
  int code = sqlite3_open_v2(file.c_str(), &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code == SQLITE_OK) {
    // All pages in one step: a step is one read snapshot, and writers need not wait for it.
    if (sqlite3_backup* copy = sqlite3_backup_init(target, "main", x_handle, "main")) {
      sqlite3_backup_step(copy, -1);
      code = sqlite3_backup_finish(copy);
    } else {
      code = sqlite3_extended_errcode(target);
    }
  }
  sqlite3_close(target);
  if (code == SQLITE_OK) return {};
  if ((code & 0xff) == SQLITE_FULL) return fail(Reason::disk_full);
  return fail(Reason::storage_failed, {}, fmt::format("SQLite {}: {}", code, sqlite3_errstr(code)));
}

}  // namespace wharfage::meta
