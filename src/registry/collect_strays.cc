#include <algorithm>

#include "registry/collector.h"

namespace wharfage::registry {
namespace {

constexpr std::size_t files_per_run = 512;
constexpr std::size_t strays_per_step = 256;
constexpr TimeMs quarantine_keep_ms = 30 * day_ms;

}  // namespace

// Files that no row knows of, left by a process that died between a rename and its transaction. Each run goes
// on where the last one stopped, so its cost does not depend on the store.
Status Registry::Collector::sweep(blob::Area area) {
  auto& place = x_state.swept[static_cast<std::size_t>(area)];
  TRY(auto listing, x_state.blobs.list(area, place, files_per_run));
  place = listing.end ? std::nullopt : std::optional(listing.files.back().digest);
  TimeMs kept = area == blob::Area::quarantine ? quarantine_keep_ms : x_grace;
  std::erase_if(listing.files, [&](const auto& file) { return file.changed_at > x_now - kept; });
  TRY_STATUS(x_state.db.read([&](meta::Tx& tx) -> Status {
    std::vector<blob::FileInfo> strays;
    for (auto& file : listing.files) {
      TRY(bool settled, is_settled(tx, area, file.digest));
      if (!settled) strays.push_back(std::move(file));
    }
    listing.files = std::move(strays);
    return {};
  }));
  for (std::size_t from = 0; from < listing.files.size(); from += strays_per_step) {
    std::size_t to = std::min(listing.files.size(), from + strays_per_step);
    TRY_STATUS(x_state.db.write([&](meta::Tx& tx) -> Status {
      for (std::size_t i = from; i < to; ++i) TRY_STATUS(settle_file(tx, area, listing.files[i]));
      return {};
    }));
  }
  return {};
}

// Whether the file is where its row says. A live blob's copy in the trash was left by a push that died.
Result<bool> Registry::Collector::is_settled(meta::Tx& tx, blob::Area area, const Digest& digest) {
  if (area == blob::Area::quarantine) return false;
  if (x_state.arrivals.contains(digest.text())) return true;
  TRY(auto row, records::find_blob(tx, digest.text()));
  return row && !(area == blob::Area::trash && row->state == records::BlobState::live);
}

// It gets a row that lets it go the usual way: whoever links it meanwhile finds that row and revives it.
Status Registry::Collector::settle_file(meta::Tx& tx, blob::Area area, const blob::FileInfo& file) {
  if (area == blob::Area::quarantine) {
    TRY(std::int64_t freed, x_state.blobs.discard_quarantined(file.digest));
    collected.bytes += freed;
    return {};
  }
  TRY(bool settled, is_settled(tx, area, file.digest));
  if (settled) return {};
  TRY(auto row, records::find_blob(tx, file.digest.text()));
  if (row) {
    TRY(auto in_place, x_state.blobs.find_size(file.digest));
    if (!in_place) return {};  // the copy is all there is: the check tells
    TRY(std::int64_t freed, x_state.blobs.purge(file.digest));
    collected.bytes += freed;
    return {};
  }
  ++collected.strays;
  auto state = area == blob::Area::blobs ? records::BlobState::doomed : records::BlobState::trashed;
  return records::put_blob(tx, file.digest.text(), {file.size, state}, x_now);
}

}  // namespace wharfage::registry
