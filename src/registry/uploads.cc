#include <fmt/format.h>

#include "registry/state.h"

namespace wharfage::registry {
namespace {

// Whose upload it is. A robot and a user with the same number are not the same.
std::string owner_of(const auth::Principal& who) {
  return fmt::format("{}:{}", static_cast<int>(who.kind), who.id);
}

}  // namespace

Result<std::string> Registry::begin_upload(const Repository& repository, const auth::Principal& who) {
  State& state = *x_state;
  TRY(std::string id, state.blobs.begin_upload());
  Status begun = state.db.write([&](meta::Tx& tx) -> Status {
    TRY_STATUS(state.current(tx, repository));
    TRY(std::int64_t open, records::count_uploads(tx, repository.id));
    if (open >= static_cast<std::int64_t>(limits::uploads_per_repository_max))
      return fail(Reason::throttled, "too many uploads are open in this repository", repository.full_name());
    return records::insert_upload(tx, id, repository.id, owner_of(who), state.clock.now());
  });
  if (begun.ok()) return id;
  (void)state.blobs.cancel_upload(id);
  return begun.error();
}

// upload_unknown for everybody but its owner, in every other repository, and for what was never begun.
Status Registry::State::check_upload(const Repository& repository, const std::string& id,
                                     const auth::Principal& who) {
  std::string owner = owner_of(who);
  TRY(bool found, db.read([&](meta::Tx& tx) { return records::has_upload(tx, id, repository.id, owner); }));
  if (!found) return fail(Reason::upload_unknown, {}, id.substr(0, 64));
  return {};
}

Result<std::unique_ptr<blob::Writer>> Registry::open_upload(const Repository& repository,
                                                            const std::string& id, const auth::Principal& who,
                                                            DigestAlgorithm algorithm) {
  TRY_STATUS(x_state->check_upload(repository, id, who));
  return x_state->blobs.open_upload(id, algorithm);
}

Result<std::int64_t> Registry::upload_size(const Repository& repository, const std::string& id,
                                           const auth::Principal& who) {
  TRY_STATUS(x_state->check_upload(repository, id, who));
  return x_state->blobs.upload_size(id);
}

Status Registry::cancel_upload(const Repository& repository, const std::string& id,
                               const auth::Principal& who) {
  State& state = *x_state;
  TRY_STATUS(state.check_upload(repository, id, who));
  TRY(bool deleted,
      state.db.write([&](meta::Tx& tx) { return records::delete_upload(tx, id, repository.id); }));
  if (!deleted) return fail(Reason::upload_unknown, {}, id);
  // A file that cannot be removed now has no row any more: collect() removes it when it is old.
  (void)state.blobs.cancel_upload(id);
  return {};
}

Status Registry::finish_upload(const Repository& repository, const std::string& id, blob::Writer& writer,
                               const Digest& digest) {
  State& state = *x_state;
  std::int64_t size = writer.size();
  if (size > limits::blob_bytes_max) return fail(Reason::too_large, "the blob is too large", digest.text());
  TRY_STATUS(state.admit_blob(repository, digest, size));
  Arrivals::Stay stay(state.arrivals, digest);
  TRY_STATUS(writer.commit(digest));
  Status linked = state.db.write([&](meta::Tx& tx) -> Status {
    TRY(auto target, state.current(tx, repository));
    TRY(bool mine, records::delete_upload(tx, id, repository.id));
    if (!mine) return fail(Reason::upload_unknown, {}, id);
    return state.link(tx, target, digest, size);
  });
  if (!linked.ok()) state.abandon(digest, size);
  return linked;
}

}  // namespace wharfage::registry
