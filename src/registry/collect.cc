#include <fmt/format.h>

#include <algorithm>

#include "registry/collector.h"

namespace wharfage::registry {

Status Registry::Collector::run() {
  TRY_STATUS(expire_uploads());
  TRY_STATUS(forget_lost_uploads());
  TRY(auto leaving, doomed());
  Status purged;  // a file that cannot be removed keeps nothing else from going
  if (leaving.size() >= blobs_worth_helpers) {
    purged = purge_beside(leaving, [this] { return free_rows(); });
  } else {
    TRY_STATUS(free_rows());
    TRY(leaving, doomed());
    purged = add(purge(leaving));
  }
  if (collected.blobs >= static_cast<std::int64_t>(blobs_worth_helpers)) collected.more = true;
  if (collected.more) return purged;
  TRY_STATUS(sweep_blobs());
  TRY_STATUS(sweep_quarantine());
  return purged;
}

Status Registry::Collector::free_rows() {
  TRY_STATUS(empty_unnamed());
  return drop_loose_links();
}

// Every file below uploads/ that nobody has touched for long, whether a row knows it or not.
Status Registry::Collector::expire_uploads() {
  TRY(auto files, x_state.blobs.uploads());
  std::erase_if(files,
                [&](const auto& file) { return file.changed_at > x_now - limits::upload_lifetime_ms; });
  if (files.size() > static_cast<std::size_t>(limits::collect_batch)) {
    files.resize(static_cast<std::size_t>(limits::collect_batch));
    collected.more = true;
  }
  if (files.empty()) return {};
  TRY_STATUS(x_state.db.write([&](meta::Tx& tx) -> Status {
    for (const auto& file : files) TRY_STATUS(records::delete_upload(tx, file.id));
    return {};
  }));
  for (const auto& file : files) {
    if (x_state.blobs.cancel_upload(file.id).ok()) ++collected.uploads;
    x_state.upload_bytes.drop(file.id);
  }
  return {};
}

// Rows whose file has gone: the server died between publishing a blob and linking it.
Status Registry::Collector::forget_lost_uploads() {
  records::UploadRow last;
  TimeMs before = x_now - limits::upload_lifetime_ms;
  TRY(auto rows, x_state.db.read([&](meta::Tx& tx) {
    return records::uploads_after(tx, last, before, limits::collect_batch * 4);
  }));
  std::erase_if(rows, [&](const auto& row) {
    auto size = x_state.blobs.upload_size(row.id);
    return size.ok() || size.error().reason != Reason::upload_unknown;
  });
  if (rows.empty()) return {};
  TRY_STATUS(x_state.db.write([&](meta::Tx& tx) -> Status {
    for (const auto& row : rows) TRY_STATUS(records::delete_upload(tx, row.id));
    return {};
  }));
  collected.uploads += static_cast<std::int64_t>(rows.size());
  return {};
}

Result<Registry::Collected> Registry::collect(TimeMs unreferenced_for_ms) {
  std::lock_guard one_at_a_time(x_state->collecting);
  Collector collector(*x_state, unreferenced_for_ms);
  Status done = collector.run();
  const Collected& collected = collector.collected;
  Reclaimed& total = x_state->reclaimed;
  ++total.runs;
  total.blobs += collected.blobs;
  total.bytes += collected.bytes;
  total.uploads += collected.uploads;
  total.strays += collected.strays;
  if (!done.ok()) return done.error();
  return collected;
}

std::string Registry::metrics() const {
  const Reclaimed& total = x_state->reclaimed;
  std::string text;
  auto add = [&](std::string_view name, std::int64_t value) {
    text += fmt::format("# TYPE wharfage_{0}_total counter\nwharfage_{0}_total {1}\n", name, value);
  };
  add("reclaimed_bytes", total.bytes);
  add("reclaimed_blobs", total.blobs);
  add("reclaimed_uploads", total.uploads);
  add("reclaimed_strays", total.strays);
  add("reclaimed_runs", total.runs);
  add("store_faults", total.faults);
  return text;
}

}  // namespace wharfage::registry
