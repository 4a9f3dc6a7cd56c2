// An earlier layout moved blobs that nobody needed to trash/ before it removed them.
#pragma once

#include <string>

#include "base/result.h"

namespace wharfage::blob {

// Removes the trash below `root`, a store that no process has open. A file whose place in blobs/ is free goes
// back there, in case it is needed after all: if not, it is collected like any other. Error: storage_failed.
Status empty_old_trash(const std::string& root);

}  // namespace wharfage::blob
