#include "registry/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace wharfage::registry {
namespace {

using records::BlobState;

constexpr std::int64_t users_told_max = 5;
constexpr std::int64_t nap_ms = 100;  // of a throttled reader, between two looks whether it should end

}  // namespace

Result<std::optional<BlobDoctor::Case>> BlobDoctor::find(meta::Tx& tx, const Digest& digest) {
  TRY(auto row, records::find_blob(tx, digest.text()));
  if (!row) return std::optional<Case>();
  Case one{digest, *row};
  TRY(one.linked, records::is_linked(tx, digest.text()));
  TRY(one.size, x_state.blobs.find_size(digest));
  return std::optional(std::move(one));
}

Result<std::optional<BlobDoctor::Case>> BlobDoctor::look(meta::Tx& tx, const Digest& digest) {
  if (x_state.blobs.claims().holds(digest)) return std::optional<Case>();
  return find(tx, digest);
}

Status BlobDoctor::examine(const Digest& digest) {
  TRY(Next next, x_state.db.write([&](meta::Tx& tx) { return judge(tx, digest); }));
  if (next == Next::read) return read(digest, 0);
  return next == Next::relink ? relink(digest) : Status();
}

Result<BlobDoctor::Next> BlobDoctor::judge(meta::Tx& tx, const Digest& digest) {
  TRY(auto found, look(tx, digest));
  if (!found) return Next::nothing;
  const Case& one = *found;
  if (one.row.state == BlobState::doomed) return one.linked ? Next::relink : Next::nothing;
  if (!one.linked) {
    TRY_STATUS(unlinked(tx, one));
    return Next::nothing;
  }
  bool live = one.row.state == BlobState::live;
  if (one.size) return !live || *one.size != one.row.size ? Next::read : Next::nothing;
  if (live) {
    TRY_STATUS(lose(tx, one));
    return Next::nothing;
  }
  TRY_STATUS(tell(tx, "blob_lost", digest, "its bytes are gone; push the image again", false));
  return Next::nothing;
}

// It is needed, so it may not go: nobody removes it while it is claimed.
Status BlobDoctor::relink(const Digest& digest) {
  blob::Claims::Claim claim(x_state.blobs.claims(), digest);
  return x_state.db.write([&](meta::Tx& tx) -> Status {
    TRY(auto one, find(tx, digest));
    if (!one || !one->linked || one->row.state != BlobState::doomed) return {};
    TRY_STATUS(tell(tx, "blob_linked", digest, "on its way out although a repository needs it", x_mend));
    if (!x_mend) return {};
    if (one->size) TRY_STATUS(records::append_change(tx, 0, {.blobs = 1, .bytes = one->row.size}));
    auto state = one->size ? BlobState::live : BlobState::lost;
    return records::put_blob(tx, digest.text(), {one->row.size, state}, x_state.clock.now());
  });
}

Status BlobDoctor::unlinked(meta::Tx& tx, const Case& one) {
  TRY_STATUS(tell(tx, "blob_unlinked", one.digest, "no repository needs it", x_mend));
  if (!x_mend) return {};
  if (one.row.state == BlobState::live)
    TRY_STATUS(records::append_change(tx, 0, {.blobs = -1, .bytes = -one.row.size}));
  return records::put_blob(tx, one.digest.text(), {one.row.size, BlobState::doomed}, x_state.clock.now());
}

Status BlobDoctor::lose(meta::Tx& tx, const Case& one) {
  TRY_STATUS(tell(tx, "blob_missing", one.digest, "its file is gone; push the image again", false));
  if (!x_mend) return {};
  TRY_STATUS(records::append_change(tx, 0, {.blobs = -1, .bytes = -one.row.size}));
  return put_lost(tx, one);
}

// Nobody goes on reading from a file that is open already.
Status BlobDoctor::put_lost(meta::Tx& tx, const Case& one) {
  tx.on_commit([this, digest = one.digest] { x_state.drop_open(digest); });
  return records::put_blob(tx, one.digest.text(), {one.row.size, BlobState::lost}, x_state.clock.now());
}

Status BlobDoctor::read(const Digest& digest, std::int64_t bytes_per_s) {
  auto blob = x_state.blobs.open_blob(digest);
  if (!blob.ok() && blob.error().reason == Reason::blob_unknown) {
    return x_state.db.write([&](meta::Tx& tx) -> Status {
      TRY(auto one, look(tx, digest));
      bool missing = one && one->linked && !one->size && one->row.state == BlobState::live;
      return missing ? lose(tx, *one) : Status();
    });
  }
  if (!blob.ok()) return blob.error();
  TRY(bool sound, is_sound(digest, *blob, bytes_per_s));
  x_follower.counted("bytes", blob->size);
  return x_state.db.write([&](meta::Tx& tx) { return settle(tx, digest, *blob, sound); });
}

// What was read decides, if it is still what stands there.
Status BlobDoctor::settle(meta::Tx& tx, const Digest& digest, const blob::Blob& seen, bool sound) {
  TRY(auto one, look(tx, digest));
  if (!one || one->row.state == BlobState::doomed || !one->size) return {};
  bool live = one->row.state == BlobState::live;
  if (sound) {
    if (live && one->row.size == seen.size) return {};
    const char* fault = live ? "blob_size" : "blob_returned";
    TRY_STATUS(tell(tx, fault, digest, fmt::format("{} bytes, sound", seen.size), x_mend));
    if (!x_mend) return {};
    std::int64_t before = live ? one->row.size : 0;
    TRY_STATUS(records::append_change(tx, 0, {.blobs = live ? 0 : 1, .bytes = seen.size - before}));
    return records::put_blob(tx, digest.text(), {seen.size, BlobState::live}, x_state.clock.now());
  }
  bool moved = false;
  if (x_mend) {
    TRY(moved, x_state.blobs.quarantine(digest, seen));
    if (!moved) return {};  // replaced while it was read
    if (live) TRY_STATUS(records::append_change(tx, 0, {.blobs = -1, .bytes = -one->row.size}));
    TRY_STATUS(put_lost(tx, *one));
  }
  return tell(tx, "blob_corrupt", digest,
              moved ? "quarantined; push it again" : "its bytes do not hash to its name", false);
}

Result<bool> BlobDoctor::is_sound(const Digest& digest, const blob::Blob& blob, std::int64_t bytes_per_s) {
  Hasher hasher(digest.algorithm());
  const std::int64_t begun = monotonic_ms();
  for (std::int64_t offset = 0; offset < blob.size;) {
    TRY_STATUS(x_follower.alive());
    auto piece = blob.read(offset, limits::blob_copy_chunk);
    // A sector that cannot be read is as good as a wrong one; a file that was cut short likewise.
    if (!piece.ok() || piece->empty()) return false;
    hasher.update(*piece);
    offset += static_cast<std::int64_t>(piece->size());
    while (bytes_per_s > 0 && monotonic_ms() - begun < offset * 1000 / bytes_per_s) {
      std::int64_t early = offset * 1000 / bytes_per_s - (monotonic_ms() - begun);
      std::this_thread::sleep_for(std::chrono::milliseconds(std::clamp<std::int64_t>(early, 1, nap_ms)));
      TRY_STATUS(x_follower.alive());
    }
  }
  return hasher.finish() == digest;
}

Status BlobDoctor::tell(meta::Tx& tx, const char* fault, const Digest& digest, std::string detail,
                        bool mended) {
  TRY(auto users, records::users_of(tx, digest.text(), users_told_max));
  Finding finding{fault, users.empty() ? "" : users.front(), digest.text(), std::move(detail), mended};
  for (std::size_t i = 1; i < users.size(); ++i) finding.detail += (i == 1 ? "; also in " : ", ") + users[i];
  tx.on_commit([this, finding = std::move(finding)] {
    ++x_state.reclaimed.faults;
    x_follower.found(finding);
  });
  return {};
}

}  // namespace wharfage::registry
