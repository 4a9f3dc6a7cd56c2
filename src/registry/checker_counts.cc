#include <fmt/format.h>

#include "registry/checker.h"
#include "registry/policy_records.h"

// Figures against the rows they count.
namespace wharfage::registry {
namespace {

constexpr std::int64_t page_size = 256;

std::string described(const records::Counts& counts) {
  return fmt::format("{} repositories, {}+{} tags, {}+{} manifests, {} blobs, {} bytes", counts.repositories,
                     counts.tags, counts.accessory_tags, counts.manifests, counts.accessories, counts.blobs,
                     counts.bytes);
}

// What must be added to `kept` for it to be right.
records::Counts difference(const records::Counts& right, const records::Counts& kept) {
  return {.repositories = right.repositories - kept.repositories,
          .tags = right.tags - kept.tags,
          .accessory_tags = right.accessory_tags - kept.accessory_tags,
          .manifests = right.manifests - kept.manifests,
          .accessories = right.accessories - kept.accessories,
          .blobs = right.blobs - kept.blobs,
          .bytes = right.bytes - kept.bytes};
}

std::string described(const NamespaceUsage& usage) {
  return fmt::format("{} repositories, {} tags, {} blobs, {} bytes", usage.repositories, usage.tags,
                     usage.blobs, usage.bytes);
}

NamespaceUsage difference(const NamespaceUsage& right, const NamespaceUsage& kept) {
  return {right.repositories - kept.repositories, right.tags - kept.tags, right.blobs - kept.blobs,
          right.bytes - kept.bytes};
}

bool is_zero(const NamespaceUsage& usage) {
  return !usage.repositories && !usage.tags && !usage.blobs && !usage.bytes;
}

bool is_zero(const records::Counts& counts) {
  return !counts.repositories && !counts.tags && !counts.accessory_tags && !counts.manifests &&
         !counts.accessories && !counts.blobs && !counts.bytes;
}

}  // namespace

// Rows and figures come from one snapshot, so a difference is a fault and not a push on its way. It stays the
// same whatever is appended meanwhile, so nobody has to wait until all is counted.
Status Registry::Checker::counts() {
  for (std::int64_t last = 0;;) {
    TRY_STATUS(x_follower.alive());
    TRY(auto page,
        x_state.db.read([&](meta::Tx& tx) { return records::repositories_after(tx, last, page_size); }));
    for (std::int64_t id : page) TRY_STATUS(counts_of(id));
    x_follower.counted("repositories", static_cast<std::int64_t>(page.size()));
    if (page.empty()) break;
    last = page.back();
  }
  TRY_STATUS(counts_of(0));
  return usages();
}

Status Registry::Checker::counts_of(std::int64_t id) {
  records::Counts kept, right;
  TRY_STATUS(x_state.db.read([&](meta::Tx& tx) -> Status {
    TRY(kept, id == 0 ? records::store_counts(tx) : records::counts(tx, id));
    TRY(right, id == 0 ? records::recount_store(tx) : records::recount(tx, id));
    return {};
  }));
  if (id != 0) kept.repositories = kept.blobs = 0;
  records::Counts change = difference(right, kept);
  if (is_zero(change)) return {};
  return x_state.db.write([&](meta::Tx& tx) -> Status {
    if (id != 0) {
      TRY(auto still, records::repositories_after(tx, id - 1, 1));
      if (still.empty() || still[0] != id) return {};  // it was deleted meanwhile
    }
    TRY(std::string name, id == 0 ? std::string() : name_of(tx, id));
    tell(tx, {"count_wrong", name, id == 0 ? "store" : "repository",
              described(kept) + "; there are " + described(right), x_mend});
    return x_mend ? records::append_change(tx, id, change) : Status();
  });
}

// What the quotas of namespaces are held against. To count a namespace reads every link of the store, which
// nobody may have to wait for: a snapshot tells what is missing. That stays so whatever is appended
// meanwhile.
Status Registry::Checker::usages() {
  for (std::int64_t last = 0;;) {
    TRY_STATUS(x_follower.alive());
    std::vector<WrongUsage> wrong;
    TRY(auto page, x_state.db.read([&](meta::Tx& tx) -> Result<std::vector<records::UsageAt>> {
      wrong.clear();
      TRY(auto right, records::recount_usage(tx, last, page_size));
      for (const auto& one : right) {
        TRY(auto kept, records::usage(tx, one.namespace_id));
        if (!is_zero(difference(one.usage, kept))) wrong.push_back({one.namespace_id, kept, one.usage});
      }
      return right;
    }));
    for (const auto& one : wrong)
      TRY_STATUS(x_state.db.write([&](meta::Tx& tx) { return settle_usage(tx, one); }));
    x_follower.counted("namespaces", static_cast<std::int64_t>(page.size()));
    if (page.empty()) return {};
    last = page.back().namespace_id;
  }
}

Status Registry::Checker::settle_usage(meta::Tx& tx, const WrongUsage& wrong) {
  TRY(auto space, records::find_namespace(tx, wrong.namespace_id));
  if (!space) return {};
  tell(tx, {"count_wrong", space->name, "namespace",
            described(wrong.kept) + "; there are " + described(wrong.right), x_mend});
  if (!x_mend) return {};
  return records::append_usage(tx, wrong.namespace_id, difference(wrong.right, wrong.kept));
}

}  // namespace wharfage::registry
