// The tables of the scan service (records.cc says what they hold).
#pragma once

#include <vector>

#include "meta/db.h"

namespace wharfage::scan {

std::vector<meta::Migration> schema();

}  // namespace wharfage::scan
