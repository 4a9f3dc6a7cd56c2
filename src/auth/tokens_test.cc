#include <boost/json.hpp>

#include "auth/auth_fixture.h"
#include "base/limits.h"
#include "base/text.h"
#include "crypto/jwt.h"

using namespace wharfage;
using namespace wharfage::auth;

namespace {

constexpr const char* service = "registry.example:5000";

struct TokenFixture {
  inline static const crypto::EcdsaKey key = *crypto::EcdsaKey::generate();
  FrozenClock clock{1'790'000'000'500};
  RegistryTokens tokens{key, clock};
  const Principal alice{.kind = Principal::Kind::user, .id = 17, .name = "alice", .administrator = true};

  std::string issue(const Principal& who, const std::vector<RegistryAccess>& access = {}) {
    auto issued = tokens.issue(who, service, access);
    REQUIRE(issued.ok());
    return issued->text;
  }
  std::string check(std::string_view token) { return outcome(tokens.check(token, service)); }

  boost::json::object claims(std::string_view token) {
    return boost::json::parse(*unbase64(split(token, '.')[1])).as_object();
  }
  // Signed with the right key: what a careless issuer could make.
  std::string resign(const boost::json::object& claims) {
    return *crypto::jwt_sign(key, tokens.key_id(), boost::json::serialize(claims));
  }
};

}  // namespace

TEST_CASE("a registry token gives back who and what it was issued for") {
  TokenFixture fixture;
  auto issued = fixture.tokens.issue(fixture.alice, service,
                                     {{"repository", "root/app", {"pull", "push"}},
                                      {"repository", "root/host:5000/app", {"*"}},
                                      {"registry", "catalog", {"*"}}});
  REQUIRE(issued.ok());
  CHECK(issued->lifetime_s == 300);
  CHECK(issued->issued_at == 1'790'000'000'000);
  for (int cached = 0; cached < 2; ++cached) {
    auto claims = fixture.tokens.check(issued->text, service);
    REQUIRE(claims.ok());
    CHECK(claims->who.kind == Principal::Kind::user);
    CHECK(claims->who.id == 17);
    CHECK(claims->who.name == "alice");
    CHECK(claims->who.administrator);
    CHECK(claims->access.size() == 3);
    CHECK(claims->allows("root/app", "pull"));
    CHECK(claims->allows("root/app", "push"));
    CHECK_FALSE(claims->allows("root/app", "delete"));
    CHECK_FALSE(claims->allows("root/ap", "pull"));
    CHECK_FALSE(claims->allows("root/app/sub", "pull"));
    CHECK(claims->allows("root/host:5000/app", "delete"));
    CHECK_FALSE(claims->allows("catalog", "pull"));
  }
  auto object = fixture.claims(issued->text);
  CHECK(object["iss"] == "wharfage");
  CHECK(object["sub"] == "alice");
  CHECK(object["aud"] == service);
  CHECK(object["iat"] == 1'790'000'000);
  CHECK(object["nbf"] == 1'790'000'000);
  CHECK(object["exp"] == 1'790'000'300);
  CHECK(object["jti"].as_string().size() == 32);
  CHECK(fixture.tokens.key_id().size() == 16);
}

TEST_CASE("anonymous and robots travel in tokens, the system does not") {
  TokenFixture fixture;
  auto nobody = fixture.tokens.check(fixture.issue(Principal::anonymous()), service);
  REQUIRE(nobody.ok());
  CHECK(nobody->who.kind == Principal::Kind::anonymous);
  CHECK(nobody->access.empty());
  Principal job{.kind = Principal::Kind::robot, .id = 4, .name = "robot$job", .acts_for_user = 17};
  auto robot = fixture.tokens.check(fixture.issue(job), service);
  REQUIRE(robot.ok());
  CHECK(robot->who.kind == Principal::Kind::robot);
  CHECK(robot->who.acts_for_user == 17);
  CHECK_FALSE(robot->who.administrator);
  CHECK(outcome(fixture.tokens.issue(Principal::system(), service, {})) == "denied");
  auto claims = fixture.claims(fixture.issue(fixture.alice));
  claims["wharfage"].as_object()["kind"] = "system";
  CHECK(fixture.check(fixture.resign(claims)) == "token_invalid");
}

TEST_CASE("a registry token lives for its five minutes and for its service") {
  TokenFixture fixture;
  std::string token = fixture.issue(fixture.alice);
  CHECK(fixture.check(token) == "ok");
  CHECK(outcome(fixture.tokens.check(token, "another.example")) == "token_invalid");
  CHECK(outcome(fixture.tokens.check(token, "")) == "token_invalid");
  fixture.clock.set(1'790'000'299'999);
  CHECK(fixture.check(token) == "ok");
  fixture.clock.set(1'790'000'300'000);
  CHECK(fixture.check(token) == "token_expired");
  RegistryTokens other_node(TokenFixture::key, fixture.clock);
  CHECK(outcome(other_node.check(token, service)) == "token_expired");
}

TEST_CASE("a node whose clock is a little behind accepts a token, one far behind does not") {
  TokenFixture fixture;
  std::string token = fixture.issue(fixture.alice);
  fixture.clock.set(1'790'000'000'000 - limits::registry_token_leeway_s * second_ms);
  CHECK(fixture.check(token) == "ok");
  fixture.clock.advance(-second_ms);
  CHECK(fixture.check(token) == "token_invalid");
}

TEST_CASE("forged registry tokens are refused") {
  TokenFixture fixture;
  std::string token = fixture.issue(fixture.alice);
  auto parts = split(token, '.');
  std::string header(parts[0]), payload(parts[1]), signature(parts[2]);
  auto claims = fixture.claims(token);

  // Of another key, with and without our key's name, and with the key in the header (CVE-2025-24976).
  auto theirs = *crypto::EcdsaKey::generate();
  CHECK(fixture.check(*crypto::jwt_sign(theirs, fixture.tokens.key_id(), boost::json::serialize(claims))) ==
        "token_invalid");
  CHECK(fixture.check(*crypto::jwt_sign(theirs, "theirs", boost::json::serialize(claims))) ==
        "token_invalid");
  CHECK(fixture.check(*crypto::jwt_sign(TokenFixture::key, "other", boost::json::serialize(claims))) ==
        "token_invalid");

  // Changed content, or no signature.
  auto more = claims;
  more["access"] = boost::json::parse(R"([{"type":"repository","name":"a/b","actions":["*"]}])");
  std::string changed = base64_url(boost::json::serialize(more));
  CHECK(fixture.check(header + "." + changed + "." + signature) == "token_invalid");
  CHECK(fixture.check(base64_url(R"({"alg":"none"})") + "." + payload + ".") == "token_invalid");
  CHECK(fixture.check(header + "." + payload + ".") == "token_invalid");
  CHECK(fixture.check(header + "." + payload) == "token_invalid");
  std::string hs = base64_url(R"({"alg":"HS256","typ":"JWT","kid":")" + fixture.tokens.key_id() + "\"}");
  CHECK(fixture.check(hs + "." + payload + "." + signature) == "token_invalid");
  for (const std::string& junk :
       {std::string(), std::string("a.b.c"), std::string(2'000'000, '.'), std::string(2'000'000, 'a')}) {
    CHECK(fixture.check(junk) == "token_invalid");
  }
  CHECK(fixture.check(token) == "ok");
}

TEST_CASE("well-signed tokens with other claims than ours are refused") {
  TokenFixture fixture;
  const auto good = fixture.claims(fixture.issue(fixture.alice));
  CHECK(fixture.check(fixture.resign(good)) == "ok");
  for (const char* name : {"iss", "sub", "aud", "exp", "nbf", "access", "wharfage"}) {
    CAPTURE(name);
    auto claims = good;
    claims.erase(name);
    CHECK(fixture.check(fixture.resign(claims)) == "token_invalid");
    claims[name] = 1.5;
    CHECK(fixture.check(fixture.resign(claims)) == "token_invalid");
  }
  auto claims = good;
  claims["iss"] = "somebody else";
  CHECK(fixture.check(fixture.resign(claims)) == "token_invalid");
  for (const char* access : {"{}", "[1]", R"([{"type":"repository","name":"a/b"}])",
                             R"([{"type":"repository","name":"a/b","actions":"pull"}])",
                             R"([{"type":"repository","name":"a/b","actions":[1]}])"}) {
    CAPTURE(access);
    claims = good;
    claims["access"] = boost::json::parse(access);
    CHECK(fixture.check(fixture.resign(claims)) == "token_invalid");
  }
}

TEST_CASE("the signing key is made once, kept sealed, and lost with the master key") {
  AuthFixture fixture;
  auto first = load_or_create_token_key(*fixture.db, fixture.vault);
  REQUIRE(first.ok());
  auto second = load_or_create_token_key(*fixture.db, fixture.vault);
  REQUIRE(second.ok());
  CHECK(first->public_pem() == second->public_pem());
  CHECK_FALSE(load_or_create_token_key(*fixture.db, crypto::Vault::ephemeral()).ok());
}

TEST_CASE("a token outlives neither the account's rights nor the account") {
  AuthFixture fixture;
  RegistryTokens tokens(TokenFixture::key, fixture.clock);
  fixture.user("root", true);
  Principal alice = fixture.user("alice", true);
  const Resource app{7, "ours/app", false};
  auto token = tokens.issue(alice, service, {{"repository", "ours/app", {"pull"}}});
  auto may = [&] {
    auto claims = tokens.check(token->text, service);
    REQUIRE(claims.ok());
    return fixture.auth->authorise(claims->who, Access::read, app).ok();
  };
  CHECK(may());
  REQUIRE(fixture.auth->update_user("alice", {}, false, {}).ok());
  CHECK_FALSE(may());
  fixture.grant(alice, 7, Role::guest);
  CHECK(may());
  REQUIRE(fixture.auth->delete_user("alice").ok());
  CHECK_FALSE(may());
}
