#include "registry/policy_records.h"
#include "registry/state.h"

namespace wharfage::registry {
namespace {

// The caller's bytes were committed and have gone since, though it claims them: somebody else removes files.
// Nothing was acknowledged, so the client sends it again.
Error bytes_gone(const Digest& digest) {
  return fail(Reason::upload_invalid, "the blob must be uploaded again", digest.text());
}

}  // namespace

// A blob without a live row comes only from who has brought its bytes just now and claims them until this is
// committed: collect() leaves them in place.
Status Registry::State::link(meta::Tx& tx, const Repository& repository, const Digest& digest,
                             std::int64_t size) {
  TRY(auto row, records::find_blob(tx, digest.text()));
  tx.on_commit([this, digest] { drop_open(digest); });
  if (!row || row->state != records::BlobState::live) {
    TRY_STATUS(records::put_blob(tx, digest.text(), {size, records::BlobState::live}, clock.now()));
    TRY(auto in_place, blobs.find_size(digest));
    if (!in_place) return bytes_gone(digest);
    TRY_STATUS(records::append_change(tx, 0, {.blobs = 1, .bytes = size}));
  }
  TRY(bool counted, records::is_linked_in(tx, repository.namespace_id, digest.text()));
  if (!counted) TRY_STATUS(records::append_usage(tx, repository.namespace_id, {.blobs = 1, .bytes = size}));
  return records::put_link(tx, repository, digest.text(), clock.now());
}

Status Registry::State::unlink(meta::Tx& tx, std::int64_t repository_id, const std::string& digest,
                               Unlinked& unlinked) {
  TRY(std::int64_t space, records::delete_link(tx, repository_id, digest));
  tx.on_commit([this, key = blob_key(repository_id, digest)] { open_blobs.drop(key); });
  TRY(auto row, records::find_blob(tx, digest));
  TRY(bool counted, records::is_linked_in(tx, space, digest));
  if (row && space != 0 && !counted) {
    --unlinked.spaces[space].blobs;
    unlinked.spaces[space].bytes -= row->size;
  }
  TRY(bool linked, records::is_linked(tx, digest));
  if (linked) return {};
  bool live = row && row->state == records::BlobState::live;
  if (!live && !(row && row->state == records::BlobState::lost)) return {};
  TRY_STATUS(records::put_blob(tx, digest, {row->size, records::BlobState::doomed}, clock.now()));
  if (!live) return {};
  --unlinked.store.blobs;
  unlinked.store.bytes -= row->size;
  return {};
}

Status Registry::State::count(meta::Tx& tx, const Unlinked& unlinked) {
  for (const auto& [space, usage] : unlinked.spaces) TRY_STATUS(records::append_usage(tx, space, usage));
  if (unlinked.store.blobs == 0) return {};
  return records::append_change(tx, 0, unlinked.store);
}

void Registry::State::abandon(const Digest& digest, std::int64_t size) {
  drop_open(digest);
  Status left = db.write([&](meta::Tx& tx) -> Status {
    TRY(auto row, records::find_blob(tx, digest.text()));
    if (row) return {};
    return records::put_blob(tx, digest.text(), {size, records::BlobState::doomed}, clock.now());
  });
  if (!left.ok()) log.warning("a blob without a repository was left behind", {{"digest", digest.text()}});
}

Result<std::int64_t> Registry::blob_size(const Repository& repository, const Digest& digest) {
  State& state = *x_state;
  TRY(auto link,
      state.db.read([&](meta::Tx& tx) { return records::find_link(tx, repository.id, digest.text()); }));
  if (!link || link->lost) return fail(Reason::blob_unknown, {}, digest.text());
  // Whoever asks may be about to push a manifest that needs it: the grace period starts again.
  TimeMs now = state.clock.now();
  if (link->loose_since && *link->loose_since + limits::blob_link_renew_ms <= now) {
    TRY(bool there, state.db.write([&](meta::Tx& tx) -> Result<bool> {
      TRY_STATUS(records::renew_link(tx, repository.id, digest.text(), now));
      TRY(auto again, records::find_link(tx, repository.id, digest.text()));
      return again.has_value();
    }));
    if (!there) return fail(Reason::blob_unknown, {}, digest.text());
  }
  return link->size;
}

Result<blob::Blob> Registry::open_blob(const Repository& repository, const Digest& digest) {
  State& state = *x_state;
  std::string key = State::blob_key(repository.id, digest.text());
  if (auto kept = state.open_blobs.find(key)) return *kept;
  auto ticket = state.open_blobs.ticket();
  TRY(auto link,
      state.db.read([&](meta::Tx& tx) { return records::find_link(tx, repository.id, digest.text()); }));
  if (!link || link->lost) return fail(Reason::blob_unknown, {}, digest.text());
  TRY(blob::Blob blob, state.blobs.open_blob(digest));
  if (blob.size <= small_blob_max) {
    TRY(std::string bytes, blob.read(0, static_cast<std::size_t>(blob.size)));
    if (Digest::of(bytes, digest.algorithm()) != digest)
      return fail(Reason::blob_unknown, "the stored blob is damaged; push it again", digest.text());
    blob.bytes = std::make_shared<const std::string>(std::move(bytes));
  }
  state.open_blobs.keep(ticket, key, blob, 1);
  return blob;
}

Status Registry::delete_blob(const Repository& repository, const Digest& digest) {
  State& state = *x_state;
  return state.db.write([&](meta::Tx& tx) -> Status {
    TRY_STATUS(state.current(tx, repository));
    TRY(auto link, records::find_link(tx, repository.id, digest.text()));
    if (!link) return fail(Reason::blob_unknown, {}, digest.text());
    TRY(bool needed, records::is_needed(tx, repository.id, digest.text()));
    if (needed) return fail(Reason::conflict, "a manifest of this repository needs the blob", digest.text());
    TRY(bool wanted_back, records::is_referred(tx, repository.id, digest.text()));
    if (!wanted_back) {
      State::Unlinked unlinked;
      TRY_STATUS(state.unlink(tx, repository.id, digest.text(), unlinked));
      return State::count(tx, unlinked);
    }
    std::string key = State::blob_key(repository.id, digest.text());
    tx.on_commit([&state, key] { state.open_blobs.drop(key); });
    return records::hide_link(tx, repository.id, digest.text());
  });
}

Result<bool> Registry::mount_blob(const Repository& to, const Repository& from, const Digest& digest) {
  State& state = *x_state;
  auto size = blob_size(from, digest);
  if (size.ok()) TRY_STATUS(state.admit_blob(to, digest, *size));
  return state.db.write([&](meta::Tx& tx) -> Result<bool> {
    TRY(auto target, state.current(tx, to));
    TRY(auto source, state.current(tx, from));
    TRY(auto link, records::find_link(tx, source.id, digest.text()));
    if (!link || link->lost) return false;
    TRY_STATUS(state.link(tx, target, digest, link->size));
    return true;
  });
}

Result<bool> Registry::mount_blob(const Repository& to,
                                  const std::optional<std::vector<std::int64_t>>& readable,
                                  const Digest& digest) {
  State& state = *x_state;
  // Nothing is said of a blob that cannot be read, not even that it would be too large.
  TRY(auto known, state.db.read([&](meta::Tx& tx) -> Result<std::optional<records::BlobRow>> {
    TRY(bool somewhere, records::is_linked_readably(tx, digest.text(), readable));
    if (!somewhere) return std::optional<records::BlobRow>();
    return records::find_blob(tx, digest.text());
  }));
  if (!known) return false;
  TRY_STATUS(state.admit_blob(to, digest, known->size));
  return state.db.write([&](meta::Tx& tx) -> Result<bool> {
    TRY(auto target, state.current(tx, to));
    TRY(bool somewhere, records::is_linked_readably(tx, digest.text(), readable));
    if (!somewhere) return false;
    TRY(auto row, records::find_blob(tx, digest.text()));
    if (!row || row->state == records::BlobState::lost) return false;
    TRY_STATUS(state.link(tx, target, digest, row->size));
    return true;
  });
}

Result<Digest> Registry::put_blob(const Repository& repository, std::string_view bytes) {
  State& state = *x_state;
  Digest digest = Digest::of(bytes);
  auto size = static_cast<std::int64_t>(bytes.size());
  TRY_STATUS(state.admit_blob(repository, digest, size));
  blob::Claims::Claim claim(state.blobs.claims(), digest);
  TRY_STATUS(state.blobs.put(bytes));
  Status linked = state.db.write([&](meta::Tx& tx) -> Status {
    TRY(auto target, state.current(tx, repository));
    return state.link(tx, target, digest, size);
  });
  if (!linked.ok()) {
    state.abandon(digest, size);
    return linked.error();
  }
  return digest;
}

}  // namespace wharfage::registry
