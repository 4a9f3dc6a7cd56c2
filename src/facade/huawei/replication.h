// What the files of replication share.
#pragma once

#include <string_view>

#include "sync/model.h"

namespace wharfage::huawei {

std::string_view trigger_of(sync::Trigger trigger);

}  // namespace wharfage::huawei
