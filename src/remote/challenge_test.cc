#include "remote/challenge.h"

#include <doctest/doctest.h>

using namespace wharfage::remote;

TEST_CASE("a bearer challenge is read with quotes, commas and unknown parameters") {
  auto challenge = parse_challenge(
      R"(Bearer realm="https://a.example/t?x=1,2",service="s\"q",scope="repository:a:pull,push", new=1)");
  REQUIRE(challenge);
  CHECK(challenge->bearer);
  CHECK(challenge->realm == "https://a.example/t?x=1,2");
  CHECK(challenge->service == "s\"q");
  CHECK(challenge->scope == "repository:a:pull,push");
  CHECK_FALSE(parse_challenge("Basic realm=\"r\"")->bearer);
  CHECK_FALSE(parse_challenge("Negotiate"));
  CHECK_FALSE(parse_challenge(""));
  CHECK(parse_challenge("Bearer realm=\"unclosed")->realm == "unclosed");
}

TEST_CASE("credentials stay within the registry's own domain") {
  CHECK(trusted_realm("http://127.0.0.1:5000", "http://127.0.0.1:5001/token"));
  CHECK(trusted_realm("https://registry-1.example.io", "https://auth.example.io/token"));
  CHECK_FALSE(trusted_realm("https://registry.example.io", "http://registry.example.io/token"));
  CHECK_FALSE(trusted_realm("https://registry.example.io", "https://evil.test/token"));
  CHECK_FALSE(trusted_realm("https://registry.example.io", "https://example.io.evil.test/token"));
  CHECK_FALSE(trusted_realm("http://registry.example.io", "http://auth.example.io/token"));
  CHECK_FALSE(trusted_realm("https://10.0.0.1", "https://11.0.0.1/token"));
  CHECK_FALSE(trusted_realm("https://localhost", "https://other/token"));
  CHECK_FALSE(trusted_realm("https://registry.example.io", "file:///etc/passwd"));
}
