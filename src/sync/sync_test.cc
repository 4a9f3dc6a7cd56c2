// Copies against a real registry.
#include "sync/sync.h"

#include "base/failpoint.h"
#include "sync/manifest.h"
#include "sync/sync_fixture.h"

using namespace wharfage;
using namespace wharfage::sync;
using remote::DockerRegistry;
using remote::have_docker_registry;
using remote::SilentPeer;

TEST_CASE("a push travels by its rule with all platforms and signatures, and again sends nothing") {
  if (!have_docker_registry()) return;
  DockerRegistry peer(true);
  SyncFixture bench;
  Connection hub = bench.connect("hub", peer.url(), Kind::harbor, "robot", "secret");
  auto repository = bench.house.repository("team/app");
  Rule rule = bench.create(bench.rule(hub.id, "team", Trigger::event, "mirror"));
  bench.go();
  auto image = bench.push_index(repository, "1.0");
  bench.settle();

  auto there = bench.client(peer);
  CHECK(there.find_digest("mirror/app", "1.0").value() == image.digest->text());
  REQUIRE(bench.tasks().size() == 1);
  Task task = bench.tasks()[0];
  CHECK(task.state == State::succeeded);
  CHECK(task.progress == 100);
  CHECK(task.digest == image.digest->text());
  CHECK(task.bytes_sent == task.bytes_total);
  CHECK(task.bytes_total > 0);
  auto layers = *bench.room->layers_of(task.id);
  CHECK(layers.size() == 4);
  for (const Layer& layer : layers) {
    CHECK(layer.state == State::succeeded);
    CHECK(layer.done == layer.size);
  }
  auto copies = *bench.room->copies_of(repository.id, image.digest->text());
  REQUIRE(copies.size() == 1);
  CHECK(copies[0].verified);
  CHECK(copies[0].repository == "mirror/app");
  CHECK(copies[0].connection_id == hub.id);

  // A signature that comes later follows: cosign's tag, and a referrer that this peer lists only by its tag.
  std::string tag = fallback_tag(*image.digest) + ".sig";
  auto signature = bench.house.push_image(repository, "signature", {tag});
  auto sbom = bench.house.push_image(repository, "sbom", {}, bench.subject(image));
  bench.settle();
  CHECK(there.find_digest("mirror/app", tag).value() == signature.digest->text());
  CHECK(there.find_digest("mirror/app", sbom.digest->text()).value() == sbom.digest->text());
  auto fallback = there.find_manifest("mirror/app", fallback_tag(*image.digest)).value();
  REQUIRE(fallback);
  CHECK(fallback->bytes.find(sbom.digest->text()) != std::string::npos);

  int writes = peer.writes();
  CHECK(writes > 0);
  auto execution = bench.room->execute(rule.id);
  REQUIRE(execution.ok());
  bench.settle();
  CHECK(bench.room->get_execution(*execution)->state == State::succeeded);
  auto groups = bench.room->list_groups(*execution, {})->items;
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].source == "team/app");
  CHECK(groups[0].target == "mirror/app");
  CHECK(groups[0].state == State::succeeded);
  auto repeated = *bench.room->list_tasks({.group_id = groups[0].id, .readable = {}}, {});
  REQUIRE(repeated.items.size() == 1);
  const Task& again = repeated.items[0];
  CHECK(again.state == State::succeeded);
  CHECK(again.bytes_sent == 0);
  CHECK(again.bytes_done == again.bytes_total);
  auto passed_over = *bench.room->layers_of(again.id);
  CHECK(passed_over.size() == 4);
  for (const Layer& layer : passed_over) CHECK(layer.done == layer.size);
  CHECK(peer.writes() == writes);
}

TEST_CASE("signatures that are there already travel with the first copy, and blobs are mounted") {
  if (!have_docker_registry()) return;
  DockerRegistry peer;
  SyncFixture bench;
  Connection hub = bench.connect("hub", peer.url());
  auto repository = bench.house.repository("team/app"), other = bench.house.repository("team/other");
  auto image = bench.house.push_image(repository, "x", {"1.0"});
  std::string tag = fallback_tag(*image.digest) + ".sig";
  auto signature = bench.house.push_image(repository, "s", {tag}, bench.subject(image));
  auto about_signature = bench.house.push_image(repository, "t", {}, bench.subject(signature));
  bench.house.push_image(other, "x", {"2.0"}, R"(,"annotations":{"a":"b"})");
  bench.go();
  Task first = bench.copy(repository, "1.0", hub.id);
  bench.settle();
  CHECK(bench.now(first).state == State::succeeded);
  auto there = bench.client(peer);
  CHECK(there.find_digest("team/app", tag).value() == signature.digest->text());
  CHECK(there.find_digest("team/app", about_signature.digest->text()).value());
  int sent = peer.logged("\"PUT /v2/team/other/blobs");
  Task second = bench.copy(other, "2.0", hub.id);
  bench.settle();
  CHECK(bench.now(second).state == State::succeeded);
  CHECK(there.find_digest("team/other", "2.0").value());
  CHECK(peer.logged("\"PUT /v2/team/other/blobs") == sent);  // both blobs came from team/app over there
}

TEST_CASE("a tag that is another image is moved only when asked") {
  if (!have_docker_registry()) return;
  DockerRegistry peer;
  SyncFixture bench;
  Connection hub = bench.connect("hub", peer.url());
  auto repository = bench.house.repository("team/app");
  auto one = bench.house.push_image(repository, "one", {"1", "x"});
  auto two = bench.house.push_image(repository, "two", {"2"});
  bench.go();
  bench.copy(repository, "1", hub.id, false, "stable");
  bench.settle();
  Task refused = bench.copy(repository, "2", hub.id, false, "stable");
  bench.settle();
  CHECK(bench.now(refused).state == State::failed);
  CHECK(bench.now(refused).issue == Issue::tag_conflict);
  CHECK(bench.client(peer).find_digest("team/app", "stable").value() == one.digest->text());
  Task moved = bench.copy(repository, "2", hub.id, true, "stable");
  bench.settle();
  CHECK(bench.now(moved).state == State::succeeded);
  CHECK(bench.client(peer).find_digest("team/app", "stable").value() == two.digest->text());
  auto told = bench.house.told();
  CHECK(std::count(told.begin(), told.end(), "sync.failed team/app:2") == 1);
  CHECK(std::count(told.begin(), told.end(), "sync.completed team/app:2") == 1);
}

TEST_CASE("wrong credentials fail at once, an unreachable registry after its attempts") {
  if (!have_docker_registry()) return;
  DockerRegistry peer(true);
  SyncFixture bench;
  SilentPeer closed;
  closed.close();
  Connection wrong = bench.connect("wrong", peer.url(), Kind::harbor, "robot", "nonsense");
  Connection dead = bench.connect("dead", closed.url());
  auto repository = bench.house.repository("team/app");
  bench.house.push_image(repository, "x", {"1"});
  bench.go();
  Task denied = bench.copy(repository, "1", wrong.id), lost = bench.copy(repository, "1", dead.id);
  bench.settle();
  CHECK(bench.now(denied).state == State::failed);
  CHECK(bench.now(denied).issue == Issue::denied);
  CHECK(bench.now(lost).state == State::pending);
  CHECK(bench.now(lost).issue == Issue::network);
  for (int attempt = 0; attempt < limits::job_attempts_max; ++attempt) {
    bench.halt();
    bench.house.base.clock.advance(hour_ms);
    bench.restart();
    bench.renew();
    bench.go();
    bench.settle();
  }
  CHECK(bench.now(lost).state == State::failed);
  CHECK(bench.now(lost).issue == Issue::network);
  CHECK_FALSE(bench.now(lost).text.empty());
}

TEST_CASE("a copy that breaks off goes on where it was") {
  if (!have_docker_registry()) return;
  DockerRegistry peer;
  SyncFixture bench;
  Connection hub = bench.connect("hub", peer.url());
  auto repository = bench.house.repository("team/app");
  bench.push_index(repository, "1");
  Task task = bench.copy(repository, "1", hub.id);
  {
    failpoint::Armed broken("sync.arrived", 3);
    bench.go();
    bench.settle();
  }
  CHECK(bench.now(task).state == State::pending);
  std::int64_t before = bench.now(task).bytes_sent;
  CHECK(before > 0);
  bench.halt();
  bench.house.base.clock.advance(hour_ms);
  bench.restart();
  bench.renew();
  bench.go();
  bench.settle();
  Task after = bench.now(task);
  CHECK(after.state == State::succeeded);
  CHECK(after.bytes_sent < after.bytes_total + before);
  CHECK(after.bytes_done == after.bytes_total);
}

TEST_CASE("a process that is killed in the middle of a copy finishes it when it is back") {
  if (!have_docker_registry()) return;
  auto silent = std::make_unique<SilentPeer>();
  SyncFixture bench;
  Connection hub = bench.connect("hub", silent->url());
  auto repository = bench.house.repository("team/app");
  auto image = bench.house.push_image(repository, "x", {"1"});
  Task task = bench.copy(repository, "1", hub.id);
  // The child has the database to itself: this process has no thread of it that writes meanwhile.
  std::string file = bench.house.base.folder.path("meta.db");
  pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto db = meta::open_sqlite(file);
    meta::Ids ids(**db);
    job::Events events(**db, bench.house.base.clock, bench.house.base.log());
    registry::Registry registry(**db, ids, *bench.house.store, events, bench.house.base.clock,
                                bench.house.base.log());
    (void)registry.ensure_instance({}).ok();
    job::Queue queue(**db, bench.house.base.clock, bench.house.base.log(), {.sole_owner = true});
    http::Client http({.allow_private = true, .allowed = {}}, "wharfage-test");
    connect::Connections connections(registry, ids, queue, bench.house.base.vault, http);
    Sync room(connections, ids, queue, {});
    if (!connections.start().ok() || !room.start().ok()) ::_exit(3);
    queue.start();
    for (;;) ::pause();
  }
  REQUIRE(silent->visited());  // it waits for an answer that never comes
  REQUIRE(bench.eventually([&] { return bench.now(task).state == State::running; }));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  int port = silent->port();
  silent.reset();
  DockerRegistry peer(false, port);
  bench.restart();
  bench.renew();
  bench.go();
  bench.settle();
  CHECK(bench.now(task).state == State::succeeded);
  CHECK(bench.client(peer).find_digest("team/app", "1").value() == image.digest->text());
  CHECK(bench.room->copies_of(repository.id, image.digest->text())->size() == 1);
}

TEST_CASE("copies are canceled while they wait and while they run, and an execution is stopped") {
  SilentPeer silent;
  SyncFixture bench;
  Connection hub = bench.connect("hub", silent.url());
  auto repository = bench.house.repository("team/app");
  bench.house.push_image(repository, "x", {"1"});
  Task waiting = bench.copy(repository, "1", hub.id);
  REQUIRE(bench.room->cancel_task(waiting.public_id).ok());
  CHECK(bench.now(waiting).state == State::canceled);
  CHECK(outcome(bench.room->cancel_task(waiting.public_id)) == "task_finished");
  Task running = bench.copy(repository, "1", hub.id);
  bench.go();
  REQUIRE(bench.eventually([&] { return bench.now(running).state == State::running; }));
  REQUIRE(silent.visited());
  REQUIRE(bench.room->cancel_task(running.public_id).ok());
  CHECK(bench.eventually([&] { return bench.now(running).state == State::canceled; }));
  Rule rule = bench.create(bench.rule(hub.id, "team"));
  std::int64_t execution = *bench.room->execute(rule.id);
  REQUIRE(bench.eventually([&] { return bench.tasks().size() == 3; }));
  REQUIRE(bench.room->stop_execution(execution).ok());
  CHECK(bench.room->get_execution(execution)->state == State::canceled);
  CHECK(bench.eventually(
      [&] { return bench.room->list_groups(execution, {})->items.at(0).state == State::canceled; }));
  CHECK(outcome(bench.room->stop_execution(execution)) == "task_finished");
  for (const Task& task : bench.tasks()) CHECK(task.state == State::canceled);
  CHECK(bench.room->copies_of(repository.id, waiting.digest)->empty());
}

TEST_CASE("images are pulled, with their signatures, and what has no namespace is put into library") {
  if (!have_docker_registry()) return;
  DockerRegistry peer(true);
  SyncFixture bench;
  Connection hub = bench.connect("hub", peer.url(), Kind::harbor, "robot", "secret");
  auto made = bench.house.repository("team/app");
  auto image = bench.push_index(made, "1.0");
  std::string tag = fallback_tag(*image.digest) + ".sig";
  auto signature = bench.house.push_image(made, "s", {tag});
  bench.go();
  bench.copy(made, "1.0", hub.id);
  bench.settle();
  bench.house.repository("mirror/other");
  Rule pull{.name = "pull", .direction = Direction::pull, .connection_id = hub.id};
  pull.repository_pattern = "team/**";
  pull.target_namespace = "mirror";
  Rule rule = bench.create(pull);
  CHECK(rule.namespace_id == bench.house.registry->get_namespace("mirror")->id);
  std::int64_t execution = *bench.room->execute(rule.id);
  bench.settle();
  CHECK(bench.room->get_execution(execution)->state == State::succeeded);
  auto pulled = bench.house.registry->find_repository({"mirror", "app"});
  REQUIRE(pulled.ok());
  CHECK(bench.house.registry->get_tag(*pulled, "1.0")->manifest.digest == image.digest);
  CHECK(bench.house.registry->get_tag(*pulled, tag)->manifest.digest == signature.digest);
  auto copies = *bench.room->copies_of(pulled->id, image.digest->text());
  REQUIRE(copies.size() == 1);
  CHECK(copies[0].direction == Direction::pull);
  CHECK(copies[0].repository == "team/app");

  peer.stop();
  execution = *bench.room->execute(rule.id);
  bench.settle();
  CHECK(bench.room->get_execution(execution)->state == State::running);  // tried again later
}

TEST_CASE("two namespaces that copy to each other come to rest") {
  SyncFixture bench;
  std::int64_t own = bench.connections->own()->id;
  auto repository = bench.house.repository("left/app");
  bench.house.repository("right/unused");
  Rule there = bench.rule(own, "left", Trigger::event, "right"),
       back = bench.rule(own, "right", Trigger::event, "left");
  there.overwrite = back.overwrite = true;
  bench.create(there);
  bench.create(back);
  bench.go();
  auto image = bench.house.push_image(repository, "x", {"1"});
  bench.settle();
  auto right = bench.house.registry->find_repository({"right", "app"});
  REQUIRE(right.ok());
  CHECK(bench.house.registry->get_tag(*right, "1")->manifest.digest == image.digest);
  auto all = bench.tasks();
  CHECK(all.size() == 2);  // there, and back with nothing to send
  for (const Task& task : all) CHECK(task.state == State::succeeded);
  CHECK(all[0].bytes_sent == 0);
}

TEST_CASE("rules know their connection, name and place") {
  SyncFixture bench;
  std::int64_t own = bench.connections->own()->id;
  Connection hub = bench.connect("hub", "http://127.0.0.1:1");
  bench.house.repository("team/app");
  auto told = [&](const Rule& rule) { return outcome(bench.room->create_rule(rule)); };
  CHECK(told(bench.rule(999, "team")) == "connection_unknown");
  CHECK(told(bench.rule(hub.id, "nowhere")) == "namespace_unknown");
  CHECK(told(bench.rule(own, "team")) == "invalid_parameter");
  CHECK(told(bench.rule(own, "team", Trigger::manual, "nowhere")) == "namespace_unknown");
  Rule one = bench.rule(hub.id, "team");
  one.scope = Scope::repository;
  one.source_repository = "none";
  CHECK(told(one) == "repository_unknown");
  Rule made = bench.create(bench.rule(hub.id, "team"));
  CHECK(told(bench.rule(hub.id, "team")) == "sync_rule_exists");
  CHECK(outcome(bench.connections->remove(hub.id)) == "connection_in_use");
  made.enabled = false;
  REQUIRE(bench.room->update_rule(made).ok());
  CHECK(outcome(bench.room->execute(made.id)) == "sync_rule_disabled");
  CHECK(bench.room->list_rules({.connection_id = hub.id, .readable = {}}, {})->total == 1);
  CHECK(bench.room->list_rules({.readable = std::vector<std::int64_t>{12345}}, {})->total == 0);
  REQUIRE(bench.room->delete_rule(made.id).ok());
  CHECK(outcome(bench.room->get_rule(made.id)) == "sync_rule_unknown");
  CHECK(bench.connections->remove(hub.id).ok());
}

TEST_CASE("a schedule starts one execution when it is due") {
  SyncFixture bench;
  std::int64_t own = bench.connections->own()->id;
  auto repository = bench.house.repository("left/app");
  bench.house.repository("right/unused");
  bench.house.push_image(repository, "x", {"1"});
  Rule rule = bench.rule(own, "left", Trigger::scheduled, "right");
  rule.cron = "0 0 1 * * *";
  rule = bench.create(rule);
  REQUIRE(bench.room->tick().ok());
  CHECK(bench.room->list_executions(rule.id, std::nullopt, {})->total == 0);
  bench.house.base.clock.advance(day_ms);
  REQUIRE(bench.room->tick().ok());
  REQUIRE(bench.room->tick().ok());
  auto page = bench.room->list_executions(rule.id, std::nullopt, {});
  CHECK(page->total == 1);
  CHECK(page->items.at(0).cause == Trigger::scheduled);
  bench.go();
  bench.settle();
  CHECK(bench.house.registry->find_repository({"right", "app"}).ok());
  bench.house.base.clock.advance(limits::sync_task_kept_ms + day_ms);
  REQUIRE(bench.room
              ->update_rule([&] {
                rule.enabled = false;
                return rule;
              }())
              .ok());
  REQUIRE(bench.room->tick().ok());
  CHECK(bench.tasks().empty());
}
