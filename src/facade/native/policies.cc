// Immutability rules of namespaces, and the history of tags. A repository's name may hold slashes: in a path
// they stand as %2F.
#include "registry/ops/policies.h"
#include "facade/native/place_queries.h"
#include "facade/native/route.h"

namespace wharfage::native {
namespace {

namespace ops = registry::ops;
using wire::field;
using wire::required;

struct Rule {
  std::int64_t id = 0;
  std::string name;
  std::string repositories;
  std::optional<std::string> except_repositories;
  std::string tags;
  std::optional<std::string> except_tags;
  bool enabled = true;
  std::string creator;
  std::string created_at;
  std::string updated_at;
  static constexpr auto fields() {
    return std::array{field<&Rule::id>("id"),
                      field<&Rule::name>("name"),
                      field<&Rule::repositories>("repositories"),
                      field<&Rule::except_repositories>("except_repositories"),
                      field<&Rule::tags>("tags"),
                      field<&Rule::except_tags>("except_tags"),
                      field<&Rule::enabled>("enabled"),
                      field<&Rule::creator>("creator"),
                      field<&Rule::created_at>("created_at"),
                      field<&Rule::updated_at>("updated_at")};
  }
};
// Both patterns must be there: a rule by mistake about everything freezes a namespace.
struct RuleBody {
  std::string name;
  std::string repositories;
  std::optional<std::string> except_repositories;
  std::string tags;
  std::optional<std::string> except_tags;
  std::optional<bool> enabled;
  static constexpr auto fields() {
    return std::array{field<&RuleBody::name>("name", required).range(1, 128),
                      field<&RuleBody::repositories>("repositories", required)
                          .about("pattern of names below the namespace: * ** ? {a,b}; **: all of them"),
                      field<&RuleBody::except_repositories>("except_repositories"),
                      field<&RuleBody::tags>("tags", required).about("pattern; **: all of them"),
                      field<&RuleBody::except_tags>("except_tags"),
                      field<&RuleBody::enabled>("enabled")};
  }
};
struct RuleList {
  std::vector<Rule> items;
  static constexpr auto fields() { return std::array{field<&RuleList::items>("items")}; }
};

struct HistoryQuery {
  std::string space;
  std::string repository;
  std::optional<std::string> tag;
  std::optional<std::string> after;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&HistoryQuery::space>("namespace", required),
                      field<&HistoryQuery::repository>("repository", required),
                      field<&HistoryQuery::tag>("tag").about("only of this tag"),
                      field<&HistoryQuery::after>("after").about("`next` of the page before"),
                      field<&HistoryQuery::limit>("limit")};
  }
};
struct Change {
  std::string tag;
  std::int64_t number = 0;
  std::string kind;
  std::optional<std::string> from;
  std::optional<std::string> to;
  std::string actor;
  std::string origin;
  std::string at;
  static constexpr auto fields() {
    return std::array{
        field<&Change::tag>("tag"),
        field<&Change::number>("number"),
        field<&Change::kind>("kind").about("created, moved or deleted"),
        field<&Change::from>("from"),
        field<&Change::to>("to"),
        field<&Change::actor>("actor"),
        field<&Change::origin>("origin").about("push, build, sign, sync, retention, restore, api"),
        field<&Change::at>("at")};
  }
};
struct ChangeList {
  std::vector<Change> items;
  std::optional<std::string> next;
  static constexpr auto fields() {
    return std::array{field<&ChangeList::items>("items"), field<&ChangeList::next>("next")};
  }
};
struct RestoreTagBody {
  std::string tag;
  std::string digest;
  static constexpr auto fields() {
    return std::array{field<&RestoreTagBody::tag>("tag", required),
                      field<&RestoreTagBody::digest>("digest", required).about("where the tag once pointed")};
  }
};
struct RestoredTag {
  std::string tag;
  std::string digest;
  static constexpr auto fields() {
    return std::array{field<&RestoredTag::tag>("tag"), field<&RestoredTag::digest>("digest")};
  }
};

// ---------------------------------------------------------------- immutability rules

Rule to_wire(const registry::ImmutabilityRule& from) {
  Rule rule;
  rule.id = from.id;
  rule.name = from.name;
  rule.repositories = from.selector.repositories;
  rule.except_repositories = unless_empty(from.selector.except_repositories);
  rule.tags = from.selector.tags;
  rule.except_tags = unless_empty(from.selector.except_tags);
  rule.enabled = from.enabled;
  rule.creator = from.creator;
  rule.created_at = rfc3339(from.created_at);
  rule.updated_at = rfc3339(from.updated_at);
  return rule;
}

registry::ImmutabilityRule rule_of(const RuleBody& body) {
  registry::ImmutabilityRule rule;
  rule.name = body.name;
  rule.selector = {body.repositories, body.except_repositories.value_or(""), body.tags,
                   body.except_tags.value_or("")};
  rule.enabled = body.enabled.value_or(true);
  return rule;
}

Result<RuleList> list_rules(Call& call, const SpaceQuery& query, const NoBody&) {
  TRY(auto rules,
      op::invoke<ops::ListImmutabilityRules>(call.rooms.policies, call.context, space_of(query.space)));
  RuleList list;
  for (const auto& rule : rules) list.items.push_back(to_wire(rule));
  return list;
}

Result<Rule> create_rule(Call& call, const SpaceQuery& query, const RuleBody& body) {
  TRY(auto rule, op::invoke<ops::CreateImmutabilityRule>(call.rooms.policies, call.context,
                                                         {space_of(query.space), rule_of(body)}));
  return to_wire(rule);
}

Result<Rule> get_rule(Call& call, const NumberQuery& query, const NoBody&) {
  TRY(auto rule, op::invoke<ops::GetImmutabilityRule>(call.rooms.policies, call.context,
                                                      {space_of(query.space), query.id}));
  return to_wire(rule);
}

Result<Rule> update_rule(Call& call, const NumberQuery& query, const RuleBody& body) {
  auto wanted = rule_of(body);
  wanted.id = query.id;
  TRY(auto rule, op::invoke<ops::UpdateImmutabilityRule>(call.rooms.policies, call.context,
                                                         {space_of(query.space), wanted}));
  return to_wire(rule);
}

Result<Empty> delete_rule(Call& call, const NumberQuery& query, const NoBody&) {
  TRY_STATUS(op::invoke<ops::DeleteImmutabilityRule>(call.rooms.policies, call.context,
                                                     {space_of(query.space), query.id}));
  return Empty{};
}

// ---------------------------------------------------------------- tag history

// "<time>.<number>.<tag>": tags hold no character that a query would have to escape.
std::string cursor_of(const registry::TagChange& change) {
  return std::to_string(change.at) + "." + std::to_string(change.number) + "." + change.tag;
}

Result<std::optional<registry::TagChangeKey>> parse_cursor(const std::optional<std::string>& text) {
  if (!text) return std::optional<registry::TagChangeKey>();
  auto first = text->find('.');
  auto second = first == text->npos ? first : text->find('.', first + 1);
  if (second == text->npos) return fail(Reason::invalid_parameter, "this is no `next` of a page", "after");
  auto at = parse_integer(std::string_view(*text).substr(0, first));
  auto number = parse_integer(std::string_view(*text).substr(first + 1, second - first - 1));
  if (!at || !number) return fail(Reason::invalid_parameter, "this is no `next` of a page", "after");
  return std::optional(registry::TagChangeKey{*at, text->substr(second + 1), *number});
}

Result<ChangeList> list_history(Call& call, const HistoryQuery& query, const NoBody&) {
  TRY(auto slice, page_of(std::nullopt, query.limit));
  TRY(auto after, parse_cursor(query.after));
  TRY(auto changes, op::invoke<ops::ListTagHistory>(call.rooms.policies, call.context,
                                                    {repository_of(query.space, query.repository),
                                                     query.tag.value_or(""), after, slice.limit}));
  ChangeList list;
  for (const auto& from : changes) {
    list.items.push_back({from.tag, from.number, std::string(from.kind()), unless_empty(from.from),
                          unless_empty(from.to), from.actor, from.origin, rfc3339(from.at)});
  }
  if (static_cast<std::int64_t>(changes.size()) == slice.limit) list.next = cursor_of(changes.back());
  return list;
}

Result<RestoredTag> restore_tag(Call& call, const RepositoryQuery& query, const RestoreTagBody& body) {
  TRY(auto tag,
      op::invoke<ops::RestoreTag>(call.rooms.policies, call.context,
                                  {repository_of(query.space, query.repository), body.tag, body.digest}));
  return RestoredTag{tag.name, tag.manifest.digest->text()};
}

}  // namespace

std::span<const Route> policy_routes() {
  static constexpr std::array table{
      route<&list_rules>("GET", "/api/v1/namespaces/{namespace}/immutability-rules")
          .about("which tags may be neither moved nor deleted"),
      route<&create_rule>("POST", "/api/v1/namespaces/{namespace}/immutability-rules", 201)
          .about("protect the tags a pattern selects"),
      route<&get_rule>("GET", "/api/v1/namespaces/{namespace}/immutability-rules/{id}")
          .about("show an immutability rule"),
      route<&update_rule>("PUT", "/api/v1/namespaces/{namespace}/immutability-rules/{id}")
          .about("replace an immutability rule"),
      route<&delete_rule>("DELETE", "/api/v1/namespaces/{namespace}/immutability-rules/{id}")
          .about("delete an immutability rule"),
      route<&list_history>("GET", "/api/v1/namespaces/{namespace}/repositories/{repository}/tag-history")
          .about("what became of tags, newest first"),
      route<&restore_tag>("POST",
                          "/api/v1/namespaces/{namespace}/repositories/{repository}/tag-history/restore")
          .about("put a tag back where it once pointed"),
  };
  return table;
}

}  // namespace wharfage::native
