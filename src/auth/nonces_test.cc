#include "auth/nonces.h"

#include <doctest/doctest.h>

#include <string>

#include "auth/auth_fixture.h"

using namespace wharfage;
using namespace wharfage::auth;

TEST_CASE("a nonce is good once within its window, per access key") {
  AuthFixture fixture;
  Auth& auth = *fixture.auth;
  TimeMs until = fixture.clock.now() + 15 * minute_ms;
  CHECK(auth.remember_nonce("AK1", "n1", until));
  CHECK_FALSE(auth.remember_nonce("AK1", "n1", until));
  CHECK(auth.remember_nonce("AK2", "n1", until));
  CHECK(auth.remember_nonce("AK1", "n2", until));
  CHECK(auth.remember_nonce("AK1n", "1", until));
  fixture.clock.advance(15 * minute_ms - 1);
  CHECK_FALSE(auth.remember_nonce("AK1", "n1", until + minute_ms));
  fixture.clock.advance(1);
  CHECK(auth.remember_nonce("AK1", "n1", until + minute_ms));
}

TEST_CASE("nonces are bounded: what expires first gives way") {
  Nonces nonces(3);
  CHECK(nonces.remember("AK", "late", 300, 0));
  CHECK(nonces.remember("AK", "early", 100, 0));
  CHECK(nonces.remember("AK", "middle", 200, 0));
  CHECK(nonces.remember("AK", "last", 400, 0));
  CHECK(nonces.size() == 3);
  CHECK_FALSE(nonces.remember("AK", "late", 300, 0));
  CHECK_FALSE(nonces.remember("AK", "middle", 200, 0));
  CHECK_FALSE(nonces.remember("AK", "last", 400, 0));
  CHECK(nonces.remember("AK", "early", 500, 0));
  for (int i = 0; i < 100; ++i) nonces.remember("AK", std::to_string(i), 1000 + i, 0);
  CHECK(nonces.size() == 3);
  CHECK(nonces.remember("AK", "after", 5000, 4000));
  CHECK(nonces.size() == 1);
}
