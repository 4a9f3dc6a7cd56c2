// `wharfage fsck` and `wharfage scrub`. While a server runs on the data folder, the work is given to it as a
// job through the database, which every process that may read the folder can; the command waits and shows
// what was found. Without a server it is done here.
#pragma once

#include <string>

#include "node/config.h"

namespace wharfage::node {

// `kind`: check, scrub, collect. Exit codes: 0 nothing is wrong (any more), 1 the work failed, 7 faults are
// left.
int look_after(const Config& config, const std::string& kind, bool mend, std::int64_t bytes_per_s);

}  // namespace wharfage::node
