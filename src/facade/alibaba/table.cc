#include <algorithm>
#include <array>

#include "facade/alibaba/action.h"

namespace wharfage::alibaba {
namespace {

using Family = std::span<const Action> (*)();

constexpr std::array cr_families{&instance_actions,   &endpoint_actions,     &namespace_actions,
                                 &repository_actions, &tag_actions,          &source_actions,
                                 &build_rule_actions, &build_record_actions, &scan_actions,
                                 &scan_rule_actions,  &sync_rule_actions,    &sync_task_actions};
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

}  // namespace wharfage::alibaba
