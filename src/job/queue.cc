#include "job/queue.h"

#include <algorithm>

#include "job/engine.h"
#include "job/records.h"

namespace wharfage::job {
namespace {

// Rows of up to 64 KiB: what one page may read at most.
constexpr std::int64_t log_chunks_per_page = 64;

}  // namespace

std::string_view state_name(State state) {
  constexpr std::string_view names[] = {"queued", "running", "succeeded", "failed", "canceled"};
  return names[static_cast<int>(state)];
}

Queue::Queue(meta::Db& db, const Clock& clock, Log log, QueueOptions options)
    : x_engine(std::make_unique<Engine>(db, clock, std::move(log), options)) {}

Queue::~Queue() = default;

void Queue::add_kind(Kind kind) {
  x_engine->add_kind(std::move(kind));
}

void Queue::start() {
  x_engine->start();
}

void Queue::stop() {
  x_engine->stop();
}

Result<JobId> Queue::enqueue(meta::Tx& tx, const NewJob& job) {
  return x_engine->enqueue(tx, job);
}

Status Queue::cancel(meta::Tx& tx, const JobId& id) {
  return x_engine->cancel(tx, id);
}

Result<std::optional<Job>> Queue::find(meta::Tx& tx, const JobId& id) {
  return records::find(tx, id);
}

Result<Queue::Page> Queue::list(meta::Tx& tx, const Filter& filter) {
  Page page;
  TRY(page.jobs, records::list(tx, filter));
  TRY(page.total, records::count(tx, filter));
  return page;
}

Result<Queue::LogPage> Queue::log(meta::Tx& tx, const JobId& id, std::int64_t offset, std::int64_t limit) {
  TRY(auto total, records::log_total(tx, id));
  if (!total) return fail(Reason::job_unknown, {}, id);
  LogPage page;
  page.total = *total;
  offset = std::max<std::int64_t>(offset, 0);
  auto wanted = static_cast<std::size_t>(std::clamp<std::int64_t>(limit, 0, limits::job_log_page_max));
  TRY(auto chunks, records::log_chunks(tx, id, offset, wanted == 0 ? 0 : log_chunks_per_page));
  for (const auto& chunk : chunks) unpack(chunk, offset, wanted, page.lines);
  return page;
}

bool Queue::wait_idle(std::int64_t timeout_ms) {
  return x_engine->wait_idle(timeout_ms);
}

std::string Queue::metrics() {
  return x_engine->metrics();
}

bool Queue::healthy() const {
  return x_engine->healthy();
}

}  // namespace wharfage::job
