// The audit log: who did what to what, from where, with what outcome. Changes and refusals are kept as rows;
// reads only count in the metrics. Appended by a background batch so that no request waits for its audit row;
// what was recorded is on disk within a second, and flush() waits for it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "meta/db.h"

namespace wharfage::op {

std::vector<meta::Migration> schema();

struct AuditEntry {
  std::int64_t id = 0;
  TimeMs at = 0;
  std::string actor, action, resource, outcome;  // outcome: "ok" or a reason's name
  std::string facade, peer, request_id;
};

class Audit {
 public:
  Audit(meta::Db& db, const Clock& clock);
  ~Audit();  // flushes

  void record(AuditEntry entry);  // bounded queue; a full one makes the caller wait
  void count(std::string_view action, std::string_view outcome, std::int64_t micros);
  void flush();
  struct Filter {
    std::string actor, action, resource;
    std::int64_t before_id = 0;  // keyset: entries older than this; 0: newest
    std::int64_t limit = 50;
  };
  Result<std::vector<AuditEntry>> list(const Filter& filter);
  std::string metrics() const;  // Prometheus text: wharfage_operations_total{action,outcome}, …_seconds

 private:
  struct State;
  std::unique_ptr<State> x_state;
};

}  // namespace wharfage::op
