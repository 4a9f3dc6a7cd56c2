#include "facade/huawei/fields.h"

#include <boost/json.hpp>

namespace wharfage::huawei {

std::optional<std::string> remembered(std::string_view vendor, std::string_view name) {
  boost::json::error_code error;
  auto value = boost::json::parse(vendor, error);
  auto* member = !error && value.is_object() ? value.get_object().if_contains(name) : nullptr;
  if (!member || !member->is_string()) return std::nullopt;
  return std::string(member->get_string());
}

}  // namespace wharfage::huawei
