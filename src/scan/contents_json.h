// The stored form of an image's contents: JSON, read back only by us.
#pragma once

#include <string>
#include <string_view>

#include "scan/packages.h"

namespace wharfage::scan {

std::string write_contents(const ImageContents& contents);
Result<ImageContents> read_contents(std::string_view json);  // internal: not what write_contents wrote

}  // namespace wharfage::scan
