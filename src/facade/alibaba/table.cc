#include <algorithm>
#include <array>

#include "facade/alibaba/action.h"

namespace wharfage::alibaba {
namespace {

using Family = std::span<const Action> (*)();

constexpr std::array cr_families{&instance_actions, &namespace_actions, &repository_actions, &tag_actions,
                                 &build_actions,    &scan_actions,      &sync_actions};
constexpr std::array sas_families{&sas_actions};

std::span<const Family> families(std::string_view version) {
  static constexpr std::array<Family, cr_families.size()> cr = cr_families;
  static constexpr std::array<Family, sas_families.size()> sas = sas_families;
  if (version == cr_version) return cr;
  if (version == sas_version) return sas;
  return {};
}

}  // namespace

bool known_version(std::string_view version) {
  return !families(version).empty();
}

const Action* find_action(std::string_view version, std::string_view name) {
  for (Family family : families(version)) {
    for (const Action& action : family()) {
      if (action.name == name) return &action;
    }
  }
  return nullptr;
}

std::vector<const Action*> actions(std::string_view version) {
  std::vector<const Action*> all;
  for (Family family : families(version)) {
    for (const Action& action : family()) all.push_back(&action);
  }
  return all;
}

Result<PageOf> page_of(std::optional<std::int64_t> number, std::optional<std::int64_t> size) {
  constexpr std::int64_t size_max = 100, number_max = 1'000'000;
  PageOf page{number.value_or(1), size.value_or(30)};
  if (page.number < 1 || page.number > number_max) {
    return fail(Reason::invalid_parameter, "PageNo must be 1 or more.", "PageNo");
  }
  if (page.size < 1)
    return fail(Reason::invalid_parameter, "PageSize must be between 1 and 100.", "PageSize");
  page.size = std::min(page.size, size_max);
  return page;
}

Status check_instance(const Call& call, const std::string& instance_id) {
  if (instance_id == call.rooms.registry.instance().cri_id) return {};
  return fail(Reason::instance_unknown, "The instance does not exist.", instance_id);
}

}  // namespace wharfage::alibaba
