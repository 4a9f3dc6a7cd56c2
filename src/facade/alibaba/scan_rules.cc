// Rules that start scans of pushed tags. Creating and changing answer with a numeric Code, all else with
// text: the clients check that.
#include "facade/alibaba/action.h"
#include "scan/ops.h"

namespace wharfage::alibaba {
namespace {

using wire::field;
using wire::required;

// ---- queries

struct CreateQuery {
  std::string instance_id;
  std::string repo_tag_filter_pattern;
  std::string rule_name;
  std::string scan_scope;
  std::string trigger_type;
  std::vector<std::string> namespaces;
  std::vector<std::string> repo_names;
  std::string scan_type;
  static constexpr auto fields() {
    return std::array{
        field<&CreateQuery::instance_id>("InstanceId", required),
        field<&CreateQuery::repo_tag_filter_pattern>("RepoTagFilterPattern", required),
        field<&CreateQuery::rule_name>("RuleName", required),
        field<&CreateQuery::scan_scope>("ScanScope", required).one_of("INSTANCE|NAMESPACE|REPO"),
        field<&CreateQuery::trigger_type>("TriggerType", required).one_of("AUTO|MANUAL"),
        field<&CreateQuery::namespaces>("Namespaces"),
        field<&CreateQuery::repo_names>("RepoNames"),
        field<&CreateQuery::scan_type>("ScanType").one_of("VUL|SBOM")};
  }
};
struct GetQuery {
  std::string instance_id;
  std::string scan_rule_id;
  static constexpr auto fields() {
    return std::array{field<&GetQuery::instance_id>("InstanceId", required),
                      field<&GetQuery::scan_rule_id>("ScanRuleId", required)};
  }
};
struct ListQuery {
  std::string instance_id;
  std::optional<std::int64_t> page_no;
  std::optional<std::int64_t> page_size;
  std::string scan_type;
  static constexpr auto fields() {
    return std::array{field<&ListQuery::instance_id>("InstanceId"), field<&ListQuery::page_no>("PageNo"),
                      field<&ListQuery::page_size>("PageSize"),
                      field<&ListQuery::scan_type>("ScanType").one_of("VUL|SBOM")};
  }
};
struct UpdateQuery {
  std::string instance_id;
  std::string repo_tag_filter_pattern;
  std::string rule_name;
  std::string scan_rule_id;
  std::string scan_scope;
  std::string trigger_type;
  std::vector<std::string> namespaces;
  std::vector<std::string> repo_names;
  static constexpr auto fields() {
    return std::array{
        field<&UpdateQuery::instance_id>("InstanceId", required),
        field<&UpdateQuery::repo_tag_filter_pattern>("RepoTagFilterPattern", required),
        field<&UpdateQuery::rule_name>("RuleName", required),
        field<&UpdateQuery::scan_rule_id>("ScanRuleId", required),
        field<&UpdateQuery::scan_scope>("ScanScope", required).one_of("INSTANCE|NAMESPACE|REPO"),
        field<&UpdateQuery::trigger_type>("TriggerType", required).one_of("AUTO|MANUAL"),
        field<&UpdateQuery::namespaces>("Namespaces"),
        field<&UpdateQuery::repo_names>("RepoNames")};
  }
};
struct DeleteQuery {
  std::string instance_id;
  std::string scan_rule_id;
  static constexpr auto fields() {
    return std::array{field<&DeleteQuery::instance_id>("InstanceId"),
                      field<&DeleteQuery::scan_rule_id>("ScanRuleId")};
  }
};

// ---- replies

struct RuleReply {
  std::string scan_rule_id;
  static constexpr auto fields() { return std::array{field<&RuleReply::scan_rule_id>("ScanRuleId")}; }
};
struct FullRule {
  std::int64_t create_time = 0;
  std::string instance_id;
  std::vector<std::string> namespaces;
  std::vector<std::string> repo_names;
  std::string repo_tag_filter_pattern;
  std::string rule_name;
  std::string scan_rule_id;
  std::string scan_scope;
  std::string scan_type;
  std::string trigger_type;
  std::int64_t update_time = 0;
  static constexpr auto fields() {
    return std::array{field<&FullRule::create_time>("CreateTime"),
                      field<&FullRule::instance_id>("InstanceId"),
                      field<&FullRule::namespaces>("Namespaces"),
                      field<&FullRule::repo_names>("RepoNames"),
                      field<&FullRule::repo_tag_filter_pattern>("RepoTagFilterPattern"),
                      field<&FullRule::rule_name>("RuleName"),
                      field<&FullRule::scan_rule_id>("ScanRuleId"),
                      field<&FullRule::scan_scope>("ScanScope"),
                      field<&FullRule::scan_type>("ScanType"),
                      field<&FullRule::trigger_type>("TriggerType"),
                      field<&FullRule::update_time>("UpdateTime")};
  }
};
struct GetReply {
  FullRule scan_rule;
  static constexpr auto fields() { return std::array{field<&GetReply::scan_rule>("ScanRule")}; }
};
struct RuleRow {
  std::int64_t create_time = 0;
  std::vector<std::string> namespaces;
  std::vector<std::string> repo_names;
  std::string repo_tag_filter_pattern;
  std::string rule_name;
  std::string scan_rule_id;
  std::string scan_scope;
  std::string scan_type;
  std::string trigger_type;
  std::int64_t update_time = 0;
  static constexpr auto fields() {
    return std::array{field<&RuleRow::create_time>("CreateTime"),
                      field<&RuleRow::namespaces>("Namespaces"),
                      field<&RuleRow::repo_names>("RepoNames"),
                      field<&RuleRow::repo_tag_filter_pattern>("RepoTagFilterPattern"),
                      field<&RuleRow::rule_name>("RuleName"),
                      field<&RuleRow::scan_rule_id>("ScanRuleId"),
                      field<&RuleRow::scan_scope>("ScanScope"),
                      field<&RuleRow::scan_type>("ScanType"),
                      field<&RuleRow::trigger_type>("TriggerType"),
                      field<&RuleRow::update_time>("UpdateTime")};
  }
};
struct ListReply {
  std::int64_t page_no = 0;
  std::int64_t page_size = 0;
  std::vector<RuleRow> scan_rules;
  std::int64_t total_count = 0;
  static constexpr auto fields() {
    return std::array{field<&ListReply::page_no>("PageNo"), field<&ListReply::page_size>("PageSize"),
                      field<&ListReply::scan_rules>("ScanRules"),
                      field<&ListReply::total_count>("TotalCount")};
  }
};

// ---- between wire and domain

template <class Query>
scan::Rule rule_of(const Query& query) {
  scan::Rule rule;
  rule.name = query.rule_name;
  rule.scope = query.scan_scope;
  rule.trigger = query.trigger_type;
  rule.namespaces = query.namespaces;
  rule.repositories = query.repo_names;
  rule.tag_pattern = query.repo_tag_filter_pattern;
  return rule;
}

RuleRow to_wire(const scan::Rule& rule) {
  return {.create_time = rule.created_at,
          .namespaces = rule.namespaces,
          .repo_names = rule.repositories,
          .repo_tag_filter_pattern = rule.tag_pattern,
          .rule_name = rule.name,
          .scan_rule_id = rule.id,
          .scan_scope = rule.scope,
          .scan_type = rule.scan_type,
          .trigger_type = rule.trigger,
          .update_time = rule.updated_at};
}

// ---- actions

Result<RuleReply> create_rule(Call& call, const CreateQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  scan::Rule wanted = rule_of(query);
  if (!query.scan_type.empty()) wanted.scan_type = query.scan_type;
  TRY(auto rule, op::invoke<scan::CreateRule>(call.rooms.scans, call.context, wanted));
  return RuleReply{rule.id};
}

Result<GetReply> get_rule(Call& call, const GetQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(auto rule, op::invoke<scan::GetRule>(call.rooms.scans, call.context, {query.scan_rule_id}));
  RuleRow row = to_wire(rule);
  return GetReply{{.create_time = row.create_time,
                   .instance_id = call.rooms.registry.instance().cri_id,
                   .namespaces = row.namespaces,
                   .repo_names = row.repo_names,
                   .repo_tag_filter_pattern = row.repo_tag_filter_pattern,
                   .rule_name = row.rule_name,
                   .scan_rule_id = row.scan_rule_id,
                   .scan_scope = row.scan_scope,
                   .scan_type = row.scan_type,
                   .trigger_type = row.trigger_type,
                   .update_time = row.update_time}};
}

Result<ListReply> list_rules(Call& call, const ListQuery& query) {
  if (!query.instance_id.empty()) TRY_STATUS(check_instance(call, query.instance_id));
  TRY(PageOf page, page_of(query.page_no, query.page_size));
  ListReply reply{page.number, page.size, {}, 0};
  TRY(auto found, op::invoke<scan::ListRules>(call.rooms.scans, call.context, {{page.offset(), page.size}}));
  if (query.scan_type == "SBOM") return reply;  // there are only rules about vulnerabilities
  for (const auto& rule : found.items) reply.scan_rules.push_back(to_wire(rule));
  reply.total_count = found.total;
  return reply;
}

Result<RuleReply> update_rule(Call& call, const UpdateQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  scan::Rule wanted = rule_of(query);
  wanted.id = query.scan_rule_id;
  TRY(auto rule, op::invoke<scan::UpdateRule>(call.rooms.scans, call.context, wanted));
  return RuleReply{rule.id};
}

Result<Empty> delete_rule(Call& call, const DeleteQuery& query) {
  if (!query.instance_id.empty()) TRY_STATUS(check_instance(call, query.instance_id));
  if (query.scan_rule_id.empty()) {
    return fail(Reason::missing_parameter, "ScanRuleId is required.", "ScanRuleId");
  }
  TRY_STATUS(op::invoke<scan::DeleteRule>(call.rooms.scans, call.context, {query.scan_rule_id}));
  return Empty{};
}

}  // namespace

std::span<const Action> scan_rule_actions() {
  static constexpr std::array table{
      action<&create_rule>("CreateScanRule", Envelope::cr_number),
      action<&get_rule>("GetScanRule"),
      action<&list_rules>("ListScanRule"),
      action<&update_rule>("UpdateScanRule", Envelope::cr_number),
      action<&delete_rule>("DeleteScanRule", Envelope::cr_text),
  };
  return table;
}

}  // namespace wharfage::alibaba
