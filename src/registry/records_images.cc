#include "meta/rows.h"
#include "registry/records.h"

// Manifests and tags.
namespace wharfage::registry::records {
using namespace meta::rows;
namespace {

std::optional<Digest> optional_digest(const meta::Row& row, std::size_t column) {
  if (row.null(column)) return std::nullopt;
  auto digest = Digest::parse(row.text(column));
  return digest.ok() ? std::optional(*digest) : std::nullopt;
}

Manifest manifest_at(const meta::Row& row, std::size_t from) {
  Manifest manifest;
  manifest.id = row.integer(from);
  manifest.repository_id = row.integer(from + 1);
  manifest.digest = optional_digest(row, from + 2);
  manifest.media_type = row.text(from + 3);
  manifest.artifact_type = row.text(from + 4);
  manifest.subject = optional_digest(row, from + 5);
  manifest.config = optional_digest(row, from + 6);
  manifest.size = row.integer(from + 7);
  manifest.total_size = row.integer(from + 8);
  manifest.accessory = row.integer(from + 9) != 0;
  manifest.pushed_at = row.integer(from + 10);
  manifest.pull_count = row.integer(from + 11);
  manifest.pulled_at = row.integer(from + 12);
  return manifest;
}

Manifest to_manifest(const meta::Row& row) {
  return manifest_at(row, 0);
}

Manifest to_manifest_with_bytes(const meta::Row& row) {
  Manifest manifest = manifest_at(row, 0);
  manifest.bytes = row.bytes(13);
  return manifest;
}

Tag to_bare_tag(const meta::Row& row) {
  Tag tag;
  tag.id = row.integer(0);
  tag.repository_id = row.integer(1);
  tag.name = row.text(2);
  tag.created_at = row.integer(3);
  tag.updated_at = row.integer(4);
  return tag;
}

Tag to_tag(const meta::Row& row) {
  Tag tag = to_bare_tag(row);
  tag.manifest = manifest_at(row, 5);
  return tag;
}

meta::Value text_or_null(const std::optional<Digest>& digest) {
  if (!digest) return {};
  return digest->text();
}

}  // namespace

Manifest manifest_of(const meta::Row& row) {
  return manifest_at(row, 0);
}

// ---------------------------------------------------------------- manifests

Status insert_manifest(meta::Tx& tx, const Manifest& m) {
  TRY_STATUS(tx.execute(
      R"sql(
    INSERT INTO manifests (id, repository_id, digest, media_type, artifact_type, subject_digest,
                           config_digest, size, total_size, is_accessory, pushed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11))sql",
      {m.id, m.repository_id, m.digest->text(), m.media_type, m.artifact_type, text_or_null(m.subject),
       text_or_null(m.config), m.size, m.total_size, m.accessory, m.pushed_at}));
  return put_manifest_bytes(tx, m.id, m.bytes);
}

Status put_manifest_bytes(meta::Tx& tx, std::int64_t id, const std::string& bytes) {
  return done(tx.execute(R"sql(
    INSERT INTO manifest_bytes (manifest_id, bytes) VALUES ($1, $2)
    ON CONFLICT (manifest_id) DO UPDATE SET bytes = excluded.bytes)sql",
                         {id, meta::Bytes{bytes}}));
}

Result<std::optional<Manifest>> find_manifest(meta::Tx& tx, std::int64_t repository_id,
                                              std::string_view digest) {
  return one(tx.first(R"sql(
    SELECT m.id, m.repository_id, m.digest, m.media_type, m.artifact_type, m.subject_digest,
           m.config_digest, m.size, m.total_size, m.is_accessory, m.pushed_at, 0, 0, b.bytes
    FROM manifests m LEFT JOIN manifest_bytes b ON b.manifest_id = m.id
    WHERE m.repository_id = $1 AND m.digest = $2 AND m.deleted_at IS NULL)sql",
                      {repository_id, digest}),
             to_manifest_with_bytes);
}

Result<std::optional<Manifest>> find_manifest(meta::Tx& tx, std::int64_t id) {
  return one(tx.first(R"sql(
    SELECT m.id, m.repository_id, m.digest, m.media_type, m.artifact_type, m.subject_digest,
           m.config_digest, m.size, m.total_size, m.is_accessory, m.pushed_at,
           COALESCE(p.pulls, 0), COALESCE(p.pulled_at, 0), b.bytes
    FROM manifests m JOIN manifest_bytes b ON b.manifest_id = m.id
         JOIN repositories r ON r.id = m.repository_id AND r.deleted_at IS NULL
         LEFT JOIN manifest_pulls p ON p.manifest_id = m.id
    WHERE m.id = $1 AND m.deleted_at IS NULL)sql",
                      {id}),
             to_manifest_with_bytes);
}

Result<std::optional<Manifest>> find_tagged(meta::Tx& tx, std::int64_t repository_id, std::string_view tag) {
  return one(tx.first(R"sql(
    SELECT m.id, m.repository_id, m.digest, m.media_type, m.artifact_type, m.subject_digest,
           m.config_digest, m.size, m.total_size, m.is_accessory, m.pushed_at, 0, 0, b.bytes
    FROM tags t JOIN manifests m ON m.id = t.manifest_id LEFT JOIN manifest_bytes b ON b.manifest_id = m.id
    WHERE t.repository_id = $1 AND t.name = $2)sql",
                      {repository_id, tag}),
             to_manifest_with_bytes);
}

Result<std::optional<std::string>> find_manifest_bytes(meta::Tx& tx, std::int64_t id) {
  TRY(auto row, tx.first(R"sql(SELECT bytes FROM manifest_bytes WHERE manifest_id = $1)sql", {id}));
  return row ? std::optional(row->bytes(0)) : std::nullopt;
}

Result<std::string> manifest_bytes(meta::Tx& tx, std::int64_t id) {
  TRY(auto bytes, find_manifest_bytes(tx, id));
  if (!bytes) return fail(Reason::manifest_unknown);
  return *std::move(bytes);
}

Result<std::vector<Manifest>> list_manifests(meta::Tx& tx, std::int64_t repository_id, bool with_accessories,
                                             Slice slice) {
  meta::Arguments arguments{repository_id, slice.limit, slice.offset};
  if (with_accessories) {
    return all(tx.query(R"sql(
      SELECT m.id, m.repository_id, m.digest, m.media_type, m.artifact_type, m.subject_digest,
             m.config_digest, m.size, m.total_size, m.is_accessory, m.pushed_at,
             COALESCE(p.pulls, 0), COALESCE(p.pulled_at, 0)
      FROM manifests m LEFT JOIN manifest_pulls p ON p.manifest_id = m.id
      WHERE m.repository_id = $1 AND m.deleted_at IS NULL
      ORDER BY m.pushed_at DESC, m.id DESC LIMIT $2 OFFSET $3)sql",
                        arguments),
               to_manifest);
  }
  return all(tx.query(R"sql(
    SELECT m.id, m.repository_id, m.digest, m.media_type, m.artifact_type, m.subject_digest,
           m.config_digest, m.size, m.total_size, m.is_accessory, m.pushed_at,
           COALESCE(p.pulls, 0), COALESCE(p.pulled_at, 0)
    FROM manifests m LEFT JOIN manifest_pulls p ON p.manifest_id = m.id
    WHERE m.repository_id = $1 AND m.is_accessory = 0 AND m.deleted_at IS NULL
    ORDER BY m.pushed_at DESC, m.id DESC LIMIT $2 OFFSET $3)sql",
                      arguments),
             to_manifest);
}

Result<std::vector<Manifest>> list_charts(meta::Tx& tx, std::int64_t repository_id, Slice slice) {
  return all(tx.query(R"sql(
    SELECT m.id, m.repository_id, m.digest, m.media_type, m.artifact_type, m.subject_digest,
           m.config_digest, m.size, m.total_size, m.is_accessory, m.pushed_at,
           COALESCE(p.pulls, 0), COALESCE(p.pulled_at, 0)
    FROM manifests m LEFT JOIN manifest_pulls p ON p.manifest_id = m.id
    WHERE m.repository_id = $1 AND m.is_accessory = 0 AND m.deleted_at IS NULL
      AND m.artifact_type = 'application/vnd.cncf.helm.config.v1+json'
    ORDER BY m.pushed_at DESC, m.id DESC LIMIT $2 OFFSET $3)sql",
                      {repository_id, slice.limit, slice.offset}),
             to_manifest);
}

Result<std::vector<Manifest>> list_images(meta::Tx& tx, std::int64_t repository_id, Slice slice) {
  return all(tx.query(R"sql(
    SELECT m.id, m.repository_id, m.digest, m.media_type, m.artifact_type, m.subject_digest,
           m.config_digest, m.size, m.total_size, m.is_accessory, m.pushed_at,
           COALESCE(p.pulls, 0), COALESCE(p.pulled_at, 0)
    FROM manifests m LEFT JOIN manifest_pulls p ON p.manifest_id = m.id
    WHERE m.repository_id = $1 AND m.is_accessory = 0 AND m.deleted_at IS NULL
      AND m.artifact_type <> 'application/vnd.cncf.helm.config.v1+json'
    ORDER BY m.pushed_at DESC, m.id DESC LIMIT $2 OFFSET $3)sql",
                      {repository_id, slice.limit, slice.offset}),
             to_manifest);
}

Result<std::int64_t> count_charts(meta::Tx& tx, std::int64_t repository_id) {
  return number(tx.first(R"sql(
    SELECT COUNT(*) FROM manifests
    WHERE repository_id = $1 AND is_accessory = 0 AND deleted_at IS NULL
      AND artifact_type = 'application/vnd.cncf.helm.config.v1+json')sql",
                         {repository_id}));
}

Result<std::vector<Registry::Located>> manifests_after(meta::Tx& tx, const Readable& readable,
                                                       std::int64_t after_id, std::int64_t limit) {
  TRY(auto rows, tx.query(R"sql(
    SELECT m.id, m.repository_id, m.digest, m.media_type, m.artifact_type, m.subject_digest,
           m.config_digest, m.size, m.total_size, m.is_accessory, m.pushed_at,
           COALESCE(p.pulls, 0), COALESCE(p.pulled_at, 0)
    FROM manifests m JOIN repositories r ON r.id = m.repository_id AND r.deleted_at IS NULL
         LEFT JOIN manifest_pulls p ON p.manifest_id = m.id
    WHERE m.id > $1 AND m.is_accessory = 0 AND m.deleted_at IS NULL
      AND ($2 = 1 OR r.is_public = 1 OR $3 LIKE '%,' || r.namespace_id || ',%')
    ORDER BY m.id LIMIT $4)sql",
                          {after_id, readable ? 0 : 1, id_list(readable), limit}));
  std::vector<Registry::Located> found;
  for (const auto& row : rows) {
    Registry::Located located{to_manifest(row), {}};
    TRY(auto repository, find_repository(tx, located.manifest.repository_id));
    if (repository) located.repository = *std::move(repository);
    found.push_back(std::move(located));
  }
  return found;
}

Result<std::vector<Manifest>> referrers(meta::Tx& tx, std::int64_t repository_id, std::string_view subject,
                                        std::string_view artifact_type, std::int64_t after_id,
                                        std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT m.id, m.repository_id, m.digest, m.media_type, m.artifact_type, m.subject_digest,
           m.config_digest, m.size, m.total_size, m.is_accessory, m.pushed_at, 0, 0
    FROM manifests m
    WHERE m.repository_id = $1 AND m.subject_digest = $2 AND m.id > $4 AND m.deleted_at IS NULL
      AND ($3 = '' OR m.artifact_type = $3)
    ORDER BY m.id LIMIT $5)sql",
                      {repository_id, subject, artifact_type, after_id, limit}),
             to_manifest);
}

Status delete_manifest(meta::Tx& tx, std::int64_t id) {
  TRY_STATUS(tx.execute(R"sql(DELETE FROM deleted_tags WHERE manifest_id = $1)sql", {id}));
  TRY_STATUS(tx.execute(R"sql(DELETE FROM manifest_absent_blobs WHERE manifest_id = $1)sql", {id}));
  TRY_STATUS(tx.execute(R"sql(DELETE FROM manifest_children WHERE manifest_id = $1)sql", {id}));
  TRY_STATUS(tx.execute(R"sql(DELETE FROM manifest_pulls WHERE manifest_id = $1)sql", {id}));
  TRY_STATUS(tx.execute(R"sql(DELETE FROM manifest_bytes WHERE manifest_id = $1)sql", {id}));
  return done(tx.execute(R"sql(DELETE FROM manifests WHERE id = $1)sql", {id}));
}

// ---------------------------------------------------------------- tags

Result<std::optional<TagRow>> find_tag_row(meta::Tx& tx, std::int64_t repository_id, std::string_view name) {
  TRY(auto row, tx.first(R"sql(
    SELECT id, manifest_id FROM tags WHERE repository_id = $1 AND name = $2)sql",
                         {repository_id, name}));
  if (!row) return std::optional<TagRow>();
  return std::optional(TagRow{row->integer(0), row->integer(1)});
}

Status insert_tag(meta::Tx& tx, const Tag& t) {
  return done(tx.execute(
      R"sql(
    INSERT INTO tags (id, repository_id, name, manifest_id, is_accessory, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7))sql",
      {t.id, t.repository_id, t.name, t.manifest.id, is_accessory_tag(t.name), t.created_at, t.updated_at}));
}

Status move_tag(meta::Tx& tx, std::int64_t id, std::int64_t manifest_id, TimeMs now) {
  return done(tx.execute(R"sql(UPDATE tags SET manifest_id = $2, updated_at = $3 WHERE id = $1)sql",
                         {id, manifest_id, now}));
}

Result<std::optional<Tag>> find_tag(meta::Tx& tx, std::int64_t repository_id, std::string_view name) {
  return one(tx.first(R"sql(
    SELECT t.id, t.repository_id, t.name, t.created_at, t.updated_at,
           m.id, m.repository_id, m.digest, m.media_type, m.artifact_type, m.subject_digest,
           m.config_digest, m.size, m.total_size, m.is_accessory, m.pushed_at,
           COALESCE(p.pulls, 0), COALESCE(p.pulled_at, 0)
    FROM tags t JOIN manifests m ON m.id = t.manifest_id
         LEFT JOIN manifest_pulls p ON p.manifest_id = m.id
    WHERE t.repository_id = $1 AND t.name = $2)sql",
                      {repository_id, name}),
             to_tag);
}

namespace {

Result<std::vector<Tag>> search_tags(meta::Tx& tx, std::int64_t repository_id,
                                     const Registry::TagFilter& filter, Slice slice) {
  return all(tx.query(R"sql(
    SELECT t.id, t.repository_id, t.name, t.created_at, t.updated_at,
           m.id, m.repository_id, m.digest, m.media_type, m.artifact_type, m.subject_digest,
           m.config_digest, m.size, m.total_size, m.is_accessory, m.pushed_at,
           COALESCE(p.pulls, 0), COALESCE(p.pulled_at, 0)
    FROM tags t JOIN manifests m ON m.id = t.manifest_id
         LEFT JOIN manifest_pulls p ON p.manifest_id = m.id
    WHERE t.repository_id = $1 AND t.name LIKE $2 ESCAPE '\' AND t.is_accessory <= $3
    ORDER BY t.updated_at DESC, t.id DESC LIMIT $4 OFFSET $5)sql",
                      {repository_id, contains(filter.name_contains), filter.with_accessories ? 1 : 0,
                       slice.limit, slice.offset}),
             to_tag);
}

}  // namespace

Result<std::vector<Tag>> list_tags(meta::Tx& tx, std::int64_t repository_id,
                                   const Registry::TagFilter& filter, Slice slice) {
  if (!filter.name_contains.empty()) return search_tags(tx, repository_id, filter, slice);
  meta::Arguments arguments{repository_id, slice.limit, slice.offset};
  if (filter.with_accessories) {
    return all(tx.query(R"sql(
      SELECT t.id, t.repository_id, t.name, t.created_at, t.updated_at,
             m.id, m.repository_id, m.digest, m.media_type, m.artifact_type, m.subject_digest,
             m.config_digest, m.size, m.total_size, m.is_accessory, m.pushed_at,
             COALESCE(p.pulls, 0), COALESCE(p.pulled_at, 0)
      FROM tags t JOIN manifests m ON m.id = t.manifest_id
           LEFT JOIN manifest_pulls p ON p.manifest_id = m.id
      WHERE t.repository_id = $1 ORDER BY t.updated_at DESC, t.id DESC LIMIT $2 OFFSET $3)sql",
                        arguments),
               to_tag);
  }
  return all(tx.query(R"sql(
    SELECT t.id, t.repository_id, t.name, t.created_at, t.updated_at,
           m.id, m.repository_id, m.digest, m.media_type, m.artifact_type, m.subject_digest,
           m.config_digest, m.size, m.total_size, m.is_accessory, m.pushed_at,
           COALESCE(p.pulls, 0), COALESCE(p.pulled_at, 0)
    FROM tags t JOIN manifests m ON m.id = t.manifest_id
         LEFT JOIN manifest_pulls p ON p.manifest_id = m.id
    WHERE t.repository_id = $1 AND t.is_accessory = 0
    ORDER BY t.updated_at DESC, t.id DESC LIMIT $2 OFFSET $3)sql",
                      arguments),
             to_tag);
}

Result<std::int64_t> count_tags(meta::Tx& tx, std::int64_t repository_id, const Registry::TagFilter& filter) {
  return number(tx.first(R"sql(
    SELECT COUNT(*) FROM tags
    WHERE repository_id = $1 AND name LIKE $2 ESCAPE '\' AND is_accessory <= $3)sql",
                         {repository_id, contains(filter.name_contains), filter.with_accessories ? 1 : 0}));
}

Result<std::vector<std::string>> tags_after(meta::Tx& tx, std::int64_t repository_id, std::string_view last,
                                            std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT name FROM tags WHERE repository_id = $1 AND name > $2 ORDER BY name LIMIT $3)sql",
                      {repository_id, last, limit}),
             first_text);
}

Result<std::vector<std::string>> tags_of(meta::Tx& tx, std::int64_t manifest_id, std::int64_t limit) {
  return all(tx.query(R"sql(SELECT name FROM tags WHERE manifest_id = $1 ORDER BY name LIMIT $2)sql",
                      {manifest_id, limit}),
             first_text);
}

Result<std::vector<Tag>> tags_on(meta::Tx& tx, std::int64_t manifest_id, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT id, repository_id, name, created_at, updated_at FROM tags WHERE manifest_id = $1
    ORDER BY name LIMIT $2)sql",
                      {manifest_id, limit}),
             to_bare_tag);
}

Result<bool> has_image_tag(meta::Tx& tx, std::int64_t manifest_id) {
  return exists(tx.first(R"sql(
    SELECT 1 FROM tags WHERE manifest_id = $1 AND is_accessory = 0 LIMIT 1)sql",
                         {manifest_id}));
}

Status delete_tag(meta::Tx& tx, std::int64_t id) {
  return done(tx.execute(R"sql(DELETE FROM tags WHERE id = $1)sql", {id}));
}

namespace {

Removed count_removed(const meta::Rows& rows) {
  Removed removed;
  for (const auto& row : rows) ++(row.integer(0) != 0 ? removed.accessory_tags : removed.tags);
  return removed;
}

}  // namespace

Result<Removed> delete_tags_of(meta::Tx& tx, std::int64_t manifest_id) {
  TRY(auto rows,
      tx.query(R"sql(DELETE FROM tags WHERE manifest_id = $1 RETURNING is_accessory)sql", {manifest_id}));
  return count_removed(rows);
}

Result<Removed> delete_some_tags(meta::Tx& tx, std::int64_t repository_id, std::int64_t limit) {
  TRY(auto rows, tx.query(R"sql(
    DELETE FROM tags WHERE id IN (SELECT t.id FROM tags t WHERE t.repository_id = $1
                                  ORDER BY t.updated_at, t.id LIMIT $2)
    RETURNING is_accessory)sql",
                          {repository_id, limit}));
  return count_removed(rows);
}

}  // namespace wharfage::registry::records
