// What the three files of replication share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sync/sync.h"

namespace wharfage::huawei {

std::string_view trigger_of(sync::Trigger trigger);
// A text that this API was given and that is only kept: a member of a JSON object.
std::optional<std::string> remembered(const std::string& vendor, std::string_view name);

}  // namespace wharfage::huawei
