// Copies of a running server: database, blobs, keys and advisory data into a folder that `serve --data` could
// start from as it is. Blobs first, then the database, then the blobs that came in between: whatever the
// copied database names is in the copy, and it is asked whether that is so. What lacks is told, and the rest
// is copied all the same. Blobs are hard links where the file system allows it. A copy that was killed leaves
// a folder that says so: no server starts from it, and the next copy into it begins anew.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace wharfage::node {

constexpr std::size_t blobs_named_max = 100;  // of each list

struct BlobList {
  std::int64_t count = 0;
  std::vector<std::string> digests;  // the first of them

  void add(const std::string& digest) {
    ++count;
    if (digests.size() < blobs_named_max) digests.push_back(digest);
  }
};

struct BackupReport {
  std::int64_t blobs = 0, bytes = 0;
  // Of what the database calls for. `lost`: the store has known for longer that it has no bytes of them.
  BlobList missing, damaged, lost;
  bool whole() const { return missing.count == 0 && damaged.count == 0; }
};

// `target` must not exist, be empty, or hold an unfinished copy. `damaged` are files of another size than the
// database has; nothing is hashed. Errors: conflict, storage_failed, those of the database.
Result<BackupReport> back_up(const std::string& data, const std::string& target);
// Copies a backup into `data` (likewise) and checks every blob against its digest. Damaged files are not
// restored; what is damaged or missing is lost in the new database, so that the next push brings it back.
// Errors: conflict, storage_failed, those of the database (nothing is left behind).
Result<BackupReport> restore(const std::string& backup, const std::string& data);

}  // namespace wharfage::node
