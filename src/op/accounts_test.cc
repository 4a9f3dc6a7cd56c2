#include "op/accounts.h"

#include <algorithm>

#include "base/limits.h"
#include "op/op_fixture.h"

using namespace wharfage;
using namespace wharfage::op;
using namespace wharfage::op::accounts;
using auth::Access;
using auth::outcome;
using auth::Principal;
using auth::Role;

namespace {

constexpr std::int64_t ours = 7, theirs = 8;

struct Accounts : OpFixture {
  template <class Operation>
  Result<typename Operation::Response> call(const Principal& who,
                                            const typename Operation::Request& request = {}) {
    Context caller = context(who);
    return invoke<Operation>(*fixture.auth, caller, request);
  }
  template <class Operation>
  std::string told(const Principal& who, const typename Operation::Request& request = {}) {
    return outcome(call<Operation>(who, request));
  }

  Principal bob = fixture.user("bob");
  Principal ci = fixture.robot("ci");
};

}  // namespace

TEST_CASE("accounts are the administrators' business") {
  Accounts a;
  const Principal nobody = Principal::anonymous();
  for (const auto& [who, expected] :
       {std::pair(nobody, "unauthenticated"), std::pair(a.alice, "denied"), std::pair(a.ci, "denied")}) {
    CAPTURE(who.name);
    CHECK(a.told<ListUsers>(who) == expected);
    CHECK(a.told<GetUser>(who, {"root"}) == expected);
    CHECK(a.told<GetUser>(who, {"nobody-of-that-name"}) == expected);
    CHECK(a.told<CreateUser>(who, {"eve", "long enough", true}) == expected);
    CHECK(a.told<UpdateUser>(who, {.name = who.name, .administrator = true}) == expected);
    CHECK(a.told<DeleteUser>(who, {"root"}) == expected);
    CHECK(a.told<ListRobots>(who) == expected);
    CHECK(a.told<CreateRobot>(who, {.name = "eve"}) == expected);
    CHECK(a.told<DeleteRobot>(who, {"ci"}) == expected);
    CHECK(a.told<ListGrants>(who) == expected);
    Context caller = a.context(who);
    CHECK(outcome(invoke<ListAudit>(*a.audit, caller, {})) == expected);
  }
  CHECK(a.call<ListUsers>(a.root)->total == 3);
  CHECK(a.call<GetUser>(a.root, {"alice"})->name == "alice");
  CHECK(a.told<GetUser>(a.root, {"eve"}) == "user_unknown");
  CHECK(a.call<CreateUser>(a.root, {"eve", "long enough", false})->enabled);
  CHECK_FALSE(a.call<UpdateUser>(a.root, {.name = "eve", .enabled = false})->enabled);
  CHECK(a.told<DeleteUser>(a.root, {"eve"}) == "ok");
  CHECK(a.told<DeleteUser>(a.root, {"root"}) == "conflict");
  CHECK(a.call<CreateRobot>(a.root, {.name = "deploy"})->secret.id == "robot$deploy");
  CHECK(a.call<ListRobots>(a.root)->total == 2);
  CHECK(a.told<DeleteRobot>(a.root, {"deploy"}) == "ok");
}

TEST_CASE("access keys are one's own, and others' cannot even be told to exist") {
  Accounts a;
  auto made = a.call<CreateAccessKey>(a.alice, {.description = "laptop"});
  REQUIRE(made.ok());
  CHECK(made->key.user_name == "alice");
  const std::string id = made->key.id;
  CHECK(a.call<ListAccessKeys>(a.alice)->size() == 1);
  CHECK(a.call<ListAccessKeys>(a.bob)->empty());
  CHECK(a.told<ListAccessKeys>(a.bob, {.user = "alice"}) == "denied");
  CHECK(a.told<ListAccessKeys>(a.bob, {.user = "no-such-user"}) == "denied");
  CHECK(a.told<ListAccessKeys>(a.bob, {.everybody = true}) == "denied");
  CHECK(a.told<CreateAccessKey>(a.bob, {.user = "alice"}) == "denied");
  auto foreign = a.call<UpdateAccessKey>(a.bob, {id, false}),
       missing = a.call<UpdateAccessKey>(a.bob, {"no", false});
  REQUIRE_FALSE(foreign.ok());
  REQUIRE_FALSE(missing.ok());
  CHECK(foreign.error().reason == Reason::not_found);
  CHECK(foreign.error().message == missing.error().message);
  CHECK(foreign.error().detail == missing.error().detail);
  CHECK(a.told<DeleteAccessKey>(a.bob, {id}) == "not_found");
  CHECK(a.fixture.auth->find_access_key(id).ok());

  CHECK(a.told<CreateAccessKey>(Principal::anonymous()) == "unauthenticated");
  CHECK(a.told<CreateAccessKey>(a.ci) == "denied");
  CHECK(a.told<ListAccessKeys>(a.ci) == "denied");
  CHECK(a.told<DeleteAccessKey>(a.ci, {id}) == "denied");
  // Users and robots are numbered each for themselves.
  CHECK(a.ci.id == a.root.id);

  CHECK_FALSE(a.call<UpdateAccessKey>(a.alice, {id, false})->enabled);
  CHECK(outcome(a.fixture.auth->find_access_key(id)) == "access_key_inactive");
  CHECK(a.call<ListAccessKeys>(a.root, {.user = "alice"})->size() == 1);
  CHECK(a.call<ListAccessKeys>(a.root)->empty());
  CHECK(a.call<CreateAccessKey>(a.root, {.user = "bob"})->key.user_name == "bob");
  CHECK(a.call<ListAccessKeys>(a.root, {.everybody = true})->size() == 2);
  CHECK(a.told<UpdateAccessKey>(a.root, {id, true}) == "ok");
  CHECK(a.told<DeleteAccessKey>(a.alice, {id}) == "ok");
  CHECK(a.told<DeleteAccessKey>(a.alice, {id}) == "not_found");

  REQUIRE(a.fixture.auth->update_user("alice", {}, {}, false).ok());
  CHECK(a.told<CreateAccessKey>(a.alice) == "denied");
  CHECK(a.told<ListAccessKeys>(a.alice) == "denied");
}

TEST_CASE("who manages a namespace gives out its roles, and no other's") {
  Accounts a;
  a.fixture.grant(a.alice, ours, Role::maintainer);
  a.fixture.grant(a.bob, ours, Role::developer);
  auth::Grant elsewhere = a.fixture.grant(a.ci, theirs, Role::guest);
  PutGrant::Request wanted{.namespace_id = ours,
                           .namespace_name = "ours",
                           .kind = Principal::Kind::robot,
                           .subject_name = "ci",
                           .role = Role::developer};
  CHECK(a.told<PutGrant>(a.bob, wanted) == "denied");
  CHECK(a.told<PutGrant>(a.ci, wanted) == "namespace_unknown");
  CHECK(a.told<PutGrant>(Principal::anonymous(), wanted) == "unauthenticated");
  auto put = a.call<PutGrant>(a.alice, wanted);
  REQUIRE(put.ok());
  CHECK(put->subject_name == "ci");
  CHECK(a.fixture.auth->authorise(a.ci, Access::write, {ours, "ours/app", false}).ok());

  wanted.repository = "theirs/app";
  CHECK(a.told<PutGrant>(a.alice, wanted) == "name_invalid");
  wanted.repository = "oursapp/x";
  CHECK(a.told<PutGrant>(a.alice, wanted) == "name_invalid");
  wanted.repository = "ours/app";
  CHECK(a.told<PutGrant>(a.alice, wanted) == "ok");
  wanted.namespace_id = theirs;
  wanted.namespace_name = "theirs";
  wanted.repository = "";
  CHECK(a.told<PutGrant>(a.alice, wanted) == "namespace_unknown");
  wanted.namespace_id = 0;
  CHECK(a.told<PutGrant>(a.root, wanted) == "namespace_unknown");

  CHECK(a.call<ListGrants>(a.alice, {ours, "ours"})->size() == 4);
  CHECK(a.told<ListGrants>(a.alice, {theirs, "theirs"}) == "namespace_unknown");
  CHECK(a.told<ListGrants>(a.alice, {}) == "denied");
  CHECK(a.told<ListGrants>(a.bob, {ours, "ours"}) == "denied");
  CHECK(a.call<ListGrants>(a.root, {})->size() == 5);

  // A grant's number from elsewhere is not found in the caller's namespace, and not his without one.
  CHECK(a.told<DeleteGrant>(a.alice, {elsewhere.id, ours, "ours"}) == "grant_unknown");
  CHECK(a.told<DeleteGrant>(a.alice, {elsewhere.id, 0, ""}) == "grant_unknown");
  CHECK(a.told<DeleteGrant>(a.alice, {put->id, ours, "ours"}) == "ok");
  CHECK(a.told<DeleteGrant>(a.root, {elsewhere.id, 0, ""}) == "ok");
}

TEST_CASE("one's own password is changed with the old one, and ends the sessions") {
  Accounts a;
  auto token = a.call<IssueToken>(a.alice);
  REQUIRE(token.ok());
  CHECK(a.told<ChangeOwnPassword>(a.alice, {"wrong password", "a new password"}) == "bad_credentials");
  CHECK(a.told<ChangeOwnPassword>(a.alice, {"password of alice", "short"}) == "invalid_parameter");
  CHECK(a.told<ChangeOwnPassword>(a.ci, {"password of ci", "a new password"}) == "denied");
  CHECK(a.told<ChangeOwnPassword>(Principal::anonymous(), {"", "a new password"}) == "unauthenticated");
  CHECK(a.fixture.auth->check_token(token->text).ok());
  CHECK(a.told<ChangeOwnPassword>(a.alice, {"password of alice", "a new password"}) == "ok");
  CHECK(outcome(a.fixture.auth->check_token(token->text)) == "token_invalid");
  CHECK(a.fixture.auth->check_password("alice", "a new password", "").ok());
  for (int i = 0; i < limits::password_failures_max; ++i) {
    a.told<ChangeOwnPassword>(a.alice, {"wrong password", "another password"});
  }
  CHECK(a.told<ChangeOwnPassword>(a.alice, {"a new password", "another password"}) == "throttled");
}

TEST_CASE("a temporary login acts as the caller, for as long as he asked, and is audited") {
  Accounts a;
  CHECK(a.told<CreateTemporaryLogin>(Principal::anonymous(), {hour_ms}) == "unauthenticated");
  CHECK(a.told<CreateTemporaryLogin>(Principal::system(), {hour_ms}) == "denied");
  auto made = a.call<CreateTemporaryLogin>(a.alice, {hour_ms});
  REQUIRE(made.ok());
  CHECK(made->created_at == a.fixture.clock.now());
  CHECK(made->expires_at == a.fixture.clock.now() + hour_ms);
  auto who = a.fixture.auth->check_password(made->login.id, made->login.secret, "192.0.2.7");
  REQUIRE(who.ok());
  CHECK(who->id == a.alice.id);
  a.audit->flush();
  auto entries = a.audit->list({});
  REQUIRE(entries.ok());
  auto kept = std::find_if(entries->begin(), entries->end(), [](const AuditEntry& entry) {
    return entry.actor == "alice" && entry.action == "accounts:CreateTemporaryLogin";
  });
  REQUIRE(kept != entries->end());
  CHECK(kept->resource == "users/alice/temporary-logins");
  CHECK(kept->outcome == "ok");
}

TEST_CASE("sessions are issued to those who are somebody, and revoked by them") {
  Accounts a;
  CHECK(a.told<IssueToken>(Principal::anonymous()) == "unauthenticated");
  CHECK(a.told<IssueToken>(Principal::system()) == "denied");
  auto token = a.call<IssueToken>(a.alice);
  REQUIRE(token.ok());
  CHECK(a.told<RevokeToken>(a.bob, {token->text}) == "token_invalid");
  CHECK(a.told<RevokeToken>(Principal::anonymous(), {token->text}) == "unauthenticated");
  CHECK(a.told<RevokeToken>(a.alice, {token->text}) == "ok");
  CHECK(a.told<RevokeToken>(a.alice, {token->text}) == "token_invalid");
  auto robots = a.call<IssueToken>(a.ci);
  REQUIRE(robots.ok());
  CHECK(a.told<RevokeToken>(a.root, {robots->text}) == "ok");

  auto self = a.call<WhoAmI>(a.alice);
  REQUIRE(self.ok());
  CHECK(self->who.name == "alice");
  CHECK(self->user->public_id.size() == 32);
  CHECK_FALSE(a.call<WhoAmI>(a.ci)->user);
  CHECK(a.told<WhoAmI>(Principal::anonymous()) == "unauthenticated");
}

TEST_CASE("the audit log tells changes and refusals, page by page, without secrets") {
  Accounts a;
  REQUIRE(a.call<CreateUser>(a.root, {"eve", "eves own password", false}).ok());
  CHECK(a.told<DeleteUser>(a.alice, {"root"}) == "denied");
  auto key = a.call<CreateAccessKey>(a.alice, {});
  REQUIRE(a.told<DeleteAccessKey>(a.bob, {key->key.id}) == "not_found");
  a.audit->flush();
  Context caller = a.context(a.root);
  std::vector<AuditEntry> all;
  Audit::Filter filter{.limit = 2};
  do {
    auto page = invoke<ListAudit>(*a.audit, caller, filter);
    REQUIRE(page.ok());
    CHECK(page->items.size() <= 2);
    all.insert(all.end(), page->items.begin(), page->items.end());
    filter.before_id = page->next_before_id;
  } while (filter.before_id != 0);
  auto has = [&](std::string_view actor, std::string_view action, std::string_view resource,
                 std::string_view result) {
    return std::any_of(all.begin(), all.end(), [&](const AuditEntry& entry) {
      return entry.actor == actor && entry.action == action && entry.resource == resource &&
             entry.outcome == result;
    });
  };
  CHECK(has("root", "accounts:CreateUser", "users/eve", "ok"));
  CHECK(has("alice", "accounts:DeleteUser", "users/root", "denied"));
  CHECK(has("alice", "accounts:CreateAccessKey", "users/alice/access-keys", "ok"));
  CHECK(has("bob", "accounts:DeleteAccessKey", "access-keys/" + key->key.id, "not_found"));
  std::string bytes = a.fixture.bytes_on_disk();
  CHECK(bytes.find("accounts:CreateUser") != bytes.npos);
  CHECK(bytes.find("eves own password") == bytes.npos);
  CHECK(bytes.find(key->secret.secret) == bytes.npos);
}
