#include <algorithm>

#include "registry/records.h"

#include "meta/rows.h"

// Instances, namespaces and repositories.
namespace wharfage::registry::records {
using namespace meta::rows;
namespace {

Namespace to_namespace(const meta::Row& row) {
  Namespace space;
  space.id = row.integer(0);
  space.public_id = row.text(1);
  space.name = row.text(2);
  space.is_public = row.integer(3) != 0;
  space.auto_create = row.integer(4) != 0;
  space.metadata = row.text(5);
  space.created_at = row.integer(6);
  space.updated_at = row.integer(7);
  space.repository_count = row.integer(8);
  return space;
}

Repository to_repository(const meta::Row& row) {
  Repository repository;
  repository.id = row.integer(0);
  repository.public_id = row.text(1);
  repository.namespace_id = row.integer(2);
  repository.namespace_name = row.text(3);
  repository.name = row.text(4);
  repository.summary = row.text(5);
  repository.detail = row.text(6);
  repository.is_public = row.integer(7) != 0;
  repository.immutable_tags = row.integer(8) != 0;
  repository.created_at = row.integer(9);
  repository.updated_at = row.integer(10);
  return repository;
}

}  // namespace

std::string contains(std::string_view text) {
  std::string pattern = "%";
  for (char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}

std::string id_list(const Readable& readable) {
  std::string list = ",";
  if (readable) {
    for (std::int64_t id : *readable) list += std::to_string(id) + ",";
  }
  return list;
}

// ---------------------------------------------------------------- instances

Result<std::optional<Instance>> find_instance(meta::Tx& tx) {
  TRY(auto row, tx.first(R"sql(
    SELECT id, cri_id, uuid, name, alibaba_region, huawei_region, project_id, project_name, domain_id,
           domain_name, ali_uid, created_at
    FROM instances ORDER BY id LIMIT 1)sql"));
  if (!row) return std::optional<Instance>();
  Instance instance;
  instance.id = row->integer(0);
  instance.cri_id = row->text(1);
  instance.uuid = row->text(2);
  instance.name = row->text(3);
  instance.alibaba_region = row->text(4);
  instance.huawei_region = row->text(5);
  instance.project_id = row->text(6);
  instance.project_name = row->text(7);
  instance.domain_id = row->text(8);
  instance.domain_name = row->text(9);
  instance.ali_uid = row->integer(10);
  instance.created_at = row->integer(11);
  return std::optional(std::move(instance));
}

Status insert_instance(meta::Tx& tx, const Instance& i) {
  TRY_STATUS(tx.execute(R"sql(
    INSERT INTO instances (id, cri_id, uuid, name, alibaba_region, huawei_region, project_id, project_name,
                           domain_id, domain_name, ali_uid, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12))sql",
                        {i.id, i.cri_id, i.uuid, i.name, i.alibaba_region, i.huawei_region, i.project_id,
                         i.project_name, i.domain_id, i.domain_name, i.ali_uid, i.created_at}));
  return {};
}

Result<bool> is_project(meta::Tx& tx, std::string_view name) {
  return exists(tx.first(R"sql(SELECT 1 FROM instances WHERE project_id = $1)sql", {name}));
}

// ---------------------------------------------------------------- namespaces

Status insert_namespace(meta::Tx& tx, const Namespace& n) {
  TRY(auto inserted, tx.execute(R"sql(
    INSERT INTO namespaces (id, public_id, name, is_public, auto_create, metadata, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO NOTHING)sql",
                                {n.id, n.public_id, n.name, n.is_public, n.auto_create, n.metadata,
                                 n.created_at, n.updated_at}));
  if (inserted == 0) return fail(Reason::namespace_exists, {}, n.name);
  return {};
}

Result<std::optional<Namespace>> find_namespace(meta::Tx& tx, std::string_view name) {
  return one(tx.first(R"sql(
    SELECT n.id, n.public_id, n.name, n.is_public, n.auto_create, n.metadata, n.created_at, n.updated_at,
           (SELECT COUNT(*) FROM repositories r WHERE r.namespace_id = n.id)
    FROM namespaces n WHERE n.name = $1)sql",
                      {name}),
             to_namespace);
}

Result<std::optional<Namespace>> find_namespace(meta::Tx& tx, std::int64_t id) {
  return one(tx.first(R"sql(
    SELECT n.id, n.public_id, n.name, n.is_public, n.auto_create, n.metadata, n.created_at, n.updated_at,
           (SELECT COUNT(*) FROM repositories r WHERE r.namespace_id = n.id)
    FROM namespaces n WHERE n.id = $1)sql",
                      {id}),
             to_namespace);
}

Result<std::optional<Namespace>> find_namespace_by_public_id(meta::Tx& tx, std::string_view public_id) {
  return one(tx.first(R"sql(
    SELECT n.id, n.public_id, n.name, n.is_public, n.auto_create, n.metadata, n.created_at, n.updated_at,
           (SELECT COUNT(*) FROM repositories r WHERE r.namespace_id = n.id)
    FROM namespaces n WHERE n.public_id = $1)sql",
                      {public_id}),
             to_namespace);
}

Result<Page<Namespace>> list_namespaces(meta::Tx& tx, const Registry::NamespaceFilter& filter, Slice slice) {
  int wanted_public = filter.is_public ? (*filter.is_public ? 1 : 0) : -1;
  meta::Arguments arguments{contains(filter.name_contains), wanted_public, filter.readable ? 0 : 1,
                            id_list(filter.readable)};
  Page<Namespace> page;
  TRY(page.total, number(tx.first(R"sql(
    SELECT COUNT(*) FROM namespaces n
    WHERE n.name LIKE $1 ESCAPE '\' AND ($2 = -1 OR n.is_public = $2)
      AND ($3 = 1 OR n.is_public = 1 OR $4 LIKE '%,' || n.id || ',%'))sql",
                                  arguments)));
  arguments.insert(arguments.end(), {slice.limit, slice.offset});
  auto rows = filter.newest_first ? tx.query(R"sql(
    SELECT n.id, n.public_id, n.name, n.is_public, n.auto_create, n.metadata, n.created_at, n.updated_at,
           (SELECT COUNT(*) FROM repositories r WHERE r.namespace_id = n.id)
    FROM namespaces n
    WHERE n.name LIKE $1 ESCAPE '\' AND ($2 = -1 OR n.is_public = $2)
      AND ($3 = 1 OR n.is_public = 1 OR $4 LIKE '%,' || n.id || ',%')
    ORDER BY n.created_at DESC, n.id DESC LIMIT $5 OFFSET $6)sql",
                                             arguments)
                                  : tx.query(R"sql(
    SELECT n.id, n.public_id, n.name, n.is_public, n.auto_create, n.metadata, n.created_at, n.updated_at,
           (SELECT COUNT(*) FROM repositories r WHERE r.namespace_id = n.id)
    FROM namespaces n
    WHERE n.name LIKE $1 ESCAPE '\' AND ($2 = -1 OR n.is_public = $2)
      AND ($3 = 1 OR n.is_public = 1 OR $4 LIKE '%,' || n.id || ',%')
    ORDER BY n.name LIMIT $5 OFFSET $6)sql",
                                             arguments);
  TRY(page.items, all(std::move(rows), to_namespace));
  return page;
}

Status update_namespace(meta::Tx& tx, const Namespace& n) {
  TRY_STATUS(tx.execute(R"sql(
    UPDATE namespaces SET is_public = $2, auto_create = $3, metadata = $4, updated_at = $5
    WHERE id = $1)sql",
                        {n.id, n.is_public, n.auto_create, n.metadata, n.updated_at}));
  return {};
}

Result<bool> has_repositories(meta::Tx& tx, std::int64_t namespace_id) {
  return exists(
      tx.first(R"sql(SELECT 1 FROM repositories WHERE namespace_id = $1 LIMIT 1)sql", {namespace_id}));
}

Status delete_namespace(meta::Tx& tx, std::int64_t id) {
  TRY_STATUS(tx.execute(R"sql(DELETE FROM namespaces WHERE id = $1)sql", {id}));
  return {};
}

// ---------------------------------------------------------------- repositories

Result<bool> insert_repository(meta::Tx& tx, const Repository& r) {
  TRY(auto inserted, tx.execute(R"sql(
    INSERT INTO repositories (id, public_id, namespace_id, full_name, name, summary, detail, is_public,
                              immutable_tags, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (full_name) DO NOTHING)sql",
                                {r.id, r.public_id, r.namespace_id, r.full_name(), r.name, r.summary,
                                 r.detail, r.is_public, r.immutable_tags, r.created_at, r.updated_at}));
  return inserted == 1;
}

Result<std::optional<Repository>> find_repository(meta::Tx& tx, std::string_view full_name) {
  return one(tx.first(R"sql(
    SELECT r.id, r.public_id, r.namespace_id, n.name, r.name, r.summary, r.detail, r.is_public,
           r.immutable_tags, r.created_at, r.updated_at
    FROM repositories r JOIN namespaces n ON n.id = r.namespace_id WHERE r.full_name = $1)sql",
                      {full_name}),
             to_repository);
}

Result<std::optional<Repository>> find_repository(meta::Tx& tx, std::int64_t id) {
  return one(tx.first(R"sql(
    SELECT r.id, r.public_id, r.namespace_id, n.name, r.name, r.summary, r.detail, r.is_public,
           r.immutable_tags, r.created_at, r.updated_at
    FROM repositories r JOIN namespaces n ON n.id = r.namespace_id WHERE r.id = $1)sql",
                      {id}),
             to_repository);
}

Result<std::optional<Repository>> find_repository_by_public_id(meta::Tx& tx, std::string_view public_id) {
  return one(tx.first(R"sql(
    SELECT r.id, r.public_id, r.namespace_id, n.name, r.name, r.summary, r.detail, r.is_public,
           r.immutable_tags, r.created_at, r.updated_at
    FROM repositories r JOIN namespaces n ON n.id = r.namespace_id WHERE r.public_id = $1)sql",
                      {public_id}),
             to_repository);
}

namespace {

Result<std::int64_t> count_of_namespace(meta::Tx& tx, std::int64_t namespace_id) {
  return number(
      tx.first(R"sql(SELECT COUNT(*) FROM repositories WHERE namespace_id = $1)sql", {namespace_id}));
}

// Without a search: from the counts, or from the indexes of what may be read. Never a walk over all rows.
Result<std::int64_t> count_readable(meta::Tx& tx, const Readable& readable) {
  if (!readable) {
    TRY(auto counted, store_counts(tx));
    return counted.repositories;
  }
  TRY(std::int64_t total, number(tx.first(R"sql(
    SELECT COUNT(*) FROM repositories r
    WHERE r.is_public = 1 AND NOT ($1 LIKE '%,' || r.namespace_id || ',%'))sql",
                                          {id_list(readable)})));
  for (std::int64_t id : *readable) {
    TRY(std::int64_t more, count_of_namespace(tx, id));
    total += more;
  }
  return total;
}

// Of one namespace: $2 says whether the caller may read all of it or only what is public.
Result<Page<Repository>> list_of_namespace(meta::Tx& tx, const Registry::RepositoryFilter& filter,
                                           Slice slice) {
  bool whole = !filter.readable || std::find(filter.readable->begin(), filter.readable->end(),
                                             filter.namespace_id) != filter.readable->end();
  meta::Arguments arguments{filter.namespace_id, whole ? 1 : 0, contains(filter.name_contains)};
  Page<Repository> page;
  if (whole && filter.name_contains.empty()) {
    TRY(page.total, count_of_namespace(tx, filter.namespace_id));
  } else {
    TRY(page.total, number(tx.first(R"sql(
      SELECT COUNT(*) FROM repositories r
      WHERE r.namespace_id = $1 AND ($2 = 1 OR r.is_public = 1) AND r.name LIKE $3 ESCAPE '\')sql",
                                    arguments)));
  }
  arguments.insert(arguments.end(), {slice.limit, slice.offset});
  auto rows = filter.newest_first ? tx.query(R"sql(
    SELECT r.id, r.public_id, r.namespace_id, n.name, r.name, r.summary, r.detail, r.is_public,
           r.immutable_tags, r.created_at, r.updated_at
    FROM repositories r JOIN namespaces n ON n.id = r.namespace_id
    WHERE r.namespace_id = $1 AND ($2 = 1 OR r.is_public = 1) AND r.name LIKE $3 ESCAPE '\'
    ORDER BY r.created_at DESC, r.id DESC LIMIT $4 OFFSET $5)sql",
                                             arguments)
                                  : tx.query(R"sql(
    SELECT r.id, r.public_id, r.namespace_id, n.name, r.name, r.summary, r.detail, r.is_public,
           r.immutable_tags, r.created_at, r.updated_at
    FROM repositories r JOIN namespaces n ON n.id = r.namespace_id
    WHERE r.namespace_id = $1 AND ($2 = 1 OR r.is_public = 1) AND r.name LIKE $3 ESCAPE '\'
    ORDER BY r.full_name LIMIT $4 OFFSET $5)sql",
                                             arguments);
  TRY(page.items, all(std::move(rows), to_repository));
  return page;
}

}  // namespace

Result<Page<Repository>> list_repositories(meta::Tx& tx, const Registry::RepositoryFilter& filter,
                                           Slice slice) {
  if (filter.namespace_id != 0) return list_of_namespace(tx, filter, slice);
  meta::Arguments arguments{contains(filter.name_contains), filter.readable ? 0 : 1,
                            id_list(filter.readable)};
  Page<Repository> page;
  if (filter.name_contains.empty()) {
    TRY(page.total, count_readable(tx, filter.readable));
  } else {
    TRY(page.total, number(tx.first(R"sql(
    SELECT COUNT(*) FROM repositories r
    WHERE r.namespace_id IS NOT NULL AND r.name LIKE $1 ESCAPE '\'
      AND ($2 = 1 OR r.is_public = 1 OR $3 LIKE '%,' || r.namespace_id || ',%'))sql",
                                    arguments)));
  }
  arguments.insert(arguments.end(), {slice.limit, slice.offset});
  auto rows = filter.newest_first ? tx.query(R"sql(
    SELECT r.id, r.public_id, r.namespace_id, n.name, r.name, r.summary, r.detail, r.is_public,
           r.immutable_tags, r.created_at, r.updated_at
    FROM repositories r JOIN namespaces n ON n.id = r.namespace_id
    WHERE r.name LIKE $1 ESCAPE '\'
      AND ($2 = 1 OR r.is_public = 1 OR $3 LIKE '%,' || r.namespace_id || ',%')
    ORDER BY r.created_at DESC, r.id DESC LIMIT $4 OFFSET $5)sql",
                                             arguments)
                                  : tx.query(R"sql(
    SELECT r.id, r.public_id, r.namespace_id, n.name, r.name, r.summary, r.detail, r.is_public,
           r.immutable_tags, r.created_at, r.updated_at
    FROM repositories r JOIN namespaces n ON n.id = r.namespace_id
    WHERE r.full_name IS NOT NULL AND r.name LIKE $1 ESCAPE '\'
      AND ($2 = 1 OR r.is_public = 1 OR $3 LIKE '%,' || r.namespace_id || ',%')
    ORDER BY r.full_name LIMIT $4 OFFSET $5)sql",
                                             arguments);
  TRY(page.items, all(std::move(rows), to_repository));
  return page;
}

Status update_repository(meta::Tx& tx, const Repository& r) {
  TRY_STATUS(tx.execute(R"sql(
    UPDATE repositories SET summary = $2, detail = $3, is_public = $4, immutable_tags = $5, updated_at = $6
    WHERE id = $1)sql",
                        {r.id, r.summary, r.detail, r.is_public, r.immutable_tags, r.updated_at}));
  return {};
}

Result<std::vector<std::string>> names_after(meta::Tx& tx, std::string_view last, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT full_name FROM repositories WHERE full_name > $1 ORDER BY full_name LIMIT $2)sql",
                      {last, limit}),
             first_text);
}

Result<std::vector<std::string>> public_names_after(meta::Tx& tx, std::string_view last, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT full_name FROM repositories WHERE is_public = 1 AND full_name > $1
    ORDER BY full_name LIMIT $2)sql",
                      {last, limit}),
             first_text);
}

Result<std::vector<std::string>> names_after(meta::Tx& tx, std::int64_t namespace_id, std::string_view last,
                                             std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT full_name FROM repositories WHERE namespace_id = $1 AND full_name > $2
    ORDER BY full_name LIMIT $3)sql",
                      {namespace_id, last, limit}),
             first_text);
}

Result<std::optional<std::int64_t>> find_unnamed_repository(meta::Tx& tx, TimeMs now) {
  TRY(auto row, tx.first(R"sql(
    SELECT id FROM repositories WHERE deleted_at IS NOT NULL AND purge_at <= $1
    ORDER BY purge_at, id LIMIT 1)sql",
                         {now}));
  if (!row) return std::optional<std::int64_t>();
  return std::optional(row->integer(0));
}

Status delete_repository(meta::Tx& tx, std::int64_t id) {
  TRY_STATUS(tx.execute(R"sql(DELETE FROM repository_pulls WHERE repository_id = $1)sql", {id}));
  TRY_STATUS(tx.execute(R"sql(DELETE FROM repositories WHERE id = $1)sql", {id}));
  return {};
}

}  // namespace wharfage::registry::records
