#include "facade/huawei/fields.h"

#include <boost/json.hpp>

namespace wharfage::huawei {
namespace {

std::optional<boost::json::value> member_of(std::string_view text, std::string_view name) {
  boost::json::error_code error;
  auto value = boost::json::parse(text, error);
  auto* member = !error && value.is_object() ? value.get_object().if_contains(name) : nullptr;
  return member ? std::optional(*member) : std::nullopt;
}

}  // namespace

std::optional<std::string> remembered(std::string_view vendor, std::string_view name) {
  auto member = member_of(vendor, name);
  if (!member || !member->is_string()) return std::nullopt;
  return std::string(member->get_string());
}

bool has_flag(std::string_view json, std::string_view name) {
  auto member = member_of(json, name);
  return member && member->is_bool() && member->get_bool();
}

}  // namespace wharfage::huawei
