// The SQL of the audit log.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "meta/db.h"
#include "op/audit.h"

namespace wharfage::op::records {

Result<std::int64_t> last_id(meta::Tx& tx);
Status insert(meta::Tx& tx, const AuditEntry& entry);
Result<std::vector<AuditEntry>> list(meta::Tx& tx, const Audit::Filter& filter);

}  // namespace wharfage::op::records
