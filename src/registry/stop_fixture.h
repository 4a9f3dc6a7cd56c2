// For tests only: a database that lets another node in at a chosen point, before one of the transactions of
// whoever works on it. One thread.
#pragma once

#include <functional>
#include <string>

#include "meta/db.h"

namespace wharfage::registry {

// Calls `interrupt` once, at the visit numbered `at`.
struct Stop {
  int at = 0, visits = 0;
  std::function<void()> interrupt;
  void visit() {
    if (++visits == at) interrupt();
  }
};

class StoppedDb final : public meta::Db {
 public:
  StoppedDb(meta::Db& db, Stop& stop) : x_db(db), x_stop(stop) {}
  Status backup(const std::string& file) override { return x_db.backup(file); }
  Status ping() override { return x_db.ping(); }

 private:
  Status write_any(const Work& work) override {
    x_stop.visit();
    return x_db.write(work);
  }
  Status read_any(const Work& work) override {
    x_stop.visit();
    return x_db.read(work);
  }
  meta::Db& x_db;
  Stop& x_stop;
};

}  // namespace wharfage::registry
