#include "registry/policies.h"
#include "registry/registry_fixture.h"

using namespace wharfage;
using namespace wharfage::registry;

namespace {

struct World : RegistryFixture {
  explicit World(TimeMs grace = 0) : RegistryFixture({}, {.delete_grace_ms = grace}) {}
  void limit(const Repository& of, const Quota& quota) {
    REQUIRE(policies.set_quota(of.namespace_id, quota, who).ok());
  }
  NamespaceUsage usage(const Repository& of) { return *policies.usage(of.namespace_id); }
  void empty_all() {
    for (int round = 0; round < 20; ++round) REQUIRE(registry->collect(0).ok());
  }
  Policies policies{*registry, *base.ids};
};

}  // namespace

TEST_CASE("what a namespace holds: every blob once, tags without those of accessories") {
  World w;
  Repository app = w.repository("team/app"), web = w.repository("team/web"),
             other = w.repository("other/app");
  std::string bytes(1000, 'x');
  w.blob(app, bytes);
  w.blob(app, bytes);
  w.blob(web, bytes);
  w.blob(other, bytes);
  CHECK(w.usage(app).bytes == 1000);
  CHECK(w.usage(app).blobs == 1);
  CHECK(w.usage(other).bytes == 1000);
  CHECK(w.usage(app).repositories == 2);
  auto image = w.push_image(app, "one", {"1", "2", "sha256-" + std::string(64, 'a') + ".sig"});
  CHECK(w.usage(app).tags == 2);
  auto before = w.usage(app);
  REQUIRE(w.policies.fold_usage().ok());
  CHECK(w.count("SELECT COUNT(*) FROM namespace_changes") == 0);
  CHECK(w.usage(app).bytes == before.bytes);
  CHECK(w.usage(app).tags == 2);

  REQUIRE(w.registry->delete_tag(app, "1").ok());
  CHECK(w.usage(app).tags == 1);
  REQUIRE(w.registry->delete_manifest(app, *image.digest).ok());
  CHECK(w.usage(app).tags == 0);
  w.base.clock.advance(1000);
  w.empty_all();
  CHECK(w.usage(app).bytes == 0);
  CHECK(w.usage(app).blobs == 0);
}

TEST_CASE("a deleted repository counts no longer, its bytes until they are purged") {
  World w(day_ms);
  Repository app = w.repository("team/app");
  w.push_image(app, "one", {"1", "2"});
  auto full = w.usage(app);
  REQUIRE(w.registry->delete_repository(app.id).ok());
  CHECK(w.usage(app).repositories == 0);
  CHECK(w.usage(app).tags == 0);
  CHECK(w.usage(app).bytes == full.bytes);
  REQUIRE(w.policies.restore_repository(app.namespace_id, app.id).ok());
  CHECK(w.usage(app).tags == 2);
  REQUIRE(w.registry->delete_repository(app.id).ok());
  REQUIRE(w.policies.purge_namespace(app.namespace_id).ok());
  w.base.clock.advance(1000);
  w.empty_all();
  CHECK(w.usage(app).bytes == 0);
}

TEST_CASE("what is over the quota is refused, whichever way it comes") {
  World w;
  Repository app = w.repository("team/app"), other = w.repository("other/app");
  std::string small(600, 's'), big(600, 'b');
  w.blob(app, small);
  auto elsewhere = w.blob(other, big);
  w.limit(app, {.bytes = 1000});
  CHECK(w.registry->put_blob(app, small).ok());  // is there already
  auto refused = w.registry->put_blob(app, big);
  CHECK(outcome(refused) == "quota_exceeded");
  CHECK(refused.error().message.find("1000 bytes") != std::string::npos);
  CHECK(outcome(w.registry->mount_blob(app, other, elsewhere)) == "quota_exceeded");
  CHECK(outcome(w.registry->mount_blob(app, std::nullopt, elsewhere)) == "quota_exceeded");
  // Of what one may not read, not even its size is told.
  CHECK(w.registry->mount_blob(app, std::vector<std::int64_t>{app.namespace_id}, elsewhere).value() == false);
  CHECK(outcome(w.registry->admit(app, 401)) == "quota_exceeded");
  CHECK(w.registry->admit(app, 400).ok());
  auto id = *w.registry->begin_upload(app, w.who);
  auto writer = *w.registry->open_upload(app, id, w.who, DigestAlgorithm::sha256);
  REQUIRE(writer->append(big).ok());
  CHECK(outcome(w.registry->finish_upload(app, id, *writer, Digest::of(big))) == "quota_exceeded");
  CHECK(outcome(w.registry->open_blob(app, Digest::of(big))) == "blob_unknown");
  w.limit(app, {});
  CHECK(w.registry->put_blob(app, big).ok());
}

TEST_CASE("tags and repositories have quotas of their own") {
  World w;
  Repository app = w.repository("team/app");
  std::string image = w.image(app, "one");
  REQUIRE(w.push(app, image, {"1"}).ok());
  w.limit(app, {.tags = 2, .repositories = 1});
  CHECK(outcome(w.push(app, image, {"2", "3"})) == "quota_exceeded");
  CHECK(w.push(app, image, {"2"}).ok());
  CHECK(outcome(w.push(app, image, {"3"})) == "quota_exceeded");
  CHECK(w.push(app, w.image(app, "two"), {"2"}).ok());  // moved, not made
  CHECK(w.push(app, image, {"sha256-" + std::string(64, 'a') + ".sig"}).ok());
  CHECK(outcome(w.registry->create_repository({.namespace_name = "team", .name = "more"})) ==
        "quota_exceeded");
  CHECK(outcome(w.registry->ensure_repository(*Name::parse("team/more"))) == "quota_exceeded");
  REQUIRE(w.registry->delete_tag(app, "1").ok());
  CHECK(w.push(app, image, {"3"}).ok());
}

TEST_CASE("an event warns once that a namespace is nearly full") {
  World w;
  Repository app = w.repository("team/app");
  w.limit(app, {.bytes = 1000});
  auto warned = [&] { return w.count("SELECT COUNT(*) FROM events WHERE type = 'quota.warning'"); };
  w.blob(app, std::string(849, 'a'));
  REQUIRE(w.policies.fold_usage().ok());
  CHECK(warned() == 0);
  w.blob(app, "b");
  REQUIRE(w.policies.fold_usage().ok());
  CHECK(warned() == 1);
  w.blob(app, "c");
  REQUIRE(w.policies.fold_usage().ok());
  CHECK(warned() == 1);
}
