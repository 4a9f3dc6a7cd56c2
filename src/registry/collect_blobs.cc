#include <algorithm>
#include <array>
#include <latch>

#include "base/check.h"
#include "registry/collector.h"

// Links that no manifest needs, and then the blobs that nobody links: into the trash, and out of it.
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

Status Registry::Collector::trash_doomed() {
  TRY(auto digests, x_state.db.read([&](meta::Tx& tx) {
    return records::leaving_blobs(tx, records::BlobState::doomed, x_now, blobs_per_run);
  }));
  std::int64_t moved = 0;
  std::span<const std::string> all(digests);
  for (std::size_t from = 0; from < all.size(); from += files_per_step) {
    TRY_STATUS(write([&](meta::Tx& tx) -> Status {
      for (const auto& digest : part(all, from, files_per_step)) {
        TRY(bool gone, trash(tx, digest));
        moved += gone ? 1 : 0;
      }
      return {};
    }));
  }
  if (moved > 0 && static_cast<std::int64_t>(digests.size()) == blobs_per_run) collected.more = true;
  return {};
}

// The rename happens while the row is held, so that no link can be made between the check and the move. If
// the transaction is undone after it, the row says doomed and the bytes are in the trash: link() revives
// them.
Result<bool> Registry::Collector::trash(meta::Tx& tx, const std::string& text) {
  if (x_state.arrivals.contains(text)) return false;
  TRY(Digest digest, Digest::parse(text));
  TRY(bool doomed, records::trash_doomed_blob(tx, text, x_now));
  if (doomed) TRY_STATUS(x_state.blobs.trash(digest));
  return doomed;
}

Result<std::vector<Registry::Collector::Leaving>> Registry::Collector::trashed_long_ago() {
  TimeMs before = x_now - std::min(x_grace, limits::trash_keep_ms);
  TRY(auto digests, x_state.db.read([&](meta::Tx& tx) {
    return records::leaving_blobs(tx, records::BlobState::trashed, before, blobs_per_run);
  }));
  std::vector<Leaving> blobs;
  for (const auto& text : digests) {
    TRY(Digest digest, Digest::parse(text));
    blobs.push_back({digest});
  }
  return blobs;
}

// Each helper has a part to itself.
Status Registry::Collector::purge_beside(std::span<Leaving> blobs, const std::function<Status()>& work) {
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
  for (const Purge& done : parts) TRY_STATUS(add(done));
  return worked;
}

Status Registry::Collector::add(const Purge& done) {
  collected.blobs += done.blobs;
  collected.bytes += done.bytes;
  if (done.blobs >= static_cast<std::int64_t>(blobs_worth_helpers)) collected.more = true;
  return done.status;
}

// Purging touches the trash only, so it needs no lock: whoever revived or brought the bytes in the meantime
// has them in place.
Registry::Collector::Purge Registry::Collector::purge(std::span<Leaving> blobs) {
  Purge done;
  for (std::size_t from = 0; from < blobs.size() && done.status.ok(); from += blobs_per_step)
    done.status = purge_step(part(blobs, from, blobs_per_step), done);
  return done;
}

Status Registry::Collector::purge_step(std::span<Leaving> blobs, Purge& done) {
  for (auto& blob : blobs) {
    if (x_state.arrivals.contains(blob.digest.text())) continue;
    TRY(std::int64_t freed, x_state.blobs.purge(blob.digest));
    done.bytes += freed;
    TRY(auto in_place, x_state.blobs.find_size(blob.digest));
    blob.brought_again = in_place.has_value();
    blob.purged = true;
  }
  TRY(std::int64_t gone, write([&](meta::Tx& tx) -> Result<std::int64_t> {
        std::int64_t count = 0;
        for (const auto& blob : blobs) {
          if (!blob.purged) continue;
          TRY(bool forgotten, forget_blob(tx, blob));
          count += forgotten ? 1 : 0;
        }
        return count;
      }));
  done.blobs += gone;
  return {};
}

// A push that published the bytes again and died left them in place: they go the whole way once more. Bytes
// that come from now on have a row made for them, or are a file that no row knows of.
Result<bool> Registry::Collector::forget_blob(meta::Tx& tx, const Leaving& blob) {
  const std::string& text = blob.digest.text();
  if (!blob.brought_again) return records::delete_trashed_blob(tx, text);
  TRY(auto row, records::find_blob(tx, text));
  if (!row || row->state != records::BlobState::trashed) return false;
  TRY_STATUS(records::put_blob(tx, text, {row->size, records::BlobState::doomed}, x_now));
  return false;
}

}  // namespace wharfage::registry
