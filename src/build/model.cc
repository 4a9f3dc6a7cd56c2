#include "build/model.h"

#include <array>

namespace wharfage::build {
namespace {
constexpr std::array<std::string_view, 5> names = {"PENDING", "BUILDING", "SUCCESS", "FAILED", "CANCELED"};
}

std::string_view progress_name(Progress progress) {
  return names[static_cast<std::size_t>(progress)];
}

std::optional<Progress> parse_progress(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<Progress>(i);
  }
  return {};
}

}  // namespace wharfage::build
