#include "job/records.h"

#include <algorithm>

#include "base/random.h"

namespace wharfage::job::records {
namespace {

// id, kind, payload, subject, state, attempt, attempts_max, progress, error, cancel_asked, created_at,
// run_at, started_at, ended_at
Job job_of(const meta::Row& row) {
  Job job;
  job.id = row.text(0);
  job.kind = row.text(1);
  job.payload = row.text(2);
  job.subject = row.text(3);
  job.state = static_cast<State>(row.integer(4));
  job.attempt = static_cast<int>(row.integer(5));
  job.attempts_max = static_cast<int>(row.integer(6));
  job.progress = static_cast<int>(row.integer(7));
  job.error = row.text(8);
  job.cancel_asked = row.integer(9) != 0;
  job.created_at = row.integer(10);
  job.run_at = row.integer(11);
  job.started_at = row.integer(12);
  job.ended_at = row.integer(13);
  return job;
}

std::vector<Claimed> claimed_of(const meta::Rows& rows) {
  std::vector<Claimed> claimed;
  for (const auto& row : rows) claimed.push_back({job_of(row), row.integer(14), row.integer(15)});
  return claimed;
}

std::int64_t state_number(const std::optional<State>& state) {
  return state ? static_cast<std::int64_t>(*state) : -1;
}

Result<std::optional<TimeMs>> time_of(meta::Tx& tx, std::string_view sql, std::string_view key) {
  TRY(auto row, tx.first(sql, {key}));
  if (!row) return std::optional<TimeMs>();
  return std::optional<TimeMs>(row->integer(0));
}

}  // namespace

Result<JobId> insert(meta::Tx& tx, const NewJob& job, TimeMs now) {
  TRY(auto row, tx.first(R"sql(
        INSERT INTO jobs (id, kind, payload, subject, dedupe_key, state, attempt, attempts_max, fence, node,
                          lease_until, cancel_asked, progress, error, log_lines, created_at, run_at,
                          started_at, ended_at)
        VALUES ($1, $2, $3, $4, $5, 0, 0, $6, 0, '', 0, 0, 0, '', 0, $7, $8, 0, 0)
        ON CONFLICT (kind, dedupe_key) WHERE state = 0 AND dedupe_key <> ''
        DO UPDATE SET run_at = CASE WHEN excluded.run_at < jobs.run_at THEN excluded.run_at
                                    ELSE jobs.run_at END
        RETURNING id
      )sql",
                         {random_hex(12), job.kind, job.payload, job.subject, job.dedupe_key,
                          job.attempts_max > 0 ? job.attempts_max : limits::job_attempts_max, now,
                          job.run_at > 0 ? job.run_at : now}));
  return row->text(0);
}

Result<std::optional<Job>> find(meta::Tx& tx, const JobId& id) {
  TRY(auto row, tx.first(R"sql(
    SELECT id, kind, payload, subject, state, attempt, attempts_max, progress, error, cancel_asked,
           created_at, run_at, started_at, ended_at
    FROM jobs WHERE id = $1
  )sql",
                         {id}));
  if (!row) return std::optional<Job>();
  return std::optional<Job>(job_of(*row));
}

Result<std::vector<Job>> list(meta::Tx& tx, const Queue::Filter& filter) {
  std::int64_t limit =
      std::clamp<std::int64_t>(filter.limit, 0, static_cast<std::int64_t>(limits::list_page_max));
  std::int64_t offset = std::clamp<std::int64_t>(filter.offset, 0, limits::job_count_max);
  std::int64_t state = state_number(filter.state);
  meta::Rows rows;
  if (filter.kind.empty()) {
    TRY(rows, tx.query(R"sql(
      SELECT id, kind, payload, subject, state, attempt, attempts_max, progress, error, cancel_asked,
             created_at, run_at, started_at, ended_at
      FROM jobs WHERE (CAST($1 AS INTEGER) < 0 OR state = CAST($1 AS INTEGER))
      ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3
    )sql",
                       {state, limit, offset}));
  } else {
    TRY(rows, tx.query(R"sql(
      SELECT id, kind, payload, subject, state, attempt, attempts_max, progress, error, cancel_asked,
             created_at, run_at, started_at, ended_at
      FROM jobs WHERE kind = $1 AND (CAST($2 AS INTEGER) < 0 OR state = CAST($2 AS INTEGER))
      ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4
    )sql",
                       {filter.kind, state, limit, offset}));
  }
  std::vector<Job> jobs;
  for (const auto& row : rows) jobs.push_back(job_of(row));
  return jobs;
}

Result<std::int64_t> count(meta::Tx& tx, const Queue::Filter& filter) {
  TRY(auto row, tx.first(R"sql(
    SELECT count(*) FROM (
      SELECT id FROM jobs
      WHERE ($1 = '' OR kind = $1) AND (CAST($2 AS INTEGER) < 0 OR state = CAST($2 AS INTEGER))
      LIMIT $3
    ) AS counted
  )sql",
                         {filter.kind, state_number(filter.state), limits::job_count_max}));
  return row->integer(0);
}

Result<std::optional<TimeMs>> next_due(meta::Tx& tx, std::string_view kind) {
  return time_of(tx, R"sql(
    SELECT run_at FROM jobs WHERE kind = $1 AND state = 0 ORDER BY run_at LIMIT 1
  )sql",
                 kind);
}

Result<std::optional<TimeMs>> next_expiry(meta::Tx& tx, std::string_view kind) {
  return time_of(tx, R"sql(
    SELECT lease_until FROM jobs WHERE kind = $1 AND state = 1 ORDER BY lease_until LIMIT 1
  )sql",
                 kind);
}

// The conditions are repeated outside the subquery: PostgreSQL checks them again on a row that another node
// has just changed.
Result<std::vector<Claimed>> claim_due(meta::Tx& tx, const Claim& claim) {
  TRY(auto rows, tx.query(R"sql(
    UPDATE jobs SET state = 1, attempt = attempt + 1, fence = fence + 1, node = $2, started_at = $3,
                    lease_until = CAST($4 AS BIGINT), progress = 0
    WHERE id IN (SELECT id FROM jobs WHERE kind = $1 AND state = 0 AND run_at <= $3
                 ORDER BY run_at LIMIT $5)
      AND state = 0
    RETURNING id, kind, payload, subject, state, attempt, attempts_max, progress, error, cancel_asked,
              created_at, run_at, started_at, ended_at, fence, log_lines
  )sql",
                          {claim.kind, claim.node, claim.now, claim.now + claim.lease_ms, claim.limit}));
  return claimed_of(rows);
}

Result<std::vector<Claimed>> claim_expired(meta::Tx& tx, const Claim& claim) {
  TRY(auto rows, tx.query(R"sql(
    UPDATE jobs SET attempt = attempt + 1, fence = fence + 1, node = $2, started_at = $3,
                    lease_until = CAST($4 AS BIGINT), progress = 0
    WHERE id IN (SELECT id FROM jobs WHERE kind = $1 AND state = 1 AND lease_until <= $3
                   AND attempt < attempts_max AND cancel_asked = 0
                 ORDER BY lease_until LIMIT $5)
      AND state = 1 AND lease_until <= $3
    RETURNING id, kind, payload, subject, state, attempt, attempts_max, progress, error, cancel_asked,
              created_at, run_at, started_at, ended_at, fence, log_lines
  )sql",
                          {claim.kind, claim.node, claim.now, claim.now + claim.lease_ms, claim.limit}));
  return claimed_of(rows);
}

Result<std::vector<Claimed>> take_exhausted(meta::Tx& tx, const Claim& claim) {
  TRY(auto rows, tx.query(R"sql(
    UPDATE jobs SET fence = fence + 1, node = $2, lease_until = CAST($4 AS BIGINT)
    WHERE id IN (SELECT id FROM jobs WHERE kind = $1 AND state = 1 AND lease_until <= $3
                   AND (attempt >= attempts_max OR cancel_asked = 1)
                 ORDER BY lease_until LIMIT $5)
      AND state = 1 AND lease_until <= $3
    RETURNING id, kind, payload, subject, state, attempt, attempts_max, progress, error, cancel_asked,
              created_at, run_at, started_at, ended_at, fence, log_lines
  )sql",
                          {claim.kind, claim.node, claim.now, claim.now + claim.lease_ms, claim.limit}));
  return claimed_of(rows);
}

Status expire_all(meta::Tx& tx) {
  TRY_STATUS(tx.execute(R"sql(UPDATE jobs SET lease_until = 0 WHERE state = 1)sql"));
  return {};
}

Result<Held> extend(meta::Tx& tx, const Holder& holder, TimeMs lease_until) {
  TRY(auto row, tx.first(R"sql(
    UPDATE jobs SET lease_until = $3 WHERE id = $1 AND fence = $2 AND state = 1 RETURNING cancel_asked
  )sql",
                         {holder.id, holder.fence, lease_until}));
  return Held{row.has_value(), row && row->integer(0) != 0};
}

Result<bool> end(meta::Tx& tx, const Holder& holder, const Ending& ending) {
  TRY(auto changed, tx.execute(R"sql(
        UPDATE jobs SET state = $3, error = $4, progress = $5, ended_at = $6, lease_until = 0
        WHERE id = $1 AND fence = $2 AND state = 1
      )sql",
                               {holder.id, holder.fence, static_cast<int>(ending.state), ending.error,
                                ending.progress, ending.now}));
  return changed == 1;
}

// While this one ran, another job with its key may have been queued: then it goes on without a key.
Result<bool> requeue(meta::Tx& tx, const Holder& holder, const Retry& retry) {
  TRY(auto changed, tx.execute(R"sql(
    UPDATE jobs SET state = 0, run_at = $3, error = $4, lease_until = 0, fence = fence + 1,
      attempt = attempt - CAST($5 AS INTEGER),
      dedupe_key = CASE WHEN EXISTS (SELECT 1 FROM jobs AS other WHERE other.kind = jobs.kind
                                       AND other.dedupe_key = jobs.dedupe_key AND other.state = 0
                                       AND other.dedupe_key <> '')
                        THEN '' ELSE dedupe_key END
    WHERE id = $1 AND fence = $2 AND state = 1
  )sql",
                               {holder.id, holder.fence, retry.run_at, retry.error, retry.counts ? 0 : 1}));
  return changed == 1;
}

Result<std::optional<Job>> cancel_queued(meta::Tx& tx, const JobId& id, std::string_view error, TimeMs now) {
  TRY(auto row, tx.first(R"sql(
    UPDATE jobs SET state = 4, cancel_asked = 1, error = $2, ended_at = $3 WHERE id = $1 AND state = 0
    RETURNING id, kind, payload, subject, state, attempt, attempts_max, progress, error, cancel_asked,
              created_at, run_at, started_at, ended_at
  )sql",
                         {id, error, now}));
  if (!row) return std::optional<Job>();
  return std::optional<Job>(job_of(*row));
}

Result<bool> ask_cancel(meta::Tx& tx, const JobId& id) {
  TRY(auto changed, tx.execute(R"sql(
    UPDATE jobs SET cancel_asked = 1 WHERE id = $1 AND state = 1
  )sql",
                               {id}));
  return changed == 1;
}

Result<std::vector<JobId>> asked_to_cancel(meta::Tx& tx, std::string_view node) {
  TRY(auto rows, tx.query(R"sql(
    SELECT id FROM jobs WHERE node = $1 AND state = 1 AND cancel_asked = 1
  )sql",
                          {node}));
  std::vector<JobId> ids;
  for (const auto& row : rows) ids.push_back(row.text(0));
  return ids;
}

Result<bool> append_log(meta::Tx& tx, const Holder& holder, int progress, const std::vector<LogLine>& lines) {
  TRY(auto changed, tx.execute(R"sql(
        UPDATE jobs SET progress = $3, log_lines = log_lines + CAST($4 AS BIGINT)
        WHERE id = $1 AND fence = $2 AND state = 1
      )sql",
                               {holder.id, holder.fence, progress, static_cast<std::int64_t>(lines.size())}));
  if (changed != 1) return false;
  for (const auto& chunk : pack(lines)) {
    TRY_STATUS(tx.execute(R"sql(
      INSERT INTO job_log (job_id, last_line, first_line, lines) VALUES ($1, $2, $3, $4)
    )sql",
                          {holder.id, chunk.last, chunk.first, chunk.text}));
  }
  return true;
}

Result<std::optional<std::int64_t>> log_total(meta::Tx& tx, const JobId& id) {
  return time_of(tx, R"sql(SELECT log_lines FROM jobs WHERE id = $1)sql", id);
}

Result<std::vector<Chunk>> log_chunks(meta::Tx& tx, const JobId& id, std::int64_t offset,
                                      std::int64_t limit) {
  TRY(auto rows, tx.query(R"sql(
    SELECT first_line, last_line, lines FROM job_log WHERE job_id = $1 AND last_line > $2
    ORDER BY last_line LIMIT $3
  )sql",
                          {id, offset, limit}));
  std::vector<Chunk> chunks;
  for (const auto& row : rows) chunks.push_back({row.integer(0), row.integer(1), row.text(2)});
  return chunks;
}

Result<std::int64_t> count_queued(meta::Tx& tx, std::string_view kind) {
  TRY(auto row, tx.first(R"sql(
    SELECT count(*) FROM (SELECT kind FROM jobs WHERE kind = $1 AND state = 0 LIMIT $2) AS counted
  )sql",
                         {kind, limits::job_count_max}));
  return row->integer(0);
}

Result<std::int64_t> count_running(meta::Tx& tx, std::string_view kind) {
  TRY(auto row, tx.first(R"sql(
    SELECT count(*) FROM (SELECT kind FROM jobs WHERE kind = $1 AND state = 1 LIMIT $2) AS counted
  )sql",
                         {kind, limits::job_count_max}));
  return row->integer(0);
}

Result<std::int64_t> prune(meta::Tx& tx, std::string_view kind, TimeMs ended_before) {
  return tx.execute(R"sql(
    DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE kind = $1 AND state >= 2 AND ended_at < $2
                                  ORDER BY ended_at LIMIT $3)
  )sql",
                    {kind, ended_before, limits::job_prune_batch});
}

Status insert_event(meta::Tx& tx, const Event& event) {
  TRY_STATUS(tx.execute(R"sql(
    INSERT INTO events (id, type, subject, namespace_id, data, at) VALUES ($1, $2, $3, $4, $5, $6)
  )sql",
                        {event.id, event.type, event.subject, event.namespace_id, event.data, event.at}));
  return {};
}

Status insert_delivery(meta::Tx& tx, const Event& event, std::string_view subscriber) {
  TRY_STATUS(tx.execute(R"sql(
    INSERT INTO event_deliveries (event_id, subscriber, state, attempt, run_at, error)
    VALUES ($1, $2, 0, 0, $3, '')
  )sql",
                        {event.id, subscriber, event.at}));
  return {};
}

Result<std::optional<TimeMs>> next_delivery(meta::Tx& tx, std::string_view subscriber) {
  TRY(auto row, tx.first(R"sql(
    SELECT run_at FROM event_deliveries WHERE subscriber = $1 AND state = 0 ORDER BY run_at LIMIT 1
  )sql",
                         {subscriber}));
  if (!row) return std::optional<TimeMs>();
  return std::optional<TimeMs>(row->integer(0));
}

Result<std::vector<Delivery>> due_deliveries(meta::Tx& tx, std::string_view subscriber, TimeMs now) {
  TRY(auto rows, tx.query(R"sql(
    SELECT events.id, events.type, events.subject, events.namespace_id, events.data, events.at,
           event_deliveries.attempt
    FROM event_deliveries JOIN events ON events.id = event_deliveries.event_id
    WHERE event_deliveries.subscriber = $1 AND event_deliveries.state = 0 AND event_deliveries.run_at <= $2
    ORDER BY event_deliveries.run_at LIMIT $3
  )sql",
                          {subscriber, now, limits::event_batch}));
  std::vector<Delivery> deliveries;
  for (const auto& row : rows) {
    Event event{row.text(0), row.text(1), row.text(2), row.integer(3), row.text(4), row.integer(5)};
    deliveries.push_back({std::move(event), static_cast<int>(row.integer(6))});
  }
  return deliveries;
}

Result<bool> finish_delivery(meta::Tx& tx, const std::string& event_id, std::string_view subscriber) {
  TRY(auto changed, tx.execute(R"sql(
    UPDATE event_deliveries SET state = 1 WHERE event_id = $1 AND subscriber = $2 AND state = 0
  )sql",
                               {event_id, subscriber}));
  return changed == 1;
}

Status fail_delivery(meta::Tx& tx, const std::string& event_id, std::string_view subscriber,
                     const Retry& retry, bool for_good) {
  TRY_STATUS(tx.execute(R"sql(
    UPDATE event_deliveries SET state = $3, attempt = attempt + 1, run_at = $4, error = $5
    WHERE event_id = $1 AND subscriber = $2 AND state = 0
  )sql",
                        {event_id, subscriber, for_good ? 2 : 0, retry.run_at, retry.error}));
  return {};
}

Result<std::int64_t> prune_events(meta::Tx& tx, TimeMs before, TimeMs waiting_before) {
  return tx.execute(R"sql(
    DELETE FROM events WHERE id IN (
      SELECT id FROM events
      WHERE at < $1 AND (at < $2 OR NOT EXISTS (SELECT 1 FROM event_deliveries
                                                WHERE event_id = events.id AND state = 0))
      ORDER BY at LIMIT $3)
  )sql",
                    {before, waiting_before, limits::job_prune_batch});
}

}  // namespace wharfage::job::records
