#include "registry/checker.h"

namespace wharfage::registry {
namespace {

constexpr std::int64_t page_size = 500;

}  // namespace

Status Registry::Checker::run() {
  TRY_STATUS(blobs());
  TRY_STATUS(files());
  TRY_STATUS(links());
  TRY_STATUS(manifests());
  TRY_STATUS(tags());
  return counts();
}

void Registry::Checker::tell(meta::Tx& tx, Finding finding) {
  tx.on_commit([this, finding = std::move(finding)] {
    ++x_state.reclaimed.faults;
    x_follower.found(finding);
  });
}

Result<std::string> Registry::Checker::name_of(meta::Tx& tx, std::int64_t repository_id) {
  TRY(auto repository, records::find_repository(tx, repository_id));
  return repository ? repository->full_name() : std::string();
}

Status Registry::Checker::blobs() {
  for (std::string last;;) {
    TRY_STATUS(x_follower.alive());
    TRY(auto page, x_state.db.read([&](meta::Tx& tx) { return records::blobs_after(tx, last, page_size); }));
    for (const auto& blob : page) {
      TRY(Digest digest, Digest::parse(blob.digest));
      bool fine = blob.row.state == records::BlobState::doomed && !blob.linked;
      if (blob.row.state == records::BlobState::live && blob.linked) {
        TRY(auto size, x_state.blobs.find_size(digest));
        fine = size == blob.row.size;
      }
      if (!fine) TRY_STATUS(x_doctor.examine(digest));
    }
    x_follower.counted("blobs", static_cast<std::int64_t>(page.size()));
    if (page.empty()) return {};
    last = page.back().digest;
  }
}

Status Registry::Checker::files() {
  std::optional<Digest> last;
  for (bool end = false; !end;) {
    TRY_STATUS(x_follower.alive());
    TRY(auto listing, x_state.blobs.list(blob::Area::blobs, last, page_size));
    end = listing.end;
    if (!end) last = listing.files.back().digest;
    for (const auto& name : listing.strays)
      x_follower.found({"file_foreign", "", name, "no blob can have this name; remove it yourself", false});
    x_follower.counted("files", static_cast<std::int64_t>(listing.files.size()));
    TimeMs now = x_state.clock.now();
    std::erase_if(listing.files, [&](const auto& file) { return file.changed_at > now - x_settled_ms; });
    TRY(auto unknown, x_state.db.read([&](meta::Tx& tx) -> Result<std::vector<blob::FileInfo>> {
      std::vector<blob::FileInfo> list;
      for (const auto& file : listing.files) {
        TRY(auto row, records::find_blob(tx, file.digest.text()));
        if (!row) list.push_back(file);
      }
      return list;
    }));
    for (const auto& file : unknown)
      TRY_STATUS(x_state.db.write([&](meta::Tx& tx) { return unknown_file(tx, file); }));
  }
  return {};
}

// It gets a row by which collect() removes it, and by which a push may still take it.
Status Registry::Checker::unknown_file(meta::Tx& tx, const blob::FileInfo& file) {
  if (x_state.blobs.claims().holds(file.digest)) return {};
  TRY(auto row, records::find_blob(tx, file.digest.text()));
  if (row) return {};
  tell(tx,
       {"file_unknown", "", file.digest.text(), x_mend ? "will be reclaimed" : "no row knows of it", x_mend});
  if (!x_mend) return {};
  return records::put_blob(tx, file.digest.text(), {file.size, records::BlobState::doomed},
                           x_state.clock.now());
}

Status Registry::Checker::links() {
  for (records::Place last;;) {
    TRY_STATUS(x_follower.alive());
    TRY(auto page, x_state.db.read([&](meta::Tx& tx) { return records::links_after(tx, last, page_size); }));
    for (const auto& one : page) {
      if (!one.dangling && !one.stale && one.loose != one.referred) continue;
      TRY_STATUS(x_state.db.write([&](meta::Tx& tx) { return link(tx, one.place); }));
    }
    x_follower.counted("links", static_cast<std::int64_t>(page.size()));
    if (page.empty()) return {};
    last = page.back().place;
  }
}

Status Registry::Checker::link(meta::Tx& tx, const records::Place& place) {
  TRY(auto blob, records::find_blob(tx, place.digest));
  TRY(std::string name, name_of(tx, place.repository_id));
  if (!blob) {
    // Its blob becomes one that is lost: a push brings it back, and the row goes with its last link.
    tell(tx, {"link_dangling", name, place.digest, "names a blob that is not there", x_mend});
    if (!x_mend) return {};
    return records::put_blob(tx, place.digest, {0, records::BlobState::lost}, x_state.clock.now());
  }
  TRY(bool leaving, records::is_leaving(tx, place.repository_id));  // with all its links
  if (!leaving) TRY_STATUS(stale_references(tx, place, name));
  TRY(auto link, records::find_link(tx, place.repository_id, place.digest, true));
  TRY(bool referred, records::is_referred(tx, place.repository_id, place.digest));
  if (!link || link->loose_since.has_value() != referred) return {};
  if (referred) {
    tell(tx, {"link_loose", name, place.digest, "counts as unused although a manifest needs it", x_mend});
    return x_mend ? records::tighten_link(tx, place.repository_id, place.digest) : Status();
  }
  if (leaving) return {};
  tell(tx,
       {"link_kept", name, place.digest, "no manifest needs it, and it would never be reclaimed", x_mend});
  return x_mend ? records::loosen_link(tx, place, x_state.clock.now()) : Status();
}

// A reference whose manifest has gone would keep the blob for ever.
Status Registry::Checker::stale_references(meta::Tx& tx, const records::Place& place,
                                           const std::string& name) {
  TRY(bool stale, records::has_stale_reference(tx, place));
  if (!stale) return {};
  tell(tx, {"reference_stale", name, place.digest, "a manifest that is not there refers to it", x_mend});
  if (!x_mend) return {};
  TRY_STATUS(records::delete_stale_references(tx, place));
  TRY(bool needed, records::is_referred(tx, place.repository_id, place.digest));
  return needed ? Status() : records::loosen_link(tx, place, x_state.clock.now());
}

Status Registry::check(bool mend, TimeMs settled_ms, Follower& follower) {
  return Checker(*x_state, mend, settled_ms, follower).run();
}

// Reads live blobs only: what is leaving is nobody's, what is lost is known.
Status Registry::scrub(const ScrubOptions& options, Follower& follower) {
  BlobDoctor doctor(*x_state, follower, true);
  for (std::string last = options.after ? options.after->text() : "";;) {
    TRY_STATUS(follower.alive());
    TRY(auto page, x_state->db.read([&](meta::Tx& tx) { return records::blobs_after(tx, last, page_size); }));
    for (const auto& blob : page) {
      if (blob.row.state != records::BlobState::live) continue;
      TRY(Digest digest, Digest::parse(blob.digest));
      TRY_STATUS(doctor.read(digest, options.bytes_per_s));
      follower.counted("blobs", 1);
      TRY_STATUS(follower.reached(digest));
    }
    if (page.empty()) return {};
    last = page.back().digest;
  }
}

}  // namespace wharfage::registry
