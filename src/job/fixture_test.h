// What this room's tests share: a database in a folder of its own, a clock that loops on other threads may
// read, and waiting for a condition with a deadline that only a broken program reaches.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/test_folder.h"
#include "job/queue.h"

namespace wharfage::job {

class ManualClock final : public Clock {
 public:
  TimeMs now() const override { return x_now; }
  void advance(TimeMs by) { x_now += by; }

 private:
  std::atomic<TimeMs> x_now{1'700'000'000'000};
};

class NoSink final : public LogSink {
 public:
  void write(std::string_view) override {}
};
inline Log quiet() {
  return Log(std::make_shared<NoSink>(), LogLevel::error);
}

inline std::vector<meta::Migration> test_schema() {
  auto migrations = schema();
  migrations.push_back(
      {299, "test: effects", R"ddl(CREATE TABLE effects (job TEXT NOT NULL, note TEXT NOT NULL))ddl"});
  return migrations;
}

inline std::unique_ptr<meta::Db> open_database(const TestFolder& folder) {
  auto db = meta::open_sqlite(folder.path("db"));
  REQUIRE(db.ok());
  REQUIRE(meta::migrate(**db, test_schema()).ok());
  return std::move(*db);
}

inline Status add_effect(meta::Tx& tx, std::string_view job, std::string_view note) {
  TRY_STATUS(tx.execute("INSERT INTO effects (job, note) VALUES ($1, $2)", {job, note}));
  return {};
}
// "note note …" of one job, in the order they were written; "" is everybody's.
inline std::string effects(meta::Db& db, std::string_view job = "") {
  auto rows = db.read([&](meta::Tx& tx) {
    return tx.query("SELECT note FROM effects WHERE ($1 = '' OR job = $1) ORDER BY rowid", {job});
  });
  REQUIRE(rows.ok());
  std::string text;
  for (const auto& row : *rows) text += (text.empty() ? "" : " ") + row.text(0);
  return text;
}

inline JobId enqueue(meta::Db& db, Queue& queue, const NewJob& job) {
  auto id = db.write([&](meta::Tx& tx) { return queue.enqueue(tx, job); });
  REQUIRE(id.ok());
  return *id;
}
inline Job find(meta::Db& db, Queue& queue, const JobId& id) {
  auto job = db.read([&](meta::Tx& tx) { return queue.find(tx, id); });
  REQUIRE(job.ok());
  REQUIRE(job->has_value());
  return **job;
}
inline Status cancel(meta::Db& db, Queue& queue, const JobId& id) {
  return db.write([&](meta::Tx& tx) { return queue.cancel(tx, id); });
}

// True once `condition` holds; false after a minute.
template <class F>
bool eventually(F&& condition) {
  for (int i = 0; i < 6000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return condition();
}

// Lets a handler wait until the test opens it.
class Gate {
 public:
  void open() {
    std::lock_guard lock(x_mutex);
    x_open = true;
    x_opened.notify_all();
  }
  void pass() {
    std::unique_lock lock(x_mutex);
    ++x_waiting;
    x_opened.wait(lock, [&] { return x_open; });
    --x_waiting;
  }
  int waiting() {
    std::lock_guard lock(x_mutex);
    return x_waiting;
  }

 private:
  std::mutex x_mutex;
  std::condition_variable x_opened;
  bool x_open = false;
  int x_waiting = 0;
};

constexpr std::int64_t patience_ms = 60'000;
constexpr std::int64_t never_ms = 3'600'000;

}  // namespace wharfage::job
