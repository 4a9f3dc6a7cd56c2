// All SQL of the connect room.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "connect/connections.h"
#include "meta/db.h"

namespace wharfage::connect::records {

Status insert(meta::Tx& tx, const Connection& connection, const std::string& password_sealed);
// Everything a change may touch.
Status update(meta::Tx& tx, const Connection& connection, const std::string& password_sealed);
Result<std::int64_t> remove(meta::Tx& tx, std::int64_t id);
Result<std::optional<Connection>> find(meta::Tx& tx, std::int64_t id);
Result<std::optional<Connection>> find_by_uuid(meta::Tx& tx, std::string_view uuid);
Result<std::optional<Connection>> find_by_alias(meta::Tx& tx, std::string_view alias,
                                                std::string_view region);
Result<std::optional<Connection>> find_by_token(meta::Tx& tx, std::string_view token_hash);
Result<std::optional<Connection>> find_own(meta::Tx& tx);
Result<std::string> password_sealed(meta::Tx& tx, std::int64_t id);
Result<std::vector<Connection>> all(meta::Tx& tx);  // by id
Result<std::int64_t> count(meta::Tx& tx);
Result<std::int64_t> set_token(meta::Tx& tx, std::int64_t id, std::string_view token_hash, TimeMs now);
Status set_status(meta::Tx& tx, std::int64_t id, std::string_view status, std::string_view reason);
Status set_inventory(meta::Tx& tx, std::int64_t id, std::int64_t images, TimeMs now);

}  // namespace wharfage::connect::records
