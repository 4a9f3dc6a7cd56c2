// Build rules of a repository: which branch or tag becomes which image tag.
#include <fmt/format.h>

#include "build/ops.h"
#include "facade/alibaba/action.h"

namespace wharfage::alibaba {
namespace {

using wire::field;
using wire::required;

// ---- queries

struct CreateQuery {
  std::string image_tag;
  std::string instance_id;
  std::string push_name;
  std::string push_type;
  std::string repo_id;
  std::vector<std::string> build_args;
  std::string dockerfile_location;
  std::string dockerfile_name;
  std::vector<std::string> platforms;
  static constexpr auto fields() {
    return std::array{field<&CreateQuery::image_tag>("ImageTag", required),
                      field<&CreateQuery::instance_id>("InstanceId", required),
                      field<&CreateQuery::push_name>("PushName", required),
                      field<&CreateQuery::push_type>("PushType", required).one_of("GIT_BRANCH|GIT_TAG"),
                      field<&CreateQuery::repo_id>("RepoId", required),
                      field<&CreateQuery::build_args>("BuildArgs"),
                      field<&CreateQuery::dockerfile_location>("DockerfileLocation"),
                      field<&CreateQuery::dockerfile_name>("DockerfileName"),
                      field<&CreateQuery::platforms>("Platforms")};
  }
};
struct UpdateQuery {
  std::string build_rule_id;
  std::string instance_id;
  std::string repo_id;
  std::optional<std::vector<std::string>> build_args;
  std::optional<std::string> dockerfile_location;
  std::optional<std::string> dockerfile_name;
  std::optional<std::string> image_tag;
  std::optional<std::vector<std::string>> platforms;
  std::optional<std::string> push_name;
  std::optional<std::string> push_type;
  static constexpr auto fields() {
    return std::array{field<&UpdateQuery::build_rule_id>("BuildRuleId", required),
                      field<&UpdateQuery::instance_id>("InstanceId", required),
                      field<&UpdateQuery::repo_id>("RepoId", required),
                      field<&UpdateQuery::build_args>("BuildArgs"),
                      field<&UpdateQuery::dockerfile_location>("DockerfileLocation"),
                      field<&UpdateQuery::dockerfile_name>("DockerfileName"),
                      field<&UpdateQuery::image_tag>("ImageTag"),
                      field<&UpdateQuery::platforms>("Platforms"),
                      field<&UpdateQuery::push_name>("PushName"),
                      field<&UpdateQuery::push_type>("PushType").one_of("GIT_BRANCH|GIT_TAG")};
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
struct DeleteQuery {
  std::string build_rule_id;
  std::string instance_id;
  std::string repo_id;
  static constexpr auto fields() {
    return std::array{field<&DeleteQuery::build_rule_id>("BuildRuleId", required),
                      field<&DeleteQuery::instance_id>("InstanceId", required),
                      field<&DeleteQuery::repo_id>("RepoId", required)};
  }
};

// ---- replies

struct RuleReply {
  std::string build_rule_id;
  static constexpr auto fields() { return std::array{field<&RuleReply::build_rule_id>("BuildRuleId")}; }
};
struct RuleRow {
  std::vector<std::string> build_args;
  std::string build_rule_id;
  std::optional<std::string> dest_artifact_type;
  std::string dockerfile_location;
  std::string dockerfile_name;
  std::string image_tag;
  std::vector<std::string> platforms;
  std::string push_name;
  std::string push_type;
  static constexpr auto fields() {
    return std::array{field<&RuleRow::build_args>("BuildArgs"),
                      field<&RuleRow::build_rule_id>("BuildRuleId"),
                      field<&RuleRow::dest_artifact_type>("DestArtifactType"),
                      field<&RuleRow::dockerfile_location>("DockerfileLocation"),
                      field<&RuleRow::dockerfile_name>("DockerfileName"),
                      field<&RuleRow::image_tag>("ImageTag"),
                      field<&RuleRow::platforms>("Platforms"),
                      field<&RuleRow::push_name>("PushName"),
                      field<&RuleRow::push_type>("PushType")};
  }
};
struct ListReply {
  std::vector<RuleRow> build_rules;
  std::int64_t page_no = 0;
  std::int64_t page_size = 0;
  std::string total_count;
  static constexpr auto fields() {
    return std::array{field<&ListReply::build_rules>("BuildRules"), field<&ListReply::page_no>("PageNo"),
                      field<&ListReply::page_size>("PageSize"), field<&ListReply::total_count>("TotalCount")};
  }
};

// ---- actions

Result<RuleReply> create_rule(Call& call, const CreateQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  build::CreateRule::Request request{.repository_id = query.repo_id,
                                     .recipe = {.push_type = query.push_type,
                                                .push_name = query.push_name,
                                                .image_tag = query.image_tag,
                                                .dockerfile_location = query.dockerfile_location,
                                                .dockerfile_name = query.dockerfile_name,
                                                .arguments = query.build_args,
                                                .platforms = query.platforms}};
  TRY(auto rule, op::invoke<build::CreateRule>(call.rooms.builds, call.context, request));
  return RuleReply{rule.id};
}

Result<RuleReply> update_rule(Call& call, const UpdateQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  build::UpdateRule::Request request;
  request.repository_id = query.repo_id;
  request.rule_id = query.build_rule_id;
  request.push_type = query.push_type;
  request.push_name = query.push_name;
  request.image_tag = query.image_tag;
  request.dockerfile_location = query.dockerfile_location;
  request.dockerfile_name = query.dockerfile_name;
  request.arguments = query.build_args;
  request.platforms = query.platforms;
  TRY(auto rule, op::invoke<build::UpdateRule>(call.rooms.builds, call.context, request));
  return RuleReply{rule.id};
}

Result<ListReply> list_rules(Call& call, const ListQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(PageOf page, page_of(query.page_no, query.page_size));
  TRY(auto found, op::invoke<build::ListRules>(call.rooms.builds, call.context,
                                               {query.repo_id, page.offset(), page.size}));
  ListReply reply{{}, page.number, page.size, fmt::to_string(found.total)};
  for (const auto& rule : found.items) {
    reply.build_rules.push_back({.build_args = rule.recipe.arguments,
                                 .build_rule_id = rule.id,
                                 .dest_artifact_type = {},
                                 .dockerfile_location = rule.recipe.dockerfile_location,
                                 .dockerfile_name = rule.recipe.dockerfile_name,
                                 .image_tag = rule.recipe.image_tag,
                                 .platforms = rule.recipe.platforms,
                                 .push_name = rule.recipe.push_name,
                                 .push_type = rule.recipe.push_type});
  }
  return reply;
}

Result<Empty> delete_rule(Call& call, const DeleteQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY_STATUS(
      op::invoke<build::DeleteRule>(call.rooms.builds, call.context, {query.repo_id, query.build_rule_id}));
  return Empty{};
}

}  // namespace

std::span<const Action> build_rule_actions() {
  static constexpr std::array table{
      action<&create_rule>("CreateRepoBuildRule"),
      action<&update_rule>("UpdateRepoBuildRule"),
      action<&list_rules>("ListRepoBuildRule"),
      action<&delete_rule>("DeleteRepoBuildRule"),
  };
  return table;
}

}  // namespace wharfage::alibaba
