#include "notify/job_ops.h"

namespace wharfage::notify {
namespace {

auth::Resource installation(std::string name) {
  return {0, std::move(name), false};
}

}  // namespace

Result<auth::Resource> ListJobs::resource(Jobs&, op::Context&, const Request& request) {
  return installation(request.kind);
}
Result<ListJobs::Response> ListJobs::run(Jobs& room, op::Context&, const Request& request) {
  return room.db.read([&](meta::Tx& tx) { return room.queue.list(tx, request); });
}

Result<auth::Resource> GetJob::resource(Jobs&, op::Context&, const Request& request) {
  return installation(request.id);
}
Result<GetJob::Response> GetJob::run(Jobs& room, op::Context&, const Request& request) {
  TRY(auto job, room.db.read([&](meta::Tx& tx) { return room.queue.find(tx, request.id); }));
  if (!job) return fail(Reason::job_unknown, {}, request.id);
  return *std::move(job);
}

Result<auth::Resource> GetJobLog::resource(Jobs&, op::Context&, const Request& request) {
  return installation(request.id);
}
Result<GetJobLog::Response> GetJobLog::run(Jobs& room, op::Context&, const Request& request) {
  return room.db.read(
      [&](meta::Tx& tx) { return room.queue.log(tx, request.id, request.offset, request.limit); });
}

Result<auth::Resource> CancelJob::resource(Jobs&, op::Context&, const Request& request) {
  return installation(request.id);
}
Result<CancelJob::Response> CancelJob::run(Jobs& room, op::Context&, const Request& request) {
  TRY_STATUS(room.db.write([&](meta::Tx& tx) { return room.queue.cancel(tx, request.id); }));
  return op::Nothing{};
}

}  // namespace wharfage::notify
