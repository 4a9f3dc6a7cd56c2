#include "auth/throttle.h"

namespace wharfage::auth {

std::string Throttle::key(std::string_view user, std::string_view peer) {
  std::string text(user.substr(0, limits::login_name_max));
  text += '\0';
  text += peer.substr(0, limits::login_name_max);
  return text;
}

// A clock that was set back must not lock anybody out for longer than a window.
bool Throttle::over(const Failures& failures) const {
  TimeMs now = x_clock.now();
  return now >= failures.since + limits::password_failure_window_ms || now < failures.since;
}

std::int64_t Throttle::blocked_for(std::string_view user, std::string_view peer) {
  auto failures = x_failures.find(key(user, peer));
  bool blocked = failures && failures->count >= limits::password_failures_max && !over(*failures);
  return blocked ? failures->since + limits::password_failure_window_ms - x_clock.now() : 0;
}

bool Throttle::failed(std::string_view user, std::string_view peer) {
  return x_failures.update(key(user, peer), [&](Failures& failures) {
    if (over(failures)) failures = {.since = x_clock.now()};
    return ++failures.count == limits::password_failures_max;
  });
}

void Throttle::succeeded(std::string_view user, std::string_view peer) {
  x_failures.erase(key(user, peer));
}

}  // namespace wharfage::auth
