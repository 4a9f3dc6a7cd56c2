// The folder uploads/: one file per upload in progress, named by its id. Remembers which uploads this process
// writes (one writer each; other processes are kept out by flock) and the hash state of those between two
// chunks, so that an upload in many chunks is not read again for each. Thread-safe.
#pragma once

#include <list>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "blob/posix.h"
#include "blob/store.h"
#include "crypto/digest.h"

namespace wharfage::blob {

// What was hashed so far: the first `size` bytes.
struct HashState {
  Hasher hasher;
  std::int64_t size = 0;
};

class Uploads {
 public:
  // Creates the folder. Error: storage_failed.
  static Result<std::unique_ptr<Uploads>> open(const Descriptor& root);

  const Descriptor& folder() const { return x_folder; }
  static bool is_id(std::string_view id);  // ids come from URLs: nothing else may reach the file system

  Result<Descriptor> create(const std::string& id);
  Result<std::int64_t> size(const std::string& id);  // upload_unknown
  Status remove(const std::string& id);              // upload_unknown
  Result<std::vector<UploadInfo>> list();

  enum class Missing { unknown, begin };  // what a file that is not there means
  // Takes the upload for one writer: upload_unknown, conflict. release() when the writer is done.
  Result<Descriptor> acquire(const std::string& id, Missing missing);
  void release(const std::string& id);

  void keep_hash(const std::string& id, HashState state);
  std::optional<HashState> take_hash(const std::string& id);

 private:
  Result<Descriptor> open_locked(const std::string& id, Missing missing);

  Descriptor x_folder;
  std::mutex x_mutex;
  std::set<std::string> x_taken;
  std::list<std::pair<std::string, HashState>> x_hashes;  // the most recent first
  std::map<std::string, decltype(x_hashes)::iterator> x_hash_by_id;
};

}  // namespace wharfage::blob
