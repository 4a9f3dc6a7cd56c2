// Who needs a blob's bytes while no row says so yet. Whoever brings a blob claims it from before its bytes
// stand in place until its row is written; whoever removes one marks it, sees that no row needs it, and
// removes it unless somebody has claimed it since the mark. So both may look at the database without holding
// anything, and whoever brings bytes wins. Known to one process; every process that writes to a store must
// share these claims. Thread-safe; who claims may have to wait for removals under way.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "crypto/digest.h"

namespace wharfage::blob {

class Claims {
 public:
  // Released with this value.
  class Claim {
   public:
    Claim(Claims& claims, const Digest& digest);
    ~Claim();
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

   private:
    Claims& x_claims;
    const Digest x_digest;
  };
  // What to show to unless_claimed_since().
  using Mark = std::uint32_t;

  bool holds(const Digest& digest);
  std::optional<Mark> mark(const Digest& digest);  // nothing while it is claimed
  // Whether nobody has claimed it since; rarely false because another digest was. Never waits.
  bool is_good(Mark mark, const Digest& digest) { return place_of(digest).count == mark; }

  // False, and nothing done, when the mark is no longer good. Claims of the digest wait until `work` is done.
  template <class Work>
  Result<bool> unless_claimed_since(Mark mark, const Digest& digest, Work work) {
    Place at = place_of(digest);
    std::lock_guard lock(at.shelf.mutex);
    if (at.count != mark) return false;
    TRY_STATUS(work());
    return true;
  }

 private:
  // Of the digests with the same last byte: they are removed in order, and neighbours should not meet here.
  struct Shelf {
    std::mutex mutex;
    std::unordered_map<std::string, int> held;
    std::array<std::atomic<Mark>, 256> counts{};  // of claims so far, by the last byte but one
  };
  struct Place {
    Shelf& shelf;
    std::atomic<Mark>& count;
  };
  Place place_of(const Digest& digest);

  std::array<Shelf, 256> x_shelves;
};

}  // namespace wharfage::blob
