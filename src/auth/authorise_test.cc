#include <algorithm>
#include <map>

#include "auth/auth_fixture.h"

using namespace wharfage;
using namespace wharfage::auth;

namespace {

constexpr Access all_access[] = {Access::read, Access::write, Access::remove, Access::manage,
                                 Access::administer};
constexpr std::int64_t ours = 7, theirs = 8;

// One letter per Access, in order: '+' allowed, '-' denied, '?' not authenticated.
std::string rights(Auth& auth, const Principal& who, const Resource& on) {
  std::string letters;
  for (Access access : all_access) {
    Status allowed = auth.authorise(who, access, on);
    if (allowed.ok()) {
      letters += '+';
    } else {
      letters += allowed.error().reason == Reason::denied            ? '-'
                 : allowed.error().reason == Reason::unauthenticated ? '?'
                                                                     : '!';
    }
  }
  return letters;
}

struct Row {
  std::string who;
  std::string our_app, our_public, our_other, our_namespace, their_app, their_public, installation;
};

}  // namespace

TEST_CASE("who may do what, and where") {
  AuthFixture fixture;
  std::map<std::string, Principal> who{{"anonymous", Principal::anonymous()},
                                       {"system", Principal::system()},
                                       {"administrator", fixture.user("root", true)}};
  for (const char* name : {"nobody", "guest", "developer", "maintainer", "app developer"}) {
    std::string account(name);
    std::replace(account.begin(), account.end(), ' ', '-');
    who[name] = fixture.user(account);
    who["robot " + std::string(name)] = fixture.robot(account);
  }
  for (const std::string prefix : {"", "robot "}) {
    fixture.grant(who[prefix + "guest"], ours, Role::guest);
    fixture.grant(who[prefix + "developer"], ours, Role::developer);
    fixture.grant(who[prefix + "maintainer"], ours, Role::maintainer);
    fixture.grant(who[prefix + "app developer"], ours, Role::developer, "ours/app");
  }
  who["one-job robot of guest"] = fixture.robot("job-1", who["guest"].id);
  who["one-job robot of administrator"] = fixture.robot("job-2", who["administrator"].id);
  fixture.grant(who["one-job robot of guest"], theirs, Role::developer, "theirs/app");

  const Row table[] = {
      // who                             app      public   other    namespace theirs   public   installation
      {"anonymous", "?????", "+????", "?????", "?????", "?????", "+????", "?????"},
      {"system", "+++++", "+++++", "+++++", "+++++", "+++++", "+++++", "+++++"},
      {"administrator", "+++++", "+++++", "+++++", "+++++", "+++++", "+++++", "+++++"},
      {"nobody", "-----", "+----", "-----", "-----", "-----", "+----", "+----"},
      {"guest", "+----", "+----", "+----", "+----", "-----", "+----", "+----"},
      {"developer", "++---", "++---", "++---", "++---", "-----", "+----", "+----"},
      {"maintainer", "++++-", "++++-", "++++-", "++++-", "-----", "+----", "+----"},
      {"app developer", "++---", "+----", "-----", "-----", "-----", "+----", "+----"},
      {"robot nobody", "-----", "+----", "-----", "-----", "-----", "+----", "-----"},
      {"robot guest", "+----", "+----", "+----", "+----", "-----", "+----", "-----"},
      {"robot developer", "++---", "++---", "++---", "++---", "-----", "+----", "-----"},
      {"robot maintainer", "++++-", "++++-", "++++-", "++++-", "-----", "+----", "-----"},
      {"robot app developer", "++---", "+----", "-----", "-----", "-----", "+----", "-----"},
      {"one-job robot of guest", "+----", "+----", "+----", "+----", "++---", "+----", "-----"},
      {"one-job robot of administrator", "+----", "+----", "+----", "+----", "+----", "+----", "-----"},
  };
  REQUIRE(std::size(table) == who.size());
  for (const Row& row : table) {
    CAPTURE(row.who);
    REQUIRE(who.contains(row.who));
    const Principal& principal = who[row.who];
    Auth& auth = *fixture.auth;
    CHECK(rights(auth, principal, {ours, "ours/app", false}) == row.our_app);
    CHECK(rights(auth, principal, {ours, "ours/public", true}) == row.our_public);
    CHECK(rights(auth, principal, {ours, "ours/other", false}) == row.our_other);
    CHECK(rights(auth, principal, {ours, "ours", false}) == row.our_namespace);
    CHECK(rights(auth, principal, {theirs, "theirs/app", false}) == row.their_app);
    CHECK(rights(auth, principal, {theirs, "theirs/public", true}) == row.their_public);
    CHECK(rights(auth, principal, {}) == row.installation);
  }
}

TEST_CASE("a repository's grant holds nowhere else, whatever the names look like") {
  AuthFixture fixture;
  Principal who = fixture.user("alice");
  fixture.grant(who, ours, Role::maintainer, "ours/app");
  Auth& auth = *fixture.auth;
  CHECK(auth.authorise(who, Access::write, {ours, "ours/app", false}).ok());
  CHECK_FALSE(auth.authorise(who, Access::write, {ours, "ours/app/sub", false}).ok());
  CHECK_FALSE(auth.authorise(who, Access::write, {ours, "ours/ap", false}).ok());
  CHECK_FALSE(auth.authorise(who, Access::write, {ours, "", false}).ok());
  CHECK_FALSE(auth.authorise(who, Access::write, {theirs, "ours/app", false}).ok());
  CHECK_FALSE(auth.authorise(who, Access::write, {0, "ours/app", false}).ok());
}

TEST_CASE("a change of a grant, role or account counts at once") {
  AuthFixture fixture;
  Auth& auth = *fixture.auth;
  Principal who = fixture.user("alice");
  const Resource app{ours, "ours/app", false};
  CHECK(rights(auth, who, app) == "-----");
  Grant grant = fixture.grant(who, ours, Role::maintainer);
  CHECK(rights(auth, who, app) == "++++-");
  Grant lower = fixture.grant(who, ours, Role::guest);
  CHECK(lower.id == grant.id);
  CHECK(rights(auth, who, app) == "+----");
  CHECK(auth.delete_grant(grant.id).ok());
  CHECK(rights(auth, who, app) == "-----");
  CHECK(outcome(auth.delete_grant(grant.id)) == "grant_unknown");

  fixture.grant(who, ours, Role::developer);
  CHECK(rights(auth, who, app) == "++---");
  REQUIRE(auth.update_user("alice", {}, {}, false).ok());
  CHECK(rights(auth, who, app) == "-----");
  REQUIRE(auth.update_user("alice", {}, {}, true).ok());
  CHECK(rights(auth, who, app) == "++---");
  REQUIRE(auth.delete_user("alice").ok());
  CHECK(rights(auth, who, app) == "-----");
}

TEST_CASE("a principal cannot claim more than the account has, and a demoted one loses it at once") {
  AuthFixture fixture;
  Auth& auth = *fixture.auth;
  Principal root = fixture.user("root", true), second = fixture.user("second", true);
  Principal liar = fixture.user("liar");
  liar.administrator = true;
  CHECK(rights(auth, liar, {}) == "+----");
  CHECK(auth.readable_namespaces(liar)->has_value());
  Principal robot = fixture.robot("liar");
  robot.administrator = true;
  robot.acts_for_user = root.id;
  CHECK(rights(auth, robot, {ours, "ours/app", false}) == "-----");

  CHECK(rights(auth, second, {}) == "+++++");
  REQUIRE(auth.update_user("second", {}, false, {}).ok());
  CHECK(rights(auth, second, {}) == "+----");
  // Promoted again, an old principal that does not say so stays what it was.
  REQUIRE(auth.update_user("second", {}, true, {}).ok());
  second.administrator = false;
  CHECK(rights(auth, second, {}) == "+----");
}

TEST_CASE("a robot's rights end when it expires, and a one-job robot's with its user") {
  AuthFixture fixture;
  Auth& auth = *fixture.auth;
  const Resource app{ours, "ours/app", false};
  auto made = auth.create_robot({.name = "ci", .expires_at = fixture.clock.now() + hour_ms});
  REQUIRE(made.ok());
  Principal robot{.kind = Principal::Kind::robot, .id = made->first.id, .name = "robot$ci"};
  fixture.grant(robot, ours, Role::developer);
  CHECK(rights(auth, robot, app) == "++---");
  fixture.clock.advance(hour_ms - 1);
  CHECK(rights(auth, robot, app) == "++---");
  fixture.clock.advance(1);
  CHECK(rights(auth, robot, app) == "-----");

  Principal alice = fixture.user("alice");
  fixture.grant(alice, ours, Role::maintainer);
  Principal job = fixture.robot("job", alice.id);
  CHECK(rights(auth, job, app) == "+----");
  REQUIRE(auth.update_user("alice", {}, {}, false).ok());
  CHECK(rights(auth, job, app) == "-----");
  REQUIRE(auth.delete_user("alice").ok());
  CHECK(outcome(auth.get_robot("job")) == "robot_unknown");
}

TEST_CASE("readable namespaces are those granted as a whole") {
  AuthFixture fixture;
  Auth& auth = *fixture.auth;
  using Ids = std::vector<std::int64_t>;
  Principal root = fixture.user("root", true), alice = fixture.user("alice");
  fixture.grant(alice, 12, Role::guest);
  fixture.grant(alice, 3, Role::maintainer);
  fixture.grant(alice, 3, Role::guest, "three/app");
  fixture.grant(alice, 5, Role::maintainer, "five/app");
  CHECK(**auth.readable_namespaces(alice) == Ids{3, 12});
  CHECK_FALSE(auth.readable_namespaces(root)->has_value());
  CHECK_FALSE(auth.readable_namespaces(Principal::system())->has_value());
  CHECK((*auth.readable_namespaces(Principal::anonymous()))->empty());

  Principal job = fixture.robot("job", alice.id);
  fixture.grant(job, 4, Role::developer);
  CHECK(**auth.readable_namespaces(job) == Ids{3, 4, 12});
  CHECK_FALSE(auth.readable_namespaces(fixture.robot("root-job", root.id))->has_value());
  REQUIRE(auth.update_user("alice", {}, {}, false).ok());
  CHECK((*auth.readable_namespaces(alice))->empty());
  CHECK(**auth.readable_namespaces(job) == Ids{4});
}

TEST_CASE("grants are listed per namespace and go with it") {
  AuthFixture fixture;
  Auth& auth = *fixture.auth;
  Principal alice = fixture.user("alice"), ci = fixture.robot("ci");
  Principal job = fixture.robot("job", alice.id);
  fixture.grant(alice, ours, Role::developer);
  fixture.grant(ci, ours, Role::guest, "ours/app");
  fixture.grant(job, ours, Role::developer, "ours/app");
  fixture.grant(alice, theirs, Role::guest);
  auto list = auth.list_grants(ours);
  REQUIRE(list.ok());
  REQUIRE(list->size() == 2);
  CHECK((*list)[0].subject_name == "alice");
  CHECK((*list)[0].role == Role::developer);
  CHECK((*list)[1].subject_name == "ci");
  CHECK((*list)[1].kind == Principal::Kind::robot);
  CHECK((*list)[1].repository == "ours/app");
  CHECK(auth.list_grants(0)->size() == 3);
  CHECK(auth.get_grant((*list)[1].id)->subject_name == "ci");

  REQUIRE(auth.authorise(ci, Access::read, {ours, "ours/app", false}).ok());
  REQUIRE(auth.drop_grants(ours, "ours/app").ok());
  CHECK_FALSE(auth.authorise(ci, Access::read, {ours, "ours/app", false}).ok());
  CHECK(auth.authorise(alice, Access::read, {ours, "ours/app", false}).ok());
  REQUIRE(auth.drop_grants(ours, "").ok());
  CHECK_FALSE(auth.authorise(alice, Access::read, {ours, "ours/app", false}).ok());
  CHECK(auth.list_grants(0)->size() == 1);
}

TEST_CASE("grants need a subject, a place and a well-formed name") {
  AuthFixture fixture;
  Auth& auth = *fixture.auth;
  fixture.user("alice");
  fixture.robot("ci");
  auto put = [&](Grant grant) { return outcome(auth.put_grant(grant)); };
  CHECK(put({.subject_name = "alice", .namespace_id = 1}) == "ok");
  CHECK(put({.kind = Principal::Kind::robot, .subject_name = "robot$ci", .namespace_id = 1}) == "ok");
  CHECK(put({.subject_name = "bob", .namespace_id = 1}) == "user_unknown");
  CHECK(put({.subject_id = 4711, .namespace_id = 1}) == "user_unknown");
  CHECK(put({.kind = Principal::Kind::robot, .subject_id = 4711, .namespace_id = 1}) == "robot_unknown");
  CHECK(put({.kind = Principal::Kind::system, .subject_id = 1, .namespace_id = 1}) == "invalid_parameter");
  CHECK(put({.subject_name = "alice", .namespace_id = 0}) == "namespace_unknown");
  for (const char* bad : {"app", "/app", "ns/", "ns/App", "ns/a b", "ns/a%"}) {
    CAPTURE(bad);
    CHECK(put({.subject_name = "alice", .namespace_id = 1, .repository = bad}) == "name_invalid");
  }
}
