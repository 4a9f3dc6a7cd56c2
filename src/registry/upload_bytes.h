// What unfinished uploads hold, as far as this process has written to them: those of one namespace are
// bounded together without asking the database or the disk for each chunk. It also tells a writer that its
// upload was cancelled. Uploads nobody writes to are forgotten when they are as old as uploads may become,
// the oldest first when there are too many, and given up when others need their room. Thread-safe.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"

namespace wharfage::registry {

class UploadBytes {
 public:
  struct Place {
    std::int64_t namespace_id = 0, repository_id = 0;
  };
  // Somebody writes to it from now on; it holds `size` bytes.
  void open(const std::string& id, Place place, std::int64_t size, TimeMs now);
  // Nobody does any more. Nothing happens when it is gone.
  void close(const std::string& id, std::int64_t size, TimeMs now);
  // Finished or cancelled.
  void drop(const std::string& id);

  // `over`: all of its namespace would hold more than `most` (nullopt: as much as they like). Nothing has
  // changed then.
  enum class Verdict { fine, over, gone };
  Verdict grow(const std::string& id, std::int64_t by, std::optional<std::int64_t> most);
  // For the caller to cancel, and forgotten: of the namespace of `id`, those that nobody has written to for
  // longest (and for some minutes: a client may be between two pieces), until `id` can grow. None when all of
  // them would not do; a part when they are very many.
  struct Abandoned {
    std::string id;
    std::int64_t repository_id = 0, bytes = 0;
  };
  std::vector<Abandoned> take_abandoned(const std::string& id, std::int64_t by, std::int64_t most,
                                        TimeMs now);
  bool holds(const std::string& id) const;
  std::int64_t held(std::int64_t namespace_id) const;

 private:
  struct Idle {
    std::string id;
    std::int64_t namespace_id = 0;
    TimeMs since = 0;
  };
  struct Upload {
    Place place;
    std::int64_t bytes = 0;
    std::optional<std::list<Idle>::iterator> idle;
  };
  std::int64_t held_in(std::int64_t namespace_id) const;
  void resize(Upload& upload, std::int64_t size);
  void forget(const std::string& id);
  void forget_old(TimeMs now);

  mutable std::mutex x_mutex;
  std::unordered_map<std::string, Upload> x_uploads;
  std::unordered_map<std::int64_t, std::int64_t> x_held;  // by namespace; without those that hold nothing
  std::list<Idle> x_idle;                                 // the longest first
};

}  // namespace wharfage::registry
