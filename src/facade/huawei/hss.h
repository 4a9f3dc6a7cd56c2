// HSS image security: connected registries, their images, and image synchronisation (what we call inventory:
// only metadata is collected). Times are milliseconds since the epoch, lists are {total_num, data_list}. One
// file each; this is what they share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connect/connections.h"
#include "wire/schema.h"

namespace wharfage::huawei {

// A comma list of registry types. Error: invalid_parameter.
Result<std::vector<connect::Kind>> kinds_of(const std::optional<std::string>& list);

// Calls that say nothing more than in whose name: we have one project, so nothing depends on it.
struct EnterpriseQuery {
  std::optional<std::string> enterprise_project_id;
  static constexpr auto fields() {
    return std::array{
        wire::field<&EnterpriseQuery::enterprise_project_id>("enterprise_project_id").range(1, 256)};
  }
};

}  // namespace wharfage::huawei
