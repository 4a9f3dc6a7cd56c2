// Content-addressed bytes on a file system, readable without us: blobs/sha256/ab/<hex>, uploads/<id>, and
// like blobs/ also quarantine/ (found corrupt, never served). Bytes are on disk
// (fdatasync, rename, directory fsync) before commit() returns, and hash to their name (invariant 2). Knows
// nothing of repositories: who may see a blob is the registry's matter. Blocking, for worker threads;
// thread-safe except for one Writer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "blob/claims.h"
#include "crypto/digest.h"

namespace wharfage::blob {

// An open blob; the descriptor lives as long as this value's copies.
struct Blob {
  std::shared_ptr<const int> descriptor;  // closed with the last copy
  std::int64_t size = 0;
  std::int64_t start = 0;  // where it begins in the file: not 0 only for parts of an archive
  std::shared_ptr<const std::string> bytes = nullptr;  // of a small one that somebody has read
  Result<std::string> read(std::int64_t offset, std::size_t length) const;
};

struct UploadInfo {
  std::string id;
  std::int64_t size = 0;
  TimeMs changed_at = 0;
};

// Where finished files stand.
enum class Area { blobs, quarantine };

struct FileInfo {
  Digest digest;
  std::int64_t size = 0;
  TimeMs changed_at = 0;  // last written or moved
};
struct Listing {
  std::vector<FileInfo> files;
  std::vector<std::string> strays;  // "sha256/ab/name": what cannot be a blob; at most limits of the store
  bool end = false;
};

// The one writer of an upload. Destroying it without commit keeps the bytes for a resume.
class Writer {
 public:
  virtual ~Writer() = default;
  virtual std::int64_t size() const = 0;
  virtual Status append(std::string_view bytes) = 0;  // disk_full, storage_failed; a failed append is undone
  virtual Status flush() = 0;                         // what was appended survives power loss
  // Publishes the bytes under their digest. digest_invalid when they do not hash to it (the upload stays).
  // They take the place of a file of that name: these have been hashed just now.
  virtual Status commit(const Digest& expected) = 0;
};

class Store {
 public:
  // Creates the folders below `root`. Error: storage_failed.
  static Result<std::unique_ptr<Store>> open(const std::string& root);
  virtual ~Store() = default;

  virtual Result<std::string> begin_upload() = 0;  // a random id
  // upload_unknown; conflict while another writer has it open. `algorithm` is what commit() will be asked
  // for; a resumed upload is read once to rebuild the hash.
  virtual Result<std::unique_ptr<Writer>> open_upload(const std::string& id, DigestAlgorithm algorithm) = 0;
  // Likewise, and begins it under this name, a UUID, unless it is there.
  virtual Result<std::unique_ptr<Writer>> start_upload(const std::string& id, DigestAlgorithm algorithm) = 0;
  virtual Result<std::int64_t> upload_size(const std::string& id) = 0;  // upload_unknown
  virtual Status cancel_upload(const std::string& id) = 0;              // upload_unknown
  virtual Result<std::vector<UploadInfo>> uploads() = 0;

  virtual Result<Blob> open_blob(const Digest& digest) = 0;  // blob_unknown
  virtual Result<std::optional<std::int64_t>> find_size(const Digest& digest) = 0;
  virtual Result<Digest> put(std::string_view bytes) = 0;  // small blobs, durable

  // Whoever brings a blob (put(), Writer::commit()) holds a claim from before until its row is written.
  virtual Claims& claims() = 0;
  // Unless it was claimed since the mark.
  enum class Removal { removed, absent, claimed };
  virtual Result<Removal> remove(const Digest& digest, Claims::Mark mark) = 0;

  // Files after `after` in the order of algorithm and digest, at most `limit`. Meanwhile others may move
  // files: whoever acts on one looks again.
  virtual Result<Listing> list(Area area, const std::optional<Digest>& after, std::size_t limit) = 0;
  // Out of every reader's reach, if the file in place is still the one that was read. False: it is not.
  virtual Result<bool> quarantine(const Digest& digest, const Blob& seen) = 0;
  virtual Result<std::int64_t> discard_quarantined(const Digest& digest) = 0;  // bytes freed

  virtual Result<std::int64_t> free_bytes() = 0;
  virtual Status check_writable() = 0;  // writes and removes a probe file
};

}  // namespace wharfage::blob
