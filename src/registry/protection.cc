#include "registry/protection.h"

#include <fmt/format.h>

#include "base/limits.h"
#include "registry/records.h"

namespace wharfage::registry {

Result<Protection> Protection::of(meta::Tx& tx, const Repository& repository) {
  Protection protection;
  protection.x_all = repository.immutable_tags;
  TRY(auto rules, records::immutability_rules(tx, repository.namespace_id));
  for (auto& rule : rules) {
    if (rule.enabled && rule.selector.selects_repository(repository.name))
      protection.x_rules.push_back(std::move(rule));
  }
  return protection;
}

Status Protection::check(std::string_view tag) const {
  if (is_accessory_tag(tag)) return {};
  if (x_all) return fail(Reason::tag_immutable, {}, std::string(tag));
  for (const auto& rule : x_rules) {
    if (!rule.selector.selects_tag(tag)) continue;
    return fail(Reason::tag_immutable,
                fmt::format("the immutability rule \"{}\" (number {}) of the namespace protects the tag",
                            rule.name, rule.id),
                std::string(tag));
  }
  return {};
}

Status Protection::check_tags_of(meta::Tx& tx, const Manifest& manifest) const {
  if (none()) return {};
  constexpr std::int64_t page = limits::list_page_max;
  for (std::string last;;) {
    TRY(auto tags, records::tags_of_after(tx, manifest.id, last, page));
    for (const auto& tag : tags) TRY_STATUS(check(tag));
    if (static_cast<std::int64_t>(tags.size()) < page) return {};
    last = tags.back();
  }
}

}  // namespace wharfage::registry
