#include "facade/huawei/hss.h"

#include <fmt/format.h>

#include "base/text.h"

namespace wharfage::huawei {
namespace {

constexpr std::string_view registry_types = "Harbor|Jfrog|SwrPrivate|SwrShared|SwrEnterprise|Other";

}  // namespace

Result<std::vector<connect::Kind>> kinds_of(const std::optional<std::string>& list) {
  std::vector<connect::Kind> kinds;
  if (!list) return kinds;
  for (std::string_view name : split(*list, ',')) {
    auto kind = connect::parse_hss_type(trim(name));
    if (!kind) {
      return fail(Reason::invalid_parameter, fmt::format("registry_type must be one of {}", registry_types),
                  "registry_type");
    }
    kinds.push_back(*kind);
    if (*kind == connect::Kind::swr_enterprise) kinds.push_back(connect::Kind::own);
    if (*kind != connect::Kind::oci) continue;
    for (auto other : {connect::Kind::acr, connect::Kind::quay, connect::Kind::cicd}) kinds.push_back(other);
  }
  return kinds;
}

}  // namespace wharfage::huawei
