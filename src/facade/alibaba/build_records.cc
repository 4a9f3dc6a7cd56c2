// Builds: starting, watching and cancelling them. Times are milliseconds, numbers for one record and text in
// lists; a build that has not started or ended has none. The log is paged by lines.
#include <fmt/format.h>

#include "build/ops.h"
#include "facade/alibaba/action.h"

namespace wharfage::alibaba {
namespace {

using wire::field;
using wire::required;

// ---- queries

struct ByRuleQuery {
  std::string build_rule_id;
  std::string instance_id;
  std::string repo_id;
  static constexpr auto fields() {
    return std::array{field<&ByRuleQuery::build_rule_id>("BuildRuleId", required),
                      field<&ByRuleQuery::instance_id>("InstanceId", required),
                      field<&ByRuleQuery::repo_id>("RepoId", required)};
  }
};
struct RecordQuery {
  std::string build_record_id;
  std::string instance_id;
  std::string repo_id;
  static constexpr auto fields() {
    return std::array{field<&RecordQuery::build_record_id>("BuildRecordId", required),
                      field<&RecordQuery::instance_id>("InstanceId", required),
                      field<&RecordQuery::repo_id>("RepoId", required)};
  }
};
struct GetQuery {
  std::string build_record_id;
  std::string instance_id;
  static constexpr auto fields() {
    return std::array{field<&GetQuery::build_record_id>("BuildRecordId", required),
                      field<&GetQuery::instance_id>("InstanceId", required)};
  }
};
struct ListQuery {
  std::string instance_id;
  std::string repo_id;
  std::optional<std::int64_t> page_no;
  std::optional<std::int64_t> page_size;
  static constexpr auto fields() {
    return std::array{field<&ListQuery::instance_id>("InstanceId", required),
                      field<&ListQuery::repo_id>("RepoId", required), field<&ListQuery::page_no>("PageNo"),
                      field<&ListQuery::page_size>("PageSize")};
  }
};
struct LogQuery {
  std::string build_record_id;
  std::string instance_id;
  std::optional<std::int64_t> offset;
  std::string repo_id;
  static constexpr auto fields() {
    return std::array{field<&LogQuery::build_record_id>("BuildRecordId", required),
                      field<&LogQuery::instance_id>("InstanceId", required),
                      field<&LogQuery::offset>("Offset").range(0, INT32_MAX),
                      field<&LogQuery::repo_id>("RepoId")};
  }
};

// ---- replies

struct CreateReply {
  std::string build_record_id;
  static constexpr auto fields() { return std::array{field<&CreateReply::build_record_id>("BuildRecordId")}; }
};
struct Image {
  std::string image_tag;
  std::string repo_name;
  std::string repo_namespace_name;
  static constexpr auto fields() {
    return std::array{field<&Image::image_tag>("ImageTag"), field<&Image::repo_name>("RepoName"),
                      field<&Image::repo_namespace_name>("RepoNamespaceName")};
  }
};
struct GetReply {
  std::string build_record_id;
  std::optional<std::int64_t> end_time;
  Image image;
  std::optional<std::int64_t> start_time;
  std::string status;
  static constexpr auto fields() {
    return std::array{field<&GetReply::build_record_id>("BuildRecordId"),
                      field<&GetReply::end_time>("EndTime"), field<&GetReply::image>("Image"),
                      field<&GetReply::start_time>("StartTime"), field<&GetReply::status>("Status")};
  }
};
struct StatusReply {
  std::string build_status;
  static constexpr auto fields() { return std::array{field<&StatusReply::build_status>("BuildStatus")}; }
};
struct ListedImage {
  std::string image_tag;
  std::string repo_id;
  std::string repo_name;
  std::string repo_namespace_name;
  static constexpr auto fields() {
    return std::array{field<&ListedImage::image_tag>("ImageTag"), field<&ListedImage::repo_id>("RepoId"),
                      field<&ListedImage::repo_name>("RepoName"),
                      field<&ListedImage::repo_namespace_name>("RepoNamespaceName")};
  }
};
struct RecordRow {
  std::string build_record_id;
  std::string build_status;
  std::optional<std::string> end_time;
  ListedImage image;
  std::optional<std::string> start_time;
  static constexpr auto fields() {
    return std::array{field<&RecordRow::build_record_id>("BuildRecordId"),
                      field<&RecordRow::build_status>("BuildStatus"), field<&RecordRow::end_time>("EndTime"),
                      field<&RecordRow::image>("Image"), field<&RecordRow::start_time>("StartTime")};
  }
};
struct ListReply {
  std::vector<RecordRow> build_records;
  std::int64_t page_no = 0;
  std::int64_t page_size = 0;
  std::string total_count;
  static constexpr auto fields() {
    return std::array{field<&ListReply::build_records>("BuildRecords"), field<&ListReply::page_no>("PageNo"),
                      field<&ListReply::page_size>("PageSize"), field<&ListReply::total_count>("TotalCount")};
  }
};
struct LogLine {
  std::string build_stage;
  std::int64_t line_number = 0;
  std::string message;
  static constexpr auto fields() {
    return std::array{field<&LogLine::build_stage>("BuildStage"), field<&LogLine::line_number>("LineNumber"),
                      field<&LogLine::message>("Message")};
  }
};
struct LogReply {
  std::vector<LogLine> build_record_logs;
  std::int64_t page_no = 0;
  std::int64_t page_size = 0;
  std::string total_count;
  static constexpr auto fields() {
    return std::array{field<&LogReply::build_record_logs>("BuildRecordLogs"),
                      field<&LogReply::page_no>("PageNo"), field<&LogReply::page_size>("PageSize"),
                      field<&LogReply::total_count>("TotalCount")};
  }
};

constexpr std::int64_t log_page_lines = 100;

// ---- between wire and domain

template <class T>
std::optional<T> moment(TimeMs time) {
  if (time == 0) return std::nullopt;
  if constexpr (std::is_same_v<T, std::string>)
    return fmt::to_string(time);
  else
    return time;
}

std::string status_of(const build::Record& record) {
  return std::string(build::progress_name(record.progress));
}

build::RecordRequest request_of(const RecordQuery& query) {
  return {query.build_record_id, query.repo_id};
}

RecordRow to_wire(const build::Record& record) {
  return {.build_record_id = record.id,
          .build_status = status_of(record),
          .end_time = moment<std::string>(record.ended_at),
          .image = {.image_tag = record.image_tag,
                    .repo_id = record.repository_public_id,
                    .repo_name = record.repository_name,
                    .repo_namespace_name = record.namespace_name},
          .start_time = moment<std::string>(record.started_at)};
}

// ---- actions

Result<CreateReply> create_by_rule(Call& call, const ByRuleQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(auto record, op::invoke<build::CreateRecordByRule>(call.rooms.builds, call.context,
                                                         {query.repo_id, query.build_rule_id}));
  return CreateReply{record.id};
}

Result<CreateReply> create_by_record(Call& call, const RecordQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(auto record,
      op::invoke<build::CreateRecordByRecord>(call.rooms.builds, call.context, request_of(query)));
  return CreateReply{record.id};
}

Result<GetReply> get_record(Call& call, const GetQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(auto record,
      op::invoke<build::GetRecord>(call.rooms.builds, call.context, {query.build_record_id, ""}));
  return GetReply{.build_record_id = record.id,
                  .end_time = moment<std::int64_t>(record.ended_at),
                  .image = {.image_tag = record.image_tag,
                            .repo_name = record.repository_name,
                            .repo_namespace_name = record.namespace_name},
                  .start_time = moment<std::int64_t>(record.started_at),
                  .status = status_of(record)};
}

Result<StatusReply> get_status(Call& call, const RecordQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(auto progress, op::invoke<build::GetRecordStatus>(call.rooms.builds, call.context, request_of(query)));
  return StatusReply{std::string(build::progress_name(progress))};
}

Result<ListReply> list_records(Call& call, const ListQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(PageOf page, page_of(query.page_no, query.page_size));
  TRY(auto found, op::invoke<build::ListRecords>(call.rooms.builds, call.context,
                                                 {query.repo_id, page.offset(), page.size}));
  ListReply reply{{}, page.number, page.size, fmt::to_string(found.total)};
  for (const auto& record : found.items) reply.build_records.push_back(to_wire(record));
  return reply;
}

Result<LogReply> list_log(Call& call, const LogQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  build::ListRecordLog::Request request;
  request.record_id = query.build_record_id;
  request.repository_id = query.repo_id;
  request.offset = query.offset.value_or(0);
  request.limit = log_page_lines;
  TRY(auto log, op::invoke<build::ListRecordLog>(call.rooms.builds, call.context, request));
  LogReply reply{{}, request.offset / log_page_lines + 1, log_page_lines, fmt::to_string(log.total)};
  for (const auto& line : log.lines) reply.build_record_logs.push_back({line.stage, line.number, line.text});
  return reply;
}

Result<Empty> cancel_record(Call& call, const RecordQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY_STATUS(op::invoke<build::CancelRecord>(call.rooms.builds, call.context, request_of(query)));
  return Empty{};
}

}  // namespace

std::span<const Action> build_record_actions() {
  static constexpr std::array table{
      action<&create_by_rule>("CreateBuildRecordByRule"),
      action<&create_by_record>("CreateBuildRecordByRecord"),
      action<&get_record>("GetRepoBuildRecord"),
      action<&get_status>("GetRepoBuildRecordStatus"),
      action<&list_records>("ListRepoBuildRecord"),
      action<&list_log>("ListRepoBuildRecordLog"),
      action<&cancel_record>("CancelRepoBuildRecord"),
  };
  return table;
}

}  // namespace wharfage::alibaba
