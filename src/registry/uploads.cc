#include <fmt/format.h>

#include "base/random.h"
#include "registry/state.h"
#include "registry/upload_writer.h"

namespace wharfage::registry {
namespace {

// Whose upload it is. A robot and a user with the same number are not the same.
std::string owner_of(const auth::Principal& who) {
  return fmt::format("{}:{}", static_cast<int>(who.kind), who.id);
}

Error too_many(const Repository& repository) {
  return fail(Reason::throttled, "too many uploads are open in this repository", repository.full_name());
}

Error too_many_of_one(const Repository& repository) {
  return fail(Reason::throttled, "too many uploads of yours are open in this repository",
              repository.full_name());
}

}  // namespace

Result<std::string> Registry::begin_upload(const Repository& repository, const auth::Principal& who) {
  State& state = *x_state;
  std::string id = random_uuid();
  switch (state.young_uploads.add({id, repository.id, owner_of(who), state.clock.now()})) {
    case YoungUploads::Verdict::noted:
      return id;
    case YoungUploads::Verdict::owner_full:
      return too_many_of_one(repository);
    case YoungUploads::Verdict::repository_full:
      return too_many(repository);
    case YoungUploads::Verdict::full:
      break;
  }
  TRY_STATUS(state.blobs.start_upload(id, DigestAlgorithm::sha256));
  Status kept = state.insert_upload(repository, id, owner_of(who));
  if (kept.ok()) return id;
  (void)state.blobs.cancel_upload(id);
  return kept.error();
}

Status Registry::State::insert_upload(const Repository& repository, const std::string& id,
                                      const std::string& owner) {
  return db.write([&](meta::Tx& tx) -> Status {
    TRY_STATUS(current(tx, repository));
    TRY(auto open, records::count_uploads(tx, repository.id, owner));
    if (open.all >= static_cast<std::int64_t>(limits::uploads_per_repository_max))
      return too_many(repository);
    if (open.owned >= static_cast<std::int64_t>(uploads_per_owner_max)) return too_many_of_one(repository);
    return records::insert_upload(tx, id, repository.id, owner, clock.now());
  });
}

// upload_unknown for everybody but its owner, in every other repository, and for what was never begun.
Status Registry::State::check_upload(const Repository& repository, const std::string& id,
                                     const std::string& owner) {
  TRY(bool found, db.read([&](meta::Tx& tx) { return records::has_upload(tx, id, repository.id, owner); }));
  if (!found) return fail(Reason::upload_unknown, {}, id.substr(0, 64));
  return {};
}

// Between the first look and the writer's lock others may have kept, finished or cancelled the upload.
Result<std::unique_ptr<UploadWriter>> Registry::open_upload(const Repository& repository,
                                                            const std::string& id, const auth::Principal& who,
                                                            DigestAlgorithm algorithm,
                                                            const std::optional<Digest>& becomes) {
  State& state = *x_state;
  std::string owner = owner_of(who);
  bool young = state.young_uploads.write(id, repository.id, owner);
  TRY(auto room, state.db.read([&](meta::Tx& tx) -> Result<State::Room> {
    TRY(bool kept, young ? Result<bool>(true) : records::has_upload(tx, id, repository.id, owner));
    if (!kept) return fail(Reason::upload_unknown, {}, id.substr(0, 64));
    return state.room(tx, repository, becomes);
  }));
  TRY(auto bytes, young ? state.blobs.start_upload(id, algorithm) : state.blobs.open_upload(id, algorithm));
  auto writer = std::make_unique<MeasuredWriter>(state, repository, id, room, std::move(bytes));
  Status there;
  if (!young || !state.young_uploads.holds(id, repository.id, owner))
    there = state.check_upload(repository, id, owner);
  if (there.ok()) return std::unique_ptr<UploadWriter>(std::move(writer));
  state.upload_bytes.drop(id);
  if (there.error().reason == Reason::upload_unknown) (void)state.blobs.cancel_upload(id);
  return there.error();
}

Status Registry::keep_upload(const Repository& repository, const std::string& id,
                             const auth::Principal& who) {
  State& state = *x_state;
  std::string owner = owner_of(who);
  if (!state.young_uploads.holds(id, repository.id, owner)) return state.check_upload(repository, id, owner);
  TRY_STATUS(state.insert_upload(repository, id, owner));
  if (state.young_uploads.take(id, repository.id)) return {};
  // Cancelled while its row was written.
  TRY_STATUS(state.db.write([&](meta::Tx& tx) { return records::delete_upload(tx, id, repository.id); }));
  return fail(Reason::upload_unknown, {}, id);
}

Result<std::int64_t> Registry::upload_size(const Repository& repository, const std::string& id,
                                           const auth::Principal& who) {
  std::string owner = owner_of(who);
  bool young = x_state->young_uploads.holds(id, repository.id, owner);
  if (!young) TRY_STATUS(x_state->check_upload(repository, id, owner));
  auto size = x_state->blobs.upload_size(id);
  if (young && !size.ok() && size.error().reason == Reason::upload_unknown) return 0;  // no byte came yet
  return size;
}

Status Registry::cancel_upload(const Repository& repository, const std::string& id,
                               const auth::Principal& who) {
  std::string owner = owner_of(who);
  bool young = x_state->young_uploads.holds(id, repository.id, owner);
  if (!young) TRY_STATUS(x_state->check_upload(repository, id, owner));
  return x_state->drop_upload(repository.id, id);
}

// Whoever takes the note or the row ends the upload. Only then its file goes, and last a writer hears of it:
// one that begins in between looks for the note or the row once more.
Status Registry::State::drop_upload(std::int64_t repository_id, const std::string& id) {
  bool mine = young_uploads.take(id, repository_id);
  if (!mine) {
    TRY(mine, db.write([&](meta::Tx& tx) { return records::delete_upload(tx, id, repository_id); }));
  }
  if (!mine) return fail(Reason::upload_unknown, {}, id);
  // A file that cannot be removed now has no row any more: collect() removes it when it is old.
  (void)blobs.cancel_upload(id);
  upload_bytes.drop(id);
  return {};
}

Status Registry::finish_upload(const Repository& repository, const std::string& id, blob::Writer& writer,
                               const Digest& digest) {
  State& state = *x_state;
  std::int64_t size = writer.size();
  if (size > limits::blob_bytes_max) return fail(Reason::too_large, "the blob is too large", digest.text());
  if (Status room = state.admit_blob(repository, digest, size); !room.ok()) {
    if (room.error().reason == Reason::quota_exceeded) (void)state.drop_upload(repository.id, id);
    return room;
  }
  blob::Claims::Claim claim(state.blobs.claims(), digest);
  TRY_STATUS(writer.commit(digest));
  state.upload_bytes.drop(id);
  bool young = state.young_uploads.take(id, repository.id);
  Status linked = state.db.write([&](meta::Tx& tx) -> Status {
    TRY(auto target, state.current(tx, repository));
    bool mine = young;
    if (!mine) {
      TRY(mine, records::delete_upload(tx, id, repository.id));
    }
    if (!mine) return fail(Reason::upload_unknown, {}, id);
    return state.link(tx, target, digest, size);
  });
  if (!linked.ok()) state.abandon(digest, size);
  return linked;
}

}  // namespace wharfage::registry
