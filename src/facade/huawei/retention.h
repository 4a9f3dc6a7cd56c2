// What the routes of SWR's retention policies and of their executions share.
#pragma once

#include <string>

#include "facade/huawei/route.h"
#include "registry/ops/retention.h"

namespace wharfage::huawei {

// The policy of the namespace, when that is its id. not_found.
Result<registry::RetentionPolicy> named_retention(Call& call, const std::string& namespace_name,
                                                  std::int32_t policy_id);

}  // namespace wharfage::huawei
