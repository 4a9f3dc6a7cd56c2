// The metrics of one CVSS vector, for the scorers of each version.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace wharfage::scan {

class CvssMetrics {
 public:
  // "AV:N/AC:L/…" without the prefix. Nothing when a part has no colon, is empty, or a name appears twice.
  static std::optional<CvssMetrics> parse(std::string_view text);

  // The value, or `otherwise` when the metric is not there.
  std::string_view get(std::string_view name, std::string_view otherwise = {}) const;

  struct Weight {
    std::string_view value;
    double weight;
  };
  // The weight of the metric's value; nothing when the metric is missing or its value unknown.
  std::optional<double> find_weight(std::string_view name, std::initializer_list<Weight> weights) const;

 private:
  std::vector<std::pair<std::string_view, std::string_view>> x_metrics;
};

std::optional<int> score_cvss_v2(const CvssMetrics& metrics);  // tenths
std::optional<int> score_cvss_v3(const CvssMetrics& metrics);
std::optional<int> score_cvss_v4(const CvssMetrics& metrics);

}  // namespace wharfage::scan
