// Where finished files stand: blobs/<algorithm>/<2 hex>/<hex>; the same below quarantine/. A move is one
// rename on one file system, done under a lock per first digest byte; one that puts a blob in place is synced
// before the lock is given back: whoever finds a blob in place under that lock may rely on it after a power
// cut. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>

#include "base/result.h"
#include "blob/posix.h"
#include "blob/store.h"
#include "crypto/digest.h"

namespace wharfage::blob {

class Shelves {
 public:
  // Creates the folders. Error: storage_failed.
  static Result<std::unique_ptr<Shelves>> open(const Descriptor& root);

  // Moves the synced file `name` of `folder` into place; not_found when it has gone.
  Status publish(const Descriptor& folder, const std::string& name, const Digest& digest);
  Result<Descriptor> open_blob(const Digest& digest);  // not_found
  Result<std::int64_t> size(const Digest& digest);     // not_found
  // True when the blob is in place and on disk.
  Result<bool> holds(const Digest& digest);
  // False when there is none. Not synced: bytes that nobody needs may come back with a power cut. Takes no
  // lock (whoever publishes waits for the disk under it): nobody may publish the same blob meanwhile.
  Result<bool> remove(const Digest& digest);
  // Only the very file that `seen` has open.
  Result<bool> quarantine(const Digest& digest, int seen);
  Result<std::int64_t> discard_quarantined(const Digest& digest);  // bytes freed; 0 when there is none
  Result<Listing> list(Area area, const std::optional<Digest>& after, std::size_t limit);

 private:
  struct Shelf {
    std::mutex mutex;
    // Per algorithm: this process has synced the folder, so that renames of an earlier one are on disk.
    std::array<bool, 2> settled{};
  };
  Shelf& shelf_of(const Digest& digest);
  static Status make_shelf(const Descriptor& area, const Digest& digest);
  static Status sync_shelf(const Descriptor& area, const Digest& digest);

  Descriptor x_blobs;
  Descriptor x_quarantine;
  std::array<Shelf, 256> x_shelves;
};

}  // namespace wharfage::blob
