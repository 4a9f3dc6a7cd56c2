#include "auth/nonces.h"

#include <cstring>
#include <string>

#include "crypto/digest.h"

namespace wharfage::auth {

bool Nonces::remember(std::string_view access_key, std::string_view nonce, TimeMs valid_until, TimeMs now) {
  std::string pair(access_key);
  pair += '\0';
  pair += nonce;
  std::string hash = crypto::sha256(pair);
  Key key;
  std::memcpy(key.data(), hash.data(), sizeof(Key));

  std::lock_guard lock(x_mutex);
  while (!x_by_expiry.empty() && x_by_expiry.top().first <= now) drop_first();
  if (!x_seen.insert(key).second) return false;
  x_by_expiry.emplace(valid_until, key);
  if (x_seen.size() > x_entries_max) drop_first();
  return true;
}

void Nonces::drop_first() {
  x_seen.erase(x_by_expiry.top().second);
  x_by_expiry.pop();
}

std::size_t Nonces::size() const {
  std::lock_guard lock(x_mutex);
  return x_seen.size();
}

}  // namespace wharfage::auth
