#include <fcntl.h>
#include <pthread.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/failpoint.h"
#include "base/limits.h"
#include "base/memory_only.h"
#include "base/random.h"
#include "meta/connection_sqlite.h"
#include "meta/db.h"

namespace wharfage::meta {
namespace {

constexpr std::int64_t scarce_journals = 8;  // a disk with room for fewer of them is nearly full
constexpr std::int64_t short_journal_bytes = 4 * 1024 * 1024;

using Callbacks = std::vector<std::function<void()>>;

class SqliteTx final : public Tx {
 public:
  explicit SqliteTx(Connection& connection) : x_connection(connection) {}

  Result<Rows> query(std::string_view sql, const Arguments& arguments) override {
    return guarded<Rows>([&] { return x_connection.query(sql, arguments); });
  }
  Result<std::int64_t> execute(std::string_view sql, const Arguments& arguments) override {
    return guarded<std::int64_t>([&] { return x_connection.execute(sql, arguments); });
  }
  Status script(std::string_view ddl) override {
    return guarded<void>([&] { return x_connection.script(ddl); });
  }
  void on_commit(std::function<void()> committed) override { x_committed.push_back(std::move(committed)); }

  // What the transaction comes to, given what its closure returned.
  Status outcome(Status returned) const {
    if (returned.ok() && x_failed) return *x_failed;
    return returned;
  }
  Callbacks take_callbacks() { return std::move(x_committed); }

 private:
  template <class T, class F>
  Result<T> guarded(F&& statement) {
    if (x_failed) return *x_failed;
    Result<T> result = statement();
    if (!result.ok()) x_failed = result.error();
    return result;
  }

  Connection& x_connection;
  std::optional<Error> x_failed;
  Callbacks x_committed;
};

// A write() that waits for its batch. Shared by the caller and the writer thread.
struct Pending {
  explicit Pending(const std::function<Status(Tx&)>& wanted) : work(wanted) {}
  const std::function<Status(Tx&)>& work;
  Status status;
  Callbacks committed;
  std::exception_ptr thrown;

  void finish() {
    std::lock_guard lock(mutex);
    done = true;
    wake.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex);
    wake.wait(lock, [&] { return done; });
  }

 private:
  std::mutex mutex;
  std::condition_variable wake;
  bool done = false;
};
using PendingPtr = std::shared_ptr<Pending>;

class SqliteDb final : public Db {
 public:
  SqliteDb(std::string file, std::unique_ptr<Connection> writer)
      : x_file(std::move(file)), x_writer(std::move(writer)), x_thread([this] { write_loop(); }) {
    pthread_setname_np(x_thread.native_handle(), "db-writer");
  }
  ~SqliteDb() override;

  Status backup(const std::string& file) override;
  Status ping() override;

 private:
  Status write_any(const Work& work) override;
  Status read_any(const Work& work) override;

  // The writer thread.
  void write_loop();
  PendingPtr next_pending(bool wait);
  void run_batch(PendingPtr pending);
  void run_one(Pending& pending);
  void end_one(Pending& pending);
  Status end_batch();
  bool journal_is_full() const;

  Result<std::unique_ptr<Connection>> take_reader();
  void return_reader(std::unique_ptr<Connection> reader);

  const std::string x_file;
  std::unique_ptr<Connection> x_writer;  // used by x_thread only

  std::mutex x_queue_mutex;
  std::condition_variable x_queue_filled;
  std::condition_variable x_queue_drained;
  std::deque<PendingPtr> x_queue;
  bool x_stopping = false;

  std::mutex x_readers_mutex;
  std::vector<std::unique_ptr<Connection>> x_readers;  // idle, the most recently used last

  std::thread x_thread;  // last: it uses everything above
};

SqliteDb::~SqliteDb() {
  {
    std::lock_guard lock(x_queue_mutex);
    x_stopping = true;
    x_queue_filled.notify_one();
  }
  x_thread.join();
  // The writer closes last and takes the journal files with it.
  x_readers.clear();
}

Status SqliteDb::write_any(const Work& work) {
  CHECK(std::this_thread::get_id() != x_thread.get_id(), "write() was called from inside write()");
  if (auto miss = MemoryOnly::misses()) return *std::move(miss);
  auto pending = std::make_shared<Pending>(work);
  {
    std::unique_lock lock(x_queue_mutex);
    x_queue_drained.wait(lock, [&] { return x_queue.size() < limits::write_queue_max; });
    x_queue.push_back(pending);
    x_queue_filled.notify_one();
  }
  pending->wait();
  // Taken out here: what the caller's closure left behind dies on the caller's thread, before write()
  // returns.
  if (auto thrown = std::exchange(pending->thrown, nullptr)) std::rethrow_exception(std::move(thrown));
  auto callbacks = std::exchange(pending->committed, {});
  if (pending->status.ok()) {
    for (auto& committed : callbacks) committed();
  }
  return std::move(pending->status);
}

PendingPtr SqliteDb::next_pending(bool wait) {
  std::unique_lock lock(x_queue_mutex);
  if (wait) x_queue_filled.wait(lock, [&] { return x_stopping || !x_queue.empty(); });
  if (x_queue.empty()) return nullptr;
  auto pending = std::move(x_queue.front());
  x_queue.pop_front();
  x_queue_drained.notify_one();
  return pending;
}

void SqliteDb::write_loop() {
  while (auto pending = next_pending(true)) run_batch(std::move(pending));
}

// Everything that is waiting shares one commit, and so one disk barrier.
void SqliteDb::run_batch(PendingPtr pending) {
  std::vector<PendingPtr> batch;
  Status ended;
  if (Status begun = x_writer->begin_writing(); begun.ok()) {
    while (pending) {
      batch.push_back(std::move(pending));
      run_one(*batch.back());
      if (!x_writer->in_transaction()) break;
      if (batch.size() < limits::write_batch_max) pending = next_pending(false);
    }
    ended = end_batch();
  } else {
    batch.push_back(std::move(pending));
    ended = begun.error();
  }
  for (auto& done : batch) {
    if (done->status.ok() && !ended.ok()) done->status = ended.error();
    done->finish();
  }
}

Status SqliteDb::end_batch() {
  Status ended;
  if (!x_writer->in_transaction()) {
    ended = fail(Reason::database_failed, {}, "the batch was rolled back");
  } else if (FAIL_POINT("meta.commit")) {
    ended = fail(Reason::disk_full);
  } else if (auto committed = x_writer->execute("COMMIT"); !committed.ok()) {
    ended = committed.error();
  }
  if (!ended.ok() && x_writer->in_transaction()) {
    auto undone = x_writer->execute("ROLLBACK");
    CHECK(undone.ok() || !x_writer->in_transaction(),
          "a transaction that failed to commit can be rolled back");
  }
  // After a failure, too: a journal that begins anew may be all that a full disk has room for.
  if (!ended.ok() || journal_is_full()) (void)x_writer->checkpoint();
  return ended;
}

// The more it may hold, the fewer times a page goes that changes again and again. The database grows by what
// is new, so the disk must have room for it: on one that is nearly full a short journal leaves the rest to
// the database, so that deleting still works when nothing else does.
bool SqliteDb::journal_is_full() const {
  const std::int64_t held = x_writer->journal_bytes();
  if (held < short_journal_bytes) return false;
  if (held >= limits::database_wal_bytes_kept) return true;
  struct statvfs disk{};
  if (::statvfs(x_file.c_str(), &disk) != 0) return false;
  auto free = static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize);
  return free < scarce_journals * limits::database_wal_bytes_kept;
}

void SqliteDb::run_one(Pending& pending) {
  if (auto opened = x_writer->execute("SAVEPOINT one"); !opened.ok()) {
    pending.status = opened.error();
    return;
  }
  SqliteTx tx(*x_writer);
  try {
    pending.status = tx.outcome(pending.work(tx));
  } catch (...) {
    pending.thrown = std::current_exception();  // belongs to the caller
    pending.status = fail(Reason::internal);
  }
  if (pending.status.ok() && x_writer->has_dangling_keys()) {
    pending.status = fail(Reason::conflict, {}, "FOREIGN KEY");
  }
  pending.committed = tx.take_callbacks();
  end_one(pending);
}

void SqliteDb::end_one(Pending& pending) {
  if (!x_writer->in_transaction()) return;  // SQLite has undone the whole batch
  bool kept = pending.status.ok();
  bool closed = (kept || x_writer->execute("ROLLBACK TO one").ok()) && x_writer->execute("RELEASE one").ok();
  if (closed) return;
  // The savepoint's changes can no longer be told from the others': nobody in this batch may be acknowledged.
  if (kept) pending.status = fail(Reason::database_failed, {}, "a savepoint could not be released");
  (void)x_writer->execute("ROLLBACK");
  CHECK(!x_writer->in_transaction(), "a broken batch can be rolled back");
}

Result<std::unique_ptr<Connection>> SqliteDb::take_reader() {
  {
    std::lock_guard lock(x_readers_mutex);
    if (!x_readers.empty()) {
      auto reader = std::move(x_readers.back());
      x_readers.pop_back();
      return reader;
    }
  }
  return Connection::open(x_file, Connection::Mode::reader);
}

void SqliteDb::return_reader(std::unique_ptr<Connection> reader) {
  auto ended = reader->execute("ROLLBACK");
  if (!ended.ok() || reader->in_transaction()) return;  // closed: a connection in doubt is not used again
  std::lock_guard lock(x_readers_mutex);
  if (x_readers.size() < limits::readers_idle_max) x_readers.push_back(std::move(reader));
}

Status SqliteDb::read_any(const Work& work) {
  CHECK(std::this_thread::get_id() != x_thread.get_id(), "read() was called from inside write()");
  if (auto miss = MemoryOnly::misses()) return *std::move(miss);
  TRY(auto reader, take_reader());
  TRY_STATUS(reader->execute("BEGIN"));
  SqliteTx tx(*reader);
  Status status;
  {
    struct Return {
      SqliteDb& db;
      std::unique_ptr<Connection>& reader;
      ~Return() { db.return_reader(std::move(reader)); }
    } returned{*this, reader};
    status = tx.outcome(work(tx));
  }
  if (status.ok()) {
    for (auto& committed : tx.take_callbacks()) committed();
  }
  return status;
}

Status sync_path(const std::string& path, int flags) {
  int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0) return fail(Reason::storage_failed);
  int synced = ::fsync(descriptor);
  ::close(descriptor);
  if (synced != 0) return fail(Reason::storage_failed);
  return {};
}

std::string folder_of(const std::string& file) {
  auto slash = file.rfind('/');
  if (slash == file.npos) return ".";
  return slash == 0 ? "/" : file.substr(0, slash);
}

// Under another name first: `file` is a whole copy or what it was before.
Status SqliteDb::backup(const std::string& file) {
  const std::string partial = file + "." + random_hex(4) + ".partial";
  int descriptor = ::open(partial.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return fail(Reason::storage_failed);
  ::close(descriptor);
  Status copied = [&]() -> Status {
    TRY(auto source, Connection::open(x_file, Connection::Mode::reader));
    TRY_STATUS(source->copy_to(partial));
    TRY_STATUS(sync_path(partial, O_RDONLY));
    if (std::rename(partial.c_str(), file.c_str()) != 0) return fail(Reason::storage_failed);
    return sync_path(folder_of(file), O_RDONLY | O_DIRECTORY);
  }();
  if (!copied.ok()) ::unlink(partial.c_str());
  return copied;
}

Status SqliteDb::ping() {
  return read([](Tx& tx) -> Status {
    TRY_STATUS(tx.query("SELECT count(*) FROM sqlite_master"));
    return {};
  });
}

}  // namespace

Result<std::unique_ptr<Db>> open_sqlite(const std::string& file) {
  TRY(auto writer, Connection::open(file, Connection::Mode::writer));
  TRY_STATUS(sync_path(folder_of(file), O_RDONLY | O_DIRECTORY));
  return std::unique_ptr<Db>(std::make_unique<SqliteDb>(file, std::move(writer)));
}

}  // namespace wharfage::meta
