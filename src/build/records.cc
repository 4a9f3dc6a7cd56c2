#include "build/records.h"

#include "build/recipe_text.h"
#include "meta/rows.h"

namespace wharfage::build::records {
using namespace meta::rows;
namespace {

ProviderRow provider_of(const meta::Row& row) {
  return {.provider = {.id = row.integer(0),
                       .name = row.text(1),
                       .type = row.text(2),
                       .domain = row.text(3),
                       .url_template = row.text(4),
                       .credential = row.text(5),
                       .username = row.text(6),
                       .known_hosts = row.text(7),
                       .created_at = row.integer(8),
                       .updated_at = row.integer(9)},
          .sealed = row.text(10)};
}

std::optional<ProviderRow> provider_of(const std::optional<meta::Row>& row) {
  if (!row) return {};
  return provider_of(*row);
}

Rule rule_of(const meta::Row& row) {
  return {.id = row.text(0),
          .repository_id = row.integer(1),
          .recipe = recipe_of(row.text(2)),
          .created_at = row.integer(3),
          .updated_at = row.integer(4)};
}

}  // namespace

Result<bool> insert_provider(meta::Tx& tx, const ProviderRow& row) {
  const Provider& one = row.provider;
  return changed(tx.execute(R"sql(
    INSERT INTO source_providers (id, name, type, domain, url_template, credential, username, known_hosts, sealed,
                                  created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    ON CONFLICT (name) DO NOTHING
  )sql",
                            {one.id, one.name, one.type, one.domain, one.url_template, one.credential,
                             one.username, one.known_hosts, row.sealed, one.created_at, one.updated_at}));
}

Result<bool> update_provider(meta::Tx& tx, const ProviderRow& row) {
  const Provider& one = row.provider;
  return changed(tx.execute(R"sql(
    UPDATE source_providers SET type = $2, domain = $3, url_template = $4, credential = $5, username = $6,
           known_hosts = $7, sealed = $8, updated_at = $9
    WHERE id = $1
  )sql",
                            {one.id, one.type, one.domain, one.url_template, one.credential, one.username,
                             one.known_hosts, row.sealed, one.updated_at}));
}

Result<bool> delete_provider(meta::Tx& tx, std::int64_t id) {
  return changed(tx.execute(R"sql(DELETE FROM source_providers WHERE id = $1)sql", {id}));
}

Result<std::optional<ProviderRow>> find_provider(meta::Tx& tx, std::string_view name) {
  TRY(auto row, tx.first(R"sql(
    SELECT id, name, type, domain, url_template, credential, username, known_hosts, created_at, updated_at, sealed
    FROM source_providers WHERE name = $1
  )sql",
                         {name}));
  return provider_of(row);
}

Result<std::optional<ProviderRow>> find_provider(meta::Tx& tx, std::int64_t id) {
  TRY(auto row, tx.first(R"sql(
    SELECT id, name, type, domain, url_template, credential, username, known_hosts, created_at, updated_at, sealed
    FROM source_providers WHERE id = $1
  )sql",
                         {id}));
  return provider_of(row);
}

Result<std::optional<ProviderRow>> first_provider_of_type(meta::Tx& tx, std::string_view type) {
  TRY(auto row, tx.first(R"sql(
    SELECT id, name, type, domain, url_template, credential, username, known_hosts, created_at, updated_at, sealed
    FROM source_providers WHERE type = $1 ORDER BY id LIMIT 1
  )sql",
                         {type}));
  return provider_of(row);
}

Result<Page<Provider>> list_providers(meta::Tx& tx, std::int64_t offset, std::int64_t limit) {
  Page<Provider> page;
  TRY(auto rows, tx.query(R"sql(
    SELECT id, name, type, domain, url_template, credential, username, known_hosts, created_at, updated_at, ''
    FROM source_providers ORDER BY name LIMIT $1 OFFSET $2
  )sql",
                          {limit, offset}));
  for (const meta::Row& row : rows) page.items.push_back(provider_of(row).provider);
  TRY(auto total, tx.first(R"sql(SELECT COUNT(*) FROM source_providers)sql"));
  page.total = total->integer(0);
  return page;
}

Result<bool> provider_in_use(meta::Tx& tx, std::int64_t id) {
  TRY(auto row, tx.first(R"sql(SELECT 1 FROM build_sources WHERE provider_id = $1 LIMIT 1)sql", {id}));
  return row.has_value();
}

Result<bool> insert_source(meta::Tx& tx, const Source& source) {
  return changed(tx.execute(R"sql(
    INSERT INTO build_sources (repository_id, provider_id, space, name, disable_cache, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (repository_id) DO NOTHING
  )sql",
                            {source.repository_id, source.provider_id, source.space, source.name,
                             source.disable_cache, source.created_at, source.updated_at}));
}

Result<bool> update_source(meta::Tx& tx, const Source& source) {
  return changed(tx.execute(R"sql(
    UPDATE build_sources SET provider_id = $2, space = $3, name = $4, disable_cache = $5, updated_at = $6
    WHERE repository_id = $1
  )sql",
                            {source.repository_id, source.provider_id, source.space, source.name,
                             source.disable_cache, source.updated_at}));
}

Result<bool> delete_source(meta::Tx& tx, std::int64_t repository_id) {
  return changed(tx.execute(R"sql(DELETE FROM build_sources WHERE repository_id = $1)sql", {repository_id}));
}

Result<std::optional<Source>> find_source(meta::Tx& tx, std::int64_t repository_id) {
  TRY(auto row, tx.first(R"sql(
    SELECT s.repository_id, s.provider_id, p.name, p.type, p.domain, s.space, s.name, s.disable_cache, s.created_at,
           s.updated_at
    FROM build_sources s JOIN source_providers p ON p.id = s.provider_id
    WHERE s.repository_id = $1
  )sql",
                         {repository_id}));
  if (!row) return std::optional<Source>();
  return std::optional<Source>({.repository_id = row->integer(0),
                                .provider_id = row->integer(1),
                                .provider_name = row->text(2),
                                .provider_type = row->text(3),
                                .domain = row->text(4),
                                .space = row->text(5),
                                .name = row->text(6),
                                .disable_cache = row->integer(7) != 0,
                                .created_at = row->integer(8),
                                .updated_at = row->integer(9)});
}

Status insert_rule(meta::Tx& tx, std::int64_t number, const Rule& rule) {
  return done(tx.execute(
      R"sql(
    INSERT INTO build_rules (number, id, repository_id, recipe, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6)
  )sql",
      {number, rule.id, rule.repository_id, recipe_text(rule.recipe), rule.created_at, rule.updated_at}));
}

Result<bool> update_rule(meta::Tx& tx, const Rule& rule) {
  return changed(tx.execute(R"sql(
    UPDATE build_rules SET recipe = $3, updated_at = $4 WHERE id = $2 AND repository_id = $1
  )sql",
                            {rule.repository_id, rule.id, recipe_text(rule.recipe), rule.updated_at}));
}

Result<bool> delete_rule(meta::Tx& tx, std::int64_t repository_id, std::string_view id) {
  return changed(tx.execute(R"sql(DELETE FROM build_rules WHERE id = $2 AND repository_id = $1)sql",
                            {repository_id, id}));
}

Result<std::optional<Rule>> find_rule(meta::Tx& tx, std::int64_t repository_id, std::string_view id) {
  TRY(auto row, tx.first(R"sql(
    SELECT id, repository_id, recipe, created_at, updated_at FROM build_rules
    WHERE id = $2 AND repository_id = $1
  )sql",
                         {repository_id, id}));
  if (!row) return std::optional<Rule>();
  return std::optional<Rule>(rule_of(*row));
}

Result<Page<Rule>> list_rules(meta::Tx& tx, std::int64_t repository_id, std::int64_t offset,
                              std::int64_t limit) {
  Page<Rule> page;
  TRY(auto rows, tx.query(R"sql(
    SELECT id, repository_id, recipe, created_at, updated_at FROM build_rules
    WHERE repository_id = $1 ORDER BY number LIMIT $2 OFFSET $3
  )sql",
                          {repository_id, limit, offset}));
  for (const meta::Row& row : rows) page.items.push_back(rule_of(row));
  TRY(auto total,
      tx.first(R"sql(SELECT COUNT(*) FROM build_rules WHERE repository_id = $1)sql", {repository_id}));
  page.total = total->integer(0);
  return page;
}

}  // namespace wharfage::build::records
