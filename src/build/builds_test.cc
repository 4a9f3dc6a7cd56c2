#include "build/builds.h"

#include <doctest/doctest.h>

#include "base/text.h"
#include "build/account.h"
#include "build/ops.h"
#include "build/process.h"
#include "build/records.h"
#include "registry/registry_fixture.h"

using namespace wharfage;
using namespace wharfage::build;

namespace {

struct Room {
  registry::RegistryFixture world{schema()};
  Log log = world.base.log();
  op::Audit audit{*world.base.db, world.base.clock};
  std::unique_ptr<job::Queue> queue;
  std::unique_ptr<Builds> builds;
  auth::Principal admin = world.base.user("root", true), alice = world.base.user("alice"),
                  eve = world.base.user("eve");
  registry::Repository app = world.repository("team/app"), other = world.repository("secret/app");
  Options options;

  explicit Room(const std::string& file_root = "") {
    options.work_folder = world.base.folder.path("builds");
    options.registry_address = "127.0.0.1:1";
    options.control_group = "wharfage-test";
    options.disk_reserve_bytes = 0;
    if (!file_root.empty()) options.file_roots = {file_root};
    world.base.grant(alice, app.namespace_id, auth::Role::maintainer);
    restart();
  }
  ~Room() { stop(); }

  void stop() {
    if (queue) queue->stop();
    world.events->stop();
  }
  void restart() {
    queue = std::make_unique<job::Queue>(*world.base.db, world.base.clock, log,
                                         job::QueueOptions{.sole_owner = true});
    builds = std::make_unique<Builds>(*world.base.db, *world.base.ids, *world.registry, *world.base.auth,
                                      *queue, world.base.vault, world.base.clock, options, log);
  }
  void run_all() {
    REQUIRE(builds->start().ok());
    queue->start();
    REQUIRE(queue->wait_idle(120'000));
    queue->stop();
  }

  template <class Operation>
  Result<typename Operation::Response> call(const auth::Principal& who,
                                            const typename Operation::Request& request) {
    op::Context context{.who = who,
                        .facade = "native",
                        .auth = *world.base.auth,
                        .audit = audit,
                        .clock = world.base.clock,
                        .log = log};
    return op::invoke<Operation>(*builds, context, request);
  }

  void add_provider(std::string name = "github",
                    std::string url_template = "https://{domain}/{namespace}/{name}.git") {
    auto made = call<CreateProvider>(
        admin, {{.name = name, .type = "GITHUB", .domain = "github.com", .url_template = url_template}, ""});
    REQUIRE(made.ok());
  }
  Rule add_rule(Recipe recipe = {.push_type = "GIT_BRANCH", .push_name = "main", .image_tag = "latest"}) {
    auto made = call<CreateRule>(alice, {app.public_id, recipe});
    REQUIRE(made.ok());
    return *made;
  }
  void add_source() {
    add_provider();
    auto made =
        call<CreateSource>(alice, {app.public_id, {.type = "GITHUB", .space = "team", .name = "app"}});
    REQUIRE(made.ok());
  }
  Record record(const Record& of) {
    auto now = builds->get_record(of.id);
    REQUIRE(now.ok());
    return *now;
  }
  std::int64_t robots() { return world.count("SELECT COUNT(*) FROM auth_robots"); }
};

template <class T>
Reason reason(const Result<T>& result) {
  REQUIRE_FALSE(result.ok());
  return result.error().reason;
}

}  // namespace

TEST_CASE("only administrators keep providers, and a secret is never told or sent elsewhere") {
  Room room;
  CreateProvider::Request wanted{{.name = "gl",
                                  .type = "GITLAB",
                                  .domain = "git.example",
                                  .url_template = "https://{domain}/{namespace}/{name}",
                                  .credential = "token",
                                  .username = "bot"},
                                 "hunter2"};
  CHECK(reason(room.call<CreateProvider>(room.alice, wanted)) == Reason::denied);
  REQUIRE(room.call<CreateProvider>(room.admin, wanted).ok());
  CHECK(reason(room.call<CreateProvider>(room.admin, wanted)) == Reason::source_provider_exists);
  CHECK(room.world.count("SELECT COUNT(*) FROM source_providers WHERE sealed LIKE '%hunter2%'") == 0);
  auto sealed = [&] {
    auto row = room.world.base.db->read([](meta::Tx& tx) { return records::find_provider(tx, "gl"); });
    return *room.world.base.vault.unseal((*row)->sealed,
                                         "source-provider:" + std::to_string((*row)->provider.id));
  };
  CHECK(sealed() == "hunter2");
  UpdateProvider::Request change{wanted.provider, ""};
  change.provider.username = "robot";
  REQUIRE(room.call<UpdateProvider>(room.admin, change).ok());
  CHECK(sealed() == "hunter2");
  change.provider.domain = "evil.example";
  CHECK(reason(room.call<UpdateProvider>(room.admin, change)) == Reason::missing_parameter);
  change.secret = "new";
  REQUIRE(room.call<UpdateProvider>(room.admin, change).ok());
  CHECK(sealed() == "new");
  CHECK(room.call<GetProvider>(room.admin, {"gl"})->username == "robot");
  CHECK(room.call<ListProviders>(room.admin, {})->total == 1);
  CHECK(room.call<DeleteProvider>(room.admin, {"gl"}).ok());
  CHECK(reason(room.call<GetProvider>(room.admin, {"gl"})) == Reason::source_provider_unknown);
}

TEST_CASE("a repository has one source, of a provider that stays while it is used") {
  Room room;
  CHECK(reason(room.call<GetSource>(room.alice, {room.app.public_id})) == Reason::source_unknown);
  CreateSource::Request wanted{room.app.public_id, {.type = "GITHUB", .space = "team", .name = "app"}};
  CHECK(reason(room.call<CreateSource>(room.alice, wanted)) == Reason::source_provider_unknown);
  room.add_provider();
  wanted.auto_build = true;
  CHECK(reason(room.call<CreateSource>(room.alice, wanted)) == Reason::unsupported);
  wanted.auto_build = false;
  REQUIRE(room.call<CreateSource>(room.alice, wanted).ok());
  CHECK(reason(room.call<CreateSource>(room.alice, wanted)) == Reason::source_exists);
  CHECK(reason(room.call<DeleteProvider>(room.admin, {"github"})) == Reason::conflict);
  wanted.source.name = "app2";
  wanted.source.disable_cache = true;
  REQUIRE(room.call<UpdateSource>(room.alice, wanted).ok());
  auto source = room.call<GetSource>(room.alice, {room.app.public_id});
  CHECK(source->name == "app2");
  CHECK(source->disable_cache);
  CHECK(source->domain == "github.com");
  wanted.source.name = "../x";
  CHECK(reason(room.call<UpdateSource>(room.alice, wanted)) == Reason::invalid_parameter);
  CHECK(room.call<DeleteSource>(room.alice, {room.app.public_id}).ok());
  CHECK(room.call<DeleteProvider>(room.admin, {"github"}).ok());
}

TEST_CASE("rules are kept per repository and change in part") {
  Room room;
  Rule rule = room.add_rule();
  CHECK(rule.id.substr(0, 5) == "crbr-");
  UpdateRule::Request change;
  change.repository_id = room.app.public_id;
  change.rule_id = rule.id;
  change.dockerfile_location = "/docker";
  change.arguments = std::vector<std::string>{"A=b=c"};
  auto changed = room.call<UpdateRule>(room.alice, change);
  REQUIRE(changed.ok());
  CHECK(changed->recipe.push_name == "main");
  CHECK(changed->recipe.dockerfile_location == "/docker");
  auto again = room.call<GetRule>(room.alice, {room.app.public_id, rule.id});
  CHECK(again->recipe.arguments == std::vector<std::string>{"A=b=c"});
  change.image_tag = "${nothing}";
  CHECK(reason(room.call<UpdateRule>(room.alice, change)) == Reason::invalid_parameter);
  CHECK(room.call<ListRules>(room.alice, {room.app.public_id})->total == 1);
  // Of another repository, even for somebody who may see both.
  CHECK(reason(room.call<GetRule>(room.admin, {room.other.public_id, rule.id})) ==
        Reason::build_rule_unknown);
  CHECK(reason(room.call<DeleteRule>(room.admin, {room.other.public_id, rule.id})) ==
        Reason::build_rule_unknown);
  CHECK(room.call<DeleteRule>(room.alice, {room.app.public_id, rule.id}).ok());
}

TEST_CASE("who may not read a repository does not learn of its builds") {
  Room room;
  room.add_source();
  Rule rule = room.add_rule();
  auto record = room.call<CreateRecordByRule>(room.alice, {room.app.public_id, rule.id});
  REQUIRE(record.ok());
  CHECK(room.call<GetRecord>(room.alice, {upper(record->id)})->id == record->id);
  for (const auto& who : {room.eve, auth::Principal::anonymous()}) {
    CHECK_FALSE(room.call<GetRecord>(who, {record->id}).ok());
    CHECK_FALSE(room.call<ListRecords>(who, {room.app.public_id}).ok());
    CHECK_FALSE(room.call<ListRecordLog>(who, {{record->id}}).ok());
    CHECK_FALSE(room.call<CancelRecord>(who, {record->id}).ok());
    CHECK_FALSE(room.call<CreateRecordByRule>(who, {room.app.public_id, rule.id}).ok());
  }
  // What exists is refused in the words of what does not.
  const std::vector<std::string> names = {room.app.public_id, "crr-absent"};
  auto of_repository = [&](auto operation, auto there) {
    using Operation = decltype(operation);
    there.repository_id = room.app.public_id;
    std::string told = auth::told_of(room.call<Operation>(room.eve, there), names);
    there.repository_id = "crr-absent";
    CHECK(told == auth::told_of(room.call<Operation>(room.admin, there), names));
    CHECK(told == "repository_unknown|the repository does not exist|*");
  };
  of_repository(CreateSource{}, CreateSource::Request{});
  of_repository(UpdateSource{}, UpdateSource::Request{});
  of_repository(GetSource{}, GetSource::Request{});
  of_repository(DeleteSource{}, DeleteSource::Request{});
  of_repository(CreateRule{}, CreateRule::Request{});
  of_repository(UpdateRule{}, UpdateRule::Request{{"", rule.id}});
  of_repository(GetRule{}, GetRule::Request{"", rule.id});
  of_repository(ListRules{}, ListRules::Request{});
  of_repository(DeleteRule{}, DeleteRule::Request{"", rule.id});
  of_repository(CreateRecordByRule{}, CreateRecordByRule::Request{"", rule.id});
  of_repository(ListRecords{}, ListRecords::Request{});
  auto of_record = [&](auto operation, auto there) {
    using Operation = decltype(operation);
    there.record_id = record->id;
    std::string told = auth::told_of(room.call<Operation>(room.eve, there), {});
    there.record_id = "no-such-record";
    CHECK(told == auth::told_of(room.call<Operation>(room.admin, there), {}));
    CHECK(told == "build_record_unknown|the build record does not exist|");
  };
  of_record(CreateRecordByRecord{}, CreateRecordByRecord::Request{});
  of_record(GetRecord{}, GetRecord::Request{});
  of_record(GetRecordStatus{}, GetRecordStatus::Request{});
  of_record(ListRecordLog{}, ListRecordLog::Request{});
  of_record(CancelRecord{}, CancelRecord::Request{});
  room.world.base.grant(room.eve, room.app.namespace_id, auth::Role::guest);
  CHECK(room.call<GetRecord>(room.eve, {record->id}).ok());
  CHECK(reason(room.call<CancelRecord>(room.eve, {record->id})) == Reason::denied);
  CHECK(reason(room.call<CreateRecordByRule>(room.eve, {room.app.public_id, rule.id})) == Reason::denied);
  CHECK(reason(room.call<GetRecord>(room.admin, {record->id, room.other.public_id})) ==
        Reason::build_record_unknown);
  CHECK(reason(room.call<GetRecord>(room.admin, {"no-such-record"})) == Reason::build_record_unknown);
}

TEST_CASE("a waiting build is cancelled at once, and only once") {
  Room room;
  Rule rule = room.add_rule();
  CHECK(reason(room.call<CreateRecordByRule>(room.alice, {room.app.public_id, rule.id})) ==
        Reason::source_unknown);
  room.add_source();
  auto record = room.call<CreateRecordByRule>(room.alice, {room.app.public_id, rule.id});
  REQUIRE(record.ok());
  CHECK(room.call<GetRecordStatus>(room.alice, {record->id, room.app.public_id}).value_or(Progress::failed) ==
        Progress::pending);
  CHECK(record->image_tag == "latest");
  REQUIRE(room.call<CancelRecord>(room.alice, {record->id}).ok());
  Record now = room.record(*record);
  CHECK(now.progress == Progress::canceled);
  CHECK(now.ended_at > 0);
  CHECK(room.world.told().back() == "build.canceled team/app:latest");
  CHECK(reason(room.call<CancelRecord>(room.alice, {record->id})) == Reason::build_finished);
  // The same again is a new record of the same recipe.
  auto again = room.call<CreateRecordByRecord>(room.alice, {record->id});
  REQUIRE(again.ok());
  CHECK(again->id != record->id);
  CHECK(again->recipe.push_name == "main");
  auto page = room.call<ListRecords>(room.alice, {room.app.public_id, 0, 1});
  CHECK(page->total == 2);
  REQUIRE(page->items.size() == 1);
  CHECK(page->items[0].id == again->id);
}

TEST_CASE("a deleted repository takes its source, rules and builds along") {
  Room room;
  room.add_source();
  Rule rule = room.add_rule();
  auto record = room.call<CreateRecordByRule>(room.alice, {room.app.public_id, rule.id});
  REQUIRE(record.ok());
  REQUIRE(room.world.registry->delete_repository(room.app.id).ok());
  CHECK(reason(room.call<GetRecord>(room.admin, {record->id})) == Reason::build_record_unknown);
  room.world.events->start();
  REQUIRE(room.world.events->wait_idle(30'000));
  CHECK(room.world.count("SELECT COUNT(*) FROM build_records") == 0);
  CHECK(room.world.count("SELECT COUNT(*) FROM build_rules") == 0);
  CHECK(room.world.count("SELECT COUNT(*) FROM build_sources") == 0);
  CHECK(room.world.count("SELECT COUNT(*) FROM jobs WHERE state = 4") == 1);
}

TEST_CASE("a build that cannot be made fails once, with its reason, stage and log") {
  Room room;
  room.add_provider("local", "file:///nowhere/{namespace}/{name}");
  REQUIRE(room.call<CreateSource>(room.alice,
                                  {room.app.public_id, {.provider = "local", .space = "a", .name = "b"}})
              .ok());
  Rule rule = room.add_rule();
  auto record = room.call<CreateRecordByRule>(room.alice, {room.app.public_id, rule.id});
  REQUIRE(record.ok());
  room.run_all();
  Record now = room.record(*record);
  CHECK(now.progress == Progress::failed);
  CHECK(now.failing_stage == "GIT_CLONE");
  std::string reason = build::obstacle();
  CHECK(
      now.error ==
      (reason.empty() ? "this file:// source does not exist or does not lie in an allowed folder" : reason));
  CHECK(room.world.told().back() == "build.failed team/app:latest");
  auto log = room.call<ListRecordLog>(room.alice, {{record->id}});
  REQUIRE(log.ok());
  REQUIRE_FALSE(log->lines.empty());
  CHECK(log->lines.back().text == now.error);
  CHECK(log->lines.back().stage == "GIT_CLONE");
  CHECK(room.world.count("SELECT attempt FROM jobs") == 1);
}

TEST_CASE("the credential of a build that its server did not survive is revoked at the next start") {
  Room room;
  room.add_source();
  Rule rule = room.add_rule();
  auto record = room.call<CreateRecordByRule>(room.alice, {room.app.public_id, rule.id});
  REQUIRE(record.ok());
  room.world.base.robot("build-left", room.alice.id);
  REQUIRE(room.world.base.db
              ->write([&](meta::Tx& tx) { return records::set_robot(tx, record->id, "build-left"); })
              .ok());
  REQUIRE(room.call<CancelRecord>(room.alice, {record->id}).ok());
  REQUIRE(room.builds->start().ok());
  CHECK(room.robots() == 0);
  CHECK(room.record(*record).robot == "");
}

TEST_CASE("an interrupted build runs once more under the same record, then it has failed") {
  Room room;
  room.add_source();
  Rule rule = room.add_rule();
  auto record = room.call<CreateRecordByRule>(room.alice, {room.app.public_id, rule.id});
  REQUIRE(record.ok());
  // Both attempts were taken by servers that died while they ran.
  REQUIRE(room.world.base.db
              ->write([&](meta::Tx& tx) {
                return tx.execute("UPDATE jobs SET state = 1, attempt = 2, lease_until = 1 WHERE id = $1",
                                  {record->job_id});
              })
              .ok());
  REQUIRE(
      room.world.base.db->write([&](meta::Tx& tx) { return records::begin_record(tx, record->id, 5); }).ok());
  room.run_all();
  Record now = room.record(*record);
  CHECK(now.progress == Progress::failed);
  CHECK(now.error == "the server restarted while the build ran");
  CHECK(now.started_at == 5);
  CHECK(room.world.told().back() == "build.failed team/app:latest");
}
