// SWR (basic edition) image retention: at most one for a repository, whose id is the repository's. Its rules
// are part of the namespace's retention: they run by its schedule, or daily, and at once when they are set.
// A slash in a repository's name may be written $.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "facade/huawei/fields.h"
#include "facade/huawei/route.h"
#include "registry/ops/retention.h"

namespace wharfage::huawei {
namespace {

namespace ops = registry::ops;
using wire::field;
using wire::required;

struct Path {
  std::string namespace_name, repository;
  static constexpr auto fields() {
    return std::array{field<&Path::namespace_name>("namespace", required),
                      field<&Path::repository>("repository", required)};
  }
};
struct RetentionPath {
  std::string namespace_name, repository;
  std::int32_t retention_id = 0;
  static constexpr auto fields() {
    return std::array{field<&RetentionPath::namespace_name>("namespace", required),
                      field<&RetentionPath::repository>("repository", required),
                      field<&RetentionPath::retention_id>("retention_id", required)};
  }
};
struct HistoryQuery {
  std::string namespace_name, repository;
  std::optional<std::int64_t> offset, limit;
  std::optional<std::string> filter;
  static constexpr auto fields() {
    return std::array{field<&HistoryQuery::namespace_name>("namespace", required),
                      field<&HistoryQuery::repository>("repository", required),
                      field<&HistoryQuery::offset>("offset"), field<&HistoryQuery::limit>("limit"),
                      field<&HistoryQuery::filter>("filter")};
  }
};

struct TagSelector {
  std::string kind, pattern;
  static constexpr auto fields() {
    return std::array{field<&TagSelector::kind>("kind", required).one_of("label|regexp"),
                      field<&TagSelector::pattern>("pattern", required).range(1, 512)};
  }
};
struct Rule {
  std::string rule_template;
  std::map<std::string, wire::Json> params;
  std::vector<TagSelector> tag_selectors;  // what the rule is not about
  static constexpr auto fields() {
    return std::array{field<&Rule::rule_template>("template", required).one_of("date_rule|tag_rule"),
                      field<&Rule::params>("params", required),
                      field<&Rule::tag_selectors>("tag_selectors", required)};
  }
};
struct Body {
  std::string algorithm;
  std::vector<Rule> rules;
  static constexpr auto fields() {
    return std::array{field<&Body::algorithm>("algorithm", required).one_of("or"),
                      field<&Body::rules>("rules", required)};
  }
};
struct RepositoryRetention {
  std::int32_t id = 0;
  std::string algorithm = "or";
  std::vector<Rule> rules;
  std::string scope;  // reserved
  static constexpr auto fields() {
    return std::array{
        field<&RepositoryRetention::id>("id"), field<&RepositoryRetention::algorithm>("algorithm"),
        field<&RepositoryRetention::rules>("rules"), field<&RepositoryRetention::scope>("scope")};
  }
};
struct RemovedTag {
  std::int32_t id = 0;
  std::string namespace_name, repo;
  std::int32_t retention_id = 0;
  std::string rule_type, tag, created_at;
  static constexpr auto fields() {
    return std::array{field<&RemovedTag::id>("id"),
                      field<&RemovedTag::namespace_name>("namespace"),
                      field<&RemovedTag::repo>("repo"),
                      field<&RemovedTag::retention_id>("retention_id"),
                      field<&RemovedTag::rule_type>("rule_type"),
                      field<&RemovedTag::tag>("tag"),
                      field<&RemovedTag::created_at>("created_at")};
  }
};
struct History {
  std::int32_t total = 0;
  std::vector<RemovedTag> rows;
  static constexpr auto fields() {
    return std::array{field<&History::total>("total"), field<&History::rows>("retention_log")};
  }
};

// ---- between wire and domain

using registry::Keep;

struct Template {
  std::string_view name, parameter;
  Keep keep;
  std::int64_t most;
};
constexpr std::array<Template, 2> templates{
    {{"date_rule", "days", Keep::pushed_days, 365}, {"tag_rule", "num", Keep::pushed_count, 1000}}};

// The template that says what our rule says; none for what only the native API can say.
const Template* template_of(Keep keep) {
  auto found =
      std::find_if(templates.begin(), templates.end(), [&](const auto& t) { return t.keep == keep; });
  return found == templates.end() ? nullptr : &*found;
}

// A number, which the vendor's documents write as a text.
Result<std::int64_t> value_of(const Rule& rule, const Template& known) {
  auto found = rule.params.find(std::string(known.parameter));
  std::string_view text = found == rule.params.end() ? std::string_view() : found->second.text;
  if (text.size() > 2 && text.front() == '"') text = text.substr(1, text.size() - 2);
  auto number = parse_integer(text);
  if (rule.params.size() == 1 && number && *number >= 1 && *number <= known.most) return *number;
  return fail(Reason::invalid_parameter,
              fmt::format("params must hold exactly {}, a number from 1 to {}", known.parameter, known.most),
              "params");
}

// Labels become one pattern of alternatives: a tag's name has nothing that means more in a pattern.
Result<std::string> pattern_of(const std::vector<TagSelector>& selectors) {
  std::string labels;
  int count = 0;
  for (const auto& selector : selectors) {
    if (selector.kind != "label") continue;
    TRY_STATUS(registry::check_tag(selector.pattern));
    labels += (count++ ? "," : "") + selector.pattern;
  }
  return count > 1 ? "{" + labels + "}" : labels;
}

Result<registry::RetentionRule> to_domain(const Rule& from, const std::string& repository) {
  const Template& known = from.rule_template == templates[0].name ? templates[0] : templates[1];
  registry::RetentionRule rule;
  rule.name = cut(fmt::format("{} of {}", known.name, repository), 128);
  rule.selector.repositories = repository;
  rule.keep = known.keep;
  TRY(rule.value, value_of(from, known));
  TRY(rule.selector.except_tags, pattern_of(from.tag_selectors));
  for (const auto& selector : from.tag_selectors) {
    if (selector.kind == "regexp") rule.spared.push_back(selector.pattern);
  }
  return rule;
}

Rule to_wire(const registry::RetentionRule& from, const Template& known) {
  Rule rule;
  rule.rule_template = known.name;
  rule.params[std::string(known.parameter)] = {fmt::format("\"{}\"", from.value)};
  std::string_view labels = from.selector.except_tags;
  if (labels.starts_with('{')) labels = labels.substr(1, labels.size() - 2);
  for (std::string_view label : split(labels, ',')) {
    if (!label.empty()) rule.tag_selectors.push_back({"label", std::string(label)});
  }
  for (const auto& pattern : from.spared) rule.tag_selectors.push_back({"regexp", pattern});
  return rule;
}

RepositoryRetention to_wire(const ops::GetRepositoryRetention::Response& from) {
  RepositoryRetention retention;
  retention.id = narrow(from.repository.id);
  for (const auto& rule : from.rules) {
    if (const Template* known = template_of(rule.keep)) retention.rules.push_back(to_wire(rule, *known));
  }
  return retention;
}

// ---- endpoints

template <class Path_>
ops::RepositoryRef ref(const Path_& path) {
  std::string name = path.repository;
  std::replace(name.begin(), name.end(), '$', '/');
  return ops::repository_of(path.namespace_name, name);
}

template <class Path_>
Result<ops::GetRepositoryRetention::Response> current(Call& call, const Path_& path) {
  return op::invoke<ops::GetRepositoryRetention>(call.rooms.retention, call.context, ref(path));
}

Result<ops::GetRepositoryRetention::Response> named(Call& call, const RetentionPath& path) {
  TRY(auto found, current(call, path));
  if (!found.rules.empty() && found.repository.id == path.retention_id) return found;
  return fail(Reason::not_found, "the image retention policy does not exist",
              std::to_string(path.retention_id));
}

template <class Path_>
Result<IdReply> set(Call& call, const Path_& path, const Body& body) {
  if (body.rules.empty()) return fail(Reason::invalid_parameter, "rules must not be empty", "rules");
  ops::SetRepositoryRetention::Request request{ref(path), {}};
  for (const auto& rule : body.rules) {
    TRY(auto converted, to_domain(rule, request.repository.name));
    request.rules.push_back(std::move(converted));
  }
  TRY(auto repository, op::invoke<ops::SetRepositoryRetention>(call.rooms.retention, call.context, request));
  return IdReply{narrow(repository.id)};
}

Result<IdReply> create_retention(Call& call, const Path& path, const Body& body) {
  TRY(auto known, current(call, path));
  if (!known.rules.empty()) return fail(Reason::conflict, "the image has a retention policy already");
  return set(call, path, body);
}

Result<std::vector<RepositoryRetention>> list_retentions(Call& call, const Path& path, const NoBody&) {
  TRY(auto found, current(call, path));
  std::vector<RepositoryRetention> list;
  if (!found.rules.empty()) list.push_back(to_wire(found));
  return list;
}

Result<RepositoryRetention> show_retention(Call& call, const RetentionPath& path, const NoBody&) {
  TRY(auto found, named(call, path));
  return to_wire(found);
}

Result<Empty> update_retention(Call& call, const RetentionPath& path, const Body& body) {
  TRY_STATUS(named(call, path));
  TRY_STATUS(set(call, path, body));
  return Empty{};
}

Result<Empty> delete_retention(Call& call, const RetentionPath& path, const NoBody&) {
  TRY_STATUS(named(call, path));
  TRY_STATUS(op::invoke<ops::SetRepositoryRetention>(call.rooms.retention, call.context, {ref(path), {}}));
  return Empty{};
}

// "limit::{limit}|offset::{offset}" is the older way to ask for a page.
Result<registry::Slice> page_of(const HistoryQuery& query) {
  auto offset = query.offset, limit = query.limit;
  const std::string filter = query.filter.value_or("");
  for (std::string_view part : split(filter, '|')) {
    auto colons = part.find("::");
    auto number = colons == part.npos ? std::nullopt : parse_integer(part.substr(colons + 2));
    std::string_view name = part.substr(0, colons);
    bool known = part.empty() || (number && (name == "limit" || name == "offset"));
    if (!known) return fail(Reason::invalid_parameter, "filter is limit::{limit}|offset::{offset}", "filter");
    if (!part.empty()) (name == "limit" ? limit : offset) = number;
  }
  return swr_page(offset, limit, 100);
}

// Rows are numbered from the oldest on. The rules are those that the repository has now.
Result<History> list_histories(Call& call, const HistoryQuery& query, const NoBody&) {
  TRY(auto slice, page_of(query));
  TRY(auto now, current(call, query));
  TRY(auto page, op::invoke<ops::ListRemovedTags>(call.rooms.retention, call.context, {ref(query), slice}));
  const Template* known = now.rules.empty() ? nullptr : template_of(now.rules.front().keep);
  History history;
  history.total = narrow(page.total);
  for (const auto& change : page.items) {
    auto age = slice.offset + static_cast<std::int64_t>(history.rows.size());
    history.rows.push_back({narrow(page.total - age), now.repository.namespace_name, now.repository.name,
                            narrow(now.repository.id), std::string(known ? known->name : ""), change.tag,
                            rfc3339(change.at)});
  }
  call.reply_headers.set(
      "Content-Range", fmt::format("{}-{}/{}", slice.offset,
                                   slice.offset + static_cast<std::int64_t>(page.items.size()), page.total));
  return history;
}

constexpr std::string_view retentions = "/v2/manage/namespaces/{namespace}/repos/{repository}/retentions";
constexpr std::string_view retention =
    "/v2/manage/namespaces/{namespace}/repos/{repository}/retentions/{retention_id}";

}  // namespace

std::span<const Route> repository_retention_routes() {
  static constexpr std::array table{
      route<&create_retention>("POST", retentions, 201),
      route<&list_retentions>("GET", retentions),
      route<&list_histories>("GET",
                             "/v2/manage/namespaces/{namespace}/repos/{repository}/retentions/histories"),
      route<&show_retention>("GET", retention),
      route<&update_retention>("PATCH", retention, 201),
      route<&delete_retention>("DELETE", retention),
  };
  return table;
}

}  // namespace wharfage::huawei
