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
TEST_CASE("manifests count with their own bytes, until they are purged") {
  World w(day_ms);
  Repository app = w.repository("team/app"), web = w.repository("team/web");
  std::string image = w.image(app, "one", R"(,"annotations":{"a":")" + std::string(4000, 'x') + "\"}");
  auto blobs = w.usage(app).bytes;
  auto size = static_cast<std::int64_t>(image.size());
  auto pushed = w.push(app, image, {"1"});
  REQUIRE(pushed.ok());
  CHECK(w.usage(app).bytes == blobs + size);
  REQUIRE(w.push(app, image, {"2"}).ok());  // the same again
  CHECK(w.usage(app).bytes == blobs + size);
  CHECK(w.registry->usage()->bytes == blobs);  // of the store: its blobs
  REQUIRE(w.registry->fold_pulls().ok());
  CHECK(w.registry->usage()->bytes == blobs);

  std::string next = w.image(app, "one", R"(,"annotations":{"b":")" + std::string(4000, 'x') + "\"}");
  w.limit(app, {.bytes = blobs + 2 * size - 1});
  CHECK(outcome(w.push(app, next, {"3"})) == "quota_exceeded");
  CHECK(outcome(w.registry->get_tag(app, "3")) == "tag_unknown");
  w.limit(app, {.bytes = blobs + 2 * size});
  CHECK(w.push(app, next, {"3"}).ok());
  CHECK(w.push(app, image, {"4"}).ok());  // brings nothing

  REQUIRE(w.registry->delete_manifest(app, *pushed->manifest.digest).ok());
  CHECK(w.usage(app).bytes == blobs + 2 * size);  // it can come back
  CHECK(w.push(app, image, {"1"}).ok());
  CHECK(w.usage(app).bytes == blobs + 2 * size);
  REQUIRE(w.registry->delete_manifest(app, *pushed->manifest.digest).ok());
  REQUIRE(w.policies.purge_manifest(app, *pushed->manifest.digest).ok());
  CHECK(w.usage(app).bytes == blobs + size);
  CHECK(w.registry->usage()->bytes == blobs);
}

TEST_CASE("manifests of a deleted repository count until it has been emptied") {
  for (bool folded : {false, true}) {
    World w(day_ms);
    Repository app = w.repository("team/app"), web = w.repository("team/web");
    auto gone = w.push_image(app, "one", {"1"}), kept = w.push_image(app, "two", {"2"});
    auto full = w.usage(app).bytes;
    REQUIRE(w.registry->delete_manifest(app, *gone.digest).ok());
    REQUIRE(w.registry->delete_repository(app.id).ok());
    if (folded) {
      REQUIRE(w.registry->fold_pulls().ok());
      REQUIRE(w.policies.fold_usage().ok());
    }
    CHECK(w.usage(web).bytes == full);
    w.base.clock.advance(day_ms);
    while (*w.policies.purge()) {
    }
    w.base.clock.advance(1000);
    w.empty_all();
    CHECK(w.count("SELECT COUNT(*) FROM repositories") == 1);
    CHECK(w.usage(web).bytes == 0);
    REQUIRE(w.registry->fold_pulls().ok());
    CHECK(w.registry->usage()->bytes == 0);
    CHECK(w.count("SELECT COUNT(*) FROM registry_counts WHERE repository_id <> 0 AND bytes <> 0") == 0);
  }
}

TEST_CASE("a store from before counts the manifests it has") {
  World w(day_ms);
  Repository app = w.repository("team/app"), gone = w.repository("team/gone");
  auto one = w.push_image(app, "one", {"1"});
  w.push_image(app, "two", {"2"});
  w.push_image(gone, "three", {"3"});
  REQUIRE(w.registry->delete_manifest(app, *one.digest).ok());
  REQUIRE(w.registry->delete_repository(gone.id).ok());
  auto right = w.usage(app);
  auto run = [&w](const std::string& sql) {
    REQUIRE(w.base.db->write([&](meta::Tx& tx) { return tx.execute(sql); }).ok());
  };
  std::string held = "(SELECT SUM(size) FROM manifests)";
  run("UPDATE registry_changes SET bytes = 0 WHERE repository_id <> 0");
  run("INSERT INTO namespace_changes SELECT id, 0, 0, 0, -" + held + " FROM namespaces");
  CHECK(w.usage(app).bytes < right.bytes);
  for (const auto& step : schema()) {
    if (step.number != 316) continue;
    for (std::size_t from = 0, to; (to = step.sql.find(';', from)) != std::string::npos; from = to + 1)
      run(std::string(step.sql.substr(from, to - from)));
  }
  CHECK(w.usage(app).bytes == right.bytes);
  REQUIRE(w.registry->delete_manifest(app, *w.registry->get_tag(app, "2")->manifest.digest).ok());
  w.base.clock.advance(day_ms + 1);
  while (*w.policies.purge()) {
  }
  w.empty_all();
  CHECK(w.usage(app).bytes == 0);
}

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
