// The tables of this room. Migrations 400…499.
#pragma once

#include <vector>

#include "meta/db.h"

namespace wharfage::build {

std::vector<meta::Migration> schema();

}  // namespace wharfage::build
