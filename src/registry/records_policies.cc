#include "meta/rows.h"
#include "registry/policy_records.h"

// Immutability rules.
namespace wharfage::registry::records {
using namespace meta::rows;
namespace {

ImmutabilityRule to_immutability_rule(const meta::Row& row) {
  ImmutabilityRule rule;
  rule.id = row.integer(0);
  rule.namespace_id = row.integer(1);
  rule.name = row.text(2);
  rule.selector = {row.text(3), row.text(4), row.text(5), row.text(6)};
  rule.enabled = row.integer(7) != 0;
  rule.creator = row.text(8);
  rule.created_at = row.integer(9);
  rule.updated_at = row.integer(10);
  return rule;
}

LocatedRule to_located_rule(const meta::Row& row) {
  return {to_immutability_rule(row), row.text(11)};
}

}  // namespace

Result<Page<LocatedRule>> immutability_rules_in(meta::Tx& tx, const Readable& readable,
                                                std::int64_t namespace_id, Slice slice) {
  const std::int64_t everything = readable ? 0 : 1;
  Page<LocatedRule> page;
  TRY(page.items, all(tx.query(R"sql(
    SELECT i.id, i.namespace_id, i.name, i.repositories, i.except_repositories, i.tags, i.except_tags,
           i.enabled, i.creator, i.created_at, i.updated_at, n.name
    FROM immutability_rules i JOIN namespaces n ON n.id = i.namespace_id
    WHERE ($1 = 0 OR i.namespace_id = $1) AND ($2 = 1 OR $3 LIKE '%,' || i.namespace_id || ',%')
    ORDER BY i.id LIMIT $4 OFFSET $5)sql",
                               {namespace_id, everything, id_list(readable), slice.limit, slice.offset}),
                      to_located_rule));
  TRY(page.total, number(tx.first(R"sql(
    SELECT COUNT(*) FROM immutability_rules i
    WHERE ($1 = 0 OR i.namespace_id = $1) AND ($2 = 1 OR $3 LIKE '%,' || i.namespace_id || ',%'))sql",
                                  {namespace_id, everything, id_list(readable)})));
  return page;
}

Result<std::vector<ImmutabilityRule>> immutability_rules(meta::Tx& tx, std::int64_t namespace_id) {
  return all(tx.query(R"sql(
    SELECT id, namespace_id, name, repositories, except_repositories, tags, except_tags, enabled, creator,
           created_at, updated_at
    FROM immutability_rules WHERE namespace_id = $1 ORDER BY id)sql",
                      {namespace_id}),
             to_immutability_rule);
}

Result<std::optional<ImmutabilityRule>> find_immutability_rule(meta::Tx& tx, std::int64_t id) {
  return one(tx.first(R"sql(
    SELECT id, namespace_id, name, repositories, except_repositories, tags, except_tags, enabled, creator,
           created_at, updated_at
    FROM immutability_rules WHERE id = $1)sql",
                      {id}),
             to_immutability_rule);
}

Status insert_immutability_rule(meta::Tx& tx, const ImmutabilityRule& r) {
  const Selector& s = r.selector;
  return done(tx.execute(R"sql(
    INSERT INTO immutability_rules (id, namespace_id, name, repositories, except_repositories, tags,
                                    except_tags, enabled, creator, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11))sql",
                         {r.id, r.namespace_id, r.name, s.repositories, s.except_repositories, s.tags,
                          s.except_tags, r.enabled, r.creator, r.created_at, r.updated_at}));
}

Status update_immutability_rule(meta::Tx& tx, const ImmutabilityRule& r) {
  const Selector& s = r.selector;
  return done(tx.execute(
      R"sql(
    UPDATE immutability_rules
    SET name = $2, repositories = $3, except_repositories = $4, tags = $5, except_tags = $6, enabled = $7,
        updated_at = $8
    WHERE id = $1)sql",
      {r.id, r.name, s.repositories, s.except_repositories, s.tags, s.except_tags, r.enabled, r.updated_at}));
}

Status delete_immutability_rule(meta::Tx& tx, std::int64_t id) {
  return done(tx.execute(R"sql(DELETE FROM immutability_rules WHERE id = $1)sql", {id}));
}

Result<std::vector<std::string>> tags_of_after(meta::Tx& tx, std::int64_t manifest_id, std::string_view last,
                                               std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT name FROM tags WHERE manifest_id = $1 AND name > $2 ORDER BY name LIMIT $3)sql",
                      {manifest_id, last, limit}),
             first_text);
}

}  // namespace wharfage::registry::records
