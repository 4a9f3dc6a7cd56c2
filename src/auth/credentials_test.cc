#include <thread>

#include "auth/auth_fixture.h"
#include "base/failpoint.h"
#include "base/limits.h"
#include "base/retry.h"
#include "base/text.h"
#include "crypto/digest.h"

using namespace wharfage;
using namespace wharfage::auth;

namespace {

constexpr const char* peer = "192.0.2.7";

std::string login(AuthFixture& fixture, std::string_view name, std::string_view password,
                  std::string_view from = peer) {
  return outcome(fixture.auth->check_password(name, password, from));
}

std::string key_login(AuthFixture& fixture, const std::string& user, const std::string& password) {
  return outcome(fixture.auth->check_access_key_login(user, password, peer));
}

}  // namespace

TEST_CASE("a user logs in with his password and with nothing else") {
  AuthFixture fixture;
  Principal alice = fixture.user("alice", true);
  auto who = fixture.auth->check_password("alice", "password of alice", peer);
  REQUIRE(who.ok());
  CHECK(who->kind == Principal::Kind::user);
  CHECK(who->id == alice.id);
  CHECK(who->name == "alice");
  CHECK(who->administrator);
  CHECK(login(fixture, "alice", "Password of alice") == "bad_credentials");
  CHECK(login(fixture, "alice", "") == "bad_credentials");
  CHECK(login(fixture, "alice", "password of alice ") == "bad_credentials");
  CHECK(login(fixture, "Alice", "password of alice") == "bad_credentials");
  CHECK(login(fixture, "", "password of alice") == "bad_credentials");
  CHECK(login(fixture, "bob", "password of alice") == "bad_credentials");
  CHECK(login(fixture, std::string(5000, 'a'), "password of alice") == "bad_credentials");
  CHECK(login(fixture, "alice", std::string(100'000, 'a')) == "bad_credentials");
  // Name and password are one credential, wherever the border between them is.
  CHECK(login(fixture, "alicep", "assword of alice") == "bad_credentials");
}

TEST_CASE("unknown, disabled and mistaken users are told the same") {
  AuthFixture fixture;
  fixture.user("alice");
  REQUIRE(fixture.auth->update_user("alice", {}, {}, false).ok());
  fixture.user("bob");
  auto unknown = fixture.auth->check_password("nobody", "password of nobody", peer);
  auto disabled = fixture.auth->check_password("alice", "password of alice", peer);
  auto mistaken = fixture.auth->check_password("bob", "password of alice", peer);
  for (const auto* result : {&unknown, &disabled, &mistaken}) {
    REQUIRE_FALSE(result->ok());
    CHECK(result->error().reason == Reason::bad_credentials);
    CHECK(result->error().message == unknown.error().message);
    CHECK(result->error().detail.empty());
  }
}

TEST_CASE("too many wrong passwords close the door for that user from that address, for a while") {
  AuthFixture fixture;
  fixture.user("alice");
  fixture.user("bob");
  for (int i = 0; i < limits::password_failures_max; ++i) {
    CHECK(login(fixture, "alice", "wrong password") == "bad_credentials");
    fixture.clock.advance(10);
  }
  CHECK(login(fixture, "alice", "wrong password") == "throttled");
  CHECK(login(fixture, "alice", "password of alice") == "throttled");
  CHECK(login(fixture, "alice", "password of alice", "192.0.2.8") == "ok");
  CHECK(login(fixture, "bob", "password of bob") == "ok");
  auto refused = fixture.auth->check_password("alice", "password of alice", peer);
  std::int64_t left_ms = limits::password_failure_window_ms - 10 * limits::password_failures_max;
  CHECK(retry_after_s(refused.error()) == (left_ms + 999) / 1000);
  fixture.clock.advance(left_ms - 1);
  CHECK(login(fixture, "alice", "password of alice") == "throttled");
  fixture.clock.advance(1);
  CHECK(login(fixture, "alice", "password of alice") == "ok");
}

TEST_CASE("an address that tries many names is refused, but not who is known from there") {
  AuthFixture fixture;
  fixture.user("alice");
  fixture.user("bob");
  CHECK(login(fixture, "alice", "password of alice") == "ok");
  int tried = 0;
  while (tried < 1000 && login(fixture, "nobody" + std::to_string(tried), "guess") == "bad_credentials")
    ++tried;
  CHECK(tried > limits::password_failures_max);
  CHECK(tried <= 100);
  CHECK(login(fixture, "bob", "password of bob") == "throttled");
  CHECK(login(fixture, "alice", "password of alice") == "ok");
  CHECK(login(fixture, "bob", "password of bob", "192.0.2.8") == "ok");
  fixture.clock.advance(limits::password_failure_window_ms);
  CHECK(login(fixture, "bob", "password of bob") == "ok");
}

TEST_CASE("a right password that could not be checked counts for nothing") {
  AuthFixture fixture;
  fixture.user("alice");
  CHECK(login(fixture, "alice", "wrong password") == "bad_credentials");
  {
    failpoint::Armed no_memory("crypto.password_memory", 1, limits::password_failures_max);
    for (int i = 0; i < limits::password_failures_max; ++i)
      CHECK(login(fixture, "alice", "password of alice") == "throttled");
  }
  CHECK(login(fixture, "alice", "password of alice") == "ok");
}

TEST_CASE("a remembered credential is throttled too, and a right password clears the count") {
  AuthFixture fixture;
  fixture.user("alice");
  for (int i = 0; i < limits::password_failures_max - 1; ++i) login(fixture, "alice", "wrong password");
  CHECK(login(fixture, "alice", "password of alice") == "ok");
  for (int i = 0; i < limits::password_failures_max - 1; ++i) login(fixture, "alice", "wrong password");
  CHECK(login(fixture, "alice", "password of alice") == "ok");
  CHECK(login(fixture, "alice", "wrong password") == "bad_credentials");
  CHECK(login(fixture, "alice", "password of alice") == "throttled");
}

TEST_CASE("a remembered credential is forgotten when the account changes") {
  AuthFixture fixture;
  fixture.user("root", true);
  fixture.user("alice", true);
  CHECK(login(fixture, "alice", "password of alice") == "ok");
  SUBCASE("password") {
    REQUIRE(fixture.auth->update_user("alice", "a new password", {}, {}).ok());
    CHECK(login(fixture, "alice", "password of alice") == "bad_credentials");
    CHECK(login(fixture, "alice", "a new password") == "ok");
  }
  SUBCASE("disabled") {
    REQUIRE(fixture.auth->update_user("alice", {}, {}, false).ok());
    CHECK(login(fixture, "alice", "password of alice") == "bad_credentials");
    REQUIRE(fixture.auth->update_user("alice", {}, {}, true).ok());
    CHECK(login(fixture, "alice", "password of alice") == "ok");
  }
  SUBCASE("demoted") {
    REQUIRE(fixture.auth->update_user("alice", {}, false, {}).ok());
    CHECK_FALSE(fixture.auth->check_password("alice", "password of alice", peer)->administrator);
  }
  SUBCASE("deleted") {
    REQUIRE(fixture.auth->delete_user("alice").ok());
    CHECK(login(fixture, "alice", "password of alice") == "bad_credentials");
  }
}

TEST_CASE("a login that is being checked while the password changes is not remembered") {
  AuthFixture fixture;
  fixture.user("alice");
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&fixture, from = std::to_string(i)] {
      for (int n = 0; n < 20; ++n) (void)fixture.auth->check_password("alice", "password of alice", from);
    });
  }
  Status changed = fixture.auth->update_user("alice", "a new password", {}, {});
  for (std::thread& client : clients) client.join();
  REQUIRE(changed.ok());
  CHECK(login(fixture, "alice", "password of alice") == "bad_credentials");
  CHECK(login(fixture, "alice", "a new password") == "ok");
}

TEST_CASE("robots log in with their secret until they expire or are deleted") {
  AuthFixture fixture;
  Auth& auth = *fixture.auth;
  auto made = auth.create_robot(
      {.name = "ci", .description = "builds", .expires_at = fixture.clock.now() + 30 * second_ms});
  REQUIRE(made.ok());
  const Secret& secret = made->second;
  CHECK(secret.id == "robot$ci");
  auto who = auth.check_password("robot$ci", secret.secret, peer);
  REQUIRE(who.ok());
  CHECK(who->kind == Principal::Kind::robot);
  CHECK(who->name == "robot$ci");
  CHECK_FALSE(who->administrator);
  CHECK(login(fixture, "ci", secret.secret) == "bad_credentials");
  CHECK(login(fixture, "robot$ci", secret.secret + "0") == "bad_credentials");
  CHECK(login(fixture, "robot$other", std::string(64, '0')) == "bad_credentials");
  fixture.clock.advance(30 * second_ms - 1);
  CHECK(login(fixture, "robot$ci", secret.secret) == "ok");
  fixture.clock.advance(1);
  CHECK(login(fixture, "robot$ci", secret.secret) == "bad_credentials");
  REQUIRE(auth.tidy().ok());
  CHECK(outcome(auth.get_robot("ci")) == "robot_unknown");

  auto again = auth.create_robot({.name = "ci"});
  CHECK(login(fixture, "robot$ci", secret.secret) == "bad_credentials");
  CHECK(login(fixture, "robot$ci", again->second.secret) == "ok");
  REQUIRE(auth.delete_robot("ci").ok());
  CHECK(login(fixture, "robot$ci", again->second.secret) == "bad_credentials");
}

TEST_CASE("a temporary login is its creator, for as long as both last") {
  AuthFixture fixture;
  Auth& auth = *fixture.auth;
  Principal alice = fixture.user("alice", true);
  auto made = auth.create_temporary_login(alice, hour_ms);
  REQUIRE(made.ok());
  auto who = auth.check_password(made->id, made->secret, peer);
  REQUIRE(who.ok());
  CHECK(who->name == "alice");
  CHECK(who->id == alice.id);
  CHECK(who->administrator);
  CHECK(login(fixture, made->id, "password of alice") == "bad_credentials");
  CHECK(login(fixture, "alice", made->secret) == "bad_credentials");
  fixture.clock.advance(hour_ms - 1);
  CHECK(login(fixture, made->id, made->secret) == "ok");
  fixture.clock.advance(1);
  CHECK(login(fixture, made->id, made->secret) == "bad_credentials");

  auto second = auth.create_temporary_login(alice, hour_ms);
  CHECK(login(fixture, second->id, second->secret) == "ok");
  REQUIRE(auth.update_user("alice", "a new password", {}, {}).ok());
  CHECK(login(fixture, second->id, second->secret) == "bad_credentials");

  CHECK(outcome(auth.create_temporary_login(alice, 0)) == "invalid_parameter");
  CHECK(outcome(auth.create_temporary_login(alice, 24 * hour_ms + 1)) == "invalid_parameter");
  CHECK(outcome(auth.create_temporary_login(Principal::anonymous(), hour_ms)) == "denied");
  CHECK(outcome(auth.create_temporary_login(fixture.robot("job", alice.id), hour_ms)) == "denied");
}

TEST_CASE("a temporary login makes nothing that outlasts it") {
  AuthFixture fixture;
  Auth& auth = *fixture.auth;
  auto made = auth.create_temporary_login(fixture.user("alice", true), hour_ms);
  auto who = auth.check_password(made->id, made->secret, peer);
  REQUIRE(who.ok());
  CHECK(who->temporary);
  CHECK(outcome(auth.issue_token(*who)) == "denied");
  CHECK(outcome(auth.create_temporary_login(*who, hour_ms)) == "denied");
  CHECK(outcome(auth.create_temporary_access_key(*who, hour_ms)) == "denied");
  who = auth.check_password(made->id, made->secret, peer);  // as it is remembered
  CHECK(who->temporary);
}

TEST_CASE("the newest temporary logins of somebody stay, the others give way") {
  AuthFixture fixture;
  Principal ci = fixture.robot("ci");
  auto first = fixture.auth->create_temporary_login(ci, 24 * hour_ms);
  for (std::size_t i = 0; i < limits::tokens_per_subject_max - 1; ++i) {
    fixture.clock.advance(1);
    REQUIRE(fixture.auth->create_temporary_login(ci, 24 * hour_ms).ok());
  }
  CHECK(login(fixture, first->id, first->secret) == "ok");
  fixture.clock.advance(1);
  auto last = fixture.auth->create_temporary_login(ci, minute_ms);
  fixture.restart();  // forgets what was remembered
  CHECK(login(fixture, first->id, first->secret) == "bad_credentials");
  CHECK(login(fixture, last->id, last->secret) == "ok");
}

TEST_CASE("Huawei's stateless login takes the HMAC of the access key") {
  AuthFixture fixture;
  Auth& auth = *fixture.auth;
  Principal alice = fixture.user("alice");
  auto key = auth.create_access_key(alice.id, "");
  REQUIRE(key.ok());
  const Secret& secret = key->second;
  std::string password = hex(crypto::hmac_sha256(secret.secret, secret.id));
  CHECK(auth.check_access_key_login("cn-north-4@" + secret.id, password, peer)->name == "alice");
  CHECK(key_login(fixture, "cn-north-4@" + secret.id, upper(password)) == "ok");
  CHECK(key_login(fixture, secret.id, password) == "bad_credentials");
  CHECK(key_login(fixture, "p@" + secret.id, secret.secret) == "bad_credentials");
  CHECK(key_login(fixture, "p@" + secret.id, "") == "bad_credentials");
  CHECK(key_login(fixture, "p@WHRF0000000000000000", password) == "bad_credentials");
  CHECK(key_login(fixture, "p@", password) == "bad_credentials");

  auto temporary = auth.create_temporary_access_key(alice, hour_ms);
  std::string unusable = hex(crypto::hmac_sha256(temporary->secret, temporary->id));
  CHECK(key_login(fixture, "p@" + temporary->id, unusable) == "bad_credentials");
  auto temporary_login = auth.create_temporary_login(alice, hour_ms);
  CHECK(key_login(fixture, "p@" + temporary_login->id, temporary_login->secret) == "ok");

  for (int i = 0; i < limits::password_failures_max; ++i) key_login(fixture, "q@" + secret.id, "wrong");
  CHECK(key_login(fixture, "q@" + secret.id, password) == "throttled");
  REQUIRE(auth.set_access_key_enabled(secret.id, false).ok());
  CHECK(key_login(fixture, "p@" + secret.id, password) == "bad_credentials");
}

TEST_CASE("no secret lies in the database in clear") {
  AuthFixture fixture;
  Auth& auth = *fixture.auth;
  Principal alice = fixture.user("alice");
  REQUIRE(auth.put_access_key("alice", "BROUGHT", "brought-along-secret").ok());
  std::vector<std::string> secrets{"password of alice",
                                   "brought-along-secret",
                                   auth.create_robot({.name = "ci"})->second.secret,
                                   auth.create_access_key(alice.id, "")->second.secret,
                                   auth.create_temporary_login(alice, hour_ms)->secret,
                                   auth.issue_token(alice)->text};
  auto temporary = auth.create_temporary_access_key(alice, hour_ms);
  secrets.push_back(temporary->secret);
  secrets.push_back(temporary->security_token);
  auto key = load_or_create_token_key(*fixture.db, fixture.vault);
  REQUIRE(key.ok());
  std::string pem = key->private_pem();
  secrets.push_back(pem.substr(pem.find('\n') + 1, 40));

  std::string bytes = fixture.bytes_on_disk();
  CHECK(bytes.find(temporary->id) != bytes.npos);  // we do look at the right bytes
  CHECK(bytes.find("$argon2id$") != bytes.npos);
  for (const std::string& secret : secrets) {
    REQUIRE(secret.size() >= 16);
    CHECK(bytes.find(secret) == bytes.npos);
    CHECK(bytes.find(base64(secret).substr(0, 20)) == bytes.npos);
    CHECK(bytes.find(hex(secret).substr(0, 32)) == bytes.npos);
  }
}
