// The part of the registry's schema that policy_records.h works on: migrations 310…319.
#pragma once

#include <vector>

#include "meta/db.h"

namespace wharfage::registry {

std::vector<meta::Migration> policy_schema();

}  // namespace wharfage::registry
