#include <boost/json.hpp>

#include "base/limits.h"
#include "registry/registry_fixture.h"

using namespace wharfage;
using namespace wharfage::registry;

namespace {

using Strings = std::vector<std::string>;

Strings tags(const Result<Page<Tag>>& page) {
  Strings list;
  for (const auto& tag : page->items) list.push_back(tag.name);
  return list;
}

}  // namespace

TEST_CASE("an image is pushed and pulled byte for byte") {
  RegistryFixture f;
  Registry& registry = *f.registry;
  Repository app = f.repository("team/app");
  std::string bytes = f.image(app, "one", R"(,   "unknown" : [ 1 ])");
  f.base.clock.advance(7);
  auto pushed = f.push(app, bytes, {"1.0", "latest", "1.0"});
  REQUIRE(pushed.ok());
  CHECK(pushed->created);
  CHECK(pushed->tags == Strings{"1.0", "latest"});
  CHECK(pushed->manifest.bytes.empty());
  auto size = static_cast<std::int64_t>(bytes.size());
  CHECK(pushed->manifest.total_size ==
        size + std::int64_t(std::string(R"({"os":"linux","seed":"one"})").size() +
                            std::string("layer of one").size()));

  for (const std::string& reference : {std::string("1.0"), std::string("latest"), Digest::of(bytes).text()}) {
    for (int cached = 0; cached < 2; ++cached) {
      auto pulled = registry.get_manifest(app, reference);
      REQUIRE(pulled.ok());
      CHECK(pulled->bytes == bytes);
      CHECK(pulled->media_type == oci_manifest);
      CHECK(pulled->artifact_type == oci_config);
      CHECK(pulled->id == pushed->manifest.id);
      CHECK(pulled->pushed_at == f.base.clock.now());
    }
  }
  CHECK(registry.get_manifest(pushed->manifest.id)->bytes == bytes);
  CHECK(outcome(registry.get_manifest(app, "2.0")) == "manifest_unknown");
  CHECK(outcome(registry.get_manifest(app, "not a tag")) == "manifest_unknown");
  CHECK(outcome(registry.get_manifest(app, "sha256:bad")) == "digest_invalid");
  CHECK(outcome(registry.get_manifest(app, Digest::of("x").text())) == "manifest_unknown");
  CHECK(outcome(registry.get_manifest(f.repository("team/other"), Digest::of(bytes).text())) ==
        "manifest_unknown");
  CHECK(f.told() == Strings{"image.pushed team/app:1.0", "image.pushed team/app:latest"});
}

TEST_CASE("the event says what was pushed") {
  RegistryFixture f;
  Repository app = f.repository("team/app");
  Manifest image = f.push_image(app, "one", {"1.0"});
  auto row = f.base.db->read([](meta::Tx& tx) { return tx.first("SELECT data FROM events"); });
  auto data = boost::json::parse((*row)->text(0)).as_object();
  CHECK(data["instance"].as_string() == f.registry->instance().cri_id);
  CHECK(data["namespace"].as_string() == "team");
  CHECK(data["repository"].as_string() == "app");
  CHECK(data["repository_id"].as_int64() == app.id);
  CHECK(data["manifest_id"].as_int64() == image.id);
  CHECK(data["tag"].as_string() == "1.0");
  CHECK(data["digest"].as_string() == image.digest->text());
  CHECK(data["media_type"].as_string() == oci_manifest);
  CHECK(data["size"].as_int64() == image.total_size);
  CHECK(data["origin"].as_string() == "push");
  CHECK(data["actor"].as_string() == "alice");
  CHECK(data["accessory"].as_bool() == false);
  CHECK(data["pushed_at"].as_int64() == f.base.clock.now());
}

TEST_CASE("a push that changes nothing is fine and tells nobody") {
  RegistryFixture f;
  Repository app = f.repository("team/app");
  std::string bytes = f.image(app, "one");
  REQUIRE(f.push(app, bytes, {"1.0"}).ok());
  auto again = f.push(app, bytes, {"1.0"});
  REQUIRE(again.ok());
  CHECK_FALSE(again->created);
  REQUIRE(f.push(app, bytes, {}).ok());
  CHECK(f.told().size() == 1);
  auto tagged = f.push(app, bytes, {"2.0", "1.0"});
  REQUIRE(tagged.ok());
  CHECK_FALSE(tagged->created);
  CHECK(f.told() == Strings{"image.pushed team/app:1.0", "image.pushed team/app:2.0"});
  // Another Content-Type for the same bytes would make them another thing.
  CHECK(outcome(f.push(app, bytes, {"3.0"}, docker_manifest)) == "manifest_invalid");
  CHECK(f.push(app, bytes, {"3.0"}, std::string(oci_manifest) + ";charset=utf-8").ok());
  CHECK(f.registry->get_manifest(app, "3.0")->media_type == oci_manifest);
}

TEST_CASE("a push by digest") {
  RegistryFixture f;
  Repository app = f.repository("team/app");
  std::string bytes = f.image(app, "one");
  ManifestPush push{
      .bytes = bytes, .media_type = oci_manifest, .digest = Digest::of("else"), .event_origin = "push"};
  CHECK(outcome(f.registry->put_manifest(app, push, f.who)) == "digest_invalid");
  push.digest = Digest::of(bytes, DigestAlgorithm::sha512);
  REQUIRE(f.registry->put_manifest(app, push, f.who).ok());
  CHECK(f.registry->get_manifest(app, push.digest->text())->digest == push.digest);
  CHECK(outcome(f.registry->get_manifest(app, Digest::of(bytes).text())) == "manifest_unknown");
  CHECK(f.told() == Strings{"image.pushed team/app@" + push.digest->text()});
  push.digest.reset();
  CHECK(outcome(f.registry->put_manifest(app, push, f.who)) == "tag_invalid");
  push.tags = {"a/b"};
  CHECK(outcome(f.registry->put_manifest(app, push, f.who)) == "tag_invalid");
  push.tags.clear();
  for (std::size_t i = 0; i <= limits::manifest_tags_per_push_max; ++i)
    push.tags.push_back(std::to_string(i));
  CHECK(outcome(f.registry->put_manifest(app, push, f.who)) == "too_large");
}

TEST_CASE("what an image refers to must be in its repository") {
  RegistryFixture f;
  Repository app = f.repository("team/app"), other = f.repository("team/other");
  std::string elsewhere = f.image(other, "one");
  auto refused = f.push(app, elsewhere, {"1.0"});
  CHECK(outcome(refused) == "manifest_blob_unknown");
  CHECK(refused.error().detail == Digest::of(R"({"os":"linux","seed":"one"})").text());
  CHECK(outcome(f.registry->get_manifest(app, "1.0")) == "manifest_unknown");
  CHECK(f.registry->get_repository(app.id)->artifact_count == 0);
  CHECK(f.told().empty());

  // Layers that are fetched elsewhere need not be here.
  std::string config = descriptor(f.blob(app, "{}"), 2, oci_config);
  const Digest absent = Digest::of("absent");
  for (const char* type : {"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
                           "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"}) {
    CHECK(f.push(app, image_json(config, {descriptor(absent, 1, type)}), {"foreign"}).ok());
  }
  CHECK(outcome(f.push(app, image_json(config, {descriptor(absent, 1, oci_layer)}), {"x"})) ==
        "manifest_blob_unknown");
  // The same layer twice, and the config as a layer.
  CHECK(f.push(app, image_json(config, {config, config}), {"twice"}).ok());
}

TEST_CASE("an index needs its children") {
  RegistryFixture f;
  Repository app = f.repository("team/app");
  Manifest amd = f.push_image(app, "amd64", {}), arm = f.push_image(app, "arm64", {});
  auto child = [](const Manifest& m) {
    return descriptor(*m.digest, static_cast<std::size_t>(m.size), m.media_type);
  };
  std::string bytes = index_json({child(amd), child(arm), child(amd)});
  auto index = f.push(app, bytes, {"multi"}, oci_index);
  REQUIRE(index.ok());
  CHECK(index->manifest.total_size == index->manifest.size + amd.total_size + arm.total_size);
  CHECK(f.registry->get_manifest(app, "multi")->artifact_type.empty());
  std::string lost = index_json({descriptor(Digest::of("lost"), 1, oci_manifest)});
  auto refused = f.push(app, lost, {"x"}, oci_index);
  CHECK(outcome(refused) == "manifest_blob_unknown");
  CHECK(refused.error().detail == Digest::of("lost").text());
  // Build caches list blobs; but a manifest stays a manifest.
  Digest blob = f.blob(app, "cache");
  CHECK(f.push(app, index_json({descriptor(blob, 5, oci_layer)}), {"cache"}, oci_index).ok());
  CHECK(outcome(f.push(app, index_json({descriptor(blob, 5, oci_manifest)}), {"x"}, oci_index)) ==
        "manifest_blob_unknown");
  CHECK(outcome(f.registry->delete_blob(app, blob)) == "conflict");

  CHECK(outcome(f.registry->delete_manifest(app, *amd.digest)) == "conflict");
  REQUIRE(f.registry->delete_manifest(app, *index->manifest.digest).ok());
  CHECK(f.registry->delete_manifest(app, *amd.digest).ok());

  RegistryFixture sparse({}, {.sparse_indexes = true});
  Repository there = sparse.repository("team/app");
  CHECK(sparse.push(there, lost, {"x"}, oci_index).ok());
  Digest late = Digest::of("late cache");
  REQUIRE(sparse.push(there, index_json({descriptor(late, 10, oci_layer)}), {"cache"}, oci_index).ok());
  sparse.blob(there, "late cache");
  sparse.base.clock.advance(1000);
  REQUIRE(sparse.registry->collect(0).ok());
  CHECK(sparse.registry->blob_size(there, late).ok());
}

TEST_CASE("a sparse image keeps the blobs that come later") {
  Digest layer = Digest::of("late layer"), foreign = Digest::of("late foreign layer");
  for (bool sparse : {false, true}) {
    CAPTURE(sparse);
    RegistryFixture f({}, {.sparse_images = sparse});
    Repository app = f.repository("team/app");
    std::string config = "{}";
    std::string lost =
        image_json(descriptor(f.blob(app, config), 2, oci_config), {descriptor(layer, 10, oci_layer)});
    auto pushed = f.push(app, lost, {"x"});
    CHECK(pushed.ok() == sparse);
    if (!sparse) CHECK(outcome(pushed) == "manifest_blob_unknown");
    std::string windows =
        image_json(descriptor(f.blob(app, config), 2, oci_config),
                   {descriptor(foreign, 18, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")});
    auto other = f.push(app, windows, {"w"});
    REQUIRE(other.ok());

    f.blob(app, "late layer");
    f.blob(app, "late foreign layer");
    f.base.clock.advance(1000);
    REQUIRE(f.registry->collect(0).ok());
    CHECK(f.registry->blob_size(app, layer).ok() == sparse);
    CHECK(f.registry->blob_size(app, foreign).ok());
    CHECK(outcome(f.registry->delete_blob(app, foreign)) == "conflict");

    REQUIRE(f.registry->delete_manifest(app, *other->manifest.digest).ok());
    f.base.clock.advance(1000);
    REQUIRE(f.registry->collect(0).ok());
    CHECK(outcome(f.registry->blob_size(app, foreign)) == "blob_unknown");
    CHECK(f.registry->blob_size(app, layer).ok() == sparse);
  }
}

TEST_CASE("tags move, unless they may not") {
  RegistryFixture f;
  Registry& registry = *f.registry;
  Repository app = f.repository("team/app");
  Manifest one = f.push_image(app, "one", {"latest"});
  CHECK(registry.get_manifest(app, "latest")->id == one.id);
  f.base.clock.advance(5);
  Manifest two = f.push_image(app, "two", {"latest"});
  CHECK(registry.get_manifest(app, "latest")->id == two.id);
  auto tag = registry.get_tag(app, "latest");
  CHECK(tag->created_at + 5 == tag->updated_at);
  CHECK(tag->manifest.digest == two.digest);

  REQUIRE(registry.update_repository(app.id, {.immutable_tags = true}).ok());
  CHECK(outcome(f.push(app, f.image(app, "one"), {"new", "latest"})) == "tag_immutable");
  CHECK(outcome(registry.get_tag(app, "new")) == "tag_unknown");
  CHECK(f.push(app, f.image(app, "two"), {"latest"}).ok());
  CHECK(f.push(app, f.image(app, "one"), {"new"}).ok());
  CHECK(outcome(registry.delete_tag(app, "latest")) == "tag_immutable");
  CHECK(outcome(registry.delete_manifest(app, *two.digest)) == "tag_immutable");
  // A second signature replaces the first one's manifest under the same tag.
  std::string signature = "sha256-" + std::string(two.digest->hex()) + ".sig";
  f.push_image(app, "signature", {signature});
  f.push_image(app, "signature, signature", {signature});
  CHECK(registry.delete_tag(app, signature).ok());
}

TEST_CASE("deleting tags and manifests") {
  RegistryFixture f;
  Registry& registry = *f.registry;
  Repository app = f.repository("team/app");
  Manifest one = f.push_image(app, "one", {"a", "b", "c"});
  for (const char* tag : {"a", "b", "c"}) REQUIRE(registry.get_manifest(app, tag).ok());  // now cached
  REQUIRE(registry.delete_tag(app, "a").ok());
  CHECK(outcome(registry.delete_tag(app, "a")) == "tag_unknown");
  CHECK(outcome(registry.get_manifest(app, "a")) == "manifest_unknown");
  CHECK(registry.get_manifest(app, "b").ok());
  CHECK(registry.tags_of(one.id).value() == Strings{"b", "c"});
  REQUIRE(registry.delete_manifest(app, *one.digest).ok());
  CHECK(outcome(registry.delete_manifest(app, *one.digest)) == "manifest_unknown");
  for (const std::string& reference : {std::string("b"), std::string("c"), one.digest->text()})
    CHECK(outcome(registry.get_manifest(app, reference)) == "manifest_unknown");
  CHECK(registry.tags_after(app, "", 10)->empty());
  auto told = f.told();
  CHECK(told[3] == "image.deleted team/app:a");
  CHECK(told[4] == "image.deleted team/app@" + one.digest->text());
  CHECK(registry.get_repository(app.id)->tag_count == 0);
  CHECK(registry.get_repository(app.id)->artifact_count == 0);
  CHECK(f.push(app, f.image(app, "one"), {"a"}).ok());
}

TEST_CASE("lists of tags and manifests") {
  RegistryFixture f;
  Registry& registry = *f.registry;
  Repository app = f.repository("team/app");
  for (const char* tag : {"b", "a_1", "a1", "C"}) {
    f.base.clock.advance(1);
    f.push_image(app, tag, {tag});
  }
  Manifest signed_one = f.push_image(app, "b", {"b"});
  std::string signature = "sha256-" + std::string(signed_one.digest->hex()) + ".sig";
  f.base.clock.advance(1);
  f.push_image(app, "signature", {signature});

  CHECK(registry.tags_after(app, "", 10).value() == Strings{"C", "a1", "a_1", "b", signature});
  CHECK(registry.tags_after(app, "C", 2).value() == Strings{"a1", "a_1"});
  CHECK(registry.tags_after(app, "D", 2).value() == Strings{"a1", "a_1"});
  auto all = registry.list_tags(app, {}, {});
  CHECK(tags(all) == Strings{signature, "C", "a1", "a_1", "b"});
  CHECK(all->total == 5);
  auto images = registry.list_tags(app, {.with_accessories = false}, {1, 2});
  CHECK(tags(images) == Strings{"a1", "a_1"});
  CHECK(images->total == 4);
  auto found = registry.list_tags(app, {.with_accessories = false, .name_contains = "a_"}, {});
  CHECK(tags(found) == Strings{"a_1"});
  CHECK(found->total == 1);

  auto manifests = registry.list_manifests(app, {0, 2});
  CHECK(manifests->total == 4);
  CHECK(manifests->items.size() == 2);
  CHECK(manifests->items[0].digest == registry.get_tag(app, "C")->manifest.digest);
  CHECK(registry.list_manifests(app, {}, true)->total == 5);
  CHECK(registry.list_manifests(app, {}, true)->items[0].accessory);
  // The figures are the same once they are folded.
  for (int folded = 0; folded < 2; ++folded) {
    auto repository = registry.get_repository(app.id);
    CHECK(repository->tag_count == 4);
    CHECK(repository->artifact_count == 4);
    auto usage = registry.usage();
    CHECK(usage->repositories == 1);
    CHECK(usage->namespaces == 2);
    CHECK(usage->tags == 5);
    CHECK(usage->manifests == 5);
    CHECK(usage->blobs == 10);
    CHECK(usage->bytes == f.count("SELECT SUM(size) FROM blobs"));
    REQUIRE(registry.fold_pulls().ok());
  }
  CHECK(f.count("SELECT COUNT(*) FROM registry_changes") == 0);

  using Ids = std::vector<std::int64_t>;
  f.push_image(f.repository("open/app"), "x", {"x"});
  CHECK(registry.manifests_after(std::nullopt, 0, 3)->size() == 3);
  CHECK(registry.manifests_after(std::nullopt, 0, 30)->size() == 5);
  CHECK(registry.manifests_after(Ids{}, 0, 30)->empty());
  auto readable = registry.manifests_after(Ids{app.namespace_id}, signed_one.id, 30);
  REQUIRE(readable->size() == 3);
  CHECK((*readable)[0].repository.full_name() == "team/app");
}

TEST_CASE("what names are asked to contain is bounded") {
  RegistryFixture f;
  Repository app = f.repository("team/app");
  for (char c : {'x', '%', '\\'}) {
    std::string longest(limits::repository_name_max, c), longer(70'000, c);
    CHECK(f.registry->list_tags(app, {.name_contains = longest}, {})->total == 0);
    CHECK(f.registry->list_namespaces({.name_contains = longest}, {})->total == 0);
    CHECK(f.registry->list_repositories({.name_contains = longest}, {})->total == 0);
    CHECK(outcome(f.registry->list_tags(app, {.name_contains = longer}, {})) == "invalid_parameter");
    CHECK(outcome(f.registry->list_namespaces({.name_contains = longer}, {})) == "invalid_parameter");
    CHECK(outcome(f.registry->list_repositories({.name_contains = longer}, {})) == "invalid_parameter");
  }
}

TEST_CASE("referrers") {
  RegistryFixture f;
  Registry& registry = *f.registry;
  Repository app = f.repository("team/app");
  const Digest subject = Digest::of("not here yet");
  std::string more = R"(,"subject":)" + descriptor(subject, 1, oci_manifest);
  CHECK(registry.referrers(app, subject, "")->empty());
  Manifest sbom = f.push_image(app, "sbom", {}, more + R"(,"artifactType":"sbom/x")");
  Manifest plain = f.push_image(app, "plain", {}, more);
  auto index = f.push(app, index_json({}, more + R"(,"artifactType":"sig/x")"), {}, oci_index);
  REQUIRE(index.ok());
  f.push_image(f.repository("team/other"), "sbom", {}, more);

  auto all = registry.referrers(app, subject, "");
  REQUIRE(all->size() == 3);
  CHECK((*all)[0].digest == sbom.digest);
  CHECK((*all)[0].artifact_type == "sbom/x");
  CHECK((*all)[0].bytes.find("sbom/x") != std::string::npos);
  CHECK((*all)[1].artifact_type == oci_config);
  CHECK((*all)[2].accessory);
  CHECK(registry.referrers(app, subject, "sbom/x")->size() == 1);
  CHECK(registry.referrers(app, subject, "", sbom.id)->size() == 2);
  CHECK(registry.list_manifests(app, {})->total == 0);  // all of them hang on something
  REQUIRE(registry.delete_manifest(app, *plain.digest).ok());
  CHECK(registry.referrers(app, subject, "")->size() == 2);
  // One whose bytes are lost hides no other one.
  auto lose = [&](meta::Tx& tx) {
    return tx.execute("DELETE FROM manifest_bytes WHERE manifest_id = $1", {sbom.id});
  };
  REQUIRE(f.base.db->write(lose).ok());
  auto left = registry.referrers(app, subject, "");
  REQUIRE(left.ok());
  REQUIRE(left->size() == 2);
  CHECK((*left)[0].digest == sbom.digest);
  CHECK((*left)[0].bytes.empty());
  CHECK_FALSE((*left)[1].bytes.empty());
}

TEST_CASE("pulls are counted") {
  RegistryFixture f;
  Registry& registry = *f.registry;
  Repository app = f.repository("team/app");
  Manifest one = f.push_image(app, "one", {"1"}), two = f.push_image(app, "two", {"2"});
  for (int i = 0; i < 5; ++i) registry.count_pull(app, one);
  f.base.clock.advance(9);
  registry.count_pull(app, two);
  REQUIRE(registry.fold_pulls().ok());
  registry.count_pull(app, one);
  f.restart();  // folds what was left
  CHECK(f.registry->get_repository(app.id)->pull_count == 7);
  CHECK(f.registry->get_tag(app, "1")->manifest.pull_count == 6);
  CHECK(f.registry->get_manifest(two.id)->pull_count == 1);
  CHECK(f.registry->get_manifest(two.id)->pulled_at == f.base.clock.now());
  // Of an image that has gone only the repository remembers.
  f.registry->count_pull(app, one);
  REQUIRE(f.registry->delete_manifest(app, *one.digest).ok());
  REQUIRE(f.registry->fold_pulls().ok());
  CHECK(f.registry->get_repository(app.id)->pull_count == 8);
  // The buffer is bounded: beyond that it folds by itself.
  for (std::size_t i = 0; i < limits::pull_buffer_max; ++i) {
    Manifest ghost = two;
    ghost.id = 1'000'000 + static_cast<std::int64_t>(i);
    f.registry->count_pull(app, ghost);
  }
  CHECK(f.registry->get_repository(app.id)->pull_count == 8 + std::int64_t(limits::pull_buffer_max));
}

TEST_CASE("a push may say what its tag must point to") {
  RegistryFixture f;
  Repository app = f.repository("team/app");
  std::string one = f.image(app, "one"), two = f.image(app, "two"), three = f.image(app, "three");
  auto push = [&](const std::string& bytes, std::optional<Digest> expected, Strings names = {"1"}) {
    ManifestPush wanted{.bytes = bytes, .media_type = oci_manifest, .tags = std::move(names)};
    wanted.expected = ManifestPush::Expected{std::move(expected)};
    return outcome(f.registry->put_manifest(app, wanted, f.who));
  };
  CHECK(push(one, Digest::of(two)) == "conflict");  // there is none yet
  CHECK(outcome(f.registry->get_manifest(app, Digest::of(one).text())) == "manifest_unknown");
  CHECK(f.told().empty());
  CHECK(push(one, std::nullopt) == "ok");
  CHECK(push(two, std::nullopt) == "conflict");
  CHECK(push(one, std::nullopt) == "conflict");  // also when it would change nothing
  CHECK(push(two, Digest::of(three)) == "conflict");
  CHECK(push(two, Digest::of(one), {"1", "new"}) == "conflict");  // of every tag
  CHECK(push(two, Digest::of(one)) == "ok");
  CHECK(push(two, Digest::of(two)) == "ok");
  CHECK(f.registry->get_tag(app, "1")->manifest.digest == Digest::of(two));
}
