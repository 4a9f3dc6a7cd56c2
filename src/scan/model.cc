#include "scan/model.h"

#include <array>

namespace wharfage::scan {
namespace {

constexpr std::array<std::string_view, 4> names{"SCANNING", "COMPLETE", "FAILED", "RETRYING"};

}  // namespace

std::string_view task_status_name(TaskStatus status) {
  return names[static_cast<std::size_t>(status)];
}

std::optional<TaskStatus> find_task_status(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<TaskStatus>(i);
  }
  return std::nullopt;
}

}  // namespace wharfage::scan
