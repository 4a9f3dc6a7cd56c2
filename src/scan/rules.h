// Scan rules: which pushed tags are scanned by themselves. Checked when they are made; matching is linear in
// the text whatever the pattern (RE2). Pure functions.
#pragma once

#include <string_view>

#include "scan/model.h"

namespace wharfage::scan {

// Errors: invalid_parameter (detail = the parameter), unsupported.
Status check_rule(const Rule& rule);

// `repository` is the name below the namespace. Triggers are the caller's business.
bool rule_selects(const Rule& rule, std::string_view namespace_name, std::string_view repository,
                  std::string_view tag);

}  // namespace wharfage::scan
