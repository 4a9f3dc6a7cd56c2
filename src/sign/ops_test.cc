// Who may do what with policies and their executions.
#include "sign/ops.h"

#include "registry/registry_fixture.h"

using namespace wharfage;
using namespace wharfage::sign;
using auth::outcome;
using auth::Principal;
using auth::Role;
using auth::told_of;

namespace {

struct Bench {
  template <class Operation>
  Result<typename Operation::Response> as(const Principal& who,
                                          const typename Operation::Request& request = {}) {
    op::Context context{.who = who,
                        .request_id = "r1",
                        .peer = "192.0.2.7",
                        .facade = "native",
                        .auth = *house.base.auth,
                        .audit = audit,
                        .clock = house.base.clock,
                        .log = house.base.log()};
    return op::invoke<Operation>(room, context, request);
  }
  Policy wanted(const std::string& in) {
    Policy policy;
    policy.namespace_name = in;
    policy.name = "p";
    policy.key_uuid = key.uuid;
    policy.rules = {{.tags = {{"doublestar", "matches", "**", ""}},
                     .repositories = {{"doublestar", "repoMatches", "**", ""}},
                     .repo_scope_mode = "regular"}};
    return policy;
  }

  registry::RegistryFixture house{schema()};
  op::Audit audit{*house.base.db, house.base.clock};
  job::Queue queue{*house.base.db, house.base.clock, house.base.log(), job::QueueOptions{.sole_owner = true}};
  Signing room{*house.registry, *house.base.ids, queue, house.base.vault, {.registry_host = "r.example"}};
  registry::Repository app = house.repository("team/app");
  Key key = *room.create_key("release");
  Principal root = house.base.user("root", true), maintainer = house.base.user("maintainer"),
            developer = house.base.user("developer"), guest = house.base.user("guest"),
            stranger = house.base.user("stranger");
  Bench() {
    room.start();
    house.base.grant(maintainer, app.namespace_id, Role::maintainer);
    house.base.grant(developer, app.namespace_id, Role::developer);
    house.base.grant(guest, app.namespace_id, Role::guest);
  }
};

}  // namespace

TEST_CASE("each rung of the ladder") {
  Bench bench;
  CHECK(outcome(bench.as<CreatePolicy>(bench.developer, {bench.wanted("team")})) == "denied");
  auto made = bench.as<CreatePolicy>(bench.maintainer, {bench.wanted("team")});
  REQUIRE_MESSAGE(made.ok(), made.error().message);
  const PolicyPath path{"team", made->id};
  CHECK(outcome(bench.as<GetPolicy>(bench.guest, path)) == "ok");
  CHECK(outcome(bench.as<ExecutePolicy>(bench.guest, path)) == "denied");
  CHECK(outcome(bench.as<DeletePolicy>(bench.developer, path)) == "denied");
  CHECK(outcome(bench.as<CreateKey>(bench.maintainer, {"mine"})) == "denied");
  CHECK(outcome(bench.as<DeleteKey>(bench.maintainer, {bench.key.uuid})) == "denied");
  CHECK(outcome(bench.as<ListKeys>(bench.stranger)) == "ok");
  CHECK(bench.as<ListPolicies>(bench.guest)->total == 1);
  CHECK(bench.as<ListPolicies>(bench.stranger)->total == 0);
  // The namespace is not a secret then, what it signs with still is.
  REQUIRE(bench.house.registry->update_namespace("team", true, std::nullopt, std::nullopt).ok());
  CHECK(outcome(bench.as<GetPolicy>(bench.stranger, path)) == "denied");
  CHECK(outcome(bench.as<GetPolicy>(Principal::anonymous(), path)) == "unauthenticated");
}

TEST_CASE("what one may not read is refused in the words of what does not exist") {
  Bench bench;
  auto made = bench.as<CreatePolicy>(bench.maintainer, {bench.wanted("team")});
  REQUIRE(made.ok());
  auto execution = bench.as<ExecutePolicy>(bench.root, {"team", made->id});
  REQUIRE(execution.ok());
  auto same = [&](auto operation, const auto& there, const auto& absent) {
    using Operation = decltype(operation);
    std::string told = told_of(bench.as<Operation>(bench.stranger, there), {"team", "absent"});
    CHECK(told == told_of(bench.as<Operation>(bench.root, absent), {"team", "absent"}));
    CHECK(told == told_of(bench.as<Operation>(bench.stranger, absent), {"team", "absent"}));
    CHECK(told == "namespace_unknown|the namespace does not exist|*");
  };
  const PolicyPath there{"team", made->id}, absent{"absent", made->id};
  same(CreatePolicy{}, CreatePolicy::Request{bench.wanted("team")},
       CreatePolicy::Request{bench.wanted("absent")});
  same(GetPolicy{}, there, absent);
  same(UpdatePolicy{}, UpdatePolicy::Request{bench.wanted("team")},
       UpdatePolicy::Request{bench.wanted("absent")});
  same(DeletePolicy{}, there, absent);
  same(ExecutePolicy{}, there, absent);
  same(ListExecutions{}, ListExecutions::Request{there}, ListExecutions::Request{absent});
  same(ListTasks{}, ListTasks::Request{there, *execution}, ListTasks::Request{absent, *execution});
  same(ListSubTasks{}, ListSubTasks::Request{there, *execution, 1},
       ListSubTasks::Request{absent, *execution, 1});
}
