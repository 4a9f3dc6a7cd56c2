// For tests only, of this room and those above: a registry on a database and a blob store of its own, at a
// time that stands still, and the few lines that make images.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "auth/auth_fixture.h"
#include "job/queue.h"
#include "op/audit.h"
#include "registry/registry.h"

namespace wharfage::registry {

constexpr const char* oci_manifest = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* oci_index = "application/vnd.oci.image.index.v1+json";
constexpr const char* docker_manifest = "application/vnd.docker.distribution.manifest.v2+json";
constexpr const char* oci_layer = "application/vnd.oci.image.layer.v1.tar+gzip";
constexpr const char* oci_config = "application/vnd.oci.image.config.v1+json";

inline std::vector<meta::Migration> with_registry_schemas(std::vector<meta::Migration> more = {}) {
  for (const auto& list : {schema(), job::schema(), op::schema()}) {
    for (const meta::Migration& migration : list) more.push_back(migration);
  }
  return more;
}

inline std::string descriptor(const Digest& digest, std::size_t size, std::string_view media_type) {
  return fmt::format(R"({{"mediaType":"{}","digest":"{}","size":{}}})", media_type, digest.text(), size);
}
inline std::string image_json(const std::string& config, const std::vector<std::string>& layers,
                              const std::string& more = "") {
  return fmt::format(R"({{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]{}}})", oci_manifest,
                     config, fmt::join(layers, ","), more);
}
inline std::string index_json(const std::vector<std::string>& children, const std::string& more = "") {
  return fmt::format(R"({{"schemaVersion":2,"mediaType":"{}","manifests":[{}]{}}})", oci_index,
                     fmt::join(children, ","), more);
}

struct RegistryFixture {
  // `more`: the schemas of rooms above.
  explicit RegistryFixture(std::vector<meta::Migration> more = {}, Options options = {})
      : base(with_registry_schemas(std::move(more))), x_options(options) {
    store = *blob::Store::open(base.folder.path("data"));
    events = std::make_unique<job::Events>(*base.db, base.clock, base.log());
    restart();
    REQUIRE(registry->ensure_instance({}).ok());
  }

  void restart() {
    registry.reset();
    registry =
        std::make_unique<Registry>(*base.db, *base.ids, *store, *events, base.clock, base.log(), x_options);
  }

  // Of a name like "team/app"; both are made when they are missing.
  Repository repository(const std::string& full_name) {
    Name name = *Name::parse(full_name);
    if (!registry->get_namespace(name.namespace_name).ok())
      REQUIRE(registry->create_namespace({.name = name.namespace_name}).ok());
    auto made = registry->ensure_repository(name);
    REQUIRE(made.ok());
    return *made;
  }

  std::string file(const Digest& of, const std::string& area = "blobs") const {
    std::string hex(of.hex());
    return base.folder.path("data/" + area + "/sha256/" + hex.substr(0, 2) + "/" + hex);
  }
  Digest blob(const Repository& repository, const std::string& bytes) {
    auto digest = registry->put_blob(repository, bytes);
    REQUIRE(digest.ok());
    return *digest;
  }

  Result<Registry::Pushed> push(const Repository& repository, const std::string& bytes,
                                std::vector<std::string> tags, const std::string& media_type = oci_manifest) {
    ManifestPush push{.bytes = bytes, .media_type = media_type, .tags = std::move(tags)};
    if (push.tags.empty()) push.digest = Digest::of(bytes);
    push.event_origin = "push";
    return registry->put_manifest(repository, push, who);
  }

  // The JSON of an image whose blobs it puts into the repository.
  std::string image(const Repository& repository, const std::string& seed, const std::string& more = "") {
    std::string config = R"({"os":"linux","seed":")" + seed + "\"}", layer = "layer of " + seed;
    return image_json(descriptor(blob(repository, config), config.size(), oci_config),
                      {descriptor(blob(repository, layer), layer.size(), oci_layer)}, more);
  }
  Manifest push_image(const Repository& repository, const std::string& seed, std::vector<std::string> tags,
                      const std::string& more = "") {
    auto pushed = push(repository, image(repository, seed, more), std::move(tags));
    REQUIRE(pushed.ok());
    return pushed->manifest;
  }

  // "type subject" of every event so far, in order.
  std::vector<std::string> told() {
    auto rows = base.db->read(
        [](meta::Tx& tx) { return tx.query("SELECT type, subject FROM events ORDER BY rowid"); });
    REQUIRE(rows.ok());
    std::vector<std::string> lines;
    for (const auto& row : *rows) lines.push_back(row.text(0) + " " + row.text(1));
    return lines;
  }
  std::int64_t count(std::string_view sql) {
    auto row = base.db->read([&](meta::Tx& tx) { return tx.first(sql); });
    REQUIRE(row.ok());
    return (*row)->integer(0);
  }

  void execute(const std::string& sql) {
    REQUIRE(base.db
                ->write([&](meta::Tx& tx) -> Status {
                  auto done = tx.execute(sql);
                  return done.ok() ? Status() : done.error();
                })
                .ok());
  }

  auth::AuthFixture base;
  std::unique_ptr<blob::Store> store;
  std::unique_ptr<job::Events> events;
  std::unique_ptr<Registry> registry;
  auth::Principal who{.kind = auth::Principal::Kind::user, .id = 1, .name = "alice"};

 private:
  Options x_options;
};

using auth::outcome;

}  // namespace wharfage::registry
