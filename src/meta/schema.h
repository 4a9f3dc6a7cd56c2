// The tables meta keeps for itself: which migrations were applied, and how far each kind's integer ids have
// been handed out. Migrations 1…99.
#pragma once

#include <vector>

#include "meta/db.h"

namespace wharfage::meta {

std::vector<Migration> migrations();

}  // namespace wharfage::meta
