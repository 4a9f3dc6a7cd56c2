// Rows of maintenance runs. Inside the caller's transaction.
#pragma once

#include "registry/maintenance.h"

namespace wharfage::registry::records {

Status insert_run(meta::Tx& tx, const MaintenanceRun& run);
Status update_run(meta::Tx& tx, const MaintenanceRun& run);
Result<std::optional<MaintenanceRun>> find_run(meta::Tx& tx, std::string_view id);
Result<std::vector<MaintenanceRun>> list_runs(meta::Tx& tx, std::int64_t limit);  // newest first
Result<TimeMs> newest_run(meta::Tx& tx, std::string_view kind);                   // 0: there is none
Status prune_runs(meta::Tx& tx, std::int64_t keep);

}  // namespace wharfage::registry::records
