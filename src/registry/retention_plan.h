// What retention rules decide about one repository. Reads in pages and holds no transaction over them; what
// it keeps in memory is bounded by the removals of one plan and the counts of its rules.
#pragma once

#include <string>
#include <vector>

#include "meta/db.h"
#include "registry/retention.h"

namespace wharfage::registry {

struct PlannedItem {
  std::string tag;  // "": the image itself
  std::string digest;
  std::string reason;
  bool judged = true;  // by the rules; else it goes along with what they decided
};

struct RetentionPlan {
  std::vector<PlannedItem> removals;  // in the order in which they can be made: an index before its children
  std::vector<PlannedItem> kept;      // the newest limits::retention_kept_told_max
  std::int64_t kept_count = 0;
  bool more = false;  // it is full: the next run goes on
};

// `rules`: all of the policy.
Result<RetentionPlan> plan_retention(meta::Db& db, const Repository& repository,
                                     const std::vector<RetentionRule>& rules, TimeMs now);

}  // namespace wharfage::registry
