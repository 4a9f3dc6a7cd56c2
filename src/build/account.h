// The account builds run under: unprivileged, without a home or a shell, with a range of subordinate ids
// for the user namespace that RUN gets. Root makes it on demand.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace wharfage::build {

struct Account {
  std::uint32_t uid = 0, gid = 0;
};

// Error: unsupported, with what an administrator has to do.
Result<Account> ensure_account(const std::string& name);

// Why this machine cannot build, in one sentence; "" when it can. Looks at programs and privileges only.
std::string obstacle();

}  // namespace wharfage::build
