// What all parts of the Registry share. Owned by it; lives as long.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/limits.h"
#include "base/workers.h"
#include "registry/cache.h"
#include "registry/pace.h"
#include "registry/policy_records.h"
#include "registry/records.h"
#include "registry/registry.h"
#include "registry/upload_bytes.h"
#include "registry/young_uploads.h"

namespace wharfage::registry {

// A slice no longer than a page may be.
inline Slice bounded(Slice slice) {
  slice.offset = std::max<std::int64_t>(slice.offset, 0);
  slice.limit = std::clamp<std::int64_t>(slice.limit, 0, static_cast<std::int64_t>(limits::list_page_max));
  return slice;
}

// The same for lists that go on after a name: one more than a page tells whether there is another one.
inline std::int64_t bounded_and_one(std::int64_t limit) {
  return std::clamp<std::int64_t>(limit, 0, static_cast<std::int64_t>(limits::list_page_max) + 1);
}

// What a name is asked to contain. A longer text would match nothing, at the cost of a pattern that databases
// refuse.
inline Status check_filter(std::string_view part) {
  if (part.size() <= limits::repository_name_max) return {};
  return fail(Reason::invalid_parameter, "no name is as long as what is looked for");
}

// What collect() has reclaimed since this process began, and how many faults checks and scrubs have told of.
struct Reclaimed {
  std::atomic<std::int64_t> blobs{0}, bytes{0}, uploads{0}, strays{0}, runs{0}, faults{0};
};

// Pulls since the last fold.
struct Pulls {
  struct Count {
    std::int64_t repository_id = 0, pulls = 0;
    TimeMs pulled_at = 0;
  };
  std::mutex mutex;
  std::unordered_map<std::int64_t, Count> by_manifest;
  std::mutex folding;  // one at a time
};

// Descriptors kept open for what is pulled most; each is a small share of what a process may have open.
constexpr std::size_t open_blobs_max = 256;
// Of these the bytes are kept, too: such an answer leaves in one piece, without asking the file.
constexpr std::int64_t small_blob_max = 8 * 1024;

struct Registry::State {
  meta::Db& db;
  meta::Ids& ids;
  blob::Store& blobs;
  job::Events& events;
  const Clock& clock;
  Log log;
  Options options;

  std::optional<Instance> instance;                              // set once, before any other thread
  Cache<Repository> repositories{limits::repository_cache_max};  // by full name, each at cost 1
  Cache<Manifest> manifests{limits::manifest_cache_bytes_max};   // by manifest_key()
  Cache<blob::Blob> open_blobs{open_blobs_max};                  // by blob_key(), at cost 1
  YoungUploads young_uploads;
  UploadBytes upload_bytes;
  static constexpr std::size_t reclaimers_many = 2;
  // Unlink beside the thread that collects. They wait for the disk; more would take the processors from those
  // who push.
  Workers reclaimers{"reclaim", reclaimers_many, reclaimers_many};
  Pulls pulls;
  std::mutex collecting;
  // Where the search for files without a row goes on, by blob::Area; under `collecting`.
  std::array<std::optional<Digest>, 2> swept;
  Pace pace;
  Reclaimed reclaimed;

  static std::string manifest_key(std::int64_t repository_id, std::string_view reference) {
    return std::to_string(repository_id) + "/" + std::string(reference);
  }
  // The digest first: every push of a blob asks for all entries of one.
  static std::string blob_key(std::int64_t repository_id, std::string_view digest) {
    return std::string(digest) + "/" + std::to_string(repository_id);
  }

  // The row of a repository that a write is about to use; repository_unknown when it has gone meanwhile.
  Result<Repository> current(meta::Tx& tx, const Repository& repository) const;
  // Its file is another one now, for every repository: what is open of the old one may have decayed.
  void drop_open(const Digest& digest) { open_blobs.drop_prefix(digest.text() + "/"); }
  // Makes `digest` a blob of the repository. Its bytes must have been committed to the store.
  Status link(meta::Tx& tx, const Repository& repository, const Digest& digest, std::int64_t size);
  Status check_upload(const Repository& repository, const std::string& id, const std::string& owner);
  Status insert_upload(const Repository& repository, const std::string& id, const std::string& owner);
  // With its bytes. upload_unknown when another one has finished or cancelled it.
  Status drop_upload(std::int64_t repository_id, const std::string& id);
  // What links that were removed come to, counted once per transaction.
  struct Unlinked {
    records::Counts store;
    std::map<std::int64_t, NamespaceUsage> spaces;
  };
  // Removes a link that no manifest needs; the last one dooms the blob. Within its transaction.
  Status unlink(meta::Tx& tx, std::int64_t repository_id, const std::string& digest, Unlinked& unlinked);
  static Status count(meta::Tx& tx, const Unlinked& unlinked);
  // Committed bytes that nobody will link: left to collect(). Best effort.
  void abandon(const Digest& digest, std::int64_t size);
  // After deleting a manifest or tag, within its transaction.
  Status tell_deleted(meta::Tx& tx, const Repository& repository, const Manifest& manifest,
                      std::string_view tag, const std::vector<std::string>& tags);
  void forget(meta::Tx& tx, std::int64_t repository_id, std::vector<std::string> references);

  // ---- quotas (quota.cc): quota_exceeded. Not in the transaction that then writes.
  Status admit(meta::Tx& tx, std::int64_t namespace_id, const std::string& space,
               const NamespaceUsage& more) const;
  // How many bytes one upload, and all unfinished ones of the namespace together, may have; nullopt: as many
  // as they like.
  struct Room {
    std::optional<std::int64_t> left, together;
    std::int64_t allowed = 0;
  };
  Result<Room> room(meta::Tx& tx, const Repository& repository, const std::optional<Digest>& becomes) const;
  Status admit_blob(const Repository& repository, const Digest& digest, std::int64_t size) const;

  // ---- going and coming back (removal.cc). None of these asks what protects a tag.
  records::Removal removal(const Cause& cause) const;
  Status drop_tag(meta::Tx& tx, const Repository& repository, const Tag& tag, const Cause& cause);
  // With its tags. conflict when an index needs it.
  Status drop_manifest(meta::Tx& tx, const Repository& repository, const Manifest& manifest,
                       const Cause& cause);
  // A deleted manifest is there again, as `manifest` says. manifest_blob_unknown when an index has lost a
  // child.
  Status revive(meta::Tx& tx, const Manifest& manifest);
  Status note(meta::Tx& tx, TagChange change);  // in the history; of image tags only
};

}  // namespace wharfage::registry
