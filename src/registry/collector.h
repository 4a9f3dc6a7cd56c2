// One run of collect(): reclaiming, in the order in which things become free: old uploads, repositories
// without a name (collect_places.cc), links no manifest needs and bytes no repository links
// (collect_blobs.cc), files no row knows of (collect_strays.cc). Every step is a short transaction that
// checks again what it is about to remove, or removes files beside all transactions; a run takes a bounded
// number of them. Why no interleaving loses an acknowledged push: docs/internals/storage.md. Lives on the
// thread that collects; where many files are to be removed, others help.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "registry/state.h"

namespace wharfage::registry {

class Registry::Collector {
 public:
  Collector(State& state, TimeMs unreferenced_for_ms)
      : x_state(state), x_now(state.clock.now()), x_grace(std::max<TimeMs>(unreferenced_for_ms, 0)) {}

  Status run();
  Collected collected;

 private:
  // So many that a commit is worth its disk barrier, so few that the writer is back within some 10 ms.
  static constexpr std::int64_t rows_per_step = 512;         // of what scatters over many pages
  static constexpr std::int64_t manifests_per_step = 1024;   // the same, but fewer pages for each of many
  static constexpr std::int64_t blobs_per_step = 1024;       // of what lies in order
  static constexpr std::int64_t references_per_step = 4096;  // the same, and small
  static constexpr std::int64_t blobs_per_run = 4096;
  static constexpr std::size_t blobs_worth_helpers = 512;

  Status expire_uploads();
  Status forget_lost_uploads();
  Status free_rows();

  // ---- collect_places.cc
  Status empty_unnamed();
  Result<bool> empty_step(meta::Tx& tx, std::int64_t repository_id);
  Status tell_end(meta::Tx& tx, const DeletedRepository& gone);
  Result<bool> remove_manifests(meta::Tx& tx, std::int64_t repository_id);
  Result<bool> remove_links(meta::Tx& tx, std::int64_t repository_id);
  Result<bool> remove_uploads(meta::Tx& tx, std::int64_t repository_id);

  // ---- collect_blobs.cc
  Status drop_loose_links();
  Status drop_loose(meta::Tx& tx, const records::Place& place, TimeMs before, State::Unlinked& unlinked);
  struct Leaving {
    Digest digest;
    std::int64_t size = 0;
    blob::Claims::Mark mark = 0;
  };
  struct Purge {
    Status status;
    std::int64_t blobs = 0, bytes = 0;
  };
  Result<std::vector<Leaving>> doomed();
  Status purge_beside(std::span<const Leaving> blobs, const std::function<Status()>& work);
  Purge purge(std::span<const Leaving> blobs);
  Status purge_step(std::span<const Leaving> blobs, Purge& done);
  Status add(const Purge& done);

  // ---- collect_strays.cc
  Result<std::vector<blob::FileInfo>> old_files(blob::Area area, TimeMs kept);
  Status sweep_blobs();
  Result<std::vector<blob::FileInfo>> strays_among(meta::Tx& tx, const std::vector<blob::FileInfo>& files);
  Status sweep_quarantine();

  template <class Work>
  auto write(Work work) {
    return x_state.pace.write(x_state.db, std::move(work));
  }

  State& x_state;
  const TimeMs x_now;
  const TimeMs x_grace;
};

}  // namespace wharfage::registry
