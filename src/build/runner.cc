#include "build/runner.h"

#include "build/account.h"
#include "build/attempt.h"
#include "build/records.h"
#include "wire/schema.h"

namespace wharfage::build {
namespace {

constexpr std::int64_t robots_per_look = 100;

struct Payload {
  std::string record;
  static constexpr auto fields() {
    return std::array{wire::field<&Payload::record>("record", wire::required)};
  }
};

struct EventData {
  std::string instance, name_space, repository;
  std::int64_t repository_id = 0;
  std::string record_id, rule_id, status, tag, digest, reference, commit, error, failing_stage, failing_step,
      actor;
  std::int64_t started_at = 0, ended_at = 0;
  static constexpr auto fields() {
    return std::array{wire::field<&EventData::instance>("instance"),
                      wire::field<&EventData::name_space>("namespace"),
                      wire::field<&EventData::repository>("repository"),
                      wire::field<&EventData::repository_id>("repository_id"),
                      wire::field<&EventData::record_id>("record_id"),
                      wire::field<&EventData::rule_id>("rule_id"),
                      wire::field<&EventData::status>("status"),
                      wire::field<&EventData::tag>("tag"),
                      wire::field<&EventData::digest>("digest"),
                      wire::field<&EventData::reference>("reference"),
                      wire::field<&EventData::commit>("commit"),
                      wire::field<&EventData::error>("error"),
                      wire::field<&EventData::failing_stage>("failing_stage"),
                      wire::field<&EventData::failing_step>("failing_step"),
                      wire::field<&EventData::actor>("actor"),
                      wire::field<&EventData::started_at>("started_at"),
                      wire::field<&EventData::ended_at>("ended_at")};
  }
};

std::string event_type(Progress progress) {
  if (progress == Progress::success) return "build.completed";
  return progress == Progress::canceled ? "build.canceled" : "build.failed";
}

}  // namespace

Runner::Runner(meta::Db& db, registry::Registry& registry, auth::Auth& auth, const crypto::Vault& vault,
               const Clock& clock, const Options& options, Log log)
    : x_db(db),
      x_registry(registry),
      x_auth(auth),
      x_vault(vault),
      x_clock(clock),
      x_options(options),
      x_log(std::move(log)),
      x_stores(options.work_folder + "/store", options.cache_bytes) {}

std::string Runner::payload(const std::string& record_id) {
  return wire::encode_json(Payload{record_id});
}

std::string Runner::secret_purpose(std::int64_t provider_id) {
  return "source-provider:" + std::to_string(provider_id);
}

job::Kind Runner::kind() {
  return {.name = job_kind,
          .concurrency = x_options.concurrency,
          .run = [this](job::Run& run) { return this->run(run); },
          .settle = [this](meta::Tx& tx, const job::Job& job,
                           const Error& error) { return settle(tx, job, error); },
          .keep_ms = limits::build_log_kept_ms};
}

Status Runner::recover() {
  remove_leftovers(x_options);
  x_stores.recover();
  TRY(auto left, x_db.read([](meta::Tx& tx) { return records::ended_with_robot(tx, robots_per_look); }));
  for (const Record& record : left) {
    Status revoked = x_auth.delete_robot(record.robot);
    if (!revoked.ok() && revoked.error().reason != Reason::robot_unknown) return revoked;
    TRY_STATUS(x_db.write([&](meta::Tx& tx) { return records::set_robot(tx, record.id, ""); }));
  }
  if (std::string reason = obstacle(); !reason.empty())
    x_log.info("images cannot be built here", {{"reason", reason}});
  return {};
}

Status Runner::run(job::Run& run) {
  TRY(auto payload, wire::decode_json<Payload>(run.job().payload));
  TRY(auto record, x_db.read([&](meta::Tx& tx) { return records::find_record(tx, payload.record); }));
  if (!record || ended(record->progress)) return {};
  Attempt attempt(*this, run, *std::move(record));
  return attempt.run();
}

// Also where no handler could run: cancelled before it began, or its server died twice.
Status Runner::settle(meta::Tx& tx, const job::Job& job, const Error& error) {
  TRY(auto payload, wire::decode_json<Payload>(job.payload));
  TRY(auto record, records::find_record(tx, payload.record));
  if (!record || ended(record->progress)) return {};
  bool interrupted = error.reason == Reason::lease_lost || error.reason == Reason::shutting_down;
  record->progress = job.state == job::State::canceled ? Progress::canceled : Progress::failed;
  record->ended_at = x_clock.now();
  record->error = interrupted ? "the server restarted while the build ran" : error.message;
  if (record->progress == Progress::canceled) record->error.clear();
  TRY_STATUS(records::end_record(tx, *record));
  return emit(tx, *record);
}

Status Runner::emit(meta::Tx& tx, const Record& record) {
  EventData data;
  data.instance = x_registry.instance().cri_id;
  data.name_space = record.namespace_name;
  data.repository = record.repository_name;
  data.repository_id = record.repository_id;
  data.record_id = record.id;
  data.rule_id = record.rule_id;
  data.status = progress_name(record.progress);
  data.tag = record.image_tag;
  data.digest = record.image_digest;
  data.reference = record.reference;
  data.commit = record.commit;
  data.error = record.error;
  data.failing_stage = record.failing_stage;
  data.failing_step = record.failing_step;
  data.actor = record.creator;
  data.started_at = record.started_at;
  data.ended_at = record.ended_at;
  std::string subject = record.repository();
  if (!record.image_tag.empty()) subject += ":" + record.image_tag;
  return x_registry.events().emit(tx, {.type = event_type(record.progress),
                                       .subject = subject,
                                       .namespace_id = record.namespace_id,
                                       .data = wire::encode_json(data)});
}

}  // namespace wharfage::build
