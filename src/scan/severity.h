// How bad a finding is. The order is the order of badness, so severities compare with <. Every facade folds
// these six into its own words (cr knows no Critical and no Negligible).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace wharfage::scan {

enum class Severity : std::uint8_t { unknown, negligible, low, medium, high, critical };
constexpr int severity_count = 6;

std::string_view severity_name(Severity severity);             // "unknown" … "critical"
std::optional<Severity> find_severity(std::string_view name);  // any letter case

// The qualitative scale of CVSS v3 and v4; a score of 0 ("None") is negligible.
Severity severity_of_score(int tenths);
// CVSS v2 has no Critical (NVD's scale).
Severity severity_of_score_v2(int tenths);

}  // namespace wharfage::scan
