#include "build/ops.h"

#include "registry/ops/scope.h"

namespace wharfage::build {
namespace {

using Resource = Result<auth::Resource>;

// Only what the caller may read is found.
Result<registry::Repository> repository_of(Builds& room, op::Context& context, const std::string& public_id) {
  return registry::ops::find_repository(room.registry(), context, {.public_id = public_id});
}

Resource resource_of(Builds& room, op::Context& context, const std::string& public_id) {
  TRY(auto repository, repository_of(room, context, public_id));
  return repository.resource();
}

Result<Record> record_of(Builds& room, const RecordRequest& request) {
  TRY(Record record, room.get_record(request.record_id));
  if (!request.repository_id.empty() && request.repository_id != record.repository_public_id) {
    return fail(Reason::build_record_unknown);
  }
  return record;
}

// A record whose repository is gone, or not the caller's to read, does not exist either.
Resource resource_of(Builds& room, op::Context& context, const RecordRequest& request) {
  TRY(Record record, record_of(room, request));
  auto repository = registry::ops::find_repository(room.registry(), context, {.id = record.repository_id});
  if (repository.ok()) return repository->resource();
  if (repository.error().kind() == ErrorKind::not_found) return fail(Reason::build_record_unknown);
  return repository.error();
}

Status refuse_auto_build(const SourceRequest& request) {
  if (!request.auto_build) return {};
  return fail(Reason::unsupported, "builds are started by calls only: set AutoBuild to false", "AutoBuild");
}

Result<op::Nothing> nothing(Status status) {
  if (!status.ok()) return status.error();
  return op::Nothing{};
}

}  // namespace

Result<auth::Resource> CreateProvider::resource(Builds&, op::Context&, const Request&) {
  return auth::Resource{};
}
Result<CreateProvider::Response> CreateProvider::run(Builds& room, op::Context&, const Request& request) {
  return room.create_provider(request.provider, request.secret);
}

Result<auth::Resource> UpdateProvider::resource(Builds&, op::Context&, const Request&) {
  return auth::Resource{};
}
Result<UpdateProvider::Response> UpdateProvider::run(Builds& room, op::Context&, const Request& request) {
  return room.update_provider(request.provider, request.secret);
}

Result<auth::Resource> GetProvider::resource(Builds&, op::Context&, const Request&) {
  return auth::Resource{};
}
Result<GetProvider::Response> GetProvider::run(Builds& room, op::Context&, const Request& request) {
  return room.get_provider(request.name);
}

Result<auth::Resource> ListProviders::resource(Builds&, op::Context&, const Request&) {
  return auth::Resource{};
}
Result<ListProviders::Response> ListProviders::run(Builds& room, op::Context&, const Request& request) {
  return room.list_providers(request.offset, request.limit);
}

Result<auth::Resource> DeleteProvider::resource(Builds&, op::Context&, const Request&) {
  return auth::Resource{};
}
Result<DeleteProvider::Response> DeleteProvider::run(Builds& room, op::Context&, const Request& request) {
  return nothing(room.delete_provider(request.name));
}

Result<auth::Resource> CreateSource::resource(Builds& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.repository_id);
}
Result<CreateSource::Response> CreateSource::run(Builds& room, op::Context& context, const Request& request) {
  TRY_STATUS(refuse_auto_build(request));
  TRY(auto repository, repository_of(room, context, request.repository_id));
  return room.create_source(repository, request.source);
}

Result<auth::Resource> UpdateSource::resource(Builds& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.repository_id);
}
Result<UpdateSource::Response> UpdateSource::run(Builds& room, op::Context& context, const Request& request) {
  TRY_STATUS(refuse_auto_build(request));
  TRY(auto repository, repository_of(room, context, request.repository_id));
  return room.update_source(repository, request.source);
}

Result<auth::Resource> GetSource::resource(Builds& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.repository_id);
}
Result<GetSource::Response> GetSource::run(Builds& room, op::Context& context, const Request& request) {
  TRY(auto repository, repository_of(room, context, request.repository_id));
  return room.get_source(repository);
}

Result<auth::Resource> DeleteSource::resource(Builds& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.repository_id);
}
Result<DeleteSource::Response> DeleteSource::run(Builds& room, op::Context& context, const Request& request) {
  TRY(auto repository, repository_of(room, context, request.repository_id));
  return nothing(room.delete_source(repository));
}

Result<auth::Resource> CreateRule::resource(Builds& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.repository_id);
}
Result<CreateRule::Response> CreateRule::run(Builds& room, op::Context& context, const Request& request) {
  TRY(auto repository, repository_of(room, context, request.repository_id));
  return room.create_rule(repository, request.recipe);
}

Result<auth::Resource> UpdateRule::resource(Builds& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.repository_id);
}
Result<UpdateRule::Response> UpdateRule::run(Builds& room, op::Context& context, const Request& request) {
  TRY(auto repository, repository_of(room, context, request.repository_id));
  TRY(Rule rule, room.get_rule(repository, request.rule_id));
  Recipe next = rule.recipe;
  next.push_type = request.push_type.value_or(next.push_type);
  next.push_name = request.push_name.value_or(next.push_name);
  next.image_tag = request.image_tag.value_or(next.image_tag);
  next.dockerfile_location = request.dockerfile_location.value_or(next.dockerfile_location);
  next.dockerfile_name = request.dockerfile_name.value_or(next.dockerfile_name);
  next.arguments = request.arguments.value_or(next.arguments);
  next.platforms = request.platforms.value_or(next.platforms);
  return room.update_rule(repository, request.rule_id, next);
}

Result<auth::Resource> GetRule::resource(Builds& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.repository_id);
}
Result<GetRule::Response> GetRule::run(Builds& room, op::Context& context, const Request& request) {
  TRY(auto repository, repository_of(room, context, request.repository_id));
  return room.get_rule(repository, request.rule_id);
}

Result<auth::Resource> ListRules::resource(Builds& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.repository_id);
}
Result<ListRules::Response> ListRules::run(Builds& room, op::Context& context, const Request& request) {
  TRY(auto repository, repository_of(room, context, request.repository_id));
  return room.list_rules(repository, request.offset, request.limit);
}

Result<auth::Resource> DeleteRule::resource(Builds& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.repository_id);
}
Result<DeleteRule::Response> DeleteRule::run(Builds& room, op::Context& context, const Request& request) {
  TRY(auto repository, repository_of(room, context, request.repository_id));
  return nothing(room.delete_rule(repository, request.rule_id));
}

Result<auth::Resource> CreateRecordByRule::resource(Builds& room, op::Context& context,
                                                    const Request& request) {
  return resource_of(room, context, request.repository_id);
}
Result<CreateRecordByRule::Response> CreateRecordByRule::run(Builds& room, op::Context& context,
                                                             const Request& request) {
  TRY(auto repository, repository_of(room, context, request.repository_id));
  return room.build(repository, request.rule_id, context.who);
}

Result<auth::Resource> CreateRecordByRecord::resource(Builds& room, op::Context& context,
                                                      const Request& request) {
  return resource_of(room, context, request);
}
Result<CreateRecordByRecord::Response> CreateRecordByRecord::run(Builds& room, op::Context& context,
                                                                 const Request& request) {
  TRY(Record record, record_of(room, request));
  return room.build_again(record, context.who);
}

Result<auth::Resource> GetRecord::resource(Builds& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request);
}
Result<GetRecord::Response> GetRecord::run(Builds& room, op::Context&, const Request& request) {
  return record_of(room, request);
}

Result<auth::Resource> GetRecordStatus::resource(Builds& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request);
}
Result<GetRecordStatus::Response> GetRecordStatus::run(Builds& room, op::Context&, const Request& request) {
  TRY(Record record, record_of(room, request));
  return record.progress;
}

Result<auth::Resource> ListRecords::resource(Builds& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.repository_id);
}
Result<ListRecords::Response> ListRecords::run(Builds& room, op::Context& context, const Request& request) {
  TRY(auto repository, repository_of(room, context, request.repository_id));
  return room.list_records(repository, request.offset, request.limit);
}

Result<auth::Resource> ListRecordLog::resource(Builds& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request);
}
Result<ListRecordLog::Response> ListRecordLog::run(Builds& room, op::Context&, const Request& request) {
  TRY(Record record, record_of(room, request));
  return room.log(record, request.offset, request.limit);
}

Result<auth::Resource> CancelRecord::resource(Builds& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request);
}
Result<CancelRecord::Response> CancelRecord::run(Builds& room, op::Context&, const Request& request) {
  TRY(Record record, record_of(room, request));
  return nothing(room.cancel(record));
}

}  // namespace wharfage::build
