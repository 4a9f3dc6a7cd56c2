// A recipe as it is stored: JSON of our own.
#pragma once

#include <string>
#include <string_view>

#include "build/model.h"

namespace wharfage::build {

std::string recipe_text(const Recipe& recipe);
Recipe recipe_of(std::string_view text);

}  // namespace wharfage::build
