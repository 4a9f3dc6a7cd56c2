#include "job/queue.h"

namespace wharfage::job {

// jobs.state: 0 queued, 1 running, 2 succeeded, 3 failed, 4 canceled. event_deliveries.state: 0 waiting,
// 1 done, 2 failed. The statements spell the numbers out where a partial index must be recognised.
std::vector<meta::Migration> schema() {
  return {
      {200, "job: jobs", R"ddl(
        CREATE TABLE jobs (
          id TEXT PRIMARY KEY,
          kind TEXT NOT NULL,
          payload TEXT NOT NULL,
          subject TEXT NOT NULL,
          dedupe_key TEXT NOT NULL,
          state INTEGER NOT NULL,
          attempt INTEGER NOT NULL,
          attempts_max INTEGER NOT NULL,
          fence BIGINT NOT NULL,
          node TEXT NOT NULL,
          lease_until BIGINT NOT NULL,
          cancel_asked INTEGER NOT NULL,
          progress INTEGER NOT NULL,
          error TEXT NOT NULL,
          log_lines BIGINT NOT NULL,
          created_at BIGINT NOT NULL,
          run_at BIGINT NOT NULL,
          started_at BIGINT NOT NULL,
          ended_at BIGINT NOT NULL
        );
        CREATE UNIQUE INDEX jobs_dedupe ON jobs (kind, dedupe_key) WHERE state = 0 AND dedupe_key <> '';
        CREATE INDEX jobs_due ON jobs (kind, run_at) WHERE state = 0;
        CREATE INDEX jobs_leases ON jobs (kind, lease_until) WHERE state = 1;
        CREATE INDEX jobs_canceling ON jobs (node) WHERE state = 1 AND cancel_asked = 1;
        CREATE INDEX jobs_ended ON jobs (kind, ended_at) WHERE state >= 2;
        CREATE INDEX jobs_newest ON jobs (created_at, id);
        CREATE INDEX jobs_newest_of_kind ON jobs (kind, created_at, id);
        CREATE TABLE job_log (
          job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
          last_line BIGINT NOT NULL,
          first_line BIGINT NOT NULL,
          lines TEXT NOT NULL,
          PRIMARY KEY (job_id, last_line)
        );
      )ddl"},
      {201, "job: events", R"ddl(
        CREATE TABLE events (
          id TEXT PRIMARY KEY,
          type TEXT NOT NULL,
          subject TEXT NOT NULL,
          namespace_id BIGINT NOT NULL,
          data TEXT NOT NULL,
          at BIGINT NOT NULL
        );
        CREATE INDEX events_age ON events (at);
        CREATE TABLE event_deliveries (
          event_id TEXT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
          subscriber TEXT NOT NULL,
          state INTEGER NOT NULL,
          attempt INTEGER NOT NULL,
          run_at BIGINT NOT NULL,
          error TEXT NOT NULL,
          PRIMARY KEY (event_id, subscriber)
        );
        CREATE INDEX event_deliveries_due ON event_deliveries (subscriber, run_at) WHERE state = 0;
      )ddl"},
  };
}

}  // namespace wharfage::job
