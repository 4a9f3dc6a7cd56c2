// All SQL of this room. Every function runs in the transaction it is given. Whoever holds a job is named by
// (id, fence); a statement that finds another fence changes nothing and says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "job/events.h"
#include "job/lines.h"
#include "job/queue.h"

namespace wharfage::job::records {

struct Claimed {
  Job job;
  std::int64_t fence = 0;
  std::int64_t log_lines = 0;
};
struct Holder {
  JobId id;
  std::int64_t fence = 0;
};
struct Claim {
  std::string kind, node;
  TimeMs now = 0;
  std::int64_t lease_ms = 0;
  std::int64_t limit = 0;
};
struct Ending {
  State state = State::succeeded;
  std::string error;
  int progress = 0;
  TimeMs now = 0;
};
struct Retry {
  TimeMs run_at = 0;
  std::string error;
  bool counts = true;  // false: the attempt is given back
};

Result<JobId> insert(meta::Tx& tx, const NewJob& job, TimeMs now);
Result<std::optional<Job>> find(meta::Tx& tx, const JobId& id);
Result<std::vector<Job>> list(meta::Tx& tx, const Queue::Filter& filter);
Result<std::int64_t> count(meta::Tx& tx, const Queue::Filter& filter);

// When the next queued job of the kind is due, and when its oldest lease runs out; nullopt: there is none.
Result<std::optional<TimeMs>> next_due(meta::Tx& tx, std::string_view kind);
Result<std::optional<TimeMs>> next_expiry(meta::Tx& tx, std::string_view kind);
Result<std::vector<Claimed>> claim_due(meta::Tx& tx, const Claim& claim);
Result<std::vector<Claimed>> claim_expired(meta::Tx& tx, const Claim& claim);
// Expired, and not to run again: no attempt left, or asked to end. Takes them over so that they can be ended.
Result<std::vector<Claimed>> take_exhausted(meta::Tx& tx, const Claim& claim);
Status expire_all(meta::Tx& tx);

// False: somebody else holds the job now. The flag tells whether a cancel was asked.
struct Held {
  bool held = false;
  bool cancel_asked = false;
};
Result<Held> extend(meta::Tx& tx, const Holder& holder, TimeMs lease_until);
Result<bool> end(meta::Tx& tx, const Holder& holder, const Ending& ending);
Result<bool> requeue(meta::Tx& tx, const Holder& holder, const Retry& retry);
Result<std::optional<Job>> cancel_queued(meta::Tx& tx, const JobId& id, std::string_view error, TimeMs now);
Result<bool> ask_cancel(meta::Tx& tx, const JobId& id);
Result<std::vector<JobId>> asked_to_cancel(meta::Tx& tx, std::string_view node);

Result<bool> append_log(meta::Tx& tx, const Holder& holder, int progress, const std::vector<LogLine>& lines);
Result<std::optional<std::int64_t>> log_total(meta::Tx& tx, const JobId& id);
Result<std::vector<Chunk>> log_chunks(meta::Tx& tx, const JobId& id, std::int64_t offset, std::int64_t limit);

// Counted up to limits::job_count_max.
Result<std::int64_t> count_queued(meta::Tx& tx, std::string_view kind);
Result<std::int64_t> count_running(meta::Tx& tx, std::string_view kind);
// Drops at most limits::job_prune_batch jobs that ended before; how many.
Result<std::int64_t> prune(meta::Tx& tx, std::string_view kind, TimeMs ended_before);

// ---- events
struct Delivery {
  Event event;
  int attempt = 0;
};
Status insert_event(meta::Tx& tx, const Event& event);
Status insert_delivery(meta::Tx& tx, const Event& event, std::string_view subscriber);
Result<std::optional<TimeMs>> next_delivery(meta::Tx& tx, std::string_view subscriber);
Result<std::vector<Delivery>> due_deliveries(meta::Tx& tx, std::string_view subscriber, TimeMs now);
// False: it is not waiting any more.
Result<bool> finish_delivery(meta::Tx& tx, const std::string& event_id, std::string_view subscriber);
Status fail_delivery(meta::Tx& tx, const std::string& event_id, std::string_view subscriber,
                     const Retry& retry, bool for_good);
// Drops at most limits::job_prune_batch events older than `before` that nobody waits for, and such older than
// `waiting_before` in any case; how many.
Result<std::int64_t> prune_events(meta::Tx& tx, TimeMs before, TimeMs waiting_before);

}  // namespace wharfage::job::records
