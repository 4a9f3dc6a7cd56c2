#include "base/memory_only.h"
#include "registry/state.h"

namespace wharfage::registry {
namespace {

using ByManifest = std::unordered_map<std::int64_t, Pulls::Count>;

constexpr int folds_per_call_max = 20;

Status write_pulls(meta::Tx& tx, const std::vector<std::pair<std::int64_t, Pulls::Count>>& pulls) {
  std::unordered_map<std::int64_t, Pulls::Count> by_repository;
  for (const auto& [manifest_id, count] : pulls) {
    // False: the image has been deleted since; what it was pulled still counts for its repository.
    TRY_STATUS(records::add_pulls(tx, manifest_id, count.pulls, count.pulled_at));
    auto& sum = by_repository[count.repository_id];
    sum.pulls += count.pulls;
    sum.pulled_at = std::max(sum.pulled_at, count.pulled_at);
  }
  for (const auto& [repository_id, count] : by_repository) {
    TRY_STATUS(records::append_change(tx, repository_id, {.pulls = count.pulls}));
    TRY_STATUS(records::note_last_pull(tx, repository_id, count.pulled_at));
  }
  return {};
}

}  // namespace

void Registry::count_pull(const Repository& repository, const Manifest& manifest) {
  Pulls& pulls = x_state->pulls;
  bool full;
  {
    std::lock_guard lock(pulls.mutex);
    bool at_bound = pulls.by_manifest.size() + 1 >= limits::pull_buffer_max;
    if (at_bound && MemoryOnly::misses()) return;  // folding would wait
    auto& count = pulls.by_manifest[manifest.id];
    count.repository_id = repository.id;
    ++count.pulls;
    count.pulled_at = x_state->clock.now();
    full = pulls.by_manifest.size() >= limits::pull_buffer_max;
  }
  if (!full) return;
  if (Status folded = fold_pulls(); !folded.ok()) {
    x_state->log.warning("pulls were not counted", {{"error", folded.error().message}});
    std::lock_guard lock(pulls.mutex);
    pulls.by_manifest.clear();  // the bound holds whatever the database does
  }
}

Status Registry::fold_pulls() {
  State& state = *x_state;
  std::lock_guard folding(state.pulls.folding);
  ByManifest taken;
  {
    std::lock_guard lock(state.pulls.mutex);
    taken.swap(state.pulls.by_manifest);
  }
  std::vector<std::pair<std::int64_t, Pulls::Count>> batch;
  for (auto next = taken.begin(); next != taken.end();) {
    batch.clear();
    while (next != taken.end() && batch.size() < static_cast<std::size_t>(limits::fold_repositories_max))
      batch.push_back(*next++);
    TRY_STATUS(state.db.write([&](meta::Tx& tx) { return write_pulls(tx, batch); }));
  }
  for (int fold = 0; fold < folds_per_call_max; ++fold) {
    auto folded =
        state.db.write([](meta::Tx& tx) { return records::fold_changes(tx, limits::fold_repositories_max); });
    if (!folded.ok()) return folded.error();
    if (*folded < limits::fold_repositories_max) break;
  }
  return {};
}

}  // namespace wharfage::registry
