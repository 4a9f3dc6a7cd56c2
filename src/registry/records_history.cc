#include "meta/rows.h"
#include "registry/policy_limits.h"
#include "registry/policy_records.h"

// What became of tags. Rows are numbered per tag, so that changes of two tags never meet in one row.
namespace wharfage::registry::records {
using namespace meta::rows;
namespace {

TagChange to_tag_change(const meta::Row& row) {
  TagChange change;
  change.repository_id = row.integer(0);
  change.tag = row.text(1);
  change.number = row.integer(2);
  change.at = row.integer(3);
  change.from = row.text(4);
  change.to = row.text(5);
  change.actor = row.text(6);
  change.origin = row.text(7);
  return change;
}

}  // namespace

Status add_tag_change(meta::Tx& tx, const TagChange& c) {
  TRY(std::int64_t number, number(tx.first(R"sql(
    INSERT INTO tag_history (repository_id, tag, number, changed_at, from_digest, to_digest, actor, origin)
    VALUES ($1, $2, (SELECT COALESCE(MAX(h.number), 0) + 1 FROM tag_history h
                     WHERE h.repository_id = $1 AND h.tag = $2), $3, $4, $5, $6, $7)
    RETURNING number)sql",
                                           {c.repository_id, c.tag, c.at, c.from, c.to, c.actor, c.origin})));
  if (number <= limits::tag_history_per_tag_max) return {};
  return done(tx.execute(R"sql(
    DELETE FROM tag_history WHERE repository_id = $1 AND tag = $2 AND number <= $3)sql",
                         {c.repository_id, c.tag, number - limits::tag_history_per_tag_max}));
}

Status add_tags_deleted(meta::Tx& tx, const Manifest& manifest, TimeMs at, const Cause& cause) {
  return done(tx.execute(R"sql(
    INSERT INTO tag_history (repository_id, tag, number, changed_at, from_digest, to_digest, actor, origin)
    SELECT t.repository_id, t.name,
           (SELECT COALESCE(MAX(h.number), 0) + 1 FROM tag_history h
            WHERE h.repository_id = t.repository_id AND h.tag = t.name),
           CAST($2 AS BIGINT), CAST($3 AS TEXT), '', CAST($4 AS TEXT), CAST($5 AS TEXT)
    FROM tags t WHERE t.manifest_id = $1 AND t.is_accessory = 0)sql",
                         {manifest.id, at, manifest.digest->text(), cause.actor, cause.origin}));
}

Result<std::vector<TagChange>> tag_history(meta::Tx& tx, std::int64_t repository_id,
                                           const TagChangeKey& before, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT repository_id, tag, number, changed_at, from_digest, to_digest, actor, origin FROM tag_history
    WHERE repository_id = $1 AND changed_at <= $2
      AND (changed_at < $2 OR tag < $3 OR (tag = $3 AND number < $4))
    ORDER BY changed_at DESC, tag DESC, number DESC LIMIT $5)sql",
                      {repository_id, before.at, before.tag, before.number, limit}),
             to_tag_change);
}

Result<std::vector<TagChange>> tag_history_of(meta::Tx& tx, std::int64_t repository_id, std::string_view tag,
                                              std::int64_t before, std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT repository_id, tag, number, changed_at, from_digest, to_digest, actor, origin FROM tag_history
    WHERE repository_id = $1 AND tag = $2 AND number < $3 ORDER BY number DESC LIMIT $4)sql",
                      {repository_id, tag, before, limit}),
             to_tag_change);
}

Result<Page<TagChange>> tags_removed_by(meta::Tx& tx, std::int64_t repository_id, std::string_view origin,
                                        Slice slice) {
  Page<TagChange> page;
  TRY(page.items, all(tx.query(R"sql(
    SELECT repository_id, tag, number, changed_at, from_digest, to_digest, actor, origin FROM tag_history
    WHERE repository_id = $1 AND origin = $2 AND to_digest = ''
    ORDER BY changed_at DESC, tag DESC, number DESC LIMIT $3 OFFSET $4)sql",
                               {repository_id, origin, slice.limit, slice.offset}),
                      to_tag_change));
  TRY(page.total, number(tx.first(R"sql(
    SELECT COUNT(*) FROM tag_history WHERE repository_id = $1 AND origin = $2 AND to_digest = '')sql",
                                  {repository_id, origin})));
  return page;
}

Result<bool> has_pointed_to(meta::Tx& tx, std::int64_t repository_id, std::string_view tag,
                            std::string_view digest) {
  return exists(tx.first(R"sql(
    SELECT 1 FROM tag_history
    WHERE repository_id = $1 AND tag = $2 AND (from_digest = $3 OR to_digest = $3) LIMIT 1)sql",
                         {repository_id, tag, digest}));
}

Result<std::string> digest_of(meta::Tx& tx, std::int64_t manifest_id) {
  TRY(auto row, tx.first(R"sql(SELECT digest FROM manifests WHERE id = $1)sql", {manifest_id}));
  return row ? row->text(0) : std::string();
}

Result<std::optional<TimeMs>> tag_history_end(meta::Tx& tx, std::int64_t repository_id, std::int64_t keep) {
  return one(tx.first(R"sql(
    SELECT changed_at FROM tag_history WHERE repository_id = $1
    ORDER BY changed_at DESC LIMIT 1 OFFSET $2)sql",
                      {repository_id, keep}),
             first_integer);
}

Result<std::int64_t> prune_tag_history(meta::Tx& tx, std::int64_t repository_id, TimeMs until,
                                       std::int64_t limit) {
  return tx.execute(R"sql(
    DELETE FROM tag_history WHERE (repository_id, tag, number) IN (
      SELECT h.repository_id, h.tag, h.number FROM tag_history h
      WHERE h.repository_id = $1 AND h.changed_at <= $2 ORDER BY h.changed_at LIMIT $3))sql",
                    {repository_id, until, limit});
}

Result<std::vector<std::int64_t>> repositories_with_history(meta::Tx& tx, std::int64_t after_id,
                                                            std::int64_t limit) {
  return all(tx.query(R"sql(
    SELECT r.id FROM repositories r
    WHERE r.id > $1 AND EXISTS (SELECT 1 FROM tag_history h WHERE h.repository_id = r.id)
    ORDER BY r.id LIMIT $2)sql",
                      {after_id, limit}),
             first_integer);
}

}  // namespace wharfage::registry::records
