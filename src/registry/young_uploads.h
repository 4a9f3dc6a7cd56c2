// Uploads that begin and end in one go, which most do: known to this process only, until a client is told
// that a piece of one is kept. They have no row, and no file before their first byte; when the process dies
// their client hears upload_unknown and starts again. Bounded per repository, per owner in it, and in all.
// Thread-safe.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/time.h"

namespace wharfage::registry {

// Of one owner in one repository, so that others can go on. The same holds for uploads that are kept.
constexpr std::size_t uploads_per_owner_max = 200;

struct YoungUpload {
  std::string id;
  std::int64_t repository_id = 0;
  std::string owner;
  TimeMs started_at = 0;
  bool is_written = false;
};

class YoungUploads {
 public:
  // `full`: there are too many in all. Then the upload is to be kept at once.
  enum class Verdict { noted, owner_full, repository_full, full };
  // Forgets the ones that are older than uploads may become; where somebody writes, a week later.
  Verdict add(YoungUpload upload);
  bool holds(const std::string& id, std::int64_t repository_id, const std::string& owner) const;
  // The same, and says that bytes come from now on.
  bool write(const std::string& id, std::int64_t repository_id, const std::string& owner);
  // False: it is not there, or another one has taken it.
  bool take(const std::string& id, std::int64_t repository_id);

 private:
  using Place = std::list<YoungUpload>::iterator;
  YoungUpload* find(const std::string& id, std::int64_t repository_id, const std::string& owner) const;
  void drop(Place place);
  void drop_old(TimeMs now);

  mutable std::mutex x_mutex;
  std::list<YoungUpload> x_uploads;  // the oldest first
  std::unordered_map<std::string, Place> x_by_id;
  std::unordered_map<std::int64_t, std::size_t> x_counts;  // by repository
  std::map<std::pair<std::int64_t, std::string>, std::size_t> x_owned;
};

}  // namespace wharfage::registry
