// Copies of a running server: database, blobs, keys and advisory data into a folder that `serve --data` could
// start from as it is. Blobs first, then the database, then the blobs that came in between: whatever the
// copied database names is in the copy. Blobs are hard links where the file system allows it. A copy that was
// killed leaves a folder that says so: no server starts from it, and the next copy into it begins anew.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace wharfage::node {

struct BackupReport {
  std::int64_t blobs = 0, bytes = 0;
};

// `target` must not exist, be empty, or hold an unfinished copy. Errors: conflict, storage_failed.
Result<BackupReport> back_up(const std::string& data, const std::string& target);
// Copies a backup into `data` (likewise) and checks every blob against its digest. Errors: conflict,
// digest_invalid (nothing is left behind), storage_failed.
Result<BackupReport> restore(const std::string& backup, const std::string& data);

}  // namespace wharfage::node
