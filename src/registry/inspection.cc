#include "registry/inspection.h"

#include <boost/json.hpp>

namespace wharfage::registry {
namespace {

namespace json = boost::json;

json::object numbers(const std::map<std::string, std::int64_t>& map) {
  json::object object;
  for (const auto& [name, number] : map) object[name] = number;
  return object;
}

void read_numbers(const json::value* value, std::map<std::string, std::int64_t>& map) {
  if (!value || !value->is_object()) return;
  for (const auto& [name, number] : value->get_object()) {
    if (number.is_int64()) map[std::string(name)] = number.get_int64();
  }
}

std::string text_of(const json::object& object, std::string_view name) {
  auto* value = object.if_contains(name);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

void Report::add(Finding finding) {
  ++faults[finding.fault];
  mended += finding.mended ? 1 : 0;
  if (findings.size() < findings_kept_max) findings.push_back(std::move(finding));
}

std::int64_t Report::problems() const {
  std::int64_t all = 0;
  for (const auto& [fault, number] : faults) all += number;
  return all - mended;
}

std::string Report::json() const {
  json::array list;
  for (const auto& finding : findings) {
    list.push_back(json::object{{"fault", finding.fault},
                                {"place", finding.place},
                                {"subject", finding.subject},
                                {"detail", finding.detail},
                                {"mended", finding.mended}});
  }
  return json::serialize(json::object{{"counted", numbers(counted)},
                                      {"faults", numbers(faults)},
                                      {"mended", mended},
                                      {"findings", std::move(list)}});
}

Report Report::parse(std::string_view text) {
  Report report;
  json::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_object()) return report;
  const json::object& object = value.get_object();
  read_numbers(object.if_contains("counted"), report.counted);
  read_numbers(object.if_contains("faults"), report.faults);
  if (auto* mended = object.if_contains("mended"); mended && mended->is_int64())
    report.mended = mended->get_int64();
  auto* list = object.if_contains("findings");
  if (!list || !list->is_array()) return report;
  for (const auto& item : list->get_array()) {
    if (!item.is_object()) continue;
    const json::object& one = item.get_object();
    auto* mended = one.if_contains("mended");
    report.findings.push_back({text_of(one, "fault"), text_of(one, "place"), text_of(one, "subject"),
                               text_of(one, "detail"), mended && mended->is_bool() && mended->get_bool()});
  }
  return report;
}

}  // namespace wharfage::registry
