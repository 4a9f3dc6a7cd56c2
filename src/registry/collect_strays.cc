#include <algorithm>

#include "registry/collector.h"

namespace wharfage::registry {
namespace {

constexpr std::size_t files_per_run = 512;
constexpr TimeMs quarantine_keep_ms = 30 * day_ms;

}  // namespace

// Each run goes on where the last one stopped, so its cost does not depend on the store.
Result<std::vector<blob::FileInfo>> Registry::Collector::old_files(blob::Area area, TimeMs kept) {
  auto& place = x_state.swept[static_cast<std::size_t>(area)];
  TRY(auto listing, x_state.blobs.list(area, place, files_per_run));
  place = listing.end ? std::nullopt : std::optional(listing.files.back().digest);
  std::erase_if(listing.files, [&](const auto& file) { return file.changed_at > x_now - kept; });
  return std::move(listing.files);
}

// Files that no row knows of, left where a process died, or failed, between a rename and its transaction.
// They get a row that lets them go the usual way: whoever links one meanwhile finds that row.
Status Registry::Collector::sweep_blobs() {
  TRY(auto files, old_files(blob::Area::blobs, x_grace));
  TRY(auto strays, x_state.db.read([&](meta::Tx& tx) { return strays_among(tx, files); }));
  if (strays.empty()) return {};
  return x_state.db.write([&](meta::Tx& tx) -> Status {
    TRY(strays, strays_among(tx, strays));
    for (const auto& file : strays) {
      TRY_STATUS(records::put_blob(tx, file.digest.text(), {file.size, records::BlobState::doomed}, x_now));
    }
    tx.on_commit([this, many = strays.size()] { collected.strays += static_cast<std::int64_t>(many); });
    return {};
  });
}

Result<std::vector<blob::FileInfo>> Registry::Collector::strays_among(
    meta::Tx& tx, const std::vector<blob::FileInfo>& files) {
  std::vector<blob::FileInfo> strays;
  for (const auto& file : files) {
    if (x_state.blobs.claims().holds(file.digest)) continue;  // its row is on its way
    TRY(auto row, records::find_blob(tx, file.digest.text()));
    if (!row) strays.push_back(file);
  }
  return strays;
}

Status Registry::Collector::sweep_quarantine() {
  TRY(auto files, old_files(blob::Area::quarantine, quarantine_keep_ms));
  for (const auto& file : files) {
    TRY(std::int64_t freed, x_state.blobs.discard_quarantined(file.digest));
    collected.bytes += freed;
  }
  return {};
}

}  // namespace wharfage::registry
