#include <algorithm>
#include <array>
#include <latch>
#include <unordered_set>

#include "base/check.h"
#include "registry/collector.h"

// Links that no manifest needs, and the blobs that nobody links.
namespace wharfage::registry {
namespace {

template <class T>
std::span<T> part(std::span<T> all, std::size_t from, std::int64_t most) {
  return all.subspan(from, std::min(all.size() - from, static_cast<std::size_t>(most)));
}

}  // namespace

Status Registry::Collector::drop_loose_links() {
  TimeMs before = x_now - x_grace;
  TRY(auto places,
      x_state.db.read([&](meta::Tx& tx) { return records::loose_links(tx, before, blobs_per_run); }));
  if (static_cast<std::int64_t>(places.size()) == blobs_per_run) collected.more = true;
  std::span<const records::Place> all(places);
  for (std::size_t from = 0; from < all.size(); from += rows_per_step) {
    TRY_STATUS(write([&](meta::Tx& tx) -> Status {
      State::Unlinked unlinked;
      for (const auto& place : part(all, from, rows_per_step))
        TRY_STATUS(drop_loose(tx, place, before, unlinked));
      return x_state.count(tx, unlinked);
    }));
  }
  return {};
}

// It may have been asked for, pushed again or referred to since it was found.
Status Registry::Collector::drop_loose(meta::Tx& tx, const records::Place& place, TimeMs before,
                                       State::Unlinked& unlinked) {
  TRY(auto link, records::find_link(tx, place.repository_id, place.digest, true));
  if (!link || !link->loose_since || *link->loose_since > before) return {};
  TRY(bool needed, records::is_referred(tx, place.repository_id, place.digest));
  if (needed) return records::tighten_link(tx, place.repository_id, place.digest);
  return x_state.unlink(tx, place.repository_id, place.digest, unlinked);
}

// Looked for again once they are marked: whoever needed one until then has it live by now, and whoever brings
// one from then on is seen by its claim.
Result<std::vector<Registry::Collector::Leaving>> Registry::Collector::doomed() {
  auto look = [](meta::Tx& tx) { return records::doomed_blobs(tx, blobs_per_run); };
  TRY(auto found, x_state.db.read(look));
  if (found.empty()) return std::vector<Leaving>();
  std::vector<Leaving> blobs;
  for (const auto& blob : found) {
    TRY(Digest digest, Digest::parse(blob.digest));
    if (auto mark = x_state.blobs.claims().mark(digest)) blobs.push_back({digest, blob.size, *mark});
  }
  TRY(found, x_state.db.read(look));
  std::unordered_set<std::string> still;
  for (auto& blob : found) still.insert(std::move(blob.digest));
  std::erase_if(blobs, [&](const Leaving& blob) { return !still.contains(blob.digest.text()); });
  return blobs;
}

// Each helper has a part to itself.
Status Registry::Collector::purge_beside(std::span<const Leaving> blobs,
                                         const std::function<Status()>& work) {
  std::array<Purge, State::reclaimers_many> parts;
  std::latch busy(State::reclaimers_many);
  const std::size_t share = (blobs.size() + parts.size() - 1) / parts.size();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto files = part(blobs, std::min(i * share, blobs.size()), static_cast<std::int64_t>(share));
    bool taken = x_state.reclaimers.post([this, files, &mine = parts[i], &busy] {
      mine = purge(files);
      busy.count_down();
    });
    CHECK(taken, "there is room for every helper's part");
  }
  Status worked = work();
  busy.wait();
  for (const Purge& done : parts) {
    Status added = add(done);
    if (worked.ok()) worked = std::move(added);
  }
  return worked;
}

Status Registry::Collector::add(const Purge& done) {
  collected.blobs += done.blobs;
  collected.bytes += done.bytes;
  return done.status;
}

Registry::Collector::Purge Registry::Collector::purge(std::span<const Leaving> blobs) {
  Purge done;
  for (std::size_t from = 0; from < blobs.size(); from += blobs_per_step) {
    Status step = purge_step(part(blobs, from, blobs_per_step), done);
    if (done.status.ok()) done.status = std::move(step);
  }
  return done;
}

// The bytes first, then the rows, but for those that somebody has claimed since: he may have brought the
// bytes again and died before his row.
Status Registry::Collector::purge_step(std::span<const Leaving> blobs, Purge& done) {
  std::vector<const Leaving*> gone;
  Status failed;  // the first; the others are not kept waiting by one that cannot be removed
  for (const auto& blob : blobs) {
    auto removal = x_state.blobs.remove(blob.digest, blob.mark);
    if (!removal.ok()) {
      if (failed.ok()) failed = removal.error();
      continue;
    }
    if (*removal == blob::Store::Removal::removed) done.bytes += blob.size;
    if (*removal != blob::Store::Removal::claimed) gone.push_back(&blob);
  }
  TRY(std::int64_t forgotten, write([&](meta::Tx& tx) -> Result<std::int64_t> {
        std::int64_t count = 0;
        for (const Leaving* blob : gone) {
          if (!x_state.blobs.claims().is_good(blob->mark, blob->digest)) continue;
          TRY(bool deleted, records::delete_doomed_blob(tx, blob->digest.text()));
          count += deleted ? 1 : 0;
        }
        return count;
      }));
  done.blobs += forgotten;
  return failed;
}

}  // namespace wharfage::registry
