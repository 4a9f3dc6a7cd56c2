// Which tags of a repository may be neither moved nor deleted, read in the transaction that is about to do
// it: the repository's own flag, and the immutability rules of its namespace. Tags of accessories
// (is_accessory_tag) are never held back: a second signature moves them.
#pragma once

#include <string_view>
#include <vector>

#include "registry/policy_records.h"

namespace wharfage::registry {

class Protection {
 public:
  // `repository` as its row is now.
  static Result<Protection> of(meta::Tx& tx, const Repository& repository);

  bool none() const { return !x_all && x_rules.empty(); }
  Status check(std::string_view tag) const;  // tag_immutable, naming the rule
  // The same of every tag that points to a manifest, in pages.
  Status check_tags_of(meta::Tx& tx, const Manifest& manifest) const;

 private:
  bool x_all = false;                     // the repository's flag
  std::vector<ImmutabilityRule> x_rules;  // those that select the repository
};

}  // namespace wharfage::registry
