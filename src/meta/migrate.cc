#include <algorithm>
#include <set>

#include "base/check.h"
#include "meta/db.h"
#include "meta/records.h"
#include "meta/schema.h"

namespace wharfage::meta {
namespace {

Status refuse_newer(const std::set<std::int64_t>& applied, const std::vector<Migration>& known) {
  for (auto number : applied) {
    bool found = std::any_of(known.begin(), known.end(), [&](auto& one) { return one.number == number; });
    if (!found) return fail(Reason::schema_newer, {}, "migration " + std::to_string(number));
  }
  return {};
}

Status apply(Tx& tx, const Migration& migration) {
  // Asked again inside the transaction: another process may just have done it.
  TRY(auto applied, applied_migrations(tx));
  if (applied.count(migration.number) != 0) return {};
  TRY_STATUS(tx.script(migration.sql));
  return add_migration(tx, migration);
}

}  // namespace

Status migrate(Db& db, std::vector<Migration> wanted) {
  auto own = migrations();
  const Migration bootstrap = own.front();
  wanted.insert(wanted.end(), own.begin(), own.end());
  std::sort(wanted.begin(), wanted.end(), [](auto& a, auto& b) { return a.number < b.number; });
  auto same = [](auto& a, auto& b) { return a.number == b.number; };
  CHECK(std::adjacent_find(wanted.begin(), wanted.end(), same) == wanted.end(),
        "every migration has its own number");

  TRY(auto applied, db.write([&](Tx& tx) -> Result<std::set<std::int64_t>> {
    TRY_STATUS(tx.script(bootstrap.sql));
    return applied_migrations(tx);
  }));
  TRY_STATUS(refuse_newer(applied, wanted));
  for (const auto& migration : wanted) {
    if (applied.count(migration.number) != 0) continue;
    TRY_STATUS(db.write([&](Tx& tx) { return apply(tx, migration); }));
  }
  return {};
}

}  // namespace wharfage::meta
