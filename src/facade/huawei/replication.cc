#include "facade/huawei/replication.h"

#include <boost/json.hpp>

namespace wharfage::huawei {

std::string_view trigger_of(sync::Trigger trigger) {
  switch (trigger) {
    case sync::Trigger::manual:
      return "manual";
    case sync::Trigger::event:
      return "event_based";
    case sync::Trigger::scheduled:
      return "scheduled";
  }
  return "manual";
}

std::optional<std::string> remembered(const std::string& vendor, std::string_view name) {
  boost::json::error_code error;
  auto value = boost::json::parse(vendor, error);
  auto* member = !error && value.is_object() ? value.get_object().if_contains(name) : nullptr;
  if (!member || !member->is_string()) return std::nullopt;
  return std::string(member->get_string());
}

}  // namespace wharfage::huawei
