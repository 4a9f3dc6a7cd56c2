// Synchronisation rules. cr names the other side by instance id and region: every connected registry has both
// (connect::Connection::alias); LinkId, the connection's own id, goes before them. Filters are regular
// expressions. Rules made by other interfaces with other patterns have no form here and are not listed.
#include "facade/alibaba/action.h"
#include "facade/alibaba/registries.h"
#include "sync/ops/rules.h"
#include "sync/ops/tasks.h"

namespace wharfage::alibaba {
namespace {

using wire::field;
using wire::required;

// ---- queries

struct CreateQuery {
  std::string instance_id;
  std::string namespace_name;
  std::string sync_rule_name;
  std::string sync_scope;
  std::string tag_filter;
  std::string target_instance_id;
  std::string target_namespace_name;
  std::string target_region_id;
  std::string link_id;
  std::string repo_name;
  std::string repo_name_filter;
  std::string sync_trigger;
  std::string target_repo_name;
  std::string target_user_id;
  static constexpr auto fields() {
    return std::array{field<&CreateQuery::instance_id>("InstanceId", required),
                      field<&CreateQuery::namespace_name>("NamespaceName", required),
                      field<&CreateQuery::sync_rule_name>("SyncRuleName", required),
                      field<&CreateQuery::sync_scope>("SyncScope", required).one_of("REPO|NAMESPACE"),
                      field<&CreateQuery::tag_filter>("TagFilter", required),
                      field<&CreateQuery::target_instance_id>("TargetInstanceId", required),
                      field<&CreateQuery::target_namespace_name>("TargetNamespaceName", required),
                      field<&CreateQuery::target_region_id>("TargetRegionId", required),
                      field<&CreateQuery::link_id>("LinkId"),
                      field<&CreateQuery::repo_name>("RepoName"),
                      field<&CreateQuery::repo_name_filter>("RepoNameFilter"),
                      field<&CreateQuery::sync_trigger>("SyncTrigger").one_of("PASSIVE|INITIATIVE"),
                      field<&CreateQuery::target_repo_name>("TargetRepoName"),
                      field<&CreateQuery::target_user_id>("TargetUserId")};
  }
};
struct ListQuery {
  std::string instance_id;
  std::string namespace_name;
  std::optional<std::int64_t> page_no;
  std::optional<std::int64_t> page_size;
  std::string repo_name;
  std::string target_instance_id;
  std::string target_region_id;
  static constexpr auto fields() {
    return std::array{field<&ListQuery::instance_id>("InstanceId", required),
                      field<&ListQuery::namespace_name>("NamespaceName"),
                      field<&ListQuery::page_no>("PageNo"),
                      field<&ListQuery::page_size>("PageSize"),
                      field<&ListQuery::repo_name>("RepoName"),
                      field<&ListQuery::target_instance_id>("TargetInstanceId"),
                      field<&ListQuery::target_region_id>("TargetRegionId")};
  }
};
struct DeleteQuery {
  std::string instance_id;
  std::string sync_rule_id;
  static constexpr auto fields() {
    return std::array{field<&DeleteQuery::instance_id>("InstanceId", required),
                      field<&DeleteQuery::sync_rule_id>("SyncRuleId", required)};
  }
};

// ---- replies

struct CreateReply {
  std::string sync_rule_id;
  static constexpr auto fields() { return std::array{field<&CreateReply::sync_rule_id>("SyncRuleId")}; }
};
struct RuleRow {
  std::int64_t create_time = 0;
  bool cross_user = false;
  std::optional<std::string> link_id;
  std::string local_instance_id;
  std::string local_namespace_name;
  std::string local_region_id;
  std::string local_repo_name;
  std::int64_t modified_time = 0;
  std::string repo_name_filter;
  std::string sync_direction;
  std::string sync_rule_id;
  std::string sync_rule_name;
  std::string sync_scope;
  std::string sync_trigger;
  std::string tag_filter;
  std::string target_instance_id;
  std::string target_namespace_name;
  std::string target_region_id;
  std::string target_repo_name;
  static constexpr auto fields() {
    return std::array{field<&RuleRow::create_time>("CreateTime"),
                      field<&RuleRow::cross_user>("CrossUser"),
                      field<&RuleRow::link_id>("LinkId"),
                      field<&RuleRow::local_instance_id>("LocalInstanceId"),
                      field<&RuleRow::local_namespace_name>("LocalNamespaceName"),
                      field<&RuleRow::local_region_id>("LocalRegionId"),
                      field<&RuleRow::local_repo_name>("LocalRepoName"),
                      field<&RuleRow::modified_time>("ModifiedTime"),
                      field<&RuleRow::repo_name_filter>("RepoNameFilter"),
                      field<&RuleRow::sync_direction>("SyncDirection"),
                      field<&RuleRow::sync_rule_id>("SyncRuleId"),
                      field<&RuleRow::sync_rule_name>("SyncRuleName"),
                      field<&RuleRow::sync_scope>("SyncScope"),
                      field<&RuleRow::sync_trigger>("SyncTrigger"),
                      field<&RuleRow::tag_filter>("TagFilter"),
                      field<&RuleRow::target_instance_id>("TargetInstanceId"),
                      field<&RuleRow::target_namespace_name>("TargetNamespaceName"),
                      field<&RuleRow::target_region_id>("TargetRegionId"),
                      field<&RuleRow::target_repo_name>("TargetRepoName")};
  }
};
struct ListReply {
  std::int64_t page_no = 0;
  std::int64_t page_size = 0;
  std::vector<RuleRow> sync_rules;
  std::int64_t total_count = 0;
  static constexpr auto fields() {
    return std::array{field<&ListReply::page_no>("PageNo"), field<&ListReply::page_size>("PageSize"),
                      field<&ListReply::sync_rules>("SyncRules"),
                      field<&ListReply::total_count>("TotalCount")};
  }
};

// ---- between wire and domain

Status check(const CreateQuery& query) {
  if (query.sync_scope != "REPO") return {};
  if (query.repo_name.empty()) return fail(Reason::missing_parameter, "RepoName is required.", "RepoName");
  return query.target_repo_name.empty()
             ? fail(Reason::missing_parameter, "TargetRepoName is required.", "TargetRepoName")
             : Status();
}

// What the other account and link were called, to be shown again.
struct Extras {
  std::string link_id, user_id;
  static constexpr auto fields() {
    return std::array{field<&Extras::link_id>("LinkId"), field<&Extras::user_id>("TargetUserId")};
  }
};

sync::Rule rule_of(const CreateQuery& query, std::int64_t connection_id) {
  bool whole = query.sync_scope == "NAMESPACE";
  sync::Rule rule;
  rule.name = query.sync_rule_name;
  rule.connection_id = connection_id;
  rule.source_namespace = query.namespace_name;
  rule.scope = whole ? sync::Scope::whole_namespace : sync::Scope::repository;
  rule.source_repository = whole ? std::string() : query.repo_name;
  rule.patterns = sync::Patterns::regex;
  rule.repository_pattern = whole ? query.repo_name_filter : std::string();
  rule.tag_pattern = query.tag_filter;
  rule.target_namespace = query.target_namespace_name;
  rule.target_repository = whole ? std::string() : query.target_repo_name;
  rule.trigger = query.sync_trigger == "INITIATIVE" ? sync::Trigger::manual : sync::Trigger::event;
  rule.overwrite = true;  // the other side follows this one
  rule.extras = wire::encode_json(Extras{query.link_id, query.target_user_id});
  return rule;
}

// Local is this instance, whichever way the images go.
Result<RuleRow> to_wire(Call& call, Registries& registries, const sync::Rule& rule) {
  TRY(auto other, registries.find(rule.connection_id));
  bool push = rule.direction == sync::Direction::push;
  const auto& instance = call.rooms.registry.instance();
  Extras extras = wire::decode_json<Extras>(rule.extras).value_or({});
  const std::string& target_namespace =
      rule.target_namespace.empty() ? rule.source_namespace : rule.target_namespace;
  const std::string& target_repository =
      rule.target_repository.empty() ? rule.source_repository : rule.target_repository;
  RuleRow row;
  row.create_time = rule.created_at;
  row.cross_user = !extras.user_id.empty() && extras.user_id != std::to_string(instance.ali_uid);
  if (!extras.link_id.empty()) row.link_id = extras.link_id;
  row.local_instance_id = instance.cri_id;
  row.local_namespace_name = push ? rule.source_namespace : target_namespace;
  row.local_region_id = instance.alibaba_region;
  row.local_repo_name = push ? rule.source_repository : target_repository;
  row.modified_time = rule.updated_at;
  row.repo_name_filter = rule.repository_pattern;
  row.sync_direction = push ? "FROM" : "TO";
  row.sync_rule_id = rule.public_id;
  row.sync_rule_name = rule.name;
  row.sync_scope = rule.scope == sync::Scope::repository ? "REPO" : "NAMESPACE";
  row.sync_trigger = rule.trigger == sync::Trigger::manual ? "INITIATIVE" : "PASSIVE";
  row.tag_filter = rule.tag_pattern;
  row.target_instance_id = other.alias;
  row.target_namespace_name = push ? target_namespace : rule.source_namespace;
  row.target_region_id = other.region;
  row.target_repo_name = push ? target_repository : rule.source_repository;
  return row;
}

// ---- actions

Result<CreateReply> create_rule(Call& call, const CreateQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY_STATUS(check(query));
  TRY(auto target, sync::ops::find_target(call.rooms.sync, query.link_id, query.target_instance_id,
                                          query.target_region_id));
  TRY(auto rule, op::invoke<sync::ops::CreateRule>(call.rooms.sync, call.context, rule_of(query, target.id)));
  return CreateReply{rule.public_id};
}

Result<ListReply> list_rules(Call& call, const ListQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(PageOf page, page_of(query.page_no, query.page_size));
  ListReply reply{page.number, page.size, {}, 0};
  sync::ops::ListRules::Request request;
  request.filter.source_namespace = query.namespace_name;
  request.filter.source_repository = query.repo_name;
  request.filter.patterns = sync::Patterns::regex;
  request.slice = {page.offset(), page.size};
  if (!query.target_instance_id.empty()) {
    auto target =
        sync::ops::find_target(call.rooms.sync, "", query.target_instance_id, query.target_region_id);
    if (!target.ok() && target.error().reason == Reason::connection_unknown) return reply;
    if (!target.ok()) return target.error();
    request.filter.connection_id = target->id;
  }
  if (query.target_instance_id.empty()) request.filter.region = query.target_region_id;
  Registries registries(call);
  TRY(auto found, op::invoke<sync::ops::ListRules>(call.rooms.sync, call.context, request));
  for (const auto& rule : found.items) {
    TRY(RuleRow row, to_wire(call, registries, rule));
    reply.sync_rules.push_back(std::move(row));
  }
  reply.total_count = found.total;
  return reply;
}

Result<Empty> delete_rule(Call& call, const DeleteQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY_STATUS(
      op::invoke<sync::ops::DeleteRule>(call.rooms.sync, call.context, {.public_id = query.sync_rule_id}));
  return Empty{};
}

}  // namespace

std::span<const Action> sync_rule_actions() {
  static constexpr std::array table{
      action<&create_rule>("CreateRepoSyncRule"),
      action<&list_rules>("ListRepoSyncRule"),
      action<&delete_rule>("DeleteRepoSyncRule"),
  };
  return table;
}

}  // namespace wharfage::alibaba
