// Synchronisation tasks: one copy of one image to another registry. Sizes in bytes, times in milliseconds.
#include <fmt/format.h>

#include "facade/alibaba/action.h"
#include "facade/alibaba/registries.h"
#include "sync/ops/tasks.h"

namespace wharfage::alibaba {
namespace {

using wire::field;
using wire::required;

// ---- queries

struct CreateQuery {
  std::string instance_id;
  std::string repo_id;
  std::string tag;
  std::string target_instance_id;
  std::string target_namespace;
  std::string target_region_id;
  std::string target_repo_name;
  std::string target_tag;
  std::optional<bool> overwrite;
  std::string target_user_id;
  static constexpr auto fields() {
    return std::array{field<&CreateQuery::instance_id>("InstanceId", required),
                      field<&CreateQuery::repo_id>("RepoId", required),
                      field<&CreateQuery::tag>("Tag", required),
                      field<&CreateQuery::target_instance_id>("TargetInstanceId", required),
                      field<&CreateQuery::target_namespace>("TargetNamespace", required),
                      field<&CreateQuery::target_region_id>("TargetRegionId", required),
                      field<&CreateQuery::target_repo_name>("TargetRepoName", required),
                      field<&CreateQuery::target_tag>("TargetTag", required),
                      field<&CreateQuery::overwrite>("Override"),
                      field<&CreateQuery::target_user_id>("TargetUserId")};
  }
};
struct ByRuleQuery {
  std::string instance_id;
  std::string repo_id;
  std::string sync_rule_id;
  std::string tag;
  static constexpr auto fields() {
    return std::array{field<&ByRuleQuery::instance_id>("InstanceId", required),
                      field<&ByRuleQuery::repo_id>("RepoId", required),
                      field<&ByRuleQuery::sync_rule_id>("SyncRuleId", required),
                      field<&ByRuleQuery::tag>("Tag", required)};
  }
};
struct TaskQuery {
  std::string instance_id;
  std::string sync_task_id;
  static constexpr auto fields() {
    return std::array{field<&TaskQuery::instance_id>("InstanceId", required),
                      field<&TaskQuery::sync_task_id>("SyncTaskId", required)};
  }
};
struct ListQuery {
  std::string instance_id;
  std::optional<std::int64_t> page_no;
  std::optional<std::int64_t> page_size;
  std::string repo_name;
  std::string repo_namespace_name;
  std::string sync_record_id;
  std::string tag;
  static constexpr auto fields() {
    return std::array{field<&ListQuery::instance_id>("InstanceId", required),
                      field<&ListQuery::page_no>("PageNo"),
                      field<&ListQuery::page_size>("PageSize"),
                      field<&ListQuery::repo_name>("RepoName"),
                      field<&ListQuery::repo_namespace_name>("RepoNamespaceName"),
                      field<&ListQuery::sync_record_id>("SyncRecordId"),
                      field<&ListQuery::tag>("Tag")};
  }
};

// ---- replies

struct CreateReply {
  std::string sync_task_id;
  static constexpr auto fields() { return std::array{field<&CreateReply::sync_task_id>("SyncTaskId")}; }
};
struct Image {
  std::string image_tag;
  std::string instance_id;
  std::string region_id;
  std::string repo_name;
  std::string repo_namespace_name;
  static constexpr auto fields() {
    return std::array{field<&Image::image_tag>("ImageTag"), field<&Image::instance_id>("InstanceId"),
                      field<&Image::region_id>("RegionId"), field<&Image::repo_name>("RepoName"),
                      field<&Image::repo_namespace_name>("RepoNamespaceName")};
  }
};
struct LayerTask {
  std::string artifact_digest;
  std::string digest;
  std::int64_t size = 0;
  std::string sync_layer_task_id;
  std::int64_t synced_size = 0;
  std::string task_status;
  static constexpr auto fields() {
    return std::array{field<&LayerTask::artifact_digest>("ArtifactDigest"),
                      field<&LayerTask::digest>("Digest"),
                      field<&LayerTask::size>("Size"),
                      field<&LayerTask::sync_layer_task_id>("SyncLayerTaskId"),
                      field<&LayerTask::synced_size>("SyncedSize"),
                      field<&LayerTask::task_status>("TaskStatus")};
  }
};
struct GetReply {
  bool cross_user = false;
  Image image_from;
  Image image_to;
  std::vector<LayerTask> layer_tasks;
  std::int64_t progress = 0;
  std::string sync_batch_task_id;
  std::optional<std::string> sync_rule_id;
  std::string sync_task_id;
  bool sync_trans_accelerate = false;
  std::int64_t synced_size = 0;
  std::optional<std::string> task_issue;
  std::string task_status;
  std::string task_trigger;
  static constexpr auto fields() {
    return std::array{field<&GetReply::cross_user>("CrossUser"),
                      field<&GetReply::image_from>("ImageFrom"),
                      field<&GetReply::image_to>("ImageTo"),
                      field<&GetReply::layer_tasks>("LayerTasks"),
                      field<&GetReply::progress>("Progress"),
                      field<&GetReply::sync_batch_task_id>("SyncBatchTaskId"),
                      field<&GetReply::sync_rule_id>("SyncRuleId"),
                      field<&GetReply::sync_task_id>("SyncTaskId"),
                      field<&GetReply::sync_trans_accelerate>("SyncTransAccelerate"),
                      field<&GetReply::synced_size>("SyncedSize"),
                      field<&GetReply::task_issue>("TaskIssue"),
                      field<&GetReply::task_status>("TaskStatus"),
                      field<&GetReply::task_trigger>("TaskTrigger")};
  }
};
struct TaskRow {
  std::int64_t create_time = 0;
  bool cross_user = false;
  bool custom_link = false;
  Image image_from;
  Image image_to;
  std::optional<std::string> link_id;
  std::int64_t misspelt_modified_time = 0;
  std::int64_t modified_time = 0;
  std::string sync_batch_task_id;
  std::optional<std::string> sync_rule_id;
  std::string sync_task_id;
  bool sync_trans_accelerate = false;
  std::optional<std::string> task_issue;
  std::string task_status;
  std::string task_trigger;
  static constexpr auto fields() {
    return std::array{field<&TaskRow::create_time>("CreateTime"),
                      field<&TaskRow::cross_user>("CrossUser"),
                      field<&TaskRow::custom_link>("CustomLink"),
                      field<&TaskRow::image_from>("ImageFrom"),
                      field<&TaskRow::image_to>("ImageTo"),
                      field<&TaskRow::link_id>("LinkId"),
                      field<&TaskRow::misspelt_modified_time>("ModifedTime"),
                      field<&TaskRow::modified_time>("ModifiedTime"),
                      field<&TaskRow::sync_batch_task_id>("SyncBatchTaskId"),
                      field<&TaskRow::sync_rule_id>("SyncRuleId"),
                      field<&TaskRow::sync_task_id>("SyncTaskId"),
                      field<&TaskRow::sync_trans_accelerate>("SyncTransAccelerate"),
                      field<&TaskRow::task_issue>("TaskIssue"),
                      field<&TaskRow::task_status>("TaskStatus"),
                      field<&TaskRow::task_trigger>("TaskTrigger")};
  }
};
struct ListReply {
  std::int64_t page_no = 0;
  std::int64_t page_size = 0;
  std::vector<TaskRow> sync_tasks;
  std::string total_count;
  static constexpr auto fields() {
    return std::array{field<&ListReply::page_no>("PageNo"), field<&ListReply::page_size>("PageSize"),
                      field<&ListReply::sync_tasks>("SyncTasks"),
                      field<&ListReply::total_count>("TotalCount")};
  }
};

// ---- between wire and domain

std::string_view status_of(sync::State state) {
  switch (state) {
    case sync::State::pending:
      return "PENDING";
    case sync::State::running:
      return "SYNCHRONIZING";
    case sync::State::succeeded:
      return "SUCCESS";
    case sync::State::failed:
      return "ERROR";
    case sync::State::canceled:
      return "CANCELED";
  }
  return "ERROR";
}

std::optional<std::string> issue_of(sync::Issue issue) {
  switch (issue) {
    case sync::Issue::none:
      return std::nullopt;
    case sync::Issue::network:
      return "NETWORK_ERROR";
    case sync::Issue::denied:
      return "OSS_POLICY_UNAUTHORIZED";
    case sync::Issue::tag_conflict:
      return "TAG_CONFLICT";
    case sync::Issue::unsupported:
      return "UNSUPPORTED_FORMAT";
    case sync::Issue::too_long:
      return "DATA_LENGTH_EXCEEDED";
    case sync::Issue::internal:
      return "INTERNAL_ERROR";
  }
  return "INTERNAL_ERROR";
}

std::string trigger_of(sync::Trigger trigger) {
  return trigger == sync::Trigger::manual ? "INITIATIVE" : "PASSIVE";
}

std::optional<std::string> filled(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

Result<Image> image_of(Registries& registries, const sync::Side& side) {
  TRY(auto registry, registries.find(side.connection_id));
  return Image{.image_tag = side.tag,
               .instance_id = registry.alias,
               .region_id = registry.region,
               .repo_name = side.repository,
               .repo_namespace_name = side.namespace_name};
}

LayerTask to_wire(const sync::Layer& layer) {
  return {.artifact_digest = layer.artifact_digest,
          .digest = layer.digest,
          .size = layer.size,
          .sync_layer_task_id = layer.public_id,
          .synced_size = layer.done,
          .task_status = std::string(status_of(layer.state))};
}

Result<TaskRow> to_wire(Registries& registries, const sync::Task& task) {
  TaskRow row;
  TRY(row.image_from, image_of(registries, task.from));
  TRY(row.image_to, image_of(registries, task.to));
  row.create_time = task.created_at;
  row.misspelt_modified_time = row.modified_time = task.updated_at;
  row.sync_batch_task_id = task.batch_id;
  row.sync_rule_id = filled(task.rule_public_id);
  row.sync_task_id = task.public_id;
  row.task_issue = issue_of(task.issue);
  row.task_status = status_of(task.state);
  row.task_trigger = trigger_of(task.cause);
  return row;
}

// ---- actions

Result<CreateReply> create_task(Call& call, const CreateQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  sync::ops::CreateTask::Request request;
  request.repository_public_id = query.repo_id;
  request.tag = query.tag;
  request.alias = query.target_instance_id;
  request.region = query.target_region_id;
  request.target_namespace = query.target_namespace;
  request.target_repository = query.target_repo_name;
  request.target_tag = query.target_tag;
  request.overwrite = query.overwrite.value_or(false);
  TRY(auto task, op::invoke<sync::ops::CreateTask>(call.rooms.sync, call.context, request));
  return CreateReply{task.public_id};
}

Result<CreateReply> create_by_rule(Call& call, const ByRuleQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(auto task, op::invoke<sync::ops::CreateTaskByRule>(call.rooms.sync, call.context,
                                                         {query.sync_rule_id, query.repo_id, query.tag}));
  return CreateReply{task.public_id};
}

Result<GetReply> get_task(Call& call, const TaskQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(auto found, op::invoke<sync::ops::GetTask>(call.rooms.sync, call.context, {query.sync_task_id}));
  Registries registries(call);
  TRY(TaskRow row, to_wire(registries, found.task));
  GetReply reply;
  reply.image_from = row.image_from;
  reply.image_to = row.image_to;
  for (const auto& layer : found.layers) reply.layer_tasks.push_back(to_wire(layer));
  reply.progress = found.task.state == sync::State::succeeded ? 1 : 0;
  reply.sync_batch_task_id = row.sync_batch_task_id;
  reply.sync_rule_id = row.sync_rule_id;
  reply.sync_task_id = row.sync_task_id;
  reply.synced_size = found.task.bytes_done;
  reply.task_issue = row.task_issue;
  reply.task_status = row.task_status;
  reply.task_trigger = row.task_trigger;
  return reply;
}

Result<ListReply> list_tasks(Call& call, const ListQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(PageOf page, page_of(query.page_no, query.page_size));
  sync::ops::ListTasks::Request request;
  request.filter.source_namespace = query.repo_namespace_name;
  request.filter.source_repository = query.repo_name;
  request.filter.tag = query.tag;
  request.filter.batch_id = query.sync_record_id;
  request.slice = {page.offset(), page.size};
  TRY(auto found, op::invoke<sync::ops::ListTasks>(call.rooms.sync, call.context, request));
  ListReply reply{page.number, page.size, {}, fmt::to_string(found.total)};
  Registries registries(call);
  for (const auto& task : found.items) {
    TRY(TaskRow row, to_wire(registries, task));
    reply.sync_tasks.push_back(std::move(row));
  }
  return reply;
}

Result<Empty> cancel_task(Call& call, const TaskQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY_STATUS(op::invoke<sync::ops::CancelTask>(call.rooms.sync, call.context, {query.sync_task_id}));
  return Empty{};
}

}  // namespace

std::span<const Action> sync_task_actions() {
  static constexpr std::array table{
      action<&create_task>("CreateRepoSyncTask"), action<&create_by_rule>("CreateRepoSyncTaskByRule"),
      action<&get_task>("GetRepoSyncTask"),       action<&list_tasks>("ListRepoSyncTask"),
      action<&cancel_task>("CancelRepoSyncTask"),
  };
  return table;
}

}  // namespace wharfage::alibaba
