// Reads an area of the store folder by folder, in the order of algorithm and digest. A call reads the folder
// it goes on in as a whole (a 256th of the area) and looks at no more files than it returns.
#pragma once

#include <optional>

#include "base/result.h"
#include "blob/posix.h"
#include "blob/store.h"

namespace wharfage::blob {

constexpr std::size_t strays_max = 100;  // told of by one call

Result<Listing> list_files(const Descriptor& area, const std::optional<Digest>& after, std::size_t limit);

}  // namespace wharfage::blob
