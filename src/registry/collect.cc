#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "registry/forgetting.h"
#include "registry/policy_limits.h"
#include "registry/policy_records.h"
#include "registry/state.h"

// Reclaiming, in the order in which things become free: old uploads, repositories without a name, links no
// manifest needs, bytes no repository links. Every step is a short transaction that checks again what it is
// about to remove. Why no interleaving loses an acknowledged push: docs/internals/storage.md.
namespace wharfage::registry {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int unnamed_steps_max = 8;
constexpr std::size_t rows_per_transaction = 256;
constexpr std::size_t sweep_batch = 512;
// There is one writer for everybody: after each step collecting leaves it to the others for so many times as
// long as the step took.
constexpr int rest = 3;
constexpr std::chrono::microseconds rest_max{100'000};
constexpr TimeMs quarantine_keep_ms = 30 * day_ms;

}  // namespace

class Registry::Collector {
 public:
  Collector(State& state, TimeMs unreferenced_for_ms)
      : x_state(state), x_now(state.clock.now()), x_grace(std::max<TimeMs>(unreferenced_for_ms, 0)) {}

  Status run() {
    TRY_STATUS(expire_uploads());
    TRY_STATUS(forget_lost_uploads());
    TRY_STATUS(empty_unnamed());
    TRY_STATUS(drop_loose_links());
    TRY_STATUS(trash_doomed());
    TRY_STATUS(purge_trashed());
    if (collected.more) return {};
    TRY_STATUS(sweep(blob::Area::blobs));
    TRY_STATUS(sweep(blob::Area::trash));
    return sweep(blob::Area::quarantine);
  }
  Collected collected;

 private:
  Status expire_uploads();
  Status forget_lost_uploads();
  Status empty_unnamed();
  Result<bool> empty_step(meta::Tx& tx, std::int64_t repository_id);
  Status tell_end(meta::Tx& tx, const DeletedRepository& gone);
  Result<bool> remove_manifests(meta::Tx& tx, std::int64_t repository_id);
  Result<bool> remove_links(meta::Tx& tx, std::int64_t repository_id);
  Result<bool> remove_uploads(meta::Tx& tx, std::int64_t repository_id);
  Status drop_loose_links();
  Status drop_loose(meta::Tx& tx, const records::Place& place, TimeMs before);
  Status sweep(blob::Area area);
  Status settle_file(meta::Tx& tx, blob::Area area, const blob::FileInfo& file);
  Result<bool> is_settled(meta::Tx& tx, blob::Area area, const Digest& digest);
  Status trash_doomed();
  Result<bool> trash(meta::Tx& tx, const std::string& digest);  // true: moved
  Status purge_trashed();
  Result<bool> forget_blob(meta::Tx& tx, const Digest& digest);

  // One transaction, after a rest from the last one; what needs no writer is done in the meantime.
  template <class Work>
  auto write(Work work) {
    std::this_thread::sleep_until(x_state.rest_until);
    auto spent = Steady::duration::zero();
    auto done = x_state.db.write([&](meta::Tx& tx) {
      auto begun = Steady::now();
      auto result = work(tx);
      spent = Steady::now() - begun;
      return result;
    });
    x_state.rest_until = Steady::now() + std::min<Steady::duration>(rest * spent, rest_max);
    return done;
  }

  State& x_state;
  const TimeMs x_now;
  const TimeMs x_grace;
};

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

Status Registry::Collector::empty_unnamed() {
  for (int step = 0; step < unnamed_steps_max; ++step) {
    TRY(auto id,
        x_state.db.read([this](meta::Tx& tx) { return records::find_unnamed_repository(tx, x_now); }));
    if (!id) return {};
    TRY_STATUS(write([&](meta::Tx& tx) { return empty_step(tx, *id); }));
  }
  collected.more = true;
  return {};
}

// One bounded piece; true when the repository itself has gone.
Result<bool> Registry::Collector::empty_step(meta::Tx& tx, std::int64_t id) {
  TRY(auto tags, records::delete_some_tags(tx, id, limits::collect_batch));
  if (tags.tags + tags.accessory_tags > 0) {
    TRY_STATUS(records::append_change(tx, id, {.tags = -tags.tags, .accessory_tags = -tags.accessory_tags}));
    return false;
  }
  TRY(std::int64_t forgotten, records::forget_deleted_tags_in(tx, id, limits::collect_batch));
  if (forgotten > 0) return false;
  TRY(forgotten, records::prune_tag_history(tx, id, INT64_MAX, limits::tag_history_prune_batch));
  if (forgotten > 0) return false;
  TRY(std::int64_t children, records::delete_children_of(tx, id, limits::collect_batch));
  if (children > 0) return false;
  TRY(bool manifests, remove_manifests(tx, id));
  if (manifests) return false;
  TRY(bool links, remove_links(tx, id));
  if (links) return false;
  TRY(bool uploads, remove_uploads(tx, id));
  if (uploads) return false;
  TRY_STATUS(records::fold_changes_of(tx, id));
  TRY_STATUS(records::forget_counts(tx, id));
  TRY(auto told, records::find_deleted_repository(tx, id));
  TRY_STATUS(records::delete_repository(tx, id));
  bool could_return = told && told->repository.purge_at > told->repository.deleted_at;
  if (could_return) TRY_STATUS(tell_end(tx, told->repository));
  return true;
}

// Of a repository that could have come back: only now it is certain.
Status Registry::Collector::tell_end(meta::Tx& tx, const DeletedRepository& gone) {
  Repository repository;
  repository.id = gone.id;
  repository.namespace_id = gone.namespace_id;
  repository.name = gone.name;
  TRY(auto space, records::find_namespace(tx, gone.namespace_id));
  if (space) repository.namespace_name = space->name;
  return tell_purged(tx, x_state.events, repository);
}

Result<bool> Registry::Collector::remove_manifests(meta::Tx& tx, std::int64_t id) {
  TRY(auto gone, records::delete_some_manifests(tx, id, limits::collect_batch));
  if (!gone) return false;
  TRY_STATUS(
      records::append_change(tx, id, {.manifests = -gone->manifests, .accessories = -gone->accessories}));
  return true;
}

Result<bool> Registry::Collector::remove_links(meta::Tx& tx, std::int64_t id) {
  TRY(auto doomed, records::delete_some_links(tx, id, x_now, limits::collect_batch));
  if (!doomed) return false;
  tx.on_commit([this, id] { x_state.open_blobs.drop_prefix(State::manifest_key(id, "")); });
  TRY_STATUS(records::append_change(tx, 0, {.blobs = -doomed->blobs, .bytes = -doomed->bytes}));
  return true;
}

Result<bool> Registry::Collector::remove_uploads(meta::Tx& tx, std::int64_t id) {
  TRY(auto uploads, records::uploads_of(tx, id, limits::collect_batch));
  for (const auto& upload : uploads) {
    TRY_STATUS(records::delete_upload(tx, upload));
    tx.on_commit([this, upload] { (void)x_state.blobs.cancel_upload(upload); });
  }
  return !uploads.empty();
}

Status Registry::Collector::drop_loose_links() {
  TimeMs before = x_now - x_grace;
  TRY(auto places,
      x_state.db.read([&](meta::Tx& tx) { return records::loose_links(tx, before, limits::collect_batch); }));
  if (places.size() == static_cast<std::size_t>(limits::collect_batch)) collected.more = true;
  for (std::size_t from = 0; from < places.size(); from += rows_per_transaction) {
    std::size_t to = std::min(places.size(), from + rows_per_transaction);
    TRY_STATUS(write([&](meta::Tx& tx) -> Status {
      for (std::size_t i = from; i < to; ++i) TRY_STATUS(drop_loose(tx, places[i], before));
      return {};
    }));
  }
  return {};
}

// It may have been asked for, pushed again or referred to since it was found.
Status Registry::Collector::drop_loose(meta::Tx& tx, const records::Place& place, TimeMs before) {
  TRY(auto link, records::find_link(tx, place.repository_id, place.digest, true));
  if (!link || !link->loose_since || *link->loose_since > before) return {};
  TRY(bool needed, records::is_referred(tx, place.repository_id, place.digest));
  if (needed) return records::tighten_link(tx, place.repository_id, place.digest);
  return x_state.unlink(tx, place.repository_id, place.digest);
}

// Files that no row knows of, left by a process that died between a rename and its transaction. Each run goes
// on where the last one stopped, so its cost does not depend on the store.
Status Registry::Collector::sweep(blob::Area area) {
  auto& place = x_state.swept[static_cast<std::size_t>(area)];
  TRY(auto listing, x_state.blobs.list(area, place, sweep_batch));
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
  for (std::size_t from = 0; from < listing.files.size(); from += rows_per_transaction) {
    std::size_t to = std::min(listing.files.size(), from + rows_per_transaction);
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

Status Registry::Collector::trash_doomed() {
  TRY(auto digests, x_state.db.read([&](meta::Tx& tx) {
    return records::leaving_blobs(tx, records::BlobState::doomed, x_now, limits::collect_batch);
  }));
  std::int64_t moved = 0;
  for (std::size_t from = 0; from < digests.size(); from += rows_per_transaction) {
    std::size_t to = std::min(digests.size(), from + rows_per_transaction);
    TRY_STATUS(write([&](meta::Tx& tx) -> Status {
      for (std::size_t i = from; i < to; ++i) {
        TRY(bool gone, trash(tx, digests[i]));
        moved += gone ? 1 : 0;
      }
      return {};
    }));
  }
  if (moved > 0 && digests.size() == static_cast<std::size_t>(limits::collect_batch)) collected.more = true;
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

// Purging touches the trash only, so it needs no lock: whoever revived or brought the bytes in the meantime
// has them in place.
Status Registry::Collector::purge_trashed() {
  TimeMs before = x_now - std::min(x_grace, limits::trash_keep_ms);
  TRY(auto digests, x_state.db.read([&](meta::Tx& tx) {
    return records::leaving_blobs(tx, records::BlobState::trashed, before, limits::collect_batch);
  }));
  std::vector<Digest> purged;
  for (const auto& text : digests) {
    if (x_state.arrivals.contains(text)) continue;
    TRY(Digest digest, Digest::parse(text));
    TRY(std::int64_t freed, x_state.blobs.purge(digest));
    collected.bytes += freed;
    purged.push_back(digest);
  }
  for (std::size_t from = 0; from < purged.size(); from += rows_per_transaction) {
    std::size_t to = std::min(purged.size(), from + rows_per_transaction);
    TRY(std::int64_t gone, write([&](meta::Tx& tx) -> Result<std::int64_t> {
          std::int64_t count = 0;
          for (std::size_t i = from; i < to; ++i) {
            TRY(bool forgotten, forget_blob(tx, purged[i]));
            count += forgotten ? 1 : 0;
          }
          return count;
        }));
    collected.blobs += gone;
  }
  if (!purged.empty() && digests.size() == static_cast<std::size_t>(limits::collect_batch))
    collected.more = true;
  return {};
}

// A push that published the bytes again and died left them in place: they go the whole way once more.
Result<bool> Registry::Collector::forget_blob(meta::Tx& tx, const Digest& digest) {
  TRY(auto in_place, x_state.blobs.find_size(digest));
  if (!in_place) return records::delete_trashed_blob(tx, digest.text());
  TRY(auto row, records::find_blob(tx, digest.text()));
  if (!row || row->state != records::BlobState::trashed) return false;
  TRY_STATUS(records::put_blob(tx, digest.text(), {row->size, records::BlobState::doomed}, x_now));
  return false;
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
