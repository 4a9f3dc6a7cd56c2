// Which bytes a database calls for, for whoever copies a store: a copy without them is no whole one. A blob
// is wanted when a repository links it. Reads in pages, so the database may be in use. Errors: those of Db.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "meta/db.h"

namespace wharfage::registry {

struct WantedBlob {
  std::string digest;
  std::int64_t size = 0;
  bool lost = false;  // known to have no bytes: nobody is served them
};

// In the order of digests; an error of `visit` ends the walk and is returned.
Status each_wanted_blob(meta::Db& db, const std::function<Status(const WantedBlob&)>& visit);
// They become lost, as a scrub that finds them gone makes them. No server may use the database.
Status lose_blobs(meta::Db& db, const std::vector<WantedBlob>& blobs, TimeMs now);

}  // namespace wharfage::registry
