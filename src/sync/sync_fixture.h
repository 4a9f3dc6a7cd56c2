// For tests only: everything a copy needs.
#pragma once

#include "connect/connections_fixture.h"
#include "remote/docker_registry_fixture.h"
#include "sync/sync.h"

namespace wharfage::sync {

using connect::Connection;
using connect::Kind;
using connect::outcome;
using registry::descriptor;
using registry::index_json;

struct SyncFixture : connect::ConnectFixture {
  SyncFixture() : connect::ConnectFixture(schema()) { renew(); }
  ~SyncFixture() { halt(); }
  void renew() {
    room = std::make_unique<Sync>(*connections, *house.base.ids, *queue, Options{});
    REQUIRE(room->start().ok());
  }

  Rule rule(std::int64_t connection, const std::string& source_namespace, Trigger trigger = Trigger::manual,
            const std::string& target_namespace = "") {
    Rule wanted{.name = "from " + source_namespace + " to " + std::to_string(connection) + target_namespace};
    wanted.connection_id = connection;
    wanted.source_namespace = source_namespace;
    wanted.target_namespace = target_namespace;
    wanted.trigger = trigger;
    return wanted;
  }
  Rule create(const Rule& wanted) {
    auto made = room->create_rule(wanted);
    if (!made.ok()) FAIL(made.error().message);
    return *made;
  }
  Task copy(const registry::Repository& repository, const std::string& tag, std::int64_t connection,
            bool overwrite = false, const std::string& target_tag = "") {
    auto made = room->create_task({.repository_id = repository.id,
                                   .tag = tag,
                                   .connection_id = connection,
                                   .target_namespace = {},
                                   .target_repository = {},
                                   .target_tag = target_tag,
                                   .overwrite = overwrite});
    if (!made.ok()) FAIL(made.error().message);
    return *made;
  }
  Task now(const Task& task) { return *room->get_task(task.public_id); }
  std::vector<Task> tasks() { return room->list_tasks({}, {0, 100})->items; }
  remote::RegistryClient client(const remote::DockerRegistry& peer) {
    return remote::RegistryClient(
        http, {.url = peer.url(), .username = "robot", .password = "secret", .ca_pem = {}});
  }
  // An image of two platforms, with an SBOM as an OCI referrer.
  registry::Manifest push_index(const registry::Repository& repository, const std::string& tag) {
    std::vector<std::string> children;
    for (const char* seed : {"amd64", "arm64"}) {
      auto child = house.push_image(repository, seed + tag, {});
      children.push_back(
          descriptor(*child.digest, static_cast<std::size_t>(child.size), registry::oci_manifest));
    }
    auto pushed = house.push(repository, index_json(children), {tag}, registry::oci_index);
    REQUIRE(pushed.ok());
    return pushed->manifest;
  }
  std::string subject(const registry::Manifest& of) {
    return R"(,"subject":)" + descriptor(*of.digest, static_cast<std::size_t>(of.size), of.media_type);
  }

  std::unique_ptr<Sync> room;
};

}  // namespace wharfage::sync
