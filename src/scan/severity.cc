#include "scan/severity.h"

#include <array>

#include "base/text.h"

namespace wharfage::scan {
namespace {

constexpr std::array<std::string_view, severity_count> names{"unknown", "negligible", "low",
                                                             "medium",  "high",       "critical"};

}  // namespace

std::string_view severity_name(Severity severity) {
  auto index = static_cast<std::size_t>(severity);
  return index < names.size() ? names[index] : names[0];
}

std::optional<Severity> find_severity(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (same_ignoring_case(names[i], name)) return static_cast<Severity>(i);
  }
  return std::nullopt;
}

Severity severity_of_score(int tenths) {
  if (tenths <= 0) return Severity::negligible;
  if (tenths < 40) return Severity::low;
  if (tenths < 70) return Severity::medium;
  return tenths < 90 ? Severity::high : Severity::critical;
}

Severity severity_of_score_v2(int tenths) {
  Severity severity = severity_of_score(tenths);
  return severity == Severity::critical ? Severity::high : severity;
}

}  // namespace wharfage::scan
