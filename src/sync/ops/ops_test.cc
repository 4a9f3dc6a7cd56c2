// Who may do what with rules and copies.
#include "sync/ops/rules.h"
#include "sync/ops/tasks.h"
#include "sync/sync_fixture.h"

using namespace wharfage;
using namespace wharfage::sync;
using auth::Role;

namespace {

struct Ops : SyncFixture {
  template <class Operation>
  Result<typename Operation::Response> as(const auth::Principal& who,
                                          const typename Operation::Request& request) {
    return call<Operation>(*room, who, request);
  }
  template <class Operation>
  std::string told(const auth::Principal& who, const typename Operation::Request& request) {
    return outcome(as<Operation>(who, request));
  }
  std::int64_t namespace_id(const char* name) { return house.registry->get_namespace(name)->id; }

  registry::Repository app = house.repository("team/app"), secret = house.repository("other/secret");
  Connection hub = connect("hub", "http://127.0.0.1:1");
  auth::Principal admin = house.base.user("root", true), maintainer = house.base.user("maintainer"),
                  developer = house.base.user("developer"), stranger = house.base.user("stranger");
  Ops() {
    house.base.grant(maintainer, namespace_id("team"), Role::maintainer);
    house.base.grant(developer, namespace_id("team"), Role::developer);
    house.push_image(app, "x", {"1"});
    house.push_image(secret, "y", {"1"});
  }
};

}  // namespace

TEST_CASE("maintainers make rules of their namespace, nobody else does, and strangers do not see them") {
  Ops bench;
  Rule wanted = bench.rule(bench.hub.id, "team");
  CHECK(bench.told<ops::CreateRule>(bench.developer, wanted) == "denied");
  CHECK(bench.told<ops::CreateRule>(bench.stranger, wanted) == "namespace_unknown");
  auto rule = bench.as<ops::CreateRule>(bench.maintainer, wanted);
  REQUIRE(rule.ok());
  CHECK(rule->creator == "maintainer");
  CHECK(bench.told<ops::CreateRule>(bench.maintainer, bench.rule(bench.hub.id, "other")) ==
        "namespace_unknown");
  CHECK(bench.told<ops::GetRule>(bench.developer, {.id = rule->id}) == "ok");
  CHECK(bench.told<ops::GetRule>(bench.stranger, {.public_id = rule->public_id}) == "sync_rule_unknown");
  CHECK(bench.as<ops::ListRules>(bench.developer, {})->total == 1);
  CHECK(bench.as<ops::ListRules>(bench.stranger, {})->total == 0);
  CHECK(bench.told<ops::ExecuteRule>(bench.stranger, {.id = rule->id}) == "sync_rule_unknown");
  auto run = bench.as<ops::ExecuteRule>(bench.developer, {.id = rule->id});
  REQUIRE(run.ok());
  CHECK(bench.told<ops::GetExecution>(bench.stranger, {run->execution_id}) == "execution_unknown");
  CHECK(bench.told<ops::ListGroups>(bench.developer, {.execution_id = run->execution_id}) == "ok");
  CHECK(bench.as<ops::ListExecutions>(bench.stranger, {})->total == 0);
  CHECK(bench.as<ops::ListExecutions>(bench.developer, {})->total == 1);
  // To be moved into a namespace that is not his.
  Rule moved = *rule;
  moved.source_namespace = "other";
  CHECK(bench.told<ops::UpdateRule>(bench.maintainer, moved) != "ok");
  CHECK(bench.told<ops::DeleteRule>(bench.developer, {.id = rule->id}) == "denied");
  CHECK(bench.told<ops::DeleteRule>(bench.maintainer, {.id = rule->id}) == "ok");
}

TEST_CASE("what pulls or spans namespaces is the administrators', and others do not see it") {
  Ops bench;
  Rule pull{.name = "pull", .direction = Direction::pull, .connection_id = bench.hub.id};
  pull.target_namespace = "team";
  CHECK(bench.told<ops::CreateRule>(bench.maintainer, pull) == "denied");
  CHECK(bench.told<ops::CreateRule>(bench.admin, pull) == "ok");
  Rule everything{.name = "all", .connection_id = bench.hub.id};
  CHECK(bench.told<ops::CreateRule>(bench.maintainer, everything) == "denied");
  auto all = bench.as<ops::CreateRule>(bench.admin, everything);
  REQUIRE(all.ok());
  CHECK(bench.told<ops::GetRule>(bench.maintainer, {.id = all->id}) == "sync_rule_unknown");
  std::int64_t execution = *bench.room->execute(all->id);
  CHECK(bench.told<ops::ListGroups>(bench.maintainer, {.execution_id = execution}) == "execution_unknown");
  CHECK(bench.told<ops::ListGroups>(bench.admin, {.execution_id = execution}) == "ok");
}

TEST_CASE("a copy inside this registry needs write access where it goes") {
  Ops bench;
  std::string own = std::to_string(bench.connections->own()->id);
  ops::CreateTask::Request request{.repository_public_id = bench.app.public_id, .tag = "1", .link = own};
  request.target_namespace = "other";
  CHECK(bench.told<ops::CreateTask>(bench.developer, request) == "namespace_unknown");
  bench.house.base.grant(bench.developer, bench.namespace_id("other"), Role::guest);
  CHECK(bench.told<ops::CreateTask>(bench.developer, request) == "denied");
  CHECK(bench.told<ops::CreateTask>(bench.admin, request) == "ok");
  Rule rule = bench.rule(bench.connections->own()->id, "team", Trigger::event, "other");
  CHECK(bench.told<ops::CreateRule>(bench.maintainer, rule) == "namespace_unknown");
  bench.house.base.grant(bench.maintainer, bench.namespace_id("other"), Role::developer);
  CHECK(bench.told<ops::CreateRule>(bench.maintainer, rule) == "ok");
}

TEST_CASE("what one may not read is refused in the words of what does not exist") {
  Ops bench;
  Rule rule = bench.create(bench.rule(bench.hub.id, "team"));
  std::int64_t execution = *bench.room->execute(rule.id);
  auto task = bench.as<ops::CreateTask>(
      bench.developer, {.repository_public_id = bench.app.public_id, .tag = "1", .link = bench.hub.uuid});
  REQUIRE(task.ok());
  const std::vector<std::string> names = {bench.app.public_id, "crr-absent", "absent", "team"};
  auto same = [&](auto operation, const auto& there, const auto& absent, std::string_view reason) {
    using Operation = decltype(operation);
    std::string told = auth::told_of(bench.as<Operation>(bench.stranger, there), names);
    CHECK(told == auth::told_of(bench.as<Operation>(bench.admin, absent), names));
    CHECK(told.substr(0, told.find('|')) == reason);
  };
  using namespace ops;
  Rule other = rule, gone = rule;
  other.source_namespace = "absent";
  gone.id = 999'999;
  gone.public_id = "absent";
  const RuleKey key{.id = rule.id}, no_key{.id = gone.id};
  same(CreateRule{}, rule, other, "namespace_unknown");
  same(GetRule{}, key, no_key, "sync_rule_unknown");
  same(UpdateRule{}, rule, gone, "sync_rule_unknown");
  same(DeleteRule{}, key, no_key, "sync_rule_unknown");
  same(ExecuteRule{}, key, no_key, "sync_rule_unknown");
  same(ListExecutions{}, ListExecutions::Request{.rule_id = rule.id},
       ListExecutions::Request{.rule_id = gone.id}, "sync_rule_unknown");
  same(GetExecution{}, ExecutionKey{execution}, ExecutionKey{999'999}, "execution_unknown");
  same(StopExecution{}, ExecutionKey{execution}, ExecutionKey{999'999}, "execution_unknown");
  same(ListGroups{}, ListGroups::Request{execution}, ListGroups::Request{999'999}, "execution_unknown");
  same(ListGroupTasks{}, ListGroupTasks::Request{execution, 1}, ListGroupTasks::Request{999'999, 1},
       "execution_unknown");
  same(GetTask{}, GetTask::Request{task->public_id}, GetTask::Request{"absent"}, "task_unknown");
  same(CancelTask{}, CancelTask::Request{task->public_id}, CancelTask::Request{"absent"}, "task_unknown");
  CreateTask::Request copy{.repository_public_id = bench.app.public_id, .tag = "1"}, no_copy = copy;
  no_copy.repository_public_id = "crr-absent";
  same(CreateTask{}, copy, no_copy, "repository_unknown");
  CreateTaskByRule::Request by{rule.public_id, bench.app.public_id, "1"},
      no_by{rule.public_id, "crr-absent", "1"};
  same(CreateTaskByRule{}, by, no_by, "repository_unknown");
  // To list by a namespace that is not the caller's finds as much as by one that is not there.
  for (const char* name : {"team", "absent"})
    CHECK(bench.as<ListRules>(bench.stranger, {.filter = {.source_namespace = name}})->total == 0);
  // Into which namespace of ours a copy is to go.
  by.repository_public_id = bench.app.public_id;
  copy.link = std::to_string(bench.connections->own()->id);
  copy.target_namespace = "other";
  no_copy = copy;
  no_copy.target_namespace = "absent";
  auto told = auth::told_of(bench.as<CreateTask>(bench.developer, copy), {"other"});
  CHECK(told == auth::told_of(bench.as<CreateTask>(bench.developer, no_copy), {"absent"}));
}

TEST_CASE("targets are found by link, and by alias and region") {
  Ops bench;
  ops::CreateTask::Request request{.repository_public_id = bench.app.public_id, .tag = "1"};
  request.alias = bench.hub.alias;
  request.region = "elsewhere";
  CHECK(bench.told<ops::CreateTask>(bench.developer, request) == "connection_unknown");
  request.region = bench.hub.alias_region;
  auto task = bench.as<ops::CreateTask>(bench.developer, request);
  REQUIRE(task.ok());
  CHECK(task->to.connection_id == bench.hub.id);
  CHECK(bench.told<ops::GetTask>(bench.stranger, {task->public_id}) == "task_unknown");
  CHECK(bench.as<ops::GetTask>(bench.developer, {task->public_id})->task.from.full_name() == "team/app");
  CHECK(bench.as<ops::ListTasks>(bench.developer, {})->total == 1);
  CHECK(bench.as<ops::ListTasks>(bench.stranger, {})->total == 0);
  CHECK(bench.told<ops::CancelTask>(bench.stranger, {task->public_id}) == "task_unknown");
  CHECK(bench.told<ops::CancelTask>(bench.developer, {task->public_id}) == "ok");
  request.tag = "none";
  CHECK(bench.told<ops::CreateTask>(bench.developer, request) == "tag_unknown");
  Rule rule = bench.create(bench.rule(bench.hub.id, "team"));
  ops::CreateTaskByRule::Request by{
      .rule_public_id = rule.public_id, .repository_public_id = bench.app.public_id, .tag = "1"};
  CHECK(bench.told<ops::CreateTaskByRule>(bench.stranger, by) == "repository_unknown");
  CHECK(bench.as<ops::CreateTaskByRule>(bench.developer, by)->rule_public_id == rule.public_id);
  by.repository_public_id = bench.secret.public_id;
  CHECK(bench.told<ops::CreateTaskByRule>(bench.admin, by) == "sync_rule_unknown");
  CHECK(bench.told<ops::ListCopies>(bench.stranger, {.repository_id = bench.app.id}) == "repository_unknown");
}
