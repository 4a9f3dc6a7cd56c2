#include "blob/claims.h"

#include "base/check.h"
#include "base/text.h"

namespace wharfage::blob {

Claims::Claim::Claim(Claims& claims, const Digest& digest) : x_claims(claims), x_digest(digest) {
  Place at = x_claims.place_of(x_digest);
  std::lock_guard lock(at.shelf.mutex);
  ++at.count;
  ++at.shelf.held[x_digest.text()];
}

Claims::Claim::~Claim() {
  Place at = x_claims.place_of(x_digest);
  std::lock_guard lock(at.shelf.mutex);
  auto found = at.shelf.held.find(x_digest.text());
  if (--found->second == 0) at.shelf.held.erase(found);
}

bool Claims::holds(const Digest& digest) {
  Shelf& shelf = place_of(digest).shelf;
  std::lock_guard lock(shelf.mutex);
  return shelf.held.contains(digest.text());
}

std::optional<Claims::Mark> Claims::mark(const Digest& digest) {
  Place at = place_of(digest);
  std::lock_guard lock(at.shelf.mutex);
  if (at.shelf.held.contains(digest.text())) return std::nullopt;
  return at.count.load();
}

Claims::Place Claims::place_of(const Digest& digest) {
  auto end = unhex(digest.hex().substr(digest.hex().size() - 4));
  CHECK(end.ok(), "a digest is hexadecimal");
  Shelf& shelf = x_shelves[static_cast<unsigned char>((*end)[1])];
  return {shelf, shelf.counts[static_cast<unsigned char>((*end)[0])]};
}

}  // namespace wharfage::blob
