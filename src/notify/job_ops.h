// The operations on background work as such: what waits, runs and has ended, its logs, and cancelling it.
// Administrators only, because a job says nothing of whose it is; the features show their own work to those
// who may see it. Their room is Jobs.
#pragma once

#include <cstdint>
#include <string>

#include "job/queue.h"
#include "meta/db.h"
#include "op/operation.h"

namespace wharfage::notify {

struct Jobs {
  meta::Db& db;
  job::Queue& queue;
};

struct ListJobs {
  static constexpr op::Declaration declaration{"jobs:ListJobs", auth::Access::administer};
  using Request = job::Queue::Filter;
  using Response = job::Queue::Page;
  static Result<auth::Resource> resource(Jobs& room, op::Context& context, const Request& request);
  static Result<Response> run(Jobs& room, op::Context& context, const Request& request);
};

struct JobRequest {
  job::JobId id;
};

struct GetJob {
  static constexpr op::Declaration declaration{"jobs:GetJob", auth::Access::administer};
  using Request = JobRequest;
  using Response = job::Job;
  static Result<auth::Resource> resource(Jobs& room, op::Context& context, const Request& request);
  static Result<Response> run(Jobs& room, op::Context& context, const Request& request);
};

struct GetJobLog {
  static constexpr op::Declaration declaration{"jobs:GetJobLog", auth::Access::administer};
  struct Request {
    job::JobId id;
    std::int64_t offset = 0, limit = 200;
  };
  using Response = job::Queue::LogPage;
  static Result<auth::Resource> resource(Jobs& room, op::Context& context, const Request& request);
  static Result<Response> run(Jobs& room, op::Context& context, const Request& request);
};

struct CancelJob {
  static constexpr op::Declaration declaration{"jobs:CancelJob", auth::Access::administer};
  using Request = JobRequest;
  using Response = op::Nothing;
  static Result<auth::Resource> resource(Jobs& room, op::Context& context, const Request& request);
  static Result<Response> run(Jobs& room, op::Context& context, const Request& request);
};

}  // namespace wharfage::notify
