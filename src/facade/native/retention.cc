// Retention of namespaces: rules, runs, and what each run removed and kept.
#include "registry/ops/retention.h"
#include "facade/native/place_queries.h"
#include "facade/native/route.h"

namespace wharfage::native {
namespace {

namespace ops = registry::ops;
using wire::field;
using wire::required;

struct Rule {
  std::string name;
  std::optional<std::string> repositories;
  std::optional<std::string> except_repositories;
  std::optional<std::string> tags;
  std::optional<std::string> except_tags;
  std::string keep;
  std::optional<std::int64_t> value;
  std::optional<bool> untagged, enabled;
  std::optional<std::vector<std::string>> spared;
  static constexpr auto fields() {
    return std::array{
        field<&Rule::name>("name", required).range(1, 128),
        field<&Rule::repositories>("repositories").about("pattern; the default is **"),
        field<&Rule::except_repositories>("except_repositories"),
        field<&Rule::tags>("tags").about("pattern; the default is **"),
        field<&Rule::except_tags>("except_tags"),
        field<&Rule::keep>("keep", required)
            .one_of("all|pushed_count|pulled_count|pushed_images|pulled_images|pushed_days|pulled_days"),
        field<&Rule::value>("value").range(0, 10'000).about("how many tags or days; required but for all"),
        field<&Rule::untagged>("untagged").about("also holds for images without a tag"),
        field<&Rule::enabled>("enabled").about("the default is true"),
        field<&Rule::spared>("spared").about(
            "regular expressions; tags in which one is found are not selected")};
  }
};
struct Policy {
  std::optional<std::string> name;
  std::optional<bool> enabled;
  std::optional<std::string> schedule;
  std::vector<Rule> rules;
  static constexpr auto fields() {
    return std::array{field<&Policy::name>("name").range(0, 256),
                      field<&Policy::enabled>("enabled").about("the default is true; else only dry runs"),
                      field<&Policy::schedule>("schedule")
                          .about("six fields from seconds on, UTC; left out: only when asked"),
                      field<&Policy::rules>("rules", required)};
  }
};
struct PolicyReply {
  std::optional<std::string> name;
  bool enabled = true;
  std::optional<std::string> schedule;
  std::optional<std::string> next_run_at;
  std::vector<Rule> rules, repository_rules;
  std::optional<std::string> set_by;
  std::optional<std::string> updated_at;
  static constexpr auto fields() {
    return std::array{field<&PolicyReply::name>("name"),
                      field<&PolicyReply::enabled>("enabled"),
                      field<&PolicyReply::schedule>("schedule"),
                      field<&PolicyReply::next_run_at>("next_run_at"),
                      field<&PolicyReply::rules>("rules"),
                      field<&PolicyReply::repository_rules>("repository_rules")
                          .about("each of one repository, set by SWR's API; they stay when others are set"),
                      field<&PolicyReply::set_by>("set_by"),
                      field<&PolicyReply::updated_at>("updated_at")};
  }
};
struct NewRun {
  std::optional<bool> dry_run;
  static constexpr auto fields() {
    return std::array{field<&NewRun::dry_run>("dry_run").about("only say what would be removed")};
  }
};
struct Run {
  std::int64_t id = 0;
  bool dry_run = false;
  std::string cause;
  std::string actor;
  std::string status;
  std::optional<std::string> error;
  std::string job;
  std::int64_t repositories = 0;
  std::int64_t kept = 0;
  std::int64_t removed_tags = 0;
  std::int64_t removed_images = 0;
  std::int64_t failed = 0;
  std::string started_at;
  std::optional<std::string> ended_at;
  static constexpr auto fields() {
    return std::array{field<&Run::id>("id"),
                      field<&Run::dry_run>("dry_run"),
                      field<&Run::cause>("cause").about("manual or scheduled"),
                      field<&Run::actor>("actor"),
                      field<&Run::status>("status").about("running, succeeded, failed or canceled"),
                      field<&Run::error>("error"),
                      field<&Run::job>("job"),
                      field<&Run::repositories>("repositories").about("that a rule concerns"),
                      field<&Run::kept>("kept"),
                      field<&Run::removed_tags>("removed_tags").about("in a dry run: that would be removed"),
                      field<&Run::removed_images>("removed_images"),
                      field<&Run::failed>("failed"),
                      field<&Run::started_at>("started_at"),
                      field<&Run::ended_at>("ended_at")};
  }
};
struct RunList {
  std::vector<Run> items;
  std::int64_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&RunList::items>("items"), field<&RunList::total>("total")};
  }
};
struct RunsQuery {
  std::string space;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&RunsQuery::space>("namespace", required), field<&RunsQuery::offset>("offset"),
                      field<&RunsQuery::limit>("limit")};
  }
};
struct ItemsQuery {
  std::string space;
  std::int64_t id = 0;
  std::optional<std::string> outcome;
  std::optional<std::int64_t> after;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&ItemsQuery::space>("namespace", required),
                      field<&ItemsQuery::id>("id", required),
                      field<&ItemsQuery::outcome>("outcome").one_of("removed|kept|failed"),
                      field<&ItemsQuery::after>("after").about("number of the last item of the page before"),
                      field<&ItemsQuery::limit>("limit")};
  }
};
struct Item {
  std::int64_t number = 0;
  std::string repository;
  std::optional<std::string> tag;
  std::string digest;
  std::string outcome;
  std::string reason;
  static constexpr auto fields() {
    return std::array{field<&Item::number>("number"),
                      field<&Item::repository>("repository"),
                      field<&Item::tag>("tag").about("left out: the image itself"),
                      field<&Item::digest>("digest"),
                      field<&Item::outcome>("outcome"),
                      field<&Item::reason>("reason")};
  }
};
struct ItemList {
  std::vector<Item> items;
  static constexpr auto fields() { return std::array{field<&ItemList::items>("items")}; }
};

PolicyReply to_wire(const registry::RetentionPolicy& from) {
  PolicyReply reply;
  reply.name = unless_empty(from.name);
  reply.enabled = from.enabled;
  reply.schedule = unless_empty(from.cron);
  reply.next_run_at = unless_zero(from.next_run_at.value_or(0));
  for (const auto& rule : from.rules) {
    const auto& selector = rule.selector;
    Rule row{rule.name,
             selector.repositories,
             unless_empty(selector.except_repositories),
             selector.tags,
             unless_empty(selector.except_tags),
             std::string(registry::keep_name(rule.keep)),
             rule.value,
             rule.untagged,
             rule.enabled,
             std::nullopt};
    if (!rule.spared.empty()) row.spared = rule.spared;
    (rule.repository_id == 0 ? reply.rules : reply.repository_rules).push_back(std::move(row));
  }
  reply.set_by = unless_empty(from.set_by);
  reply.updated_at = unless_zero(from.updated_at);
  return reply;
}

Run to_wire(const registry::RetentionRun& from) {
  return {from.id,
          from.dry,
          from.cause,
          from.actor,
          from.status,
          unless_empty(from.error),
          from.job_id,
          from.repositories,
          from.kept,
          from.removed_tags,
          from.removed_images,
          from.failed,
          rfc3339(from.created_at),
          unless_zero(from.ended_at)};
}

Result<PolicyReply> get_policy(Call& call, const SpaceQuery& query, const NoBody&) {
  TRY(auto policy, op::invoke<ops::GetRetention>(call.rooms.retention, call.context, space_of(query.space)));
  return to_wire(policy);
}

// A `value` that was forgotten would be a rule that keeps nothing.
Result<registry::RetentionRule> to_domain(const Rule& from) {
  auto keep = registry::parse_keep(from.keep).value_or(registry::Keep::all);  // one of the field's
  if (keep != registry::Keep::all && !from.value)
    return fail(Reason::missing_parameter, "\"" + from.keep + "\" wants a value", "value");
  return registry::RetentionRule{
      .name = from.name,
      .selector = {from.repositories.value_or("**"), from.except_repositories.value_or(""),
                   from.tags.value_or("**"), from.except_tags.value_or("")},
      .keep = keep,
      .value = from.value.value_or(0),
      .untagged = from.untagged.value_or(false),
      .enabled = from.enabled.value_or(true),
      .spared = from.spared.value_or(std::vector<std::string>())};
}

Result<PolicyReply> set_policy(Call& call, const SpaceQuery& query, const Policy& body) {
  registry::RetentionPolicy wanted;
  wanted.name = body.name.value_or("");
  wanted.enabled = body.enabled.value_or(true);
  wanted.cron = body.schedule.value_or("");
  for (const auto& rule : body.rules) {
    TRY(auto one, to_domain(rule));
    wanted.rules.push_back(std::move(one));
  }
  TRY(auto policy, op::invoke<ops::SetRetention>(call.rooms.retention, call.context,
                                                 {space_of(query.space), std::move(wanted)}));
  return to_wire(policy);
}

Result<Run> start_run(Call& call, const SpaceQuery& query, const NewRun& body) {
  TRY(auto run, op::invoke<ops::RunRetention>(call.rooms.retention, call.context,
                                              {space_of(query.space), body.dry_run.value_or(false)}));
  return to_wire(run);
}

Result<RunList> list_runs(Call& call, const RunsQuery& query, const NoBody&) {
  TRY(auto slice, page_of(query.offset, query.limit));
  TRY(auto page,
      op::invoke<ops::ListRetentionRuns>(call.rooms.retention, call.context, {space_of(query.space), slice}));
  RunList list;
  for (const auto& run : page.items) list.items.push_back(to_wire(run));
  list.total = page.total;
  return list;
}

Result<Run> get_run(Call& call, const NumberQuery& query, const NoBody&) {
  TRY(auto run, op::invoke<ops::GetRetentionRun>(call.rooms.retention, call.context,
                                                 {space_of(query.space), query.id}));
  return to_wire(run);
}

Result<ItemList> list_items(Call& call, const ItemsQuery& query, const NoBody&) {
  TRY(auto slice, page_of(std::nullopt, query.limit));
  TRY(auto items,
      op::invoke<ops::ListRetentionItems>(call.rooms.retention, call.context,
                                          {space_of(query.space), query.id, query.outcome.value_or(""),
                                           query.after.value_or(0), slice.limit}));
  ItemList list;
  for (const auto& item : items) {
    list.items.push_back(
        {item.number, item.repository, unless_empty(item.tag), item.digest, item.outcome, item.reason});
  }
  return list;
}

Result<Empty> cancel_run(Call& call, const NumberQuery& query, const NoBody&) {
  TRY_STATUS(op::invoke<ops::CancelRetentionRun>(call.rooms.retention, call.context,
                                                 {space_of(query.space), query.id}));
  return Empty{};
}

}  // namespace

std::span<const Route> retention_routes() {
  static constexpr std::array table{
      route<&get_policy>("GET", "/api/v1/namespaces/{namespace}/retention-rules")
          .about("which tags a namespace keeps"),
      route<&set_policy>("PUT", "/api/v1/namespaces/{namespace}/retention-rules")
          .about("replace the rules and their schedule"),
      route<&start_run>("POST", "/api/v1/namespaces/{namespace}/retention-runs", 201)
          .about("remove what no rule keeps, or only say what that is"),
      route<&list_runs>("GET", "/api/v1/namespaces/{namespace}/retention-runs").about("runs, newest first"),
      route<&get_run>("GET", "/api/v1/namespaces/{namespace}/retention-runs/{id}").about("how far a run is"),
      route<&list_items>("GET", "/api/v1/namespaces/{namespace}/retention-runs/{id}/items")
          .about("what a run removed and kept, and why"),
      route<&cancel_run>("POST", "/api/v1/namespaces/{namespace}/retention-runs/{id}/cancel")
          .about("end a run before it is through"),
  };
  return table;
}

}  // namespace wharfage::native
