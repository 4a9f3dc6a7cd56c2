// Judges and mends one blob at a time: its row, its links and its file. Used by the check and the scrub. A
// blob whose bytes are gone or corrupt becomes `lost`: its links stay, it is served to nobody, a HEAD says
// that it is not there, and the next push of it heals every image that needs it. Until then that fault is
// left: lost bytes are not mended.
#pragma once

#include "registry/inspection.h"
#include "registry/state.h"

namespace wharfage::registry {

class BlobDoctor {
 public:
  BlobDoctor(Registry::State& state, Follower& follower, bool mend)
      : x_state(state), x_follower(follower), x_mend(mend) {}

  // Row, links and size of the file against each other, in a write transaction of its own.
  Status examine(const Digest& digest);
  // Reads the file and compares. `bytes_per_s` 0: unthrottled. Corrupt bytes are put into quarantine.
  Status read(const Digest& digest, std::int64_t bytes_per_s);

 private:
  struct Case {
    Digest digest;
    records::BlobRow row;
    bool linked = false;
    std::optional<std::int64_t> size;  // of the file in place
  };
  Result<std::optional<Case>> find(meta::Tx& tx, const Digest& digest);
  Result<std::optional<Case>> look(meta::Tx& tx, const Digest& digest);  // not while it is on its way in
  enum class Next { nothing, read, relink };
  Result<Next> judge(meta::Tx& tx, const Digest& digest);
  Status relink(const Digest& digest);
  Status unlinked(meta::Tx& tx, const Case& one);
  Status lose(meta::Tx& tx, const Case& one);
  Status put_lost(meta::Tx& tx, const Case& one);
  Status settle(meta::Tx& tx, const Digest& digest, const blob::Blob& seen, bool sound);
  Result<bool> is_sound(const Digest& digest, const blob::Blob& blob, std::int64_t bytes_per_s);
  Status tell(meta::Tx& tx, const char* fault, const Digest& digest, std::string detail, bool mended);

  Registry::State& x_state;
  Follower& x_follower;
  const bool x_mend;
};

}  // namespace wharfage::registry
