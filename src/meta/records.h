// The SQL behind migrate() and Ids. Each function runs in the transaction it is given.
#pragma once

#include <cstdint>
#include <set>
#include <string_view>

#include "meta/db.h"

namespace wharfage::meta {

Result<std::set<std::int64_t>> applied_migrations(Tx& tx);
Status add_migration(Tx& tx, const Migration& migration);
// Reserves `count` ids of `kind`; the first of them.
Result<std::int64_t> reserve_ids(Tx& tx, std::string_view kind, std::int64_t count);

}  // namespace wharfage::meta
