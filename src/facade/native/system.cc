// Jobs, audit and what the installation is.
#include "facade/native/route.h"
#include "notify/job_ops.h"
#include "op/accounts.h"
#include "registry/ops/instance.h"

namespace wharfage::native {
namespace {

using wire::field;
using wire::required;

struct JobQuery {
  std::optional<std::string> kind;
  std::optional<std::string> state;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&JobQuery::kind>("kind"),
                      field<&JobQuery::state>("state").one_of("queued|running|succeeded|failed|canceled"),
                      field<&JobQuery::offset>("offset"), field<&JobQuery::limit>("limit")};
  }
};
struct JobKey {
  std::string id;
  static constexpr auto fields() { return std::array{field<&JobKey::id>("id", required)}; }
};
struct JobLogQuery {
  std::string id;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&JobLogQuery::id>("id", required), field<&JobLogQuery::offset>("offset"),
                      field<&JobLogQuery::limit>("limit")};
  }
};
struct Job {
  std::string id;
  std::string kind;
  std::string subject;
  std::string state;
  std::int64_t attempt = 0;
  std::int64_t attempts_max = 0;
  std::int64_t progress = 0;
  std::optional<std::string> error;
  std::string created_at;
  std::optional<std::string> started_at;
  std::optional<std::string> ended_at;
  static constexpr auto fields() {
    return std::array{field<&Job::id>("id"),
                      field<&Job::kind>("kind"),
                      field<&Job::subject>("subject"),
                      field<&Job::state>("state"),
                      field<&Job::attempt>("attempt"),
                      field<&Job::attempts_max>("attempts_max"),
                      field<&Job::progress>("progress"),
                      field<&Job::error>("error"),
                      field<&Job::created_at>("created_at"),
                      field<&Job::started_at>("started_at"),
                      field<&Job::ended_at>("ended_at")};
  }
};
struct JobList {
  std::vector<Job> items;
  std::int64_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&JobList::items>("items"), field<&JobList::total>("total")};
  }
};
struct LogLine {
  std::int64_t number = 0;
  std::string stage;
  std::string text;
  static constexpr auto fields() {
    return std::array{field<&LogLine::number>("number"), field<&LogLine::stage>("stage"),
                      field<&LogLine::text>("text")};
  }
};
struct JobLog {
  std::vector<LogLine> lines;
  std::int64_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&JobLog::lines>("lines"), field<&JobLog::total>("total")};
  }
};
struct AuditQuery {
  std::optional<std::string> actor;
  std::optional<std::string> action;
  std::optional<std::string> resource;
  std::optional<std::int64_t> before_id;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&AuditQuery::actor>("actor"), field<&AuditQuery::action>("action"),
                      field<&AuditQuery::resource>("resource"), field<&AuditQuery::before_id>("before_id"),
                      field<&AuditQuery::limit>("limit").range(1, 1000)};
  }
};
struct AuditEntry {
  std::int64_t id = 0;
  std::string at;
  std::string actor;
  std::string action;
  std::string resource;
  std::string outcome;
  std::string facade;
  std::string peer;
  std::string request_id;
  static constexpr auto fields() {
    return std::array{field<&AuditEntry::id>("id"),
                      field<&AuditEntry::at>("at"),
                      field<&AuditEntry::actor>("actor"),
                      field<&AuditEntry::action>("action"),
                      field<&AuditEntry::resource>("resource"),
                      field<&AuditEntry::outcome>("outcome"),
                      field<&AuditEntry::facade>("facade"),
                      field<&AuditEntry::peer>("peer"),
                      field<&AuditEntry::request_id>("request_id")};
  }
};
struct AuditList {
  std::vector<AuditEntry> items;
  std::int64_t next_before_id = 0;
  static constexpr auto fields() {
    return std::array{
        field<&AuditList::items>("items"),
        field<&AuditList::next_before_id>("next_before_id").about("0: there are no older entries")};
  }
};
struct Instance {
  std::string name;
  std::string cri_id;
  std::string uuid;
  std::string alibaba_region;
  std::string huawei_region;
  std::string project_id;
  std::string project_name;
  std::string domain_id;
  std::string domain_name;
  std::int64_t ali_uid = 0;
  std::string created_at;
  static constexpr auto fields() {
    return std::array{field<&Instance::name>("name"),
                      field<&Instance::cri_id>("cri_id"),
                      field<&Instance::uuid>("uuid"),
                      field<&Instance::alibaba_region>("alibaba_region"),
                      field<&Instance::huawei_region>("huawei_region"),
                      field<&Instance::project_id>("project_id"),
                      field<&Instance::project_name>("project_name"),
                      field<&Instance::domain_id>("domain_id"),
                      field<&Instance::domain_name>("domain_name"),
                      field<&Instance::ali_uid>("ali_uid"),
                      field<&Instance::created_at>("created_at")};
  }
};
struct Usage {
  std::int64_t namespaces = 0;
  std::int64_t repositories = 0;
  std::int64_t tags = 0;
  std::int64_t manifests = 0;
  std::int64_t blobs = 0;
  std::int64_t bytes = 0;
  static constexpr auto fields() {
    return std::array{field<&Usage::namespaces>("namespaces"),
                      field<&Usage::repositories>("repositories"),
                      field<&Usage::tags>("tags"),
                      field<&Usage::manifests>("manifests"),
                      field<&Usage::blobs>("blobs"),
                      field<&Usage::bytes>("bytes")};
  }
};

notify::Jobs jobs_of(Call& call) {
  return {call.rooms.registry.db(), call.rooms.queue};
}

Job to_wire(const job::Job& job) {
  return {job.id,
          job.kind,
          job.subject,
          std::string(job::state_name(job.state)),
          job.attempt,
          job.attempts_max,
          job.progress,
          unless_empty(job.error),
          rfc3339(job.created_at),
          unless_zero(job.started_at),
          unless_zero(job.ended_at)};
}

std::optional<job::State> parse_state(const std::optional<std::string>& name) {
  for (auto state : {job::State::queued, job::State::running, job::State::succeeded, job::State::failed,
                     job::State::canceled}) {
    if (name && job::state_name(state) == *name) return state;
  }
  return std::nullopt;
}

Result<JobList> list_jobs(Call& call, const JobQuery& query, const NoBody&) {
  TRY(auto slice, page_of(query.offset, query.limit));
  notify::Jobs jobs = jobs_of(call);
  job::Queue::Filter filter;
  filter.kind = query.kind.value_or("");
  filter.state = parse_state(query.state);
  filter.offset = slice.offset;
  filter.limit = slice.limit;
  TRY(auto page, op::invoke<notify::ListJobs>(jobs, call.context, filter));
  JobList list;
  for (const auto& job : page.jobs) list.items.push_back(to_wire(job));
  list.total = page.total;
  return list;
}

Result<Job> get_job(Call& call, const JobKey& query, const NoBody&) {
  notify::Jobs jobs = jobs_of(call);
  TRY(auto job, op::invoke<notify::GetJob>(jobs, call.context, {query.id}));
  return to_wire(job);
}

Result<JobLog> get_job_log(Call& call, const JobLogQuery& query, const NoBody&) {
  TRY(auto slice, page_of(query.offset, query.limit));
  notify::Jobs jobs = jobs_of(call);
  TRY(auto page, op::invoke<notify::GetJobLog>(jobs, call.context, {query.id, slice.offset, slice.limit}));
  JobLog log;
  for (const auto& line : page.lines) log.lines.push_back({line.number, line.stage, line.text});
  log.total = page.total;
  return log;
}

Result<Empty> cancel_job(Call& call, const JobKey& query, const NoBody&) {
  notify::Jobs jobs = jobs_of(call);
  TRY_STATUS(op::invoke<notify::CancelJob>(jobs, call.context, {query.id}));
  return Empty{};
}

Result<AuditList> list_audit(Call& call, const AuditQuery& query, const NoBody&) {
  op::Audit::Filter filter{query.actor.value_or(""), query.action.value_or(""), query.resource.value_or(""),
                           query.before_id.value_or(0), query.limit.value_or(50)};
  TRY(auto page, op::invoke<op::accounts::ListAudit>(call.context.audit, call.context, filter));
  AuditList list;
  for (const auto& entry : page.items) {
    list.items.push_back({entry.id, rfc3339_ms(entry.at), entry.actor, entry.action, entry.resource,
                          entry.outcome, entry.facade, entry.peer, entry.request_id});
  }
  list.next_before_id = page.next_before_id;
  return list;
}

Result<Instance> show_instance(Call& call, const NoBody&, const NoBody&) {
  const auto& ours = call.rooms.registry.instance();
  return Instance{ours.name,
                  ours.cri_id,
                  ours.uuid,
                  ours.alibaba_region,
                  ours.huawei_region,
                  ours.project_id,
                  ours.project_name,
                  ours.domain_id,
                  ours.domain_name,
                  ours.ali_uid,
                  rfc3339(ours.created_at)};
}

Result<Usage> show_usage(Call& call, const NoBody&, const NoBody&) {
  TRY(auto usage, op::invoke<registry::ops::GetUsage>(call.rooms.registry, call.context, {}));
  return Usage{usage.namespaces, usage.repositories, usage.tags, usage.manifests, usage.blobs, usage.bytes};
}

}  // namespace

std::span<const Route> system_routes() {
  static constexpr std::array table{
      route<&show_instance>("GET", "/api/v1/instance").about("the ids both clouds' clients need"),
      route<&show_usage>("GET", "/api/v1/usage").about("how much is stored"),
      route<&list_jobs>("GET", "/api/v1/jobs").about("list background jobs, newest first"),
      route<&get_job>("GET", "/api/v1/jobs/{id}").about("show a job"),
      route<&get_job_log>("GET", "/api/v1/jobs/{id}/log")
          .about("a job's lines after an offset, also while it runs"),
      route<&cancel_job>("POST", "/api/v1/jobs/{id}/cancel").about("cancel a job"),
      route<&list_audit>("GET", "/api/v1/audit").about("who did what, newest first"),
  };
  return table;
}

}  // namespace wharfage::native
