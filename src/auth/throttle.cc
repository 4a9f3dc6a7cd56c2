#include "auth/throttle.h"

namespace wharfage::auth {
namespace {

constexpr int address_failures_max = 60;  // wrong passwords from one address, whoever they are for

}  // namespace

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

std::int64_t Throttle::left(const std::string& key, int failures_max) {
  auto failures = x_failures.find(key);
  bool blocked = failures && failures->count >= failures_max && !over(*failures);
  return blocked ? failures->since + limits::password_failure_window_ms - x_clock.now() : 0;
}

bool Throttle::count(const std::string& key, int failures_max) {
  return x_failures.update(key, [&](Failures& failures) {
    if (over(failures)) failures = {.since = x_clock.now()};
    return ++failures.count == failures_max;
  });
}

std::int64_t Throttle::blocked_for(std::string_view user, std::string_view peer) {
  return left(key(user, peer), limits::password_failures_max);
}

std::int64_t Throttle::blocked_for(std::string_view peer) {
  return left(key("", peer), address_failures_max);
}

bool Throttle::failed(std::string_view user, std::string_view peer, bool dear) {
  bool door = count(key(user, peer), limits::password_failures_max);
  bool house = dear && !user.empty() && count(key("", peer), address_failures_max);
  return door || house;
}

void Throttle::succeeded(std::string_view user, std::string_view peer) {
  x_failures.erase(key(user, peer));
}

}  // namespace wharfage::auth
