#include "connect/connections.h"

#include "connect/connections_fixture.h"
#include "connect/ops/connections.h"
#include "remote/docker_registry_fixture.h"

using namespace wharfage;
using namespace wharfage::connect;

TEST_CASE("every kind has a name in each cloud, and comes back from it where it can be declared") {
  for (Kind kind : {Kind::own, Kind::acr, Kind::harbor, Kind::quay, Kind::cicd, Kind::jfrog,
                    Kind::swr_private, Kind::swr_shared, Kind::swr_enterprise, Kind::oci}) {
    CHECK(parse_kind(kind_name(kind)) == kind);
    CHECK_FALSE(hss_type(kind).empty());
    CHECK_FALSE(swr_type(kind).empty());
  }
  CHECK(sas_type(Kind::own) == "acr");
  CHECK(sas_type(Kind::cicd) == "CI/CD");
  CHECK_FALSE(sas_type(Kind::oci));
  CHECK_FALSE(sas_type(Kind::jfrog));
  CHECK(parse_sas_type("acr") == Kind::acr);
  CHECK_FALSE(parse_sas_type("Harbor"));
  CHECK(hss_type(Kind::own) == "SwrEnterprise");
  CHECK(hss_type(Kind::quay) == "Other");
  CHECK(parse_hss_type("Jfrog") == Kind::jfrog);
  CHECK(parse_hss_type("Other") == Kind::oci);
  CHECK(hss_image_type(Kind::own) == "instance_image");
  CHECK(hss_image_type(Kind::oci).empty());
  CHECK(parse_swr_type("swr-pro") == Kind::harbor);
  CHECK(swr_type(*parse_swr_type("swr-pro-internal")) == "swr-pro-internal");
  CHECK(swr_type(*parse_swr_type("huawei-SWR")) == "huawei-SWR");
}

TEST_CASE("our own registry is connected by itself, stays the same and cannot be changed") {
  ConnectFixture bench;
  auto own = bench.connections->own();
  REQUIRE(own.ok());
  CHECK(own->alias == bench.house.registry->instance().cri_id);
  CHECK(own->status == "success");
  bench.restart();
  CHECK(bench.connections->own()->uuid == own->uuid);
  CHECK(bench.connections->list({}, {})->total == 1);
  CHECK(outcome(bench.connections->update(own->id, {.name = "x"})) == "unsupported");
  CHECK(outcome(bench.connections->remove(own->id)) == "unsupported");
  CHECK(outcome(bench.connections->open(*own)) == "unsupported");
}

TEST_CASE("a password is sealed, shown as a mask, kept by the mask, and not taken to another address") {
  ConnectFixture bench;
  Connection one = bench.connect("hub", "http://127.0.0.1:1/", Kind::harbor, "robot", "very secret");
  CHECK(one.url == "http://127.0.0.1:1");
  CHECK(one.masked_password() == "******");
  CHECK(bench.house.base.bytes_on_disk().find("very secret") == std::string::npos);
  std::string mask(password_mask);
  REQUIRE(bench.connections->update(one.id, {.username = "other", .password = mask}).ok());
  CHECK(bench.connections->get(one.id)->has_password);
  CHECK(outcome(bench.connections->update(one.id, {.url = "http://evil.example", .password = mask})) ==
        "invalid_parameter");
  CHECK(outcome(bench.connections->update(one.id, {.url = "https://127.0.0.1:1"})) == "invalid_parameter");
  REQUIRE(bench.connections->update(one.id, {.url = "http://other.example", .password = "new"}).ok());
  REQUIRE(bench.connections->update(one.id, {.password = ""}).ok());
  CHECK_FALSE(bench.connections->get(one.id)->has_password);
}

TEST_CASE("names and aliases are unique, addresses are checked, lists are filtered") {
  ConnectFixture bench;
  Connection hub = bench.connect("hub", "http://127.0.0.1:1", Kind::harbor);
  auto make = [&](NewConnection wanted) { return outcome(bench.connections->create(wanted)); };
  CHECK(make({.name = "hub", .url = "http://a.example"}) == "connection_exists");
  CHECK(make({.name = "x", .url = "http://a.example", .alias = hub.alias}) == "connection_exists");
  CHECK(make({.name = "x", .url = "ftp://a.example"}) == "invalid_parameter");
  CHECK(make({.name = "x", .url = "http://user:pw@a.example"}) == "invalid_parameter");
  CHECK(make({.name = "x", .url = "http://a.example/path"}) == "invalid_parameter");
  CHECK(make({.name = "", .url = "http://a.example"}) == "name_invalid");
  CHECK(make({.name = "x", .url = "http://a.example", .alias = "nonsense"}) == "invalid_parameter");
  CHECK(make({.name = "x", .url = "http://a.example", .vendor = {.sas = "no json"}}) == "invalid_parameter");
  CHECK(make({.name = "x", .kind = Kind::own, .url = "http://a.example"}) == "unsupported");
  CHECK(make({.name = "jenkins", .kind = Kind::cicd}) == "ok");
  CHECK(bench.connections->list({.kinds = {Kind::harbor, Kind::cicd}}, {})->total == 2);
  CHECK(bench.connections->list({.not_kinds = {Kind::own}}, {})->total == 2);
  CHECK(bench.connections->list({.name_contains = "HU"}, {})->items.at(0).id == hub.id);
  CHECK(bench.connections->list({.status = "accessing"}, {})->total == 1);
  auto page = bench.connections->list({.order = Filter::Order::name, .descending = true}, {1, 1});
  CHECK(page->total == 3);
  CHECK(page->items.size() == 1);
  CHECK(bench.connections->get_by_reference(std::to_string(hub.id))->id == hub.id);
  CHECK(bench.connections->get_by_reference(hub.uuid)->id == hub.id);
  CHECK(bench.connections->get_by_alias(hub.alias, hub.alias_region)->id == hub.id);
  CHECK(outcome(bench.connections->get_by_alias(hub.alias, "nowhere")) == "connection_unknown");
  REQUIRE(bench.connections->remove(hub.id).ok());
  CHECK(outcome(bench.connections->get(hub.id)) == "connection_unknown");
}

TEST_CASE("a new connection is tried, and its state is told") {
  if (!remote::have_docker_registry()) return;
  remote::DockerRegistry registry(true);
  ConnectFixture bench;
  bench.go();
  Connection good = bench.connect("good", registry.url(), Kind::harbor, "robot", "secret");
  Connection bad = bench.connect("bad", registry.url(), Kind::harbor, "robot", "wrong");
  bench.settle();
  CHECK(bench.connections->get(good.id)->status == "success");
  CHECK(bench.connections->get(bad.id)->status == "fail");
  CHECK(bench.connections->get(bad.id)->fail_reason.find("401") != std::string::npos);
  CHECK(bench.connections->check(good.id).ok());
  registry.stop();
  CHECK(outcome(bench.connections->check(good.id)) == "remote_unreachable");
  CHECK(bench.connections->get(good.id)->status == "fail");
}

TEST_CASE("a token finds its connection until it is replaced") {
  ConnectFixture bench;
  Connection jenkins = bench.connect("jenkins", "", Kind::cicd);
  std::string first = *bench.connections->refresh_token(jenkins.id);
  CHECK(bench.connections->get_by_token(first)->id == jenkins.id);
  std::string second = *bench.connections->refresh_token(jenkins.id);
  CHECK(outcome(bench.connections->get_by_token(first)) == "connection_unknown");
  CHECK(bench.connections->get_by_token(second)->id == jenkins.id);
  CHECK(bench.house.base.bytes_on_disk().find(second) == std::string::npos);
}

TEST_CASE("who copies sees connections, administrators change them, strangers see nothing") {
  ConnectFixture bench;
  auto admin = bench.house.base.user("root", true), alice = bench.house.base.user("alice");
  auto nobody = auth::Principal::anonymous();
  bench.house.base.grant(alice, bench.house.repository("team/app").namespace_id, auth::Role::developer);
  Connections& room = *bench.connections;
  NewConnection wanted{.name = "hub",
                       .kind = Kind::harbor,
                       .url = "http://127.0.0.1:1",
                       .username = "robot",
                       .password = "secret"};
  CHECK(outcome(bench.call<ops::CreateConnection>(room, alice, wanted)) == "denied");
  auto made = bench.call<ops::CreateConnection>(room, admin, wanted);
  REQUIRE(made.ok());
  CHECK(bench.call<ops::ListConnections>(room, alice, {})->total == 2);
  CHECK_FALSE(bench.call<ops::ListConnections>(room, nobody, {}).ok());
  CHECK(bench.call<ops::GetConnection>(room, alice, {.uuid = made->uuid})->id == made->id);
  CHECK(bench.call<ops::GetConnection>(room, alice, {.id = made->id})->username == "");
  CHECK(bench.call<ops::GetConnection>(room, admin, {.id = made->id})->username == "robot");
  auto seen = bench.call<ops::ListConnections>(room, alice, {});
  REQUIRE(seen.ok());
  for (const Connection& one : seen->items) {
    CHECK(one.username == "");
    CHECK(one.masked_password() == "");
  }
  CHECK(outcome(bench.call<ops::UpdateConnection>(room, alice, {.key = {.id = made->id}})) == "denied");
  CHECK(outcome(bench.call<ops::DeleteConnections>(room, alice, {.keys = {{.id = made->id}}})) == "denied");
  CHECK(outcome(bench.call<ops::DeleteConnections>(room, admin, {.keys = {{.uuid = made->uuid}}})) == "ok");
  CHECK(bench.call<ops::CountConnections>(room, alice, {})->success == 1);
}

TEST_CASE("connections are nobody's business who may not copy") {
  ConnectFixture bench;
  auto stranger = bench.house.base.user("stranger"), guest = bench.house.base.user("guest");
  bench.house.base.grant(guest, bench.house.repository("team/app").namespace_id, auth::Role::guest);
  Connections& room = *bench.connections;
  Connection hub = bench.connect("hub", "http://127.0.0.1:1");
  for (const auto& who : {stranger, guest}) {
    CHECK(outcome(bench.call<ops::ListConnections>(room, who, {})) == "denied");
    CHECK(outcome(bench.call<ops::CountConnections>(room, who, {})) == "denied");
    CHECK(outcome(bench.call<ops::GetConnection>(room, who, {.id = hub.id})) == "connection_unknown");
    CHECK(outcome(bench.call<ops::GetConnection>(room, who, {.uuid = hub.uuid})) == "connection_unknown");
    CHECK(bench.call<ops::GetConnection>(room, who, {.id = room.own()->id})->own());
  }
  CHECK(outcome(bench.call<ops::GetConnection>(room, auth::Principal::anonymous(), {.id = hub.id})) ==
        "unauthenticated");
}
