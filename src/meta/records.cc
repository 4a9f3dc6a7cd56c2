#include "meta/records.h"

#include "base/limits.h"

namespace wharfage::meta {

Result<std::set<std::int64_t>> applied_migrations(Tx& tx) {
  TRY(Rows rows, tx.query(R"sql(SELECT number FROM schema_migrations)sql"));
  std::set<std::int64_t> numbers;
  for (const Row& row : rows) numbers.insert(row.integer(0));
  return numbers;
}

Status add_migration(Tx& tx, const Migration& migration) {
  TRY_STATUS(tx.execute(R"sql(
    INSERT INTO schema_migrations (number, name, applied_at)
    VALUES ($1, $2, CAST(CURRENT_TIMESTAMP AS TEXT))
  )sql",
                        {migration.number, migration.name}));
  return {};
}

Result<std::int64_t> reserve_ids(Tx& tx, std::string_view kind, std::int64_t count) {
  TRY(auto row, tx.first(R"sql(
    INSERT INTO id_blocks (kind, next_id) VALUES ($1, CAST($2 AS BIGINT) + 1)
    ON CONFLICT (kind) DO UPDATE SET next_id = id_blocks.next_id + CAST($2 AS BIGINT)
    RETURNING next_id
  )sql",
                         {kind, count}));
  std::int64_t first = row->integer(0) - count;
  if (first + count - 1 > limits::id_max) {
    return fail(Reason::quota_exceeded, "all integer ids of this kind are used up", std::string(kind));
  }
  return first;
}

}  // namespace wharfage::meta
