#include "scan/cvss.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "scan/cvss_metrics.h"

namespace wharfage::scan {
namespace {

constexpr std::size_t metrics_max = 40;  // v4 has 32

}  // namespace

std::optional<CvssMetrics> CvssMetrics::parse(std::string_view text) {
  CvssMetrics metrics;
  for (std::string_view part : split(text, '/')) {
    auto colon = part.find(':');
    if (colon == 0 || colon == part.npos || colon + 1 == part.size()) return std::nullopt;
    std::string_view name = part.substr(0, colon);
    if (!metrics.get(name).empty() || metrics.x_metrics.size() == metrics_max) return std::nullopt;
    metrics.x_metrics.emplace_back(name, part.substr(colon + 1));
  }
  return metrics;
}

std::string_view CvssMetrics::get(std::string_view name, std::string_view otherwise) const {
  for (const auto& [known, value] : x_metrics) {
    if (known == name) return value;
  }
  return otherwise;
}

std::optional<double> CvssMetrics::find_weight(std::string_view name,
                                               std::initializer_list<Weight> weights) const {
  std::string_view value = get(name);
  for (const Weight& weight : weights) {
    if (weight.value == value) return weight.weight;
  }
  return std::nullopt;
}

std::optional<int> score_cvss_v2(const CvssMetrics& metrics) {
  auto access = metrics.find_weight("AV", {{"L", 0.395}, {"A", 0.646}, {"N", 1.0}});
  auto complexity = metrics.find_weight("AC", {{"H", 0.35}, {"M", 0.61}, {"L", 0.71}});
  auto authentication = metrics.find_weight("Au", {{"M", 0.45}, {"S", 0.56}, {"N", 0.704}});
  auto confidentiality = metrics.find_weight("C", {{"N", 0.0}, {"P", 0.275}, {"C", 0.660}});
  auto integrity = metrics.find_weight("I", {{"N", 0.0}, {"P", 0.275}, {"C", 0.660}});
  auto availability = metrics.find_weight("A", {{"N", 0.0}, {"P", 0.275}, {"C", 0.660}});
  if (!access || !complexity || !authentication || !confidentiality || !integrity || !availability) {
    return std::nullopt;
  }
  double impact = 10.41 * (1 - (1 - *confidentiality) * (1 - *integrity) * (1 - *availability));
  double exploitability = 20 * *access * *complexity * *authentication;
  double score = (0.6 * impact + 0.4 * exploitability - 1.5) * (impact == 0 ? 0 : 1.176);
  return std::clamp(static_cast<int>(std::lround(score * 10)), 0, 100);
}

std::optional<int> score_cvss_v3(const CvssMetrics& metrics) {
  std::string_view scope = metrics.get("S");
  if (scope != "U" && scope != "C") return std::nullopt;
  bool changed = scope == "C";
  auto attack = metrics.find_weight("AV", {{"N", 0.85}, {"A", 0.62}, {"L", 0.55}, {"P", 0.2}});
  auto complexity = metrics.find_weight("AC", {{"L", 0.77}, {"H", 0.44}});
  auto privileges =
      metrics.find_weight("PR", {{"N", 0.85}, {"L", changed ? 0.68 : 0.62}, {"H", changed ? 0.5 : 0.27}});
  auto interaction = metrics.find_weight("UI", {{"N", 0.85}, {"R", 0.62}});
  auto confidentiality = metrics.find_weight("C", {{"H", 0.56}, {"L", 0.22}, {"N", 0.0}});
  auto integrity = metrics.find_weight("I", {{"H", 0.56}, {"L", 0.22}, {"N", 0.0}});
  auto availability = metrics.find_weight("A", {{"H", 0.56}, {"L", 0.22}, {"N", 0.0}});
  if (!attack || !complexity || !privileges || !interaction || !confidentiality || !integrity ||
      !availability) {
    return std::nullopt;
  }
  double loss = 1 - (1 - *confidentiality) * (1 - *integrity) * (1 - *availability);
  double impact = changed ? 7.52 * (loss - 0.029) - 3.25 * std::pow(loss - 0.02, 15) : 6.42 * loss;
  if (impact <= 0) return 0;
  double exploitability = 8.22 * *attack * *complexity * *privileges * *interaction;
  double score = std::min((changed ? 1.08 : 1.0) * (impact + exploitability), 10.0);
  // Appendix A of v3.1: round up to a tenth, free of floating point dust.
  auto scaled = std::llround(score * 100'000);
  return static_cast<int>((scaled + 9'999) / 10'000);
}

std::optional<CvssScore> score_cvss(std::string_view vector) {
  struct Version {
    std::string_view prefix;
    int number;
    std::optional<int> (*score)(const CvssMetrics&);
  };
  constexpr Version versions[] = {{"CVSS:4.0/", 40, score_cvss_v4},
                                  {"CVSS:3.1/", 31, score_cvss_v3},
                                  {"CVSS:3.0/", 30, score_cvss_v3},
                                  {"CVSS:2.0/", 20, score_cvss_v2},
                                  {"", 20, score_cvss_v2}};
  if (vector.starts_with('(') && vector.ends_with(')')) vector = vector.substr(1, vector.size() - 2);
  for (const Version& version : versions) {
    if (!vector.starts_with(version.prefix)) continue;
    auto metrics = CvssMetrics::parse(vector.substr(version.prefix.size()));
    if (!metrics) return std::nullopt;
    auto tenths = version.score(*metrics);
    if (!tenths) return std::nullopt;
    return CvssScore{version.number, *tenths};
  }
  return std::nullopt;
}

}  // namespace wharfage::scan
