#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>

#include "scan/cvss_metrics.h"

namespace wharfage::scan {
namespace {

constexpr std::uint8_t na = 255;  // no such macro vector

// The score, in tenths, of the worst vector of each macro vector (specification, "CVSS v4.0 Scoring";
// published by FIRST as cvss_lookup). A row is EQ1 EQ2 EQ3 * * EQ6; within it EQ4 then EQ5 count up.
// clang-format off
constexpr std::uint8_t lookup[36][9] = {
    {100, 98, 95, 100, 93, 91, 93, 89, 81},  // 000**0
    {99, 95, 92, 96, 87, 81, 90, 80, 68},  // 000**1
    {98, 95, 90, 93, 89, 81, 88, 78, 69},  // 001**0
    {95, 92, 84, 92, 81, 65, 80, 70, 48},  // 001**1
    {na, na, na, na, na, na, na, na, na},  // 002**0
    {92, 82, 72, 79, 69, 50, 69, 55, 27},  // 002**1
    {99, 95, 92, 95, 90, 84, 92, 82, 72},  // 010**0
    {97, 92, 85, 91, 83, 71, 81, 71, 53},  // 010**1
    {95, 92, 85, 92, 80, 70, 84, 71, 50},  // 011**0
    {93, 85, 73, 82, 72, 59, 70, 52, 30},  // 011**1
    {na, na, na, na, na, na, na, na, na},  // 012**0
    {86, 75, 52, 71, 52, 29, 63, 29, 17},  // 012**1
    {98, 94, 91, 94, 86, 77, 87, 74, 63},  // 100**0
    {95, 87, 81, 89, 74, 64, 75, 63, 49},  // 100**1
    {94, 88, 76, 86, 74, 59, 72, 57, 52},  // 101**0
    {89, 77, 67, 76, 58, 50, 57, 52, 25},  // 101**1
    {na, na, na, na, na, na, na, na, na},  // 102**0
    {83, 70, 54, 65, 58, 26, 53, 21, 13},  // 102**1
    {95, 88, 76, 90, 75, 61, 77, 68, 52},  // 110**0
    {90, 76, 70, 77, 62, 53, 66, 59, 30},  // 110**1
    {89, 76, 62, 74, 57, 47, 61, 57, 24},  // 111**0
    {78, 67, 58, 59, 57, 23, 52, 29, 16},  // 111**1
    {na, na, na, na, na, na, na, na, na},  // 112**0
    {71, 59, 30, 58, 26, 15, 23, 13, 6},  // 112**1
    {93, 86, 75, 86, 74, 56, 70, 52, 40},  // 200**0
    {87, 72, 58, 74, 61, 34, 54, 40, 22},  // 200**1
    {85, 74, 62, 72, 55, 46, 53, 34, 19},  // 201**0
    {75, 55, 51, 57, 41, 19, 36, 19, 8},  // 201**1
    {na, na, na, na, na, na, na, na, na},  // 202**0
    {64, 51, 20, 47, 21, 11, 24, 9, 4},  // 202**1
    {88, 73, 60, 73, 59, 41, 54, 45, 20},  // 210**0
    {75, 53, 50, 55, 40, 20, 43, 22, 11},  // 210**1
    {75, 58, 40, 61, 48, 20, 46, 17, 8},  // 211**0
    {55, 45, 21, 51, 18, 9, 18, 7, 2},  // 211**1
    {na, na, na, na, na, na, na, na, na},  // 212**0
    {53, 24, 14, 24, 12, 5, 10, 3, 1},  // 212**1
};
// clang-format on

// One set of metrics that are judged together: how far each stands below its worst value, in steps.
using Levels = std::array<int, 14>;
enum Metric { AV, PR, UI, AC, AT, VC, VI, VA, CR, IR, AR, SC, SI, SA };

struct MacroVector {
  int eq1, eq2, eq3, eq4, eq5, eq6;
};

int find_score(const MacroVector& macro) {
  bool inside =
      macro.eq1 < 3 && macro.eq2 < 2 && macro.eq3 < 3 && macro.eq4 < 3 && macro.eq5 < 3 && macro.eq6 < 2;
  if (!inside) return na;
  return lookup[((macro.eq1 * 2 + macro.eq2) * 3 + macro.eq3) * 2 + macro.eq6][macro.eq4 * 3 + macro.eq5];
}

// The position of a metric's value in `order` (worst first); the modified metric overrides, X means `unset`.
std::optional<int> find_level(const CvssMetrics& metrics, std::string_view name, std::string_view order,
                              char unset) {
  std::string modified = "M" + std::string(name);
  std::string_view value = metrics.get(modified, "X");
  if (value == "X") value = metrics.get(name, "X");
  char letter = value == "X" ? unset : value.front();
  auto position = order.find(letter);
  if (value.size() != 1 || letter == 0 || position == order.npos) return std::nullopt;
  return static_cast<int>(position);
}

std::optional<Levels> read_levels(const CvssMetrics& metrics) {
  struct Rule {
    std::string_view name;
    std::string_view order;
    char unset;  // 0: mandatory
  };
  // SC has no Safety value, yet its steps count like those of SI and SA.
  constexpr Rule rules[] = {{"AV", "NALP", 0},  {"PR", "NLH", 0},   {"UI", "NPA", 0},   {"AC", "LH", 0},
                            {"AT", "NP", 0},    {"VC", "HLN", 0},   {"VI", "HLN", 0},   {"VA", "HLN", 0},
                            {"CR", "HML", 'H'}, {"IR", "HML", 'H'}, {"AR", "HML", 'H'}, {"SC", "-HLN", 0},
                            {"SI", "SHLN", 0},  {"SA", "SHLN", 0}};
  Levels levels;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    auto level = find_level(metrics, rules[i].name, rules[i].order, rules[i].unset);
    if (!level) return std::nullopt;
    levels[i] = *level;
  }
  return levels;
}

std::optional<MacroVector> find_macro_vector(const CvssMetrics& metrics, const Levels& at) {
  MacroVector macro{};
  int open = (at[AV] == 0) + (at[PR] == 0) + (at[UI] == 0);
  macro.eq1 = open == 3 ? 0 : open > 0 && at[AV] != 3 ? 1 : 2;
  macro.eq2 = at[AC] == 0 && at[AT] == 0 ? 0 : 1;
  bool any_high = at[VC] == 0 || at[VI] == 0 || at[VA] == 0;
  macro.eq3 = at[VC] == 0 && at[VI] == 0 ? 0 : any_high ? 1 : 2;
  bool safety = at[SI] == 0 || at[SA] == 0;
  macro.eq4 = safety ? 0 : at[SC] == 1 || at[SI] == 1 || at[SA] == 1 ? 1 : 2;
  auto maturity = find_level(metrics, "E", "APU", 'A');
  if (!maturity) return std::nullopt;
  macro.eq5 = *maturity;
  bool required =
      (at[CR] == 0 && at[VC] == 0) || (at[IR] == 0 && at[VI] == 0) || (at[AR] == 0 && at[VA] == 0);
  macro.eq6 = required ? 0 : 1;
  return macro;
}

// How many steps the vector lies below the first of the worst vectors that dominates it.
template <std::size_t Metrics>
int steps_below(const Levels& at, const std::array<Metric, Metrics>& metrics,
                std::initializer_list<std::array<int, Metrics>> worst) {
  int steps = 0;
  for (const auto& candidate : worst) {
    steps = 0;
    bool dominates = true;
    for (std::size_t i = 0; i < Metrics; ++i) {
      dominates = dominates && at[metrics[i]] >= candidate[i];
      steps += at[metrics[i]] - candidate[i];
    }
    if (dominates) break;
  }
  return steps;
}

int steps_below_eq1(const Levels& at, int eq1) {
  constexpr std::array group{AV, PR, UI};
  if (eq1 == 0) return steps_below<3>(at, group, {{0, 0, 0}});
  if (eq1 == 1) return steps_below<3>(at, group, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}});
  return steps_below<3>(at, group, {{3, 0, 0}, {1, 1, 1}});
}

int steps_below_eq2(const Levels& at, int eq2) {
  constexpr std::array group{AC, AT};
  if (eq2 == 0) return steps_below<2>(at, group, {{0, 0}});
  return steps_below<2>(at, group, {{1, 0}, {0, 1}});
}

int steps_below_eq3_eq6(const Levels& at, int eq3, int eq6) {
  constexpr std::array group{VC, VI, VA, CR, IR, AR};
  if (eq3 == 0 && eq6 == 0) return steps_below<6>(at, group, {{0, 0, 0, 0, 0, 0}});
  if (eq3 == 0) return steps_below<6>(at, group, {{0, 0, 1, 1, 1, 0}, {0, 0, 0, 1, 1, 1}});
  if (eq3 == 1 && eq6 == 0) return steps_below<6>(at, group, {{1, 0, 0, 0, 0, 0}, {0, 1, 0, 0, 0, 0}});
  if (eq3 == 2) return steps_below<6>(at, group, {{1, 1, 1, 0, 0, 0}});
  return steps_below<6>(
      at, group,
      {{1, 0, 1, 0, 1, 0}, {1, 0, 0, 0, 1, 1}, {0, 1, 0, 1, 0, 1}, {0, 1, 1, 1, 0, 0}, {1, 1, 0, 0, 0, 1}});
}

int steps_below_eq4(const Levels& at, int eq4) {
  constexpr std::array group{SC, SI, SA};
  if (eq4 == 0) return steps_below<3>(at, group, {{1, 0, 0}});
  if (eq4 == 1) return steps_below<3>(at, group, {{1, 1, 1}});
  return steps_below<3>(at, group, {{2, 2, 2}});
}

// The best score one step down in EQ3 and EQ6, which are not independent.
int score_below_eq3_eq6(MacroVector macro) {
  MacroVector eq3_down = macro;
  MacroVector eq6_down = macro;
  ++eq3_down.eq3;
  ++eq6_down.eq6;
  if (macro.eq3 == 0 && macro.eq6 == 0) return std::max(find_score(eq3_down), find_score(eq6_down));
  return macro.eq3 == 1 && macro.eq6 == 0 ? find_score(eq6_down) : find_score(eq3_down);
}

// Interpolates between the macro vector and its lower neighbours.
class Mean {
 public:
  Mean(int score) : x_score(score) {}
  void add(int below, int steps, int steps_max) {
    if (below == na || below > x_score) return;
    x_sum += static_cast<double>(x_score - below) * steps / steps_max;
    ++x_count;
  }
  double get() const { return x_count == 0 ? 0 : x_sum / x_count; }

 private:
  int x_score;
  double x_sum = 0;
  int x_count = 0;
};

}  // namespace

std::optional<int> score_cvss_v4(const CvssMetrics& metrics) {
  auto levels = read_levels(metrics);
  if (!levels) return std::nullopt;
  const Levels& at = *levels;
  auto macro = find_macro_vector(metrics, at);
  if (!macro) return std::nullopt;
  if (at[VC] == 2 && at[VI] == 2 && at[VA] == 2 && at[SC] == 3 && at[SI] == 3 && at[SA] == 3) return 0;

  int score = find_score(*macro);
  auto lower = [&](int MacroVector::* eq) {
    MacroVector below = *macro;
    ++(below.*eq);
    return find_score(below);
  };
  constexpr int eq1_max[] = {1, 4, 5};
  constexpr int eq2_max[] = {1, 2};
  constexpr int eq3_eq6_max[3][2] = {{7, 6}, {8, 8}, {10, 10}};
  constexpr int eq4_max[] = {6, 5, 4};
  Mean mean(score);
  mean.add(lower(&MacroVector::eq1), steps_below_eq1(at, macro->eq1), eq1_max[macro->eq1]);
  mean.add(lower(&MacroVector::eq2), steps_below_eq2(at, macro->eq2), eq2_max[macro->eq2]);
  mean.add(score_below_eq3_eq6(*macro), steps_below_eq3_eq6(at, macro->eq3, macro->eq6),
           eq3_eq6_max[macro->eq3][macro->eq6]);
  mean.add(lower(&MacroVector::eq4), steps_below_eq4(at, macro->eq4), eq4_max[macro->eq4]);
  mean.add(lower(&MacroVector::eq5), 0, 1);
  constexpr double dust = 1e-5;  // 8.6 - 7.15 must round to 1.5
  return std::clamp(static_cast<int>(std::floor(score - mean.get() + 0.5 + dust)), 0, 100);
}

}  // namespace wharfage::scan
