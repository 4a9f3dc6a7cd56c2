#include "inventory/inventory.h"

#include <algorithm>
#include <cstring>

#include "connect/connections_fixture.h"
#include "inventory/ops/inventory.h"
#include "remote/docker_registry_fixture.h"

using namespace wharfage;
using namespace wharfage::inventory;
using connect::Kind;
using connect::outcome;
using remote::DockerRegistry;
using remote::have_docker_registry;
using remote::SilentPeer;

namespace {

struct Bench : connect::ConnectFixture {
  explicit Bench(Options options = {}) : connect::ConnectFixture(schema()) {
    room = std::make_unique<Inventory>(*connections, *house.base.ids, *queue, options);
    REQUIRE(room->start().ok());
  }
  ~Bench() { halt(); }
  Task run(const NewTask& wanted = {}) {
    auto task = room->create_task(wanted);
    REQUIRE(task.ok());
    settle();
    return *room->get_task(task->id);
  }
  std::vector<TaskRegistry> rows(const Task& task, const RegistryFilter& filter = {}) {
    return room->list_registries(task.id, filter, {0, 100})->items;
  }
  std::vector<Image> images(const ImageFilter& filter = {}) {
    return room->list_images(filter, {0, 100})->items;
  }

  std::unique_ptr<Inventory> room;
};

constexpr const char* manifest_type = "application/vnd.oci.image.manifest.v1+json";

// Writes an image of one layer to a registry elsewhere; its digest.
std::string give(Bench& bench, const DockerRegistry& peer, const std::string& repository,
                 const std::string& tag, const std::string& seed) {
  remote::RegistryClient client(bench.http,
                                {.url = peer.url(), .username = "robot", .password = "secret", .ca_pem = {}});
  for (const std::string& bytes : {"{\"seed\":\"" + seed + "\"}", "layer " + seed}) {
    std::size_t at = 0;
    REQUIRE(client
                .push_blob(repository, Digest::of(bytes), static_cast<std::int64_t>(bytes.size()),
                           [&](char* buffer, std::size_t size) -> Result<std::size_t> {
                             std::size_t count = std::min(size, bytes.size() - at);
                             std::memcpy(buffer, bytes.data() + at, count);
                             at += count;
                             return count;
                           })
                .ok());
  }
  std::string config = "{\"seed\":\"" + seed + "\"}", layer = "layer " + seed;
  std::string bytes =
      registry::image_json(registry::descriptor(Digest::of(config), config.size(), registry::oci_config),
                           {registry::descriptor(Digest::of(layer), layer.size(), registry::oci_layer)});
  REQUIRE(client.put_manifest(repository, tag, manifest_type, bytes).ok());
  return Digest::of(bytes).text();
}

}  // namespace

TEST_CASE("a run lists every registry; a dead and a refusing one fail by themselves") {
  if (!have_docker_registry()) return;
  DockerRegistry peer(true);
  Bench bench;
  SilentPeer closed;
  closed.close();
  bench.house.push_image(bench.house.repository("team/app"), "mine", {"1.0"});
  std::string digest = give(bench, peer, "library/web", "2.0", "theirs");
  give(bench, peer, "ubuntu", "22.04", "plain");
  auto hub = bench.connect("hub", peer.url(), Kind::harbor, "robot", "secret");
  auto dead = bench.connect("dead", closed.url(), Kind::jfrog);
  auto wrong = bench.connect("wrong", peer.url(), Kind::quay, "robot", "nonsense");
  bench.connect("jenkins", "", Kind::cicd);
  auto started = bench.room->create_task({.creator = "root"});
  REQUIRE(started.ok());
  CHECK(started->running());
  CHECK(started->progress() == 0);
  CHECK(bench.rows(*started, {.state = RowState::running}).size() == 5);
  bench.go();
  bench.settle();
  Task task = *bench.room->get_task(started->id);
  CHECK(task.progress() == 100);
  CHECK(task.total == 5);
  CHECK(task.finished == 3);
  CHECK(task.failed == 2);
  auto failed = bench.rows(task, {.state = RowState::failed});
  REQUIRE(failed.size() == 2);
  for (const TaskRegistry& row : failed) CHECK_FALSE(row.failed_reason.empty());
  CHECK(bench.rows(task, {.name_contains = "EA"}).at(0).connection_uuid == dead.uuid);
  CHECK(bench.rows(task, {.kinds = {Kind::harbor, Kind::quay}}).size() == 2);
  CHECK(bench.room->list_registries(task.id, {}, {4, 10})->items.size() == 1);
  CHECK(outcome(bench.room->list_registries("none", {}, {})) == "task_unknown");

  auto web = bench.images({.name_contains = "web"});
  REQUIRE(web.size() == 1);
  CHECK(web[0].namespace_name == "library");
  CHECK(web[0].digest == digest);
  CHECK(web[0].size == 17 + 12);
  CHECK(web[0].connection_name == "hub");
  CHECK(bench.images({.tag_contains = "22.0"}).at(0).namespace_name.empty());
  auto mine = bench.images({.kinds = {Kind::own}});
  REQUIRE(mine.size() == 1);
  CHECK(mine[0].name == "app");
  CHECK(mine[0].size > 0);
  CHECK(bench.connections->get(hub.id)->image_count == 2);
  CHECK(bench.connections->get(hub.id)->synced_at == bench.house.base.clock.now());
  CHECK(bench.connections->get(hub.id)->status == "success");
  CHECK(bench.connections->get(dead.id)->status == "fail");
  CHECK(bench.connections->get(wrong.id)->fail_reason.find("401") != std::string::npos);
  auto told = bench.house.told();
  CHECK(std::count(told.begin(), told.end(), "inventory.completed 5 registries") == 1);
}

TEST_CASE("the next run replaces what was found, keeps ids, and asks only for what is new") {
  if (!have_docker_registry()) return;
  DockerRegistry peer;
  Bench bench;
  auto hub = bench.connect("hub", peer.url(), Kind::harbor);
  give(bench, peer, "library/web", "1.0", "one");
  give(bench, peer, "library/web", "2.0", "two");
  bench.go();
  bench.run({.all = false, .uuids = {hub.uuid}});
  auto before = bench.images({.connection_id = hub.id});
  REQUIRE(before.size() == 2);
  int reads = peer.logged("\"GET /v2/library/web/manifests/");
  bench.house.base.clock.advance(hour_ms);
  std::string digest = give(bench, peer, "library/web", "2.0", "changed");
  give(bench, peer, "library/api", "1.0", "three");
  Task task = bench.run({.all = false, .kinds = {Kind::harbor}});
  CHECK(task.total == 1);
  auto after = bench.images({.connection_id = hub.id});
  REQUIRE(after.size() == 3);
  CHECK(after[0].name == "api");
  CHECK(after[1].id == before[0].id);
  CHECK(after[1].updated_at == before[0].updated_at);
  CHECK(after[2].id == before[1].id);
  CHECK(after[2].digest == digest);
  CHECK(after[2].updated_at == bench.house.base.clock.now());
  CHECK(peer.logged("\"GET /v2/library/web/manifests/") == reads + 1);
  CHECK(bench.images({.connection_id = hub.id, .newest_version_only = true}).size() == 2);
  CHECK(bench.house.count("SELECT count(*) FROM external_images") == 3);  // the old generation is gone
  CHECK(bench.room->get_image(after[2].id)->tag == "2.0");
  peer.stop();
  bench.run({.all = false, .connections = {hub.id}});
  CHECK(bench.images({.connection_id = hub.id}).size() == 3);  // a failed run takes nothing away
}

TEST_CASE("a registry that hangs does not hold up the others, and its run ends with the server's") {
  if (!have_docker_registry()) return;
  DockerRegistry peer;
  Bench bench;
  SilentPeer silent;
  auto hub = bench.connect("hub", peer.url(), Kind::harbor);
  auto hangs = bench.connect("hangs", silent.url(), Kind::harbor);
  auto task = bench.room->create_task({.all = false, .kinds = {Kind::harbor}});
  REQUIRE(task.ok());
  bench.go();
  REQUIRE(silent.visited());
  auto finished = [&] { return !bench.rows(*task, {.state = RowState::finished}).empty(); };
  REQUIRE(bench.eventually(finished));
  CHECK(bench.rows(*task, {.state = RowState::finished}).at(0).connection_id == hub.id);
  CHECK(bench.rows(*task, {.state = RowState::running}).at(0).connection_id == hangs.id);
  CHECK(bench.room->get_task(task->id)->progress() == 50);
  bench.halt();
  silent.close();
  bench.restart();
  bench.room =
      std::make_unique<Inventory>(*bench.connections, *bench.house.base.ids, *bench.queue, Options{});
  REQUIRE(bench.room->start().ok());
  bench.go();
  bench.settle();
  CHECK(bench.room->get_task(task->id)->progress() == 100);
  CHECK(bench.rows(*task, {.state = RowState::failed}).at(0).connection_id == hangs.id);
}

TEST_CASE("a CI/CD system tells its images itself, and a run leaves them alone") {
  Bench bench;
  auto jenkins = bench.connect("jenkins", "", Kind::cicd), hub = bench.connect("hub", "http://127.0.0.1:1");
  Image image{.namespace_name = "team", .name = "app", .tag = "7", .digest = "sha256:1", .size = 5};
  auto added = bench.room->add_image(jenkins, image);
  REQUIRE(added.ok());
  image.digest = "sha256:2";
  CHECK(bench.room->add_image(jenkins, image)->id == added->id);
  CHECK(outcome(bench.room->add_image(hub, image)) == "invalid_parameter");
  bench.go();
  bench.run({.all = false, .connections = {jenkins.id}});
  auto images = bench.images({.connection_id = jenkins.id});
  REQUIRE(images.size() == 1);
  CHECK(images[0].digest == "sha256:2");
  CHECK(bench.connections->get(jenkins.id)->image_count == 1);
}

TEST_CASE("choosing nothing, or what is not there, is refused") {
  Bench bench;
  CHECK(outcome(bench.room->create_task({.all = false})) == "invalid_parameter");
  CHECK(outcome(bench.room->create_task({.all = false, .uuids = {"none"}})) == "connection_unknown");
  CHECK(outcome(bench.room->create_task({.all = false, .kinds = {Kind::quay}})) == "invalid_parameter");
  CHECK(outcome(bench.room->get_task("none")) == "task_unknown");
}

TEST_CASE("the daily run starts once when it is due, and old tasks are forgotten") {
  Bench bench({.schedule = "0 0 1 * * *"});
  REQUIRE(bench.room->tick().ok());
  CHECK(bench.room->list_tasks({}, {})->total == 0);
  bench.house.base.clock.advance(day_ms);
  REQUIRE(bench.room->tick().ok());
  REQUIRE(bench.room->tick().ok());
  auto page = bench.room->list_tasks({.type = "cycle", .running = true}, {});
  CHECK(page->total == 1);
  bench.go();
  bench.settle();
  CHECK(bench.room->list_tasks({.running = true}, {})->total == 0);
  TimeMs made = page->items.at(0).created_at;
  CHECK(bench.room->list_tasks({.from = made + 1}, {})->total == 0);
  CHECK(bench.room->list_tasks({.from = made, .until = made}, {})->total == 1);
  bench.house.base.clock.advance(limits::inventory_tasks_kept_ms + day_ms);
  REQUIRE(bench.room->tick().ok());
  CHECK(bench.room->list_tasks({.task_id = page->items.at(0).id}, {})->total == 0);
}

TEST_CASE("administrators start runs; of our own registry everybody sees what he may read") {
  Bench bench;
  auto admin = bench.house.base.user("root", true), alice = bench.house.base.user("alice"),
       stranger = bench.house.base.user("stranger"), developer = bench.house.base.user("developer");
  auto team = bench.house.repository("team/app"), other = bench.house.repository("other/secret");
  bench.house.base.grant(alice, team.namespace_id, auth::Role::guest);
  bench.house.base.grant(developer, team.namespace_id, auth::Role::developer);
  bench.house.push_image(team, "x", {"1"});
  bench.house.push_image(other, "y", {"1"});
  bench.go();
  CHECK(outcome(bench.call<ops::CreateTask>(*bench.room, alice, {})) == "denied");
  auto task = bench.call<ops::CreateTask>(*bench.room, admin, {});
  REQUIRE(task.ok());
  CHECK(task->creator == "root");
  bench.settle();
  CHECK(bench.call<ops::ListImages>(*bench.room, admin, {})->total == 2);
  auto seen = bench.call<ops::ListImages>(*bench.room, alice, {});
  REQUIRE(seen->total == 1);
  CHECK(seen->items.at(0).namespace_name == "team");
  CHECK(bench.call<ops::ListTaskRegistries>(*bench.room, developer, {.task_id = task->id})->total == 1);
  CHECK(bench.call<ops::ListTasks>(*bench.room, developer, {})->total == 1);
  for (const auto& who : {alice, stranger}) {
    CHECK(outcome(bench.call<ops::ListTaskRegistries>(*bench.room, who, {.task_id = task->id})) == "denied");
    CHECK(outcome(bench.call<ops::GetTask>(*bench.room, who, {.task_id = task->id})) == "denied");
    CHECK(outcome(bench.call<ops::ListTasks>(*bench.room, who, {})) == "denied");
  }
  // What another registry holds is for those who may know of it.
  auto jenkins = bench.connect("jenkins", "", connect::Kind::cicd);
  REQUIRE(bench.room->add_image(jenkins, {.name = "app", .tag = "1"}).ok());
  CHECK(bench.call<ops::ListImages>(*bench.room, admin, {})->total == 3);
  CHECK(bench.call<ops::ListImages>(*bench.room, developer, {})->total == 2);
  CHECK(bench.call<ops::ListImages>(*bench.room, alice, {})->total == 1);
  CHECK(bench.call<ops::ListImages>(*bench.room, stranger, {})->total == 0);
  CHECK(bench.call<ops::ListImages>(*bench.room, alice, {.filter = {.connection_id = jenkins.id}})->total ==
        0);
  std::string long_name(limits::repository_name_max + 1, 'x');
  for (ImageFilter filter :
       {ImageFilter{.namespace_contains = long_name}, ImageFilter{.name_contains = long_name},
        ImageFilter{.tag_contains = long_name}}) {
    CHECK(outcome(bench.call<ops::ListImages>(*bench.room, admin, {.filter = filter})) ==
          "invalid_parameter");
  }
  CHECK_FALSE(bench.call<ops::ListTasks>(*bench.room, auth::Principal::anonymous(), {}).ok());
}
