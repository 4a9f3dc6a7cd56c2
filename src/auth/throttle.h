// Slows down guessing: after password_failures_max wrong passwords for one user from one address, that pair
// is refused, right password or not, until the window that began with the first failure has passed. Attempts
// that are under way together are not counted until they fail, so a burst of right ones is never refused; the
// overshoot is at most one per worker thread. An address that fails with many names is kept from trying more
// of them, since every try costs a hash; who is known from there already is not. In memory, bounded, per
// node. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "auth/lru.h"
#include "base/limits.h"
#include "base/time.h"

namespace wharfage::auth {

class Throttle {
 public:
  explicit Throttle(const Clock& clock) : x_clock(clock) {}

  // How long the pair is refused from now on, in milliseconds; 0: it is not.
  std::int64_t blocked_for(std::string_view user, std::string_view peer);
  std::int64_t blocked_for(std::string_view peer);  // whatever the name
  // True when this failure is the one that closes the door: worth a line in the log. Whether it was `dear`:
  // did cost a hash, and counts for the address.
  bool failed(std::string_view user, std::string_view peer, bool dear = true);
  void succeeded(std::string_view user, std::string_view peer);

 private:
  struct Failures {
    TimeMs since = 0;
    int count = 0;
  };
  std::int64_t left(const std::string& key, int failures_max);
  bool count(const std::string& key, int failures_max);
  static std::string key(std::string_view user, std::string_view peer);
  bool over(const Failures& failures) const;

  const Clock& x_clock;
  Lru<Failures> x_failures{limits::password_failure_entries_max};
};

}  // namespace wharfage::auth
